"""Which measuring code made a result, and whether it is today's."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from inference.code_version import code_version
from plaquelab.analysis.models import AnalysisRun


class SupersededRunError(Exception):
    """What was asked for under older measuring code has meanwhile been asked for under today's. For the person."""


def today() -> str:
    """Return the version of the code that measures now."""
    return code_version()


def made_earlier(version: str) -> bool:
    """Tell whether a result was made by other measuring code than today's, or before versions were kept."""
    return version != today()


def take_over(run: AnalysisRun) -> None:
    """Note on a claimed run that today's code measures it; it may have been asked for before the code changed.

    Raises
    ------
    SupersededRunError
        Today's code has a run of the same request already.
    """
    now = today()
    if run.code_version == now:
        return
    try:
        with transaction.atomic():
            AnalysisRun.objects.filter(pk=run.pk).update(code_version=now)
    except IntegrityError:
        raise SupersededRunError(
            "The measuring code has changed since this run was asked for, and the newer code has a run of its own."
        ) from None
    run.code_version = now
