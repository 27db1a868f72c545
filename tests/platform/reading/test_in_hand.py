"""What is in a person's hand, and who has seen too much to be given it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plaquelab.reading.errors import AssignmentError
from plaquelab.reading.in_hand import exams_in_hand, exams_overseen
from plaquelab.reading.selectors import visible_cases
from plaquelab.reading.services import adjudicate, assign, assign_adjudicator, open_case
from plaquelab.studies.models import Membership
from tests.platform.ready_cases import PASSWORD, sign_as, store_run

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


@pytest.mark.parametrize("also", ["manager", "auditor"])
def test_the_list_of_cases_does_not_tell_an_adjudicator_whose_reads_they_are(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client], also: str
) -> None:
    """Looking leaves no event, so that who has looked could not be refused: there must be nothing to see."""
    Membership.objects.create(user=assigned.adjudicator, study=assigned.study, role=also)
    waiting = store_run(assigned, 8)
    client = client_for(assigned.adjudicator)

    def told() -> str:
        return client.get("/studies/alpha/case-list/").content.decode()

    def shown() -> list[int]:
        return list(
            visible_cases(assigned.adjudicator, assigned.study).values_list("exam__number", flat=True)
        )

    assert shown() == [8]  # 7 is being read
    sign_as(assigned.reads[0], assigned.reader, thick=1.2)
    sign_as(assigned.reads[1], assigned.reader2, thick=6.0)
    assert shown() == [8]
    assert "reader 1:" not in told()
    assert "alpha-subject-7" not in told()
    assert waiting.exam.subject.pseudonym in told()
    assert "You adjudicate in this study" in told()
    # Who does not adjudicate sees it, and may name her.
    alone = client_for(assigned.manager).get("/studies/alpha/case-list/").content.decode()
    assert "reader 1:" in alone
    assert "You adjudicate" not in alone
    assigned.case.refresh_from_db()
    made = assign_adjudicator(case=assigned.case, adjudicator=assigned.adjudicator, by=assigned.manager)
    adjudicate(
        case=assigned.case,
        by=assigned.adjudicator,
        chosen_slot=0,
        reason="The wall of this read follows the vessel.",
        password=PASSWORD,
    )
    assert made.case_id == assigned.case.pk
    assert shown() == [7, 8]
    assert "reader 1:" in told()


def test_nothing_is_seen_of_an_exam_that_was_not_opened(
    ready_case: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    """Whoever has seen an exam's contours or numbers is known to have, by whatever address."""
    view = "/api/v1/studies/alpha/exams/7/view/"
    addresses = [view, f"{view}vessels/LAD/state/", f"{view}vessels/LAD/state/?side=network"]
    Membership.objects.create(user=ready_case.reader, study=ready_case.study, role="technician")
    client = client_for(ready_case.reader)
    for url in addresses:
        answer = client.get(url)
        assert (answer.status_code, set(answer.json())) == (409, {"code", "detail"}), url
    assert exams_overseen(ready_case.reader, ready_case.study) == set()
    # Another person's opening opens nothing for her.
    assert client_for(ready_case.technician).post(OPENING).status_code == 200
    assert [client.get(url).status_code for url in addresses] == [409] * 3
    assert client.post(OPENING).status_code == 200
    assert [client.get(url).status_code for url in addresses] == [200] * 3
    assert exams_overseen(ready_case.reader, ready_case.study) == {7}
    # A note in the session that another tab has overwritten does not shut it again: the event counts.
    assert client_for(ready_case.reader).get(view).status_code == 200


def test_the_sides_are_not_seen_before_the_adjudication_was_opened(
    discordant: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    root = "/api/v1/studies/alpha/cases/1/"
    addresses = [f"{root}adjudication/", f"{root}vessels/LAD/state/?side=A"]
    client = client_for(discordant.adjudicator)
    assert [client.get(url).status_code for url in addresses] == [409, 409]
    assert client.post(f"{root}opening/").status_code == 200
    assert [client.get(url).status_code for url in addresses] == [200, 200]


@pytest.mark.parametrize("reading", ["reader", "adjudicator"])
@pytest.mark.parametrize("also", ["technician", "manager", "auditor"])
def test_a_run_shows_its_numbers_to_nobody_who_reads(
    ready_case: SimpleNamespace, client_for: Callable[[Any], Client], reading: str, also: str
) -> None:
    person, run = ready_case.users[reading], ready_case.case.run
    Membership.objects.create(user=person, study=ready_case.study, role=also)
    url = f"/studies/alpha/runs/{run.pk}/"
    page = client_for(person).get(url).content.decode()
    assert "Total plaque volume" not in page
    assert "Lesions" not in page
    assert "Open in the viewer" in page
    assert "which notes that you opened the exam" in page
    assert "Total plaque volume" in client_for(ready_case.users[also]).get(url).content.decode()


def test_a_newer_run_is_taken_by_conditions_that_are_looked_at_again(ready_case: SimpleNamespace) -> None:
    """A database that waited for who assigns looks again at the row alone, and at no subquery."""
    run = ready_case.case.run
    run.pk, run.parameters_sha256 = None, "f" * 64
    run.save(force_insert=True)
    with CaptureQueriesContext(connection) as seen:
        open_case(exam=ready_case.case.exam, by=None, run=run)
    updates = [q["sql"] for q in seen.captured_queries if q["sql"].startswith('UPDATE "reading_readcase"')]
    assert len(updates) == 1
    assert "SELECT" not in updates[0]
    assert "\"state\" = 'waiting'" in updates[0]


def test_nobody_assigns_oneself(discordant: SimpleNamespace) -> None:
    """Who picks the exam would know whose case it is, and the adjudicator whose reads A and B are."""
    from plaquelab.reading.services import draw_repeats
    from plaquelab.studies.permissions import Capability, may

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
