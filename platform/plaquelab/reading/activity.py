"""Reading time, anchored on the server: the stretches between a reader's requests, idle ones left out."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from plaquelab.reading.models import Read

IDLE_AFTER = timedelta(minutes=5)
"""A reader looks and scrolls without asking the server; whoever is silent for longer has left the case."""


def note_activity(*, read: Read, at: datetime | None = None) -> None:
    """Note that the reader works on a read now, and count the time since the last request unless it was idle.

    Parameters
    ----------
    at : the moment, by default now.
    """
    now = at or timezone.now()
    since = now - read.last_active_at if read.last_active_at else None
    counted = since.total_seconds() if since and timedelta(0) < since <= IDLE_AFTER else 0.0
    # Conditional on what was seen: of two requests at once, one counts.
    Read.objects.filter(pk=read.pk, last_active_at=read.last_active_at).update(
        active_seconds=F("active_seconds") + counted, last_active_at=now
    )
