"""Who may see comparisons of reads and freezes: investigators, core-lab managers and auditors, unless they also read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from plaquelab.analysis.models import AnalysisRun
from plaquelab.dashboards.models import DatasetFreeze
from plaquelab.reading.charter import read_design
from plaquelab.reading.models import ReadCase
from plaquelab.studies.access import get_study
from plaquelab.studies.models import Role, Study
from plaquelab.studies.permissions import Capability
from plaquelab.studies.selectors import roles_of

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

DASHBOARD_ROLES = (Role.INVESTIGATOR, Role.MANAGER, Role.AUDITOR)
BLINDED_ROLES = (Role.READER, Role.ADJUDICATOR)
IMAGE_ROLES = (Role.MANAGER, Role.AUDITOR)


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


def may_see_dashboards(user: User, study: Study) -> bool:
    """Tell whether this user may open the study's dashboards."""
    mine = roles_of(user, study)
    return bool(mine & {str(r) for r in DASHBOARD_ROLES}) and not mine & {str(r) for r in BLINDED_ROLES}


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


def visible_freezes(user: User, study: Study) -> QuerySet[DatasetFreeze]:
    """Freezes that this user may open: manager and auditor all, an investigator released ones, who reads here none."""
    rows = DatasetFreeze.objects.filter(study=study).select_related("requested_by", "released_by", "study")
    if not may_see_dashboards(user, study):
        return rows.none()
    if roles_of(user, study) & {str(role) for role in IMAGE_ROLES}:
        return rows.order_by("-number")
    return rows.filter(state=DatasetFreeze.State.RELEASED).order_by("-number")


def freezes_with_content(user: User, study: Study) -> QuerySet[DatasetFreeze]:
    """Freezes that this user may open and that have content, the newest first."""
    S = DatasetFreeze.State
    return visible_freezes(user, study).filter(state__in=(S.FROZEN, S.RELEASED))


def chosen_freeze(user: User, study: Study, number: str) -> tuple[DatasetFreeze | None, str]:
    """Return the freeze of that number, or the one to begin with, and what was wrong with the number.

    One begins with the newest released freeze of the study's own data, then its newest frozen one, then what there is.
    """
    freezes = list(freezes_with_content(user, study))
    for freeze in freezes:
        if str(freeze.number) == number:
            return freeze, ""
    own = [f for f in freezes if f.source == DatasetFreeze.Source.STUDY]
    released = [f for f in own if f.state == DatasetFreeze.State.RELEASED]
    first = next(iter((*released, *own, *freezes)), None)
    if number and first is not None:
        return first, f"There is no freeze “{number[:20]}” that you may open: showing freeze {first.number}."
    return first, ""


def may_make_freezes(user: User, study: Study) -> bool:
    """Tell whether this user makes and releases freezes."""
    return may_see_dashboards(user, study) and Role.MANAGER in roles_of(user, study)


def may_calculate(user: User, study: Study) -> bool:
    """Tell whether this user may queue work on a freeze: who sees dashboards, except the auditor, who changes nothing."""
    return may_see_dashboards(user, study) and bool(
        roles_of(user, study) & {str(Role.MANAGER), str(Role.INVESTIGATOR)}
    )


def require_calculating(user: User, study: Study) -> None:
    """Raise PermissionDenied unless this user may queue work."""
    if not may_calculate(user, study):
        raise PermissionDenied(
            "Auditors read everything and change nothing: a manager or investigator starts this."
        )
