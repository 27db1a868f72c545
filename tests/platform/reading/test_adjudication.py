"""A discordant case: a third person chooses A or B, and is never one of its readers."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from plaquelab.audit import services as audit
from plaquelab.reading.errors import AssignmentError, FormError, SigningError
from plaquelab.reading.models import Adjudication, Assignment, ReadCase, Signature
from plaquelab.reading.selectors import own_adjudications
from plaquelab.reading.services import adjudicate, assign, assign_adjudicator
from plaquelab.states import TransitionError
from plaquelab.studies.models import Membership
from tests.platform.ready_cases import PASSWORD, sign_as

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]
REASON = "The wall of this read follows the vessel."


def test_the_chosen_read_is_final_and_approved(discordant: SimpleNamespace) -> None:
    case = discordant.case
    assert case.state == "discordant"
    signature = adjudicate(
        case=case, by=discordant.adjudicator, chosen_slot=1, reason=REASON, password=PASSWORD
    )
    case.refresh_from_db()
    made = Adjudication.objects.get(case=case)
    assert case.state == "final"
    assert case.final_read == made.chosen == discordant.reads[1]
    assert made.reason == REASON
    assert signature.meaning == "approval"
    assert signature.content_sha256 == discordant.reads[1].revisions.get().content_sha256
    assert Signature.objects.count() == 3
    assert audit.verify() == []
    with pytest.raises(TransitionError):
        adjudicate(case=case, by=discordant.adjudicator, chosen_slot=0, reason=REASON, password=PASSWORD)


def test_what_the_decision_needs(discordant: SimpleNamespace) -> None:
    who = discordant.adjudicator
    with pytest.raises(FormError, match="reason"):
        adjudicate(case=discordant.case, by=who, chosen_slot=0, reason="  better  ", password=PASSWORD)
    with pytest.raises(SigningError):
        adjudicate(case=discordant.case, by=who, chosen_slot=0, reason=REASON, password="no")
    with pytest.raises(FormError):
        adjudicate(case=discordant.case, by=who, chosen_slot=2, reason=REASON, password=PASSWORD)
    with pytest.raises(AssignmentError):
        adjudicate(
            case=discordant.case, by=discordant.manager, chosen_slot=0, reason=REASON, password=PASSWORD
        )
    discordant.case.refresh_from_db()
    assert discordant.case.state == "discordant"


def test_nobody_reads_and_adjudicates_one_case(discordant: SimpleNamespace) -> None:
    case = discordant.case
    Assignment.objects.filter(case=case, purpose="adjudicate").update(purpose="read")
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(
            study=discordant.study,
            case=case,
            reader=discordant.reader,
            purpose="adjudicate",
            slot=8,
            order_index=77,
            seed=1,
        )


def test_a_reader_with_the_adjudicators_role_is_refused_for_the_own_case(assigned: SimpleNamespace) -> None:
    Membership.objects.create(user=assigned.reader, study=assigned.study, role="adjudicator")
    sign_as(assigned.reads[0], assigned.reader)
    sign_as(assigned.reads[1], assigned.reader2, thick=6.0)
    case = ReadCase.objects.get(pk=assigned.case.pk)
    with pytest.raises(AssignmentError, match="read this case"):
        assign_adjudicator(case=case, adjudicator=assigned.reader, by=assigned.manager)
    with pytest.raises(AssignmentError, match="not an adjudicator"):
        assign_adjudicator(case=case, adjudicator=assigned.technician, by=assigned.manager)
    assign_adjudicator(case=case, adjudicator=assigned.adjudicator, by=assigned.manager)
    with pytest.raises(AssignmentError, match="has an adjudicator"):
        assign_adjudicator(case=case, adjudicator=assigned.adjudicator, by=assigned.manager)


def test_a_case_that_is_not_discordant_is_not_adjudicated(assigned: SimpleNamespace) -> None:
    with pytest.raises(AssignmentError, match="only a discordant case"):
        assign_adjudicator(case=assigned.case, adjudicator=assigned.adjudicator, by=assigned.manager)
    assert not own_adjudications(assigned.adjudicator, assigned.study).exists()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("reader",), "asks for 2 readers"),
        (("reader", "reader"), "different persons"),
        (("reader", "technician"), "not a reader"),
        (("reader", "stranger"), "not a reader"),
    ],
)
def test_who_cannot_be_assigned(ready_case: SimpleNamespace, names: tuple[str, ...], says: str) -> None:
    people = {**ready_case.users, "stranger": ready_case.other.reader}
    with pytest.raises(AssignmentError, match=says):
        assign(case=ready_case.case, readers=[people[name] for name in names], by=ready_case.manager)
    assert not Assignment.objects.exists()


def test_a_case_is_assigned_once(assigned: SimpleNamespace) -> None:
    with pytest.raises((AssignmentError, TransitionError)):
        assign(case=assigned.case, readers=[assigned.reader, assigned.reader2], by=assigned.manager)


def test_sides_through_the_api_are_the_reads_in_the_stored_order(
    discordant: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    import json

    client = client_for(discordant.adjudicator)
    body = client.post("/api/v1/studies/alpha/cases/1/opening/").json()
    assert body["mode"] == "adjudicate"
    discordant.case.refresh_from_db()
    assert discordant.case.state == "adjudicating"
    given = client.get(body["adjudication_url"]).json()
    volume = {
        side: next(
            r["value"]
            for r in given[side]["patient"]
            if r["metric"] == "total_plaque_volume" and r["level"] == "patient"
        )
        for side in "ab"
    }
    small = "a" if discordant.adjudication.a_slot == 0 else "b"
    assert volume[small] == min(volume.values())
    assert {item["rule"] for item in given["differs"]} >= {"total_plaque_volume"}
    item = next(item for item in given["differs"] if item["rule"] == "total_plaque_volume")
    assert (item["a"], item["b"]) == (volume["a"], volume["b"])
    assert given["decided"] is None
    sent = {"choose": small.upper(), "reason": REASON, "password": PASSWORD}
    answer = client.post(body["adjudication_url"], json.dumps(sent), content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["decided"]["choose"] == small.upper()
    discordant.case.refresh_from_db()
    assert discordant.case.final_read == discordant.reads[0]
    assert client.get("/api/v1/studies/alpha/cases/1/").json()["permissions"]["adjudicate"] is False
