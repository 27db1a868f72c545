"""Claim, heartbeat, report, finish, fail, cancel: single conditional UPDATEs on the job's row.

``select_for_update`` does nothing on SQLite, so nothing here rests on it: every write names the attempt that
it belongs to, and a write that changes no row means that somebody else holds the job now.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Model, Q
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.jobs.registry import Kind, kind_of, kinds, register
from plaquelab.jobs.worker import identity

__all__ = [
    "JobCancelledError",
    "JobLostError",
    "Kind",
    "claim",
    "error_id",
    "fail",
    "finish",
    "heartbeat",
    "kind_of",
    "kinds",
    "move",
    "register",
    "report",
    "request_cancel",
    "retry",
]

log = logging.getLogger(__name__)
J = TypeVar("J", bound=Model)


class JobLostError(Exception):
    """Another attempt holds this job now (or it has ended): stop, and write nothing."""


class JobCancelledError(Exception):
    """A person asked for the job to be cancelled."""


def _lease() -> Any:
    return timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)


def claim(model: type[J], pk: Any, *, from_states: Sequence[str], to_state: str) -> J | None:
    """Take a job: one conditional UPDATE that must change exactly one row.

    Parameters
    ----------
    model, pk : the job's row.
    from_states : states it may be taken from; include the running ones, so that the job of a dead worker
        can be taken again once its lease is over.
    to_state : the state that says that a worker has it.

    Returns
    -------
    the row as it is now, with the new ``attempt``; or None: there is nothing to do, which is a success.
    """
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows: Any = model._default_manager
    with transaction.atomic():
        changed = rows.filter(
            free,
            pk=pk,
            state__in=list(from_states),
            attempt__lt=F("attempt_base") + settings.JOB_MAX_ATTEMPTS,
        ).update(
            state=to_state,
            attempt=F("attempt") + 1,
            lease_until=_lease(),
            heartbeat_at=now,
            worker=identity(),
            stage="",
            progress=0.0,
            message="",
            error_id="",
            started_at=now,
            finished_at=None,
        )
        if changed != 1:
            return None
        job = rows.get(pk=pk)
        _audit(job, "claim", after={"state": str(to_state), "attempt": job.attempt})
    return job


def _audit(job: Any, event: str, *, after: dict[str, Any], by: Any = None, reason: str = "") -> None:
    verb = f"{str(job._meta.verbose_name).replace(' ', '_')}.{event}"
    audit.record(verb=verb, obj=job, by=by, study=job.study, after=after, reason=reason)


def _mine(job: Any) -> Any:
    """Return the query of this job's row while this attempt holds it."""
    return type(job)._default_manager.filter(
        pk=job.pk, attempt=job.attempt, state__in=kind_of(type(job)).running_states
    )


def report(job: Any, stage: str, progress: float) -> None:
    """Write stage and progress (0 to 1) to the row, renew the lease, and see whether to go on.

    Raises
    ------
    JobLostError
        Another attempt holds the job.
    JobCancelledError
        A person asked for it to be cancelled.
    """
    now = timezone.now()
    changed = _mine(job).update(
        stage=stage[:40], progress=min(max(float(progress), 0.0), 1.0), heartbeat_at=now, lease_until=_lease()
    )
    if changed != 1:
        raise JobLostError(f"attempt {job.attempt} no longer holds {job._meta.verbose_name} {job.pk}")
    if _mine(job).filter(cancel_requested=True).exists():
        raise JobCancelledError("Cancelled by a person.")


def move(job: Any, *, to_state: str, event: str) -> None:
    """Move a held job from one running state to the next, with its audit event.

    Raises
    ------
    JobLostError
        Another attempt holds the job.
    """
    before = job.state
    with transaction.atomic():
        if _mine(job).update(state=to_state, lease_until=_lease(), heartbeat_at=timezone.now()) != 1:
            raise JobLostError(f"attempt {job.attempt} no longer holds {job._meta.verbose_name} {job.pk}")
        job.state = to_state
        _audit(job, event, after={"state": str(to_state), "before": str(before), "attempt": job.attempt})


