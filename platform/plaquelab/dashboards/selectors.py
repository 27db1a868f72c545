"""Who may see what on dashboards: freezes decide who sees comparisons, roles and charter who sees images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from plaquelab.analysis.models import AnalysisRun
from plaquelab.freezes.selectors import (
    BLINDED_ROLES,
    IMAGE_ROLES,
    may_see_comparisons,
)
from plaquelab.reading.charter import read_design
from plaquelab.reading.models import ReadCase
from plaquelab.studies.access import get_study
from plaquelab.studies.models import Role, Study
from plaquelab.studies.permissions import Capability
from plaquelab.studies.selectors import roles_of

if TYPE_CHECKING:
    from plaquelab.accounts.models import User


def open_study(request: HttpRequest, slug: str) -> Study:
    """Return the study for a dashboard.

    Raises
    ------
    Http404
        The user has no part in the study.
    PermissionDenied
        The user has no role that sees dashboards, or also reads in this study: the comparison would unblind.
    """
    study = get_study(request, slug, Capability.SEE_DASHBOARDS)  # type: ignore[arg-type]
    if roles_of(request.user, study) & {str(role) for role in BLINDED_ROLES}:  # type: ignore[arg-type]
        raise PermissionDenied("Who reads in a study cannot see its comparisons.")
    return study


def exams_with_images(user: User, study: Study, numbers: Iterable[int]) -> set[int]:
    """Of these exams, the ones that this user may open in the viewer.

    Managers and auditors may open all that were analysed; investigators final reads alone, and those only where the
    charter says so. ``reading.selectors.exam_view`` decides again when one is opened.
    """
    wanted = set(numbers)
    roles = roles_of(user, study)
    if roles & {str(role) for role in IMAGE_ROLES}:
        runs = AnalysisRun.objects.filter(
            exam__study=study, exam__number__in=wanted, state=AnalysisRun.State.SUCCEEDED
        )
        return set(runs.values_list("exam__number", flat=True))
    if Role.INVESTIGATOR not in roles:
        return set()
    cases = ReadCase.objects.filter(study=study, exam__number__in=wanted, final_read__isnull=False)
    return {
        case.exam.number
        for case in cases.select_related("exam", "charter")
        if read_design(case.charter).investigators_see_images
    }


def sees_every_read(user: User, study: Study) -> bool:
    """Tell whether this user may see reads that are not final: managers and auditors."""
    return bool(roles_of(user, study) & {str(role) for role in IMAGE_ROLES})


def may_calculate(user: User, study: Study) -> bool:
    """Tell whether this user may queue work on a freeze: who sees dashboards, except the auditor, who changes nothing."""
    return may_see_comparisons(user, study) and bool(
        roles_of(user, study) & {str(Role.MANAGER), str(Role.INVESTIGATOR)}
    )


def require_calculating(user: User, study: Study) -> None:
    """Raise PermissionDenied unless this user may queue work."""
    if not may_calculate(user, study):
        raise PermissionDenied(
            "Auditors read everything and change nothing: a manager or investigator starts this."
        )
