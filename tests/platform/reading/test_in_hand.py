"""What is in a person's hand, and who has seen too much to be given it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from plaquelab.reading.errors import AssignmentError
from plaquelab.reading.in_hand import exams_in_hand, exams_overseen
from plaquelab.reading.services import assign, assign_adjudicator
from plaquelab.studies.models import Membership
from tests.platform.ready_cases import sign_as

pytestmark = pytest.mark.django_db
OPENING = "/api/v1/studies/alpha/exams/7/view/opening/"


def test_a_case_is_in_hand_from_assignment_until_it_is_final(assigned: SimpleNamespace) -> None:
    exam = assigned.case.exam.pk
    people = (assigned.reader, assigned.reader2)

    def in_hand() -> list[bool]:
        return [exam in exams_in_hand(person, assigned.study) for person in people]

    assert in_hand() == [True, True]
    sign_as(assigned.reads[0], assigned.reader)
    assert in_hand() == [True, True]
    sign_as(assigned.reads[1], assigned.reader2)
    assert in_hand() == [False, False]
    assert not exams_in_hand(assigned.manager, assigned.study).exists()
    assert not exams_in_hand(AnonymousUser(), assigned.study).exists()
    assert not exams_in_hand(assigned.reader, assigned.other.study).exists()


def test_who_has_overseen_a_case_is_not_given_it(
    ready_case: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    Membership.objects.create(user=ready_case.reader, study=ready_case.study, role="technician")
    assert client_for(ready_case.reader).post(OPENING).status_code == 200
    assert exams_overseen(ready_case.reader, ready_case.study) == {7}
    assert exams_overseen(ready_case.reader2, ready_case.study) == set()
    readers = [ready_case.reader, ready_case.reader2]
    with pytest.raises(AssignmentError, match="exam 7 in the viewer with another role"):
        assign(case=ready_case.case, readers=readers, by=ready_case.manager)
    # Where the charter shows readers the network's contours there was nothing to see.
    charter = ready_case.case.charter
    charter.rules = {**charter.rules, "start_from": "network"}
    charter.save()
    assert len(assign(case=ready_case.case, readers=readers, by=ready_case.manager)) == 2


def test_an_adjudicator_who_has_seen_whose_reads_they_are_is_refused(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    sign_as(assigned.reads[0], assigned.reader, thick=1.2)
    sign_as(assigned.reads[1], assigned.reader2, thick=6.0)
    Membership.objects.create(user=assigned.adjudicator, study=assigned.study, role="auditor")
    assert client_for(assigned.adjudicator).post(OPENING).status_code == 200
    assigned.case.refresh_from_db()
    with pytest.raises(AssignmentError, match="knows whose reads they are"):
        assign_adjudicator(case=assigned.case, adjudicator=assigned.adjudicator, by=assigned.manager)


def test_nobody_assigns_oneself(discordant: SimpleNamespace) -> None:
    """Who picks the exam would know whose case it is, and the adjudicator whose reads A and B are."""
    from plaquelab.reading.services import draw_repeats
    from plaquelab.studies.permissions import Capability, may
    from tests.platform.ready_cases import store_run

    case = store_run(discordant, 8)
    for person in (discordant.reader, discordant.adjudicator):
        Membership.objects.create(user=person, study=discordant.study, role="manager")
    readers = [discordant.reader, discordant.reader2]
    with pytest.raises(AssignmentError, match="by the own hand"):
        assign(case=case, readers=readers, by=discordant.reader)
    discordant.adjudication.delete()
    discordant.case.assignments.filter(purpose="adjudicate").delete()
    with pytest.raises(AssignmentError, match="by the own hand"):
        assign_adjudicator(
            case=discordant.case, adjudicator=discordant.adjudicator, by=discordant.adjudicator
        )
    assert may(discordant.reader, discordant.study, Capability.ASSIGN)
    assert len(assign(case=case, readers=readers, by=discordant.manager)) == 2
    # The same holds for hidden second readings: the reader's own are left to another manager.
    for read in case.reads.all():
        sign_as(read, read.assignment.reader)
    rules = {**discordant.charter.rules, "repeat_percent": 100, "washout_days": 0}
    type(discordant.charter).objects.filter(pk=discordant.charter.pk).update(rules=rules)
    drawn = draw_repeats(study=discordant.study, by=discordant.reader)
    assert {read.assignment.reader for read in drawn} == {discordant.reader2}