def finish(job: Any, *, to_state: str, event: str = "succeed", **fields: Any) -> None:
    """End a held job; call it in the transaction that stores what the job made.

    Parameters
    ----------
    fields : further columns to write, such as timings.

    Raises
    ------
    JobLostError
        Another attempt holds the job: the caller's transaction must roll back.
    """
    before = job.state
    with transaction.atomic():
        now = timezone.now()
        values = {"progress": 1.0, "lease_until": None, "finished_at": now, "worker": "", **fields}
        if _mine(job).update(state=to_state, **values) != 1:
            raise JobLostError(f"attempt {job.attempt} no longer holds {job._meta.verbose_name} {job.pk}")
        for name, value in values.items():
            setattr(job, name, value)
        job.state = to_state
        _audit(job, event, after={"state": str(to_state), "before": str(before), "attempt": job.attempt})


def fail(
    job: Any, *, to_state: str, message: str, event: str = "fail", error_id: str = "", **fields: Any
) -> bool:
    """End a held job with a message for the person; a job that another attempt holds is left alone.

    Returns
    -------
    bool
        Whether this attempt still held it.
    """
    before = job.state
    with transaction.atomic():
        values = {
            "lease_until": None,
            "finished_at": timezone.now(),
            "worker": "",
            "message": message,
            "error_id": error_id,
            **fields,
        }
        if _mine(job).update(state=to_state, **values) != 1:
            return False
        for name, value in values.items():
            setattr(job, name, value)
        job.state = to_state
        _audit(
            job,
            event,
            after={"state": str(to_state), "before": str(before), "attempt": job.attempt},
            reason=message[:500],
        )
    return True


def error_id() -> str:
    """Return a fresh number that stands both in the log and in the person's message."""
    return uuid.uuid4().hex[:12]


def ours(what: str, number: str) -> str:
    """Return what a person is told when a job failed for a reason that is in the log under this number."""
    return f"The {what} failed for a reason that is ours, not yours. Tell the operator error {number}."


def request_cancel(job: Any) -> bool:
    """Ask a running job to stop at its next stage; True when it was running."""
    running = kind_of(type(job)).running_states
    rows = type(job)._default_manager.filter(pk=job.pk, state__in=running)
    return bool(rows.update(cancel_requested=True) == 1)


def retry(job: Any, *, from_states: Sequence[str], to_state: str, by: Any, reason: str = "") -> bool:
    """Queue an ended job again with a fresh allowance of attempts; the caller rings after commit.

    Returns
    -------
    bool
        False when the job is in none of ``from_states`` (any more).
    """
    rows: Any = type(job)._default_manager
    with transaction.atomic():
        changed = rows.filter(pk=job.pk, state__in=list(from_states)).update(
            state=to_state,
            attempt_base=F("attempt"),
            cancel_requested=False,
            lease_until=None,
            stage="",
            progress=0.0,
            message="",
            error_id="",
            finished_at=None,
            rung_at=timezone.now(),
        )
        if changed != 1:
            return False
        before = job.state
        job.refresh_from_db()
        _audit(job, "retry", after={"state": str(to_state), "before": str(before)}, by=by, reason=reason)
    return True


@contextmanager
def heartbeat(job: Any) -> Iterator[None]:
    """Renew the job's lease from a thread of its own while the block runs.

    The thread's writes are single statements outside any transaction. It never ends the work itself: the
    next ``report``, ``move`` or ``finish`` finds out when the job was lost.
    """
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.JOB_HEARTBEAT_SECONDS):
                try:
                    if _mine(job).update(heartbeat_at=timezone.now(), lease_until=_lease()) != 1:
                        return
                except DatabaseError:
                    log.warning("heartbeat of %s %s failed; trying again", job._meta.verbose_name, job.pk)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)
