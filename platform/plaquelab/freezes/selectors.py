"""Who may open freezes: investigators, core-lab managers and auditors, unless they also read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from plaquelab.freezes.models import DatasetFreeze
from plaquelab.studies.models import Role, Study
from plaquelab.studies.selectors import roles_of

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

DASHBOARD_ROLES = (Role.INVESTIGATOR, Role.MANAGER, Role.AUDITOR)
BLINDED_ROLES = (Role.READER, Role.ADJUDICATOR)
IMAGE_ROLES = (Role.MANAGER, Role.AUDITOR)


def may_see_comparisons(user: User, study: Study) -> bool:
    """Tell whether this user may see how reads of the study compare: its freezes and dashboards."""
    mine = roles_of(user, study)
    return bool(mine & {str(r) for r in DASHBOARD_ROLES}) and not mine & {str(r) for r in BLINDED_ROLES}


def visible_freezes(user: User, study: Study) -> QuerySet[DatasetFreeze]:
    """Freezes that this user may open: manager and auditor all, an investigator released ones, who reads here none."""
    rows = DatasetFreeze.objects.filter(study=study).select_related("requested_by", "released_by", "study")
    if not may_see_comparisons(user, study):
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
    return may_see_comparisons(user, study) and Role.MANAGER in roles_of(user, study)
