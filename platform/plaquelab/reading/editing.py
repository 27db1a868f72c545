"""Editing a read: it is started once, each edit is one command, and a page that saw an older state is told so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from plaquelab.analysis.models import ContourSet, Vessel
from plaquelab.analysis.services import store_read
from plaquelab.audit import services as audit
from plaquelab.reading import measuring, replay
from plaquelab.reading.commands import apply, normalised
from plaquelab.reading.errors import EditError, StaleVersionError
from plaquelab.reading.models import Read, ReadDraft
from plaquelab.reading.start import make_drafts, normal_wall_of
from plaquelab.reading.transitions import READ, R
from plaquelab.states import TransitionError

if TYPE_CHECKING:
    from inference.contours import VesselContours
    from inference.quantification import Lesion, VesselRead
    from plaquelab.accounts.models import User

MOST_COMMANDS = 2000


@dataclass(frozen=True)
class DraftState:
    """One vessel of a read in work, as it stands now."""

    draft: ReadDraft
    vessel_read: VesselRead
    digest: str
    version: int

    @property
    def can_undo(self) -> bool:
        """Whether a command can be taken back."""
        return self.draft.cursor > 0

    @property
    def can_redo(self) -> bool:
        """Whether a command that was taken back can be done again."""
        return self.draft.cursor < len(self.draft.commands)


def _check_own(read: Read, by: User) -> None:
    if read.assignment.reader_id != by.pk:
        raise EditError("Only the reader of this case edits it.")


@transaction.atomic
def start_read(*, read: Read, by: User) -> Read:
    """Start an assigned read: its drafts are made by the charter. Starting again changes nothing.

    Raises
    ------
    EditError
        Somebody else's read.
    """
    _check_own(read, by)
    if read.state != R.ASSIGNED:
        return read
    # The UPDATE takes the row's write lock: of two pages that open a case at once, one starts it.
    Read.objects.filter(pk=read.pk).update(draft_version=F("draft_version"))
    read.refresh_from_db()
    if read.state != R.ASSIGNED:
        return read
    read.started_at = timezone.now()
    Read.objects.filter(pk=read.pk).update(started_at=read.started_at)
    make_drafts(read=read)
    READ.apply(read, "start", by=by, detail={"saw_network": read.saw_network, "charter": read.charter.number})
    return read


def drafts_of(read: Read) -> list[ReadDraft]:
    """Return a read's drafts in the order of its vessels."""
    drafts = list(read.drafts.select_related("vessel", "base", "base__vessel").order_by("vessel__order"))
    for draft in drafts:
        draft.read = read
    return drafts


def state_of(*, read: Read, vessel: str) -> DraftState:
    """Return the present state of one vessel of a read.

    Raises
    ------
    EditError
        The read has no such vessel.
    """
    draft = read.drafts.select_related("vessel", "base", "base__vessel").filter(vessel__name=vessel).first()
    if draft is None:
        raise EditError(f"This case has no vessel {vessel}.")
    draft.read = read
    vessel_read, digest = replay.present(draft)
    return DraftState(draft=draft, vessel_read=vessel_read, digest=digest, version=read.draft_version)


def _advance(read: Read, version: int) -> None:
    """Count the read's version up from what the page saw, or say that it is no longer so."""
    changed = Read.objects.filter(pk=read.pk, state=R.IN_PROGRESS, draft_version=version).update(
        draft_version=F("draft_version") + 1
    )
    if changed == 1:
        read.draft_version = version + 1
        return
    read.refresh_from_db(fields=["state", "draft_version"])
    if read.state != R.IN_PROGRESS:
        raise TransitionError(f"This read is “{read.state.replace('_', ' ')}”: it cannot be edited.")
    raise StaleVersionError(
        "This read was changed in another window since this page was loaded. Load the page again to go on."
    )


