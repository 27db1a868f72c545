"""Cases come from finished runs; persons are assigned to them in an order that a stored seed decides."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.selectors import latest_run
from plaquelab.audit import services as audit
from plaquelab.imaging.models import Exam
from plaquelab.reading.charter import read_design
from plaquelab.reading.errors import AssignmentError
from plaquelab.reading.in_hand import exams_overseen
from plaquelab.reading.models import Adjudication, Assignment, Read, ReadCase
from plaquelab.reading.transitions import CASE, TO_ADJUDICATE
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may
from plaquelab.studies.selectors import current_charter

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

ADJUDICATOR_SLOT = 9
READER_SLOTS = (0, 1)


def seed_of(*parts: object) -> int:
    """Return a 62-bit seed that the parts (charter seed, study, person, round …) determine."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 2


@transaction.atomic
def open_case(*, exam: Exam, by: User | None, run: AnalysisRun | None = None) -> ReadCase:
    """Get or make the case of an exam whose analysis has succeeded.

    A later run changes a case only as long as nobody was assigned: what a reader began with stays.

    Raises
    ------
    AssignmentError
        The exam has no finished run.
    """
    existing = ReadCase.objects.filter(exam=exam).first()
    if existing is not None:
        if run is not None and run.pk != existing.run_id:
            _take_newer(existing, run, by)
        return existing
    run = run or latest_run(exam)
    if run is None:
        raise AssignmentError(f"Exam {exam.number} has no finished analysis: there is nothing to read yet.")
    case = ReadCase.objects.create(
        study=exam.study, exam=exam, run=run, charter=current_charter(exam.study), first_reader_draw=0
    )
    audit.record(
        verb="case.open", obj=case, by=by, study=exam.study, after={"state": case.state, "exam": exam.number}
    )
    return case


def _take_newer(case: ReadCase, run: AnalysisRun, by: User | None) -> None:
    # A waiting case has no assignment. Asking for that too would put all conditions into a subquery, which a
    # PostgreSQL that waited for who assigns does not look at again.
    taken = ReadCase.objects.filter(pk=case.pk, state=ReadCase.State.WAITING, run__lt=run.pk).update(run=run)
    if taken:
        audit.record(
            verb="case.take_run",
            obj=case,
            by=by,
            study=case.study,
            before={"run": case.run_id},
            after={"run": run.pk},
        )
        case.run = run


@transaction.atomic
def assign(
    *, case: ReadCase, readers: Sequence[User], by: User | None, is_simulated: bool | None = None
) -> list[Read]:
    """Assign the readers of one case; see :func:`assign_cases`."""
    return assign_cases(cases=[case], readers=readers, by=by, is_simulated=is_simulated)


@transaction.atomic
def assign_cases(
    *, cases: Sequence[ReadCase], readers: Sequence[User], by: User | None, is_simulated: bool | None = None
) -> list[Read]:
    """Assign readers to waiting cases of one study, each reader in an own permuted order.

    A round is one call. For each reader a seed of charter seed, study, person and round gives a permutation of
    the round's cases; the running numbers that the person will see follow it, after those the person has. Seed
    and place are stored. Which slot counts as reader 1 of a concordant case is drawn by the case's own seed.

    Parameters
    ----------
    readers : as many as the charter asks for, in slot order.
    is_simulated : whether the reads are made by a script; by default what the study is.

    Returns
    -------
    The reads, case by case.

    Raises
    ------
    AssignmentError
        Wrong number of readers, the same person twice, a person without the reader's role, who has another
        part in a case, or has opened it in the viewer with another role, or who assigns.
    TransitionError
        A case is not waiting.
    """
    if not cases:
        raise AssignmentError("Choose at least one case.")
    study = cases[0].study
    if any(case.study_id != study.pk for case in cases):
        raise AssignmentError("The cases belong to different studies.")
    _check_readers(study=study, cases=cases, readers=readers, by=by)
    simulated = study.is_simulated if is_simulated is None else is_simulated
    reads: dict[tuple[int, int], Read] = {}
    for case in cases:
        CASE.apply(case, "assign", by=by, detail={"readers": [reader.username for reader in readers]})
    for slot, reader in zip(READER_SLOTS, readers, strict=False):
        last = Assignment.objects.filter(study=study, reader=reader).aggregate(n=Max("order_index"))["n"] or 0
        seed = seed_of(read_design(cases[0].charter).seed, study.slug, reader.username, last)
        order = random.Random(seed).sample(range(len(cases)), len(cases))  # noqa: S311  a draw that a stored seed must repeat
        for place, case in zip(order, cases, strict=True):
            design = read_design(case.charter)
            assignment = Assignment.objects.create(
                study=study,
                case=case,
                reader=reader,
                slot=slot,
                order_index=last + 1 + place,
                seed=seed,
                due_on=timezone.now().date() + timedelta(days=design.days_to_read),
            )
            reads[case.pk, slot] = Read.objects.create(
                study=study,
                case=case,
                assignment=assignment,
                charter=case.charter,
                saw_network=design.saw_network,
                is_simulated=simulated,
            )
    for case in cases:
        _draw_first_reader(case=case, readers=len(readers), by=by)
    return [reads[case.pk, slot] for case in cases for slot in READER_SLOTS[: len(readers)]]


