"""A run that was asked for under older measuring code is measured, and named, by the code that runs it."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from plaquelab.analysis import measuring_code
from plaquelab.analysis.models import AnalysisRun
from plaquelab.audit import services as audit
from plaquelab.errors import Refusal
from plaquelab.jobs import services as jobs


class SupersededRunError(Refusal):
    """What was asked for under older measuring code has meanwhile been asked for under today's."""

    code = "superseded"


def take_over(run: AnalysisRun) -> None:
    """Note on a claimed run that today's code measures it.

    Raises
    ------
    SupersededRunError
        Today's code has a run of the same request already.
    JobLostError
        Another attempt holds the run.
    """
    now = measuring_code.today()
    if run.code_version == now:
        return
    try:
        with transaction.atomic():
            if jobs.held(run).update(code_version=now) != 1:
                raise jobs.JobLostError(f"attempt {run.attempt} no longer holds run {run.pk}")
            audit.record(
                verb="analysis_run.take_over",
                obj=run,
                by=None,
                study=run.study,
                before={"code_version": run.code_version},
                after={"code_version": now},
            )
    except IntegrityError:
        raise SupersededRunError(
            "The measuring code has changed since this run was asked for, and the newer code has a run of its own."
        ) from None
    run.code_version = now
