"""One attempt at a job: claim it, work while a heartbeat renews the lease, and end it whatever happened.

A kind of job says what it does, and what an error of its own means. The rest is the same for all: nothing to do is a
success, who lost the job writes nothing, a cancel and a time limit end it as such, and whatever else breaks is ours:
the log gets it, the person a number.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Model

from plaquelab.errors import refusal_of
from plaquelab.jobs import services as jobs
from plaquelab.jobs.registry import kind_of

log = logging.getLogger(__name__)
J = TypeVar("J", bound=Model)
Progress = Callable[[str, float], None]
QUIET_SECONDS = 0.25


def _nothing() -> None:
    return


@dataclass(frozen=True)
class End:
    """How a job ends without a result.

    Parameters
    ----------
    event : the event of the kind's table; where the state does not allow it (any more), nothing is written.
    message : for the person; or a function of a fresh number, under which the error is then logged.
    code : short kebab-case name, kept where the kind has a column for it.
    stored : what else is written, in the transaction that ends the job.
    after : what follows once that is committed, such as erasing files.
    """

    event: str
    message: str | Callable[[str], str]
    code: str = ""
    stored: Callable[[], object] = _nothing
    after: Callable[[], object] = _nothing


Meaning = Callable[[J, Exception], End | None]


def attempt(
    model: type[J],
    pk: Any,
    *,
    what: str,
    work: Callable[[J, Progress], object],
    meaning: Meaning[J] | None = None,
    private: bool = False,
) -> J | None:
    """Do one attempt at a job.

    Parameters
    ----------
    model, pk : the job's row.
    what : what messages call the work: “The ``what`` took too long …”.
    work : gets the row and a function that reports stage and progress; it stores what it made in one transaction
        that also calls ``jobs.finish``.
    meaning : what an error means to this kind; None for what means the same to every kind (``usual``).
    private : log an error of ours by its type and place only, because its text may quote what came in.

    Returns
    -------
    the row as it ended; None when there was nothing to do (somebody else has it, or it has ended).
    """
    job = jobs.claim(model, pk)
    if job is None:
        return None
    try:
        with jobs.heartbeat(job):
            work(job, reporter(job))
    except jobs.JobLostError as lost:
        log.warning("%s %s: %s", what, pk, lost)
        return None
    except Exception as error:  # noqa: BLE001  the one place that says what each error means
        end = meaning(job, error) if meaning else None
        _end(job, end or usual(what, job, error), error, what=what, private=private)
    return job


def usual(what: str, job: Model, error: Exception) -> End:
    """Return what an error means that is none of the kind's own: cancelled, out of time, refused, or ours.

    A kind whose table knows no cancel or time limit fails instead.
    """
    known = {event for _, event in kind_of(type(job)).machine.table}
    if isinstance(error, jobs.JobCancelledError):
        return End("cancel" if "cancel" in known else "fail", "Cancelled.", code="cancelled")
    if isinstance(error, SoftTimeLimitExceeded):
        message = f"The {what} took too long and was stopped."
        return End("time_out" if "time_out" in known else "fail", message, code="time-out")
    if refusal := refusal_of(error):
        return End("fail", str(refusal), code=refusal.code)
    return End("fail", partial(jobs.ours, what), code="internal")


def _end(job: Any, end: End, error: Exception, *, what: str, private: bool) -> None:
    # What was rolled back with the results moved the object, not the row.
    job.refresh_from_db(fields=["state"])
    if not kind_of(type(job)).machine.allows(job, end.event):
        # Its end stands, but what was to follow it (such as erasing what came in) has not been done.
        _log_ours(job, error, what=what, happened=f"broke after its end as {job.state}", private=private)
        return
    number = ""
    if callable(end.message):
        number = jobs.error_id()
        message = end.message(number)
        _log_ours(job, error, what=what, happened=f"failed (error {number})", private=private)
    else:
        message = end.message
        log.warning("%s %s: %s (%s)", what, job.pk, end.event, end.code if private else message)
    with transaction.atomic():
        if not jobs.fail(job, end.event, message=message, code=end.code, error_id=number):
            return
        end.stored()
    end.after()


def _log_ours(job: Any, error: Exception, *, what: str, happened: str, private: bool) -> None:
    if private:
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s %s %s: %s\n%s", what, job.pk, happened, type(error).__name__, frames)
    else:
        log.error("%s %s %s", what, job.pk, happened, exc_info=error)


def reporter(job: Any) -> Progress:
    """Return a function (stage, fraction) that writes at most four rows a second, and each stage's start.

    It raises ``JobLostError`` and ``JobCancelledError`` as ``jobs.report`` does.
    """
    last_stage: str | None = None
    last_at = 0.0

    def progress(stage: str, fraction: float) -> None:
        nonlocal last_stage, last_at
        now = time.monotonic()
        if stage == last_stage and now - last_at < QUIET_SECONDS:
            return
        last_stage, last_at = stage, now
        jobs.report(job, stage, fraction)

    return progress
