"""Which images a dashboard may lead to: roles and the charter decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from plaquelab.analysis.models import AnalysisRun
from plaquelab.reading.charter import read_design
from plaquelab.reading.models import ReadCase
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, capabilities_of

if TYPE_CHECKING:
    from plaquelab.accounts.models import User


def exams_with_images(user: User, study: Study, numbers: Iterable[int]) -> set[int]:
    """Of these exams, the ones that this user may open in the viewer.

    Who sees every case may open all that were analysed; investigators final reads alone, and those only where the
    charter says so. ``reading.selectors.exam_view`` decides again when one is opened.
    """
    wanted = set(numbers)
    held = capabilities_of(user, study)
    if Capability.SEE_EVERY_CASE in held:
        runs = AnalysisRun.objects.filter(
            exam__study=study, exam__number__in=wanted, state=AnalysisRun.State.SUCCEEDED
        )
        return set(runs.values_list("exam__number", flat=True))
    if Capability.SEE_FINAL_IMAGES not in held:
        return set()
    cases = ReadCase.objects.filter(study=study, exam__number__in=wanted, final_read__isnull=False)
    return {
        case.exam.number
        for case in cases.select_related("exam", "charter")
        if read_design(case.charter).investigators_see_images
    }
