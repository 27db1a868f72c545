"""What health and pages may know of the queue."""

from __future__ import annotations

from typing import Any

from django.db.models import Min
from django.utils import timezone

from plaquelab.jobs.registry import kinds
from plaquelab.jobs.worker import is_dead_here


def health() -> dict[str, Any]:
    """Return, for every kind of job, how many wait and run, the oldest wait in seconds, and the dead.

    Returns
    -------
    dict
        kind → ``{"queued", "running", "oldest_queued_s", "dead"}``; dead = running without a living worker
        (the reaper will find them).
    """
    result: dict[str, Any] = {}
    now = timezone.now()
    for kind in kinds():
        rows: Any = kind.model._default_manager
        queued = rows.filter(state__in=kind.queued_states)
        running = list(rows.filter(state__in=kind.running_states).values_list("lease_until", "worker"))
        oldest = queued.aggregate(oldest=Min("created_at"))["oldest"]
        result[kind.name] = {
            "queued": queued.count(),
            "running": len(running),
            "oldest_queued_s": round((now - oldest).total_seconds(), 1) if oldest else None,
            "dead": sum(lease is None or lease < now or is_dead_here(worker) for lease, worker in running),
        }
    return result
