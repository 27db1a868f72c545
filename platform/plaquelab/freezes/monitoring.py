"""Live monitoring for the manager: how much of each comparison is ready. No outcome, no compared number."""

from __future__ import annotations

from dataclasses import dataclass

from plaquelab.analysis.models import AnalysisRun
from plaquelab.freezes import comparison_runs
from plaquelab.reading.models import ReadCase
from plaquelab.references.selectors import totals
from plaquelab.studies.models import Study, Subject

S, P = AnalysisRun.State, AnalysisRun.Purpose


@dataclass(frozen=True)
class Readiness:
    """What a freeze made now would have to go by.

    subjects, without_cohort, analysed, cases, final : how many. waiting, failed : runs for comparisons.
    references : kind's label → subjects.
    """

    subjects: int
    without_cohort: int
    analysed: int
    cases: int
    final: int
    waiting: int
    failed: int
    references: tuple[tuple[str, int], ...]


def readiness(study: Study) -> Readiness:
    """Count what is there; none of it says how any comparison comes out."""
    subjects = Subject.objects.filter(study=study)
    cases = ReadCase.objects.filter(study=study)
    runs = AnalysisRun.objects.filter(study=study)
    return Readiness(
        subjects=subjects.count(),
        without_cohort=subjects.filter(cohort__isnull=True).count(),
        analysed=runs.filter(purpose=P.MAIN, state=S.SUCCEEDED).values("exam").distinct().count(),
        cases=cases.count(),
        final=cases.filter(state=ReadCase.State.FINAL).count(),
        waiting=comparison_runs.waiting(study),
        failed=runs.exclude(purpose=P.MAIN).filter(state__in=(S.FAILED, S.TIMED_OUT)).count(),
        references=tuple((str(row["label"]), int(row["subjects"])) for row in totals(study)),
    )