@transaction.atomic
def apply_command(
    *, read: Read, vessel: str, command: Mapping[str, Any], version: int, by: User
) -> DraftState:
    """Apply one command of the reader to one vessel.

    Parameters
    ----------
    command : ``move_contour``, ``set_lesion``, ``add_lesion``, ``remove_lesion``, ``mark_reviewed``, ``undo`` or
        ``redo`` with its values, as the API documents.
    version : what the page last saw.

    Returns
    -------
    The vessel's new state.

    Raises
    ------
    EditError
        The command is not possible on this vessel; nothing has changed.
    StaleVersionError
        The read was changed since ``version``.
    TransitionError
        The read is not in progress.
    """
    _check_own(read, by)
    start_read(read=read, by=by)
    _advance(read, version)
    before = state_of(read=read, vessel=vessel)
    draft = before.draft
    kind = command.get("type")
    if kind == "mark_reviewed":
        if not isinstance(command.get("reviewed"), bool):
            raise EditError("“reviewed” must be true or false.")
        draft.reviewed = bool(command["reviewed"])
    elif kind == "undo":
        if not before.can_undo:
            raise EditError("There is nothing to undo on this vessel.")
        draft.cursor -= 1
    elif kind == "redo":
        if not before.can_redo:
            raise EditError("There is nothing to redo on this vessel.")
        draft.cursor += 1
    else:
        length = float(measuring.straightened(draft.vessel).arc_length[-1])
        stored = normalised(command, sections=draft.vessel.sections, length_mm=length)
        _append(before, stored)
    draft.save(update_fields=["commands", "cursor", "reviewed", "changed_at"])
    vessel_read, digest = replay.present(draft)
    return DraftState(draft=draft, vessel_read=vessel_read, digest=digest, version=read.draft_version)


def _append(before: DraftState, stored: dict[str, Any]) -> None:
    """Add a command after the cursor; what had been undone is no longer there to redo."""
    draft = before.draft
    if draft.cursor >= MOST_COMMANDS:
        raise EditError(f"A vessel takes {MOST_COMMANDS} edits: save a revision and ask the manager.")
    apply(
        before.vessel_read,
        stored,
        normal_wall=normal_wall_of(draft.read),
        load_replacement=lambda pk: replay.of_contour_set(ContourSet.objects.get(pk=pk)),
    )
    draft.commands = [*draft.commands[: draft.cursor], stored]
    draft.cursor += 1


@transaction.atomic
def replace_contours(
    *,
    read: Read,
    vessel: Vessel,
    contours: VesselContours,
    lesions: Sequence[Lesion],
    by: User,
    note: str,
    excluded: Sequence[tuple[float, float, str]] = (),
) -> DraftState:
    """Replace one vessel's contours and lesions by others made elsewhere (an import, a script), as one command.

    The contours are stored as a contour set which the command names; the step can be undone like any other and
    is an event of its own in the audit trail.

    Parameters
    ----------
    note : where they come from; stands in the audit trail and in the revision.

    Raises
    ------
    EditError
        Not the reader's own read, or no note.
    ValueError
        The contours do not fit the vessel.
    """
    from inference.quantification import VesselRead  # noqa: PLC0415  loads SciPy and numba, which few pages need

    _check_own(read, by)
    if not note.strip():
        raise EditError("Say where the contours come from.")
    start_read(read=read, by=by)
    _advance(read, read.draft_version)
    before = state_of(read=read, vessel=vessel.name)
    made = store_read(
        vessel=before.draft.vessel,
        read=VesselRead(
            vessel=vessel.name, contours=contours, lesions=tuple(lesions), excluded=tuple(excluded)
        ),
        source=ContourSet.Source.READER,
    )
    command = {"type": "replace", "contour_set": made.pk, "sha256": made.sha256, "note": note}
    _append(before, command)
    draft = before.draft
    draft.reviewed = True
    draft.save(update_fields=["commands", "cursor", "reviewed", "changed_at"])
    audit.record(
        verb="read.replace_contours",
        obj=read,
        by=by,
        study=read.study,
        role="reader",
        after={"vessel": vessel.name, "contour_set": made.pk, "sha256": made.sha256},
        reason=note,
    )
    vessel_read, digest = replay.present(draft)
    return DraftState(draft=draft, vessel_read=vessel_read, digest=digest, version=read.draft_version)
