"""The reaper: rings again for jobs whose worker died or whose bell was never heard.

It runs in every worker, once at the start and then on a timer. Several at once do no harm: ringing twice is
ringing once, since a claim succeeds once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F, Q
from django.utils import timezone

from plaquelab.jobs.registry import Kind, kinds
from plaquelab.jobs.services import fail
from plaquelab.jobs.worker import is_dead_here

log = logging.getLogger(__name__)

# A queued job is rung again after this long: its bell may have died with a worker. While a worker is merely
# busy the bells wait beside each other, and all but one find nothing to do.
QUEUED_SECONDS = 60


def reap(*, at_start: bool = False) -> int:
    """Ring again, or fail, every job that nobody works on.

    Parameters
    ----------
    at_start : ring for every queued job at once: a worker that just started may have lost bells.

    Returns
    -------
    int
        How many jobs were rung or failed.
    """
    count = 0
    for kind in kinds():
        for job in list(_abandoned(kind)):
            count += _revive(kind, job)
        for job in list(_unheard(kind, at_start=at_start)):
            count += _ring(kind, job)
    return count


def release_dead() -> int:
    """Free the jobs whose workers of this machine were ended on purpose; that attempt does not count.

    Returns
    -------
    int
        How many jobs were freed; the next worker takes them from the start.
    """
    count = 0
    for kind in kinds():
        rows: Any = kind.model._default_manager
        for job in rows.filter(state__in=kind.running_states):
            if is_dead_here(job.worker):
                mine = rows.filter(pk=job.pk, attempt=job.attempt, worker=job.worker)
                count += mine.update(lease_until=None, worker="", attempt_base=F("attempt_base") + 1)
    return count


def _abandoned(kind: Kind) -> Iterator[Any]:
    """Yield running jobs whose lease is over, or whose worker was a process of this machine and died."""
    rows: Any = kind.model._default_manager
    for job in rows.filter(state__in=kind.running_states):
        if job.lease_until is None or job.lease_until < timezone.now() or is_dead_here(job.worker):
            yield job


def _revive(kind: Kind, job: Any) -> int:
    rows: Any = kind.model._default_manager
    held = rows.filter(pk=job.pk, attempt=job.attempt, state=job.state, worker=job.worker)
    if job.attempt - job.attempt_base >= settings.JOB_MAX_ATTEMPTS:
        message = (
            f"The work was started {job.attempt - job.attempt_base} times and its worker died each time (the last stage was "
            f"“{job.stage or 'start'}”): the data may be too large for this machine. Ask the operator."
        )
        # A worker that was ended on purpose leaves the row without its name, and that attempt does not count.
        if not fail(job, message=message, code="worker-died", where=Q(worker=job.worker)):
            return 0
        log.error("%s %s failed after %d attempts", kind.name, job.pk, job.attempt)
        return 1
    # An expired lease is taken away first, so that the claim that follows the bell finds the job free.
    if held.update(lease_until=None) != 1:
        return 0
    return _ring(kind, job, quiet_seconds=settings.JOB_LEASE_SECONDS)


def _unheard(kind: Kind, *, at_start: bool) -> Iterator[Any]:
    rows = kind.model._default_manager.filter(state__in=kind.queued_states)
    if not at_start:
        old = timezone.now() - timedelta(seconds=QUEUED_SECONDS)
        rows = rows.filter(Q(created_at__lt=old), Q(rung_at__isnull=True) | Q(rung_at__lt=old))
    yield from rows


def _ring(kind: Kind, job: Any, quiet_seconds: float = 0) -> int:
    """Ring, unless that was done within ``quiet_seconds`` and nobody has claimed the job since."""
    now = timezone.now()
    quiet = Q(rung_at__isnull=True) | Q(rung_at__lt=now - timedelta(seconds=quiet_seconds))
    unclaimed = Q(rung_at__lt=F("started_at"))
    if kind.model._default_manager.filter(quiet | unclaimed, pk=job.pk).update(rung_at=now) != 1:
        return 0
    log.info("ringing again for %s %s (attempt %d)", kind.name, job.pk, job.attempt)
    kind.ring(job.pk)
    return 1


class ReaperThread(threading.Thread):
    """The timer in a worker's main process."""

    def __init__(self) -> None:
        super().__init__(name="reaper", daemon=True)
        self._stop_event = threading.Event()

    def run(self) -> None:
        """Reap now and then until stopped; a database that is away is waited for."""
        at_start = True
        while True:
            try:
                reap(at_start=at_start)
                at_start = False
            except DatabaseError:
                log.warning("the reaper cannot reach the database; trying again")
            except Exception:  # the timer must outlive a broker that is away
                log.exception("the reaper failed; trying again")
            finally:
                connection.close()
            if self._stop_event.wait(settings.JOB_REAPER_SECONDS):
                return

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stop_event.set()