def _draw_first_reader(*, case: ReadCase, readers: int, by: User | None) -> None:
    seed = seed_of(read_design(case.charter).seed, case.study.slug, "first reader", case.exam.number)
    draw = random.Random(seed).randrange(readers)  # noqa: S311  a draw that a stored seed must repeat
    ReadCase.objects.filter(pk=case.pk).update(first_reader_draw=draw)
    case.first_reader_draw = draw
    audit.record(
        verb="case.draw_first_reader", obj=case, by=by, study=case.study, after={"slot": draw, "seed": seed}
    )


def _check_readers(
    *, study: Study, cases: Sequence[ReadCase], readers: Sequence[User], by: User | None
) -> None:
    wanted = read_design(cases[0].charter).readers
    if len(readers) != wanted:
        raise AssignmentError(f"The charter asks for {wanted} readers a case; {len(readers)} were named.")
    if len({reader.pk for reader in readers}) != len(readers):
        raise AssignmentError("The readers must be different persons.")
    for reader in readers:
        if not may(reader, study, Capability.READ):
            raise AssignmentError(f"{reader} is not a reader of this study.")
        _check_not_oneself(reader, by)
        if Assignment.objects.filter(case__in=cases, reader=reader).exists():
            raise AssignmentError(f"{reader} already has a part in one of these cases.")
        overseen = exams_overseen(reader, study)
        for case in cases:
            # Where the charter shows readers the network's contours, there is nothing else of a waiting case to see.
            if case.exam.number in overseen and not read_design(case.charter).saw_network:
                raise AssignmentError(
                    f"{reader} has opened exam {case.exam.number} in the viewer with another role: give it to "
                    "somebody who has not seen it."
                )


def _check_not_oneself(person: User, by: User | None) -> None:
    if by is not None and person.pk == by.pk:
        raise AssignmentError(
            f"{person} cannot be given a case by the own hand, which would tell whose case it is: another manager does it."
        )


@transaction.atomic
def assign_adjudicator(*, case: ReadCase, adjudicator: User, by: User | None) -> Adjudication:
    """Give a discordant case to an adjudicator who read none of it; which read is A is drawn and stored.

    Raises
    ------
    AssignmentError
        The case is not discordant or has an adjudicator, or the person may not adjudicate it.
    """
    case.refresh_from_db()
    study = case.study
    if case.state not in TO_ADJUDICATE:
        raise AssignmentError(f"This case is “{case.state}”: only a discordant case is adjudicated.")
    if case.assignments.filter(purpose=Assignment.Purpose.ADJUDICATE).exists():
        raise AssignmentError("This case has an adjudicator already.")
    if not may(adjudicator, study, Capability.ADJUDICATE):
        raise AssignmentError(f"{adjudicator} is not an adjudicator of this study.")
    _check_not_oneself(adjudicator, by)
    if case.assignments.filter(reader=adjudicator).exists():
        raise AssignmentError(f"{adjudicator} read this case and cannot adjudicate it.")
    if case.exam.number in exams_overseen(adjudicator, study):
        raise AssignmentError(
            f"{adjudicator} has opened exam {case.exam.number} in the viewer with another role and knows whose reads they are."
        )
    last = (
        Assignment.objects.filter(study=study, reader=adjudicator).aggregate(n=Max("order_index"))["n"] or 0
    )
    design = read_design(case.charter)
    seed = seed_of(design.seed, study.slug, "sides", case.exam.number)
    assignment = Assignment.objects.create(
        study=study,
        case=case,
        reader=adjudicator,
        purpose=Assignment.Purpose.ADJUDICATE,
        slot=ADJUDICATOR_SLOT,
        order_index=last + 1,
        seed=seed,
        due_on=timezone.now().date() + timedelta(days=design.days_to_read),
    )
    made = Adjudication.objects.create(
        case=case,
        assignment=assignment,
        a_slot=random.Random(seed).randrange(2),  # noqa: S311  a draw that a stored seed must repeat
    )
    audit.record(
        verb="case.assign_adjudicator",
        obj=case,
        by=by,
        study=study,
        after={"adjudicator": adjudicator.username, "a_slot": made.a_slot, "seed": seed},
    )
    return made
