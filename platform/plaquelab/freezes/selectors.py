"""Which freezes a person may open, and with which one begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from plaquelab.freezes.models import DatasetFreeze
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, capabilities_of

if TYPE_CHECKING:
    from plaquelab.accounts.models import User


def visible_freezes(user: User, study: Study) -> QuerySet[DatasetFreeze]:
    """Freezes that this user may open: all, or released ones alone, by role; who reads here none."""
    rows = DatasetFreeze.objects.filter(study=study).select_related("requested_by", "released_by", "study")
    held = capabilities_of(user, study)
    if Capability.SEE_DASHBOARDS not in held:
        return rows.none()
    if Capability.SEE_UNRELEASED not in held:
        rows = rows.filter(state=DatasetFreeze.State.RELEASED)
    return rows.order_by("-number")


def freezes_with_content(user: User, study: Study) -> QuerySet[DatasetFreeze]:
    """Freezes that this user may open and that have content, the newest first."""
    with_content = (DatasetFreeze.State.FROZEN, DatasetFreeze.State.RELEASED)
    return visible_freezes(user, study).filter(state__in=with_content)


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
