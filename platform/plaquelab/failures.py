"""What a person is told when something of ours fails: a number under which the log has it, or that the database is busy.

Nothing here may touch the database, whose failure it may be: the page has no person, no study and no menu.
"""

from __future__ import annotations

import logging
import sys

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from plaquelab.jobs.services import error_id

log = logging.getLogger(__name__)

BUSY = (
    "The database was busy with other work for so long that your request was given up. Load the page again; "
    "what you were storing may have to be stored again."
)
BUSY_SECONDS = 5
"""After so long asking again makes sense: a write that holds the others up takes a moment, or minutes."""


def is_busy(error: BaseException | None) -> bool:
    """Tell whether an error says that other work held the database for longer than we wait (SQLite alone says so)."""
    return isinstance(error, OperationalError) and "locked" in str(error)


def answer(request: HttpRequest) -> HttpResponse:
    """Answer what no view and no middleware has caught (Django's ``handler500``).

    A busy database is 503, which scripts and the viewer take as “ask again”; everything else is ours, and 500.
    """
    if is_busy(sys.exc_info()[1]):
        response = _say(request, code="busy", title="Busy", reason=BUSY, status=503)
        response["Retry-After"] = str(BUSY_SECONDS)
        return response
    number = error_id()
    log.error("error %s answers %s %s", number, request.method, request.path)
    reason = f"This failed for a reason that is ours, not yours. Tell the operator error {number}."
    return _say(request, code="internal", title="This failed", reason=reason, status=500)


def _say(request: HttpRequest, *, code: str, title: str, reason: str, status: int) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"code": code, "detail": reason}, status=status)
    return HttpResponse(render_to_string("failed.html", {"title": title, "reason": reason}), status=status)
