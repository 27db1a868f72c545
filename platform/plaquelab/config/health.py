"""``/health``: whether database, broker and storage answer."""

from __future__ import annotations

import logging

from django.db import connection
from django.http import HttpRequest, JsonResponse

from plaquelab.config.celery import app
from plaquelab.storage import store

log = logging.getLogger(__name__)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)


def _storage() -> None:
    path = "health/probe"
    store().put(path, b"ok")
    if store().get(path) != b"ok":
        raise OSError("storage gave back something else")


PARTS = {"database": _database, "broker": _broker, "storage": _storage}


def health(_: HttpRequest) -> JsonResponse:
    """Answer 200 when every part works, 503 naming the ones that do not."""
    parts = {}
    for name, check in PARTS.items():
        try:
            check()
            parts[name] = "ok"
        except Exception:
            log.exception("health: %s does not answer", name)
            parts[name] = "does not answer"
    good = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if good else "degraded", **parts}, status=200 if good else 503)
