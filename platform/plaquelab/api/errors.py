"""How a refusal becomes an answer of the API: ``{"code": "…", "detail": "…"}`` with the refusal's status."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

from plaquelab.errors import refusal_of


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a refusal with its own words, everything else as the framework does (its ``EXCEPTION_HANDLER``)."""
    refusal = refusal_of(error)
    if refusal is None:
        return exception_handler(error, context)
    return Response({"code": refusal.code, "detail": str(refusal)}, status=refusal.status)
