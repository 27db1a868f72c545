"""Who may see comparisons of reads and freezes: investigators, core-lab managers and auditors, unless they also read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from plaquelab.dashboards.models import DatasetFreeze
from plaquelab.reading.charter import read_design
from plaquelab.studies.access import get_study
from plaquelab.studies.models import Role, Study
from plaquelab.studies.selectors import current_charter, roles_of

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
    study = get_study(request, slug, *DASHBOARD_ROLES)
    if roles_of(request.user, study) & {str(role) for role in BLINDED_ROLES}:  # type: ignore[arg-type]
        raise PermissionDenied("Who reads in a study cannot see its comparisons.")
    return study


def may_see_dashboards(user: User, study: Study) -> bool:
    """Tell whether this user may open the study's dashboards."""
    mine = roles_of(user, study)
    return bool(mine & {str(r) for r in DASHBOARD_ROLES}) and not mine & {str(r) for r in BLINDED_ROLES}


def may_open_images(user: User, study: Study, pair: str) -> bool:
    """Tell whether a click on a point may lead to the viewer rather than to the row of measurements.

    Managers and auditors may; investigators see final reads alone, and those only where the charter says so.
    """
    roles = roles_of(user, study)
    if roles & {str(role) for role in IMAGE_ROLES}:
        return True
    if Role.INVESTIGATOR not in roles or pair != "network-expert":
        return False
    return read_design(current_charter(study)).investigators_see_images


def visible_freezes(user: User, study: Study) -> QuerySet[DatasetFreeze]:
    """Freezes that this user may open: manager and auditor all, an investigator released ones, who reads here none."""
    rows = DatasetFreeze.objects.filter(study=study).select_related("requested_by", "released_by", "study")
    if not may_see_dashboards(user, study):
        return rows.none()
    if roles_of(user, study) & {str(role) for role in IMAGE_ROLES}:
        return rows.order_by("-number")
    return rows.filter(state=DatasetFreeze.State.RELEASED).order_by("-number")


def current_freeze(
    user: User, study: Study, source: str = DatasetFreeze.Source.STUDY
) -> DatasetFreeze | None:
    """Return the newest freeze of a source that has content and that this user may open, or None."""
    S = DatasetFreeze.State
    return visible_freezes(user, study).filter(source=source, state__in=(S.FROZEN, S.RELEASED)).first()


def may_make_freezes(user: User, study: Study) -> bool:
    """Tell whether this user makes and releases freezes."""
    return may_see_dashboards(user, study) and Role.MANAGER in roles_of(user, study)
