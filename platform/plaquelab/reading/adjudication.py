"""A third person, who read none of it and knows no name, chooses read A or read B, with a reason and a signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from plaquelab.reading.discordance import finalise
from plaquelab.reading.errors import AssignmentError, FormError
from plaquelab.reading.models import Adjudication, Read, ReadCase, Signature
from plaquelab.reading.revisions import latest_revision
from plaquelab.reading.signing import reauthenticate, write_signature
from plaquelab.reading.transitions import CASE, TO_ADJUDICATE, C
from plaquelab.states import TransitionError

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

SIDES = ("A", "B")
SHORTEST_REASON = 10


def slot_of_side(adjudication: Adjudication, side: str) -> int:
    """Return the reader's slot (0 or 1) that stands behind a side.

    Raises
    ------
    FormError
        The side is neither A nor B.
    """
    if side not in SIDES:
        raise FormError("Choose A or B.")
    return adjudication.a_slot if side == "A" else 1 - adjudication.a_slot


def side_of_slot(adjudication: Adjudication, slot: int) -> str:
    """Return the side under which a reader's slot is shown."""
    return "A" if slot == adjudication.a_slot else "B"


def read_of_side(adjudication: Adjudication, side: str) -> Read:
    """Return the read that stands behind a side."""
    return Read.objects.select_related("assignment", "case", "charter", "study").get(
        case_id=adjudication.case_id, assignment__slot=slot_of_side(adjudication, side)
    )


@transaction.atomic
def begin(*, case: ReadCase, by: User) -> None:
    """Note that the adjudicator has opened the case; opening it again changes nothing."""
    _own(case, by)
    if case.state == C.DISCORDANT:
        CASE.apply(case, "begin_adjudication", by=by)


def _own(case: ReadCase, by: User) -> Adjudication:
    found = Adjudication.objects.select_related("assignment").filter(case=case).first()
    if found is None or found.assignment.reader_id != by.pk:
        raise AssignmentError("Only this case's adjudicator decides it.")
    return found


def adjudicate(*, case: ReadCase, by: User, chosen_slot: int, reason: str, password: str) -> Signature:
    """Choose one of the two reads as the case's final one and sign it with the meaning “approval”.

    Parameters
    ----------
    chosen_slot : 0 or 1, the reader's slot (``slot_of_side`` turns A or B into it).
    reason : at least ten characters, for the audit trail and the record.

    Raises
    ------
    AssignmentError
        Somebody else's case.
    FormError
        No reason, or no such slot.
    SigningError
        The password is wrong or signing is closed.
    TransitionError
        The case is not waiting for an adjudicator.
    """
    adjudication = _own(case, by)
    case.refresh_from_db()
    if case.state not in TO_ADJUDICATE:
        raise TransitionError(f"This case is “{case.state}”: it does not wait for an adjudicator.")
    if chosen_slot not in (0, 1):
        raise FormError("Choose A or B.")
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise FormError(f"Give the reason of your choice (at least {SHORTEST_REASON} characters).")
    reauthenticate(by=by, password=password, study=case.study, obj=case)
    return _decide(adjudication=adjudication, case=case, by=by, side_slot=chosen_slot, reason=reason)


@transaction.atomic
def _decide(
    *, adjudication: Adjudication, case: ReadCase, by: User, side_slot: int, reason: str
) -> Signature:
    begin(case=case, by=by)
    chosen = read_of_side(adjudication, side_of_slot(adjudication, side_slot))
    revision = latest_revision(chosen)
    if revision is None:
        raise TransitionError("The chosen read has no revision.")
    finalise(case=case, read=chosen, event="decide", by=by, reason=reason)
    Adjudication.objects.filter(pk=adjudication.pk).update(
        chosen=chosen, reason=reason, decided_at=timezone.now()
    )
    return write_signature(revision=revision, by=by, meaning=Signature.Meaning.APPROVAL, role="adjudicator")
