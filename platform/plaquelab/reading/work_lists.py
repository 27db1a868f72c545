"""What stands on the lists of cases: rows for pages, made from the selectors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from plaquelab.accounts.models import User
from plaquelab.analysis.selectors import current_run
from plaquelab.imaging.models import Exam
from plaquelab.reading import selectors
from plaquelab.reading.discordance import describe
from plaquelab.reading.models import Assignment, ReadCase
from plaquelab.reading.transitions import OPEN_READ, R
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, persons_who_may

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

READ_STATES = {
    R.ASSIGNED: "to read",
    R.IN_PROGRESS: "in progress",
    R.SUBMITTED: "submitted",
    R.SIGNED: "signed",
}


@dataclass(frozen=True)
class ReaderRow:
    """One case of a reader's own list."""

    n: int
    state: str
    label: str
    due_on: date | None
    overdue: bool
    signed_at: datetime | None


def reader_rows(user: User | AnonymousUser, study: Study) -> list[ReaderRow]:
    """Return the person's own reads, by running number."""
    today = timezone.now().date()
    rows = []
    for read in selectors.own_reads(user, study):
        due = read.assignment.due_on
        waiting = read.state in OPEN_READ
        rows.append(
            ReaderRow(
                n=read.assignment.order_index,
                state=read.state,
                label=READ_STATES[R(read.state)],
                due_on=due,
                overdue=bool(waiting and due and due < today),
                signed_at=None if waiting else read.submitted_at,
            )
        )
    return rows


@dataclass(frozen=True)
class AdjudicatorRow:
    """One case of an adjudicator's own list, with what differs between A and B."""

    n: int
    differs: list[str]
    decided: str
    due_on: date | None
    overdue: bool


def adjudicator_rows(user: User | AnonymousUser, study: Study) -> list[AdjudicatorRow]:
    """Return the person's cases to adjudicate, undecided ones first."""
    today = timezone.now().date()
    rows = []
    for assignment in selectors.own_adjudications(user, study):
        made = assignment.adjudication
        decided = ""
        if made.decided_at and made.chosen:
            decided = "A" if made.chosen.assignment.slot == made.a_slot else "B"
        items = assignment.case.discordance.items
        rows.append(
            AdjudicatorRow(
                n=assignment.order_index,
                differs=[describe(item, swapped=made.a_slot == 1)["text"] for item in items],
                decided=decided,
                due_on=assignment.due_on,
                overdue=bool(not decided and assignment.due_on and assignment.due_on < today),
            )
        )
    return sorted(rows, key=lambda row: (bool(row.decided), row.n))


@dataclass(frozen=True)
class CaseRow:
    """One case as the manager and the auditor see it."""

    case: ReadCase
    readers: list[Assignment]
    repeats: list[Assignment]
    adjudicator: Assignment | None
    differs: list[str]

    @property
    def waits_for_adjudicator(self) -> bool:
        """Whether an adjudicator is still to be named."""
        return self.case.state == ReadCase.State.DISCORDANT and self.adjudicator is None


def case_rows(user: User | AnonymousUser, study: Study) -> list[CaseRow]:
    """Return every case that the person oversees."""
    cases = selectors.visible_cases(user, study).prefetch_related(
        "assignments__reader", "assignments__read", "assignments__adjudication"
    )
    return [_case_row(case) for case in cases]


def _case_row(case: ReadCase) -> CaseRow:
    parts = sorted(case.assignments.all(), key=lambda part: part.slot)
    found = getattr(case, "discordance", None)
    differs = [describe(item, swapped=False) for item in found.items] if found else []
    return CaseRow(
        case=case,
        readers=[part for part in parts if part.purpose == Assignment.Purpose.READ and part.round == 1],
        repeats=[part for part in parts if part.round != 1],
        adjudicator=next((part for part in parts if part.purpose == Assignment.Purpose.ADJUDICATE), None),
        # To the manager A is reader 1's slot and B reader 2's: the table names them so.
        differs=[
            item["text"].replace(" A ", " reader 1: ").replace(" B ", " reader 2: ") for item in differs
        ],
    )


def states_with_counts(rows: list[CaseRow]) -> list[tuple[str, str, int]]:
    """Return (state, label, number of cases) for every state."""
    counts = Counter(row.case.state for row in rows)
    return [(value, str(label), counts[value]) for value, label in ReadCase.State.choices]


def exams_without_case(study: Study) -> list[dict[str, Any]]:
    """Return accepted exams that have no case yet, with what became of their analysis."""
    rows = []
    for exam in Exam.objects.filter(study=study, state=Exam.State.ACCEPTED, case__isnull=True).order_by(
        "number"
    ):
        rows.append({"exam": exam, "run": current_run(exam)})
    return rows


def readers_of(study: Study) -> list[User]:
    """Return the study's readers."""
    return persons_who_may(study, Capability.READ)


def adjudicators_of(study: Study) -> list[User]:
    """Return the study's adjudicators."""
    return persons_who_may(study, Capability.ADJUDICATE)
