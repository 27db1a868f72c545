"""Claim, report, step, finish, fail, retry, cancel: single conditional UPDATEs on the job's row.

States move by the kind's transition table (``plaquelab.states``). ``select_for_update`` does nothing on SQLite, so
nothing here rests on it: every write names the attempt that it belongs to, and a write that changes no row means that
somebody else holds the job now.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Model, Q
from django.utils import timezone

from plaquelab.jobs.registry import Kind, kind_of, kinds, register
from plaquelab.jobs.worker import identity
from plaquelab.states import ConflictError

__all__ = [
    "JobCancelledError",
    "JobLostError",
    "Kind",
    "claim",
    "error_id",
    "fail",
    "finish",
    "heartbeat",
    "held",
    "kind_of",
    "kinds",
    "ours",
    "register",
    "report",
    "request_cancel",
    "retry",
    "step",
]

log = logging.getLogger(__name__)
J = TypeVar("J", bound=Model)


class JobLostError(Exception):
    """Another attempt holds this job now (or it has ended): stop, and write nothing."""


class JobCancelledError(Exception):
    """A person asked for the job to be cancelled."""


def _lease() -> Any:
    return timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)


def claim(model: type[J], pk: Any) -> J | None:
    """Take a job that waits, or that a dead worker left: one conditional UPDATE that must change exactly one row.

    Parameters
    ----------
    model, pk : the job's row.

    Returns
    -------
    the row as it is now, with the new ``attempt``; or None: there is nothing to do, which is a success.
    """
    machine = kind_of(model).machine
    rows: Any = model._default_manager
    job = rows.filter(pk=pk).first()
    if job is None or not machine.allows(job, "claim"):
        return None
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    allowed = Q(attempt=job.attempt, attempt__lt=F("attempt_base") + settings.JOB_MAX_ATTEMPTS)
    try:
        machine.apply(
            job,
            "claim",
            by=None,
            where=free & allowed,
            detail={"attempt": job.attempt + 1},
            fields={
                "attempt": job.attempt + 1,
                "lease_until": _lease(),
                "heartbeat_at": now,
                "worker": identity(),
                "stage": "",
                "progress": 0.0,
                "message": "",
                "error_id": "",
                "started_at": now,
                "finished_at": None,
            },
        )
    except ConflictError:
        return None
    claimed: J = job
    return claimed


def held(job: Any) -> Any:
    """Return the query of this job's row while this attempt holds it."""
    return type(job)._default_manager.filter(
        pk=job.pk, attempt=job.attempt, state__in=kind_of(type(job)).running_states
    )


def _lost(job: Any) -> JobLostError:
    return JobLostError(f"attempt {job.attempt} no longer holds {job._meta.verbose_name} {job.pk}")


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
    changed = held(job).update(
        stage=stage[:40], progress=min(max(float(progress), 0.0), 1.0), heartbeat_at=now, lease_until=_lease()
    )
    if changed != 1:
        raise _lost(job)
    if held(job).filter(cancel_requested=True).exists():
        raise JobCancelledError("Cancelled by a person.")


def _apply(job: Any, event: str, *, fields: dict[str, Any], reason: str = "", where: Q | None = None) -> None:
    """Move a held job along an event of its table.

    Raises
    ------
    JobLostError
        Another attempt holds the job, or it has ended.
    TransitionError
        The held job's state does not allow the event.
    """
    kind = kind_of(type(job))
    if job.state not in kind.running_states:
        raise _lost(job)
    try:
        kind.machine.apply(
            job,
            event,
            by=None,
            reason=reason,
            where=Q(attempt=job.attempt) & (where or Q()),
            detail={"attempt": job.attempt},
            fields=fields,
        )
    except ConflictError as conflict:
        raise _lost(job) from conflict


def step(job: Any, event: str) -> None:
    """Move a held job from one running state to the next, with its audit event.

    Raises
    ------
    JobLostError
        Another attempt holds the job.
    """
    _apply(job, event, fields={"lease_until": _lease(), "heartbeat_at": timezone.now()})


def finish(job: Any, event: str = "succeed", **fields: Any) -> None:
    """End a held job; call it in the transaction that stores what the job made.

    Parameters
    ----------
    fields : further columns to write, such as timings.

    Raises
    ------
    JobLostError
        Another attempt holds the job: the caller's transaction must roll back.
    """
    now = timezone.now()
    values = {"progress": 1.0, "lease_until": None, "finished_at": now, "worker": "", **fields}
    _apply(job, event, fields=values)


def fail(
    job: Any,
    event: str = "fail",
    *,
    message: str,
    code: str = "",
    error_id: str = "",
    where: Q | None = None,
) -> bool:
    """End a held job with a message for the person; a job that another attempt holds is left alone.

    Parameters
    ----------
    event : ``fail``, or another event of the kind's table that ends a job without a result.
    code : kept where the kind has a column for it.
    where : a further condition on the row.

    Returns
    -------
    bool
        Whether this attempt still held it.
    """
    values = {
        "lease_until": None,
        "finished_at": timezone.now(),
        "worker": "",
        "message": message,
        "error_id": error_id,
        **_code(job, code),
    }
    try:
        _apply(job, event, fields=values, reason=message[:500], where=where)
    except JobLostError:
        return False
    return True


def _code(job: Any, code: str) -> dict[str, str]:
    column = kind_of(type(job)).code_field
    return {column: code} if column else {}


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


@transaction.atomic
def retry(job: Any, *, by: Any, reason: str = "") -> bool:
    """Queue an ended job again with a fresh allowance of attempts; the caller rings after commit.

    Returns
    -------
    bool
        False when the job's state does not allow it (any more).
    """
    machine = kind_of(type(job)).machine
    job.refresh_from_db()
    if not machine.allows(job, "retry"):
        return False
    fields = {
        "attempt_base": job.attempt,
        "cancel_requested": False,
        "lease_until": None,
        "stage": "",
        "progress": 0.0,
        "message": "",
        "error_id": "",
        "finished_at": None,
        "rung_at": timezone.now(),
        **_code(job, ""),
    }
    try:
        machine.apply(job, "retry", by=by, reason=reason, where=Q(attempt=job.attempt), fields=fields)
    except ConflictError:
        return False
    return True


@contextmanager
def heartbeat(job: Any) -> Iterator[None]:
    """Renew the job's lease from a thread of its own while the block runs.

    The thread's writes are single statements outside any transaction. It never ends the work itself: the
    next ``report``, ``step`` or ``finish`` finds out when the job was lost.
    """
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.JOB_HEARTBEAT_SECONDS):
                try:
                    if held(job).update(heartbeat_at=timezone.now(), lease_until=_lease()) != 1:
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
