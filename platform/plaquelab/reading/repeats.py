"""Intra-reader repeats: a reader reads some cases a second time, weeks later, without being told.

The second reading is an assignment like any other, under a new running number among the person's other cases. It
changes neither the case nor its final read; only comparisons of a reader with herself use it.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.reading.assignment import seed_of
from plaquelab.reading.charter import read_design
from plaquelab.reading.errors import AssignmentError
from plaquelab.reading.in_hand import exams_overseen
from plaquelab.reading.models import Assignment, Read, ReadCase
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may
from plaquelab.studies.selectors import current_charter

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

REPEAT_SLOT = 20
SECOND = 2


def repeatable(study: Study) -> QuerySet[Assignment]:
    """Return first readings that may be repeated now: signed, of final cases, washed out, not repeated yet."""
    since = timezone.now() - timedelta(days=read_design(current_charter(study)).washout_days)
    repeated = Assignment.objects.filter(study=study, round=SECOND)
    return (
        Assignment.objects.filter(
            study=study,
            purpose=Assignment.Purpose.READ,
            round=1,
            case__state=ReadCase.State.FINAL,
            read__state=Read.State.SIGNED,
            read__submitted_at__lte=since,
        )
        .exclude(pk__in=[a.pk for a in _firsts_of(repeated)])
        .select_related("case__charter", "case__exam", "reader", "read", "study")
        .order_by("reader", "case__exam__number")
    )


def _firsts_of(repeated: QuerySet[Assignment]) -> list[Assignment]:
    keys = set(repeated.values_list("case", "reader"))
    firsts = Assignment.objects.filter(case__in={case for case, _ in keys}, round=1)
    return [a for a in firsts if (a.case_id, a.reader_id) in keys]


@transaction.atomic
def draw_repeats(*, study: Study, by: User | None) -> list[Read]:
    """Draw for every reader as many repeats as the charter's share asks for and the washout allows.

    The sample and the order follow from a stored seed. Drawing again adds only what is missing. Nobody draws the own
    repeats.

    Raises
    ------
    AssignmentError
        Nothing can be repeated now.
    """
    design = read_design(current_charter(study))
    by_reader: dict[int, list[Assignment]] = defaultdict(list)
    for first in repeatable(study):
        by_reader[first.reader_id].append(first)
    made: list[Read] = []
    for firsts in by_reader.values():
        reader = firsts[0].reader
        # Who draws would know which of the own cases are repeats: another manager draws those.
        if not may(reader, study, Capability.READ) or reader == by:
            continue
        overseen = exams_overseen(reader, study)
        candidates = [first for first in firsts if first.case.exam.number not in overseen]
        own = Assignment.objects.filter(study=study, reader=reader)
        signed = own.filter(round=1, read__state=Read.State.SIGNED).count()
        known = own.filter(round=SECOND).count()
        wanted = min(math.ceil(design.repeat_percent / 100 * signed) - known, len(candidates))
        if wanted <= 0:
            continue
        last = own.aggregate(n=Max("order_index"))["n"] or 0
        seed = seed_of(design.seed, study.slug, reader.username, "repeat", last)
        chosen = random.Random(seed).sample(candidates, wanted)  # noqa: S311  a draw that a stored seed must repeat
        for place, first in enumerate(chosen, start=1):
            made.append(_again(first=first, order_index=last + place, seed=seed, by=by))
    if not made:
        raise AssignmentError(
            f"No read can be repeated now: the charter repeats {design.repeat_percent:g} % of each reader's signed reads of "
            f"final cases, {design.washout_days} days after them at the earliest."
        )
    return made


def _again(*, first: Assignment, order_index: int, seed: int, by: User | None) -> Read:
    design = read_design(first.case.charter)
    assignment = Assignment.objects.create(
        study=first.study,
        case=first.case,
        reader=first.reader,
        slot=REPEAT_SLOT + first.slot,
        round=SECOND,
        order_index=order_index,
        seed=seed,
        due_on=timezone.now().date() + timedelta(days=design.days_to_read),
    )
    audit.record(
        verb="case.assign_repeat",
        obj=first.case,
        by=by,
        study=first.study,
        after={"reader": first.reader.username, "order_index": order_index, "seed": seed},
    )
    return Read.objects.create(
        study=first.study,
        case=first.case,
        assignment=assignment,
        charter=first.case.charter,
        saw_network=design.saw_network,
        is_simulated=first.read.is_simulated,
    )
