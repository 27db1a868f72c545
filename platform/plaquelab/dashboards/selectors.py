"""Who may see comparisons of reads: investigators, core-lab managers and auditors, unless they also read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

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
