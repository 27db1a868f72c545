"""Hidden second readings: who gets them and when, that nothing tells the reader, and that the case stays as it is."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from plaquelab.audit.models import AuditEvent
from plaquelab.reading.errors import AssignmentError
from plaquelab.reading.models import Assignment, Discordance, Read, ReadCase
from plaquelab.reading.repeats import repeatable
from plaquelab.reading.selectors import own_reads, visible_cases
from plaquelab.reading.services import draw_repeats
from plaquelab.studies.models import Membership
from tests.platform.ready_cases import sign_as

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]


@pytest.fixture
def final(assigned: SimpleNamespace) -> SimpleNamespace:
    """A final case whose two reads were signed five weeks ago."""
    for read, reader in zip(assigned.reads, (assigned.reader, assigned.reader2), strict=True):
        sign_as(read, reader)
    Read.objects.update(submitted_at=timezone.now() - timedelta(days=35))
    assigned.case.refresh_from_db()
    assert assigned.case.state == "final"
    return assigned


def test_each_reader_repeats_the_charters_share_rounded_up(final: SimpleNamespace) -> None:
    made = draw_repeats(study=final.study, by=final.manager)
    assert {(r.assignment.reader, r.assignment.slot, r.assignment.round) for r in made} == {
        (final.reader, 20, 2), (final.reader2, 21, 2),
    }  # fmt: skip
    assert {r.assignment.order_index for r in made} == {2}
    assert all(r.state == "assigned" and r.is_simulated == final.reads[0].is_simulated for r in made)
    with pytest.raises(AssignmentError, match="No read can be repeated now"):
        draw_repeats(study=final.study, by=final.manager)
    assert AuditEvent.objects.filter(verb="case.assign_repeat").count() == 2


def test_the_washout_is_kept_and_only_final_cases_are_repeated(final: SimpleNamespace) -> None:
    Read.objects.update(submitted_at=timezone.now() - timedelta(days=27))
    assert not repeatable(final.study).exists()
    with pytest.raises(AssignmentError, match="28 days"):
        draw_repeats(study=final.study, by=final.manager)
    Read.objects.update(submitted_at=timezone.now() - timedelta(days=29))
    assert repeatable(final.study).count() == 2
    ReadCase.objects.filter(pk=final.case.pk).update(state="discordant")
    assert not repeatable(final.study).exists()


def test_a_charter_that_asks_for_none(final: SimpleNamespace) -> None:
    rules = {**final.charter.rules, "repeat_percent": 0}
    type(final.charter).objects.filter(pk=final.charter.pk).update(rules=rules)
    with pytest.raises(AssignmentError):
        draw_repeats(study=final.study, by=final.manager)


def test_nothing_tells_the_reader_that_it_is_a_repeat(final: SimpleNamespace, client_for: Any) -> None:
    before = client_for(final.reader).post("/api/v1/studies/alpha/cases/1/opening/").json()
    draw_repeats(study=final.study, by=final.manager)
    client = client_for(final.reader)
    items = client.get("/api/v1/studies/alpha/cases/").json()
    assert [(i["n"], i["purpose"], i["state"]) for i in items] == [
        (1, "read", "signed"),
        (2, "read", "assigned"),
    ]
    case = client.post("/api/v1/studies/alpha/cases/2/opening/").json()
    text = json.dumps(case)
    for word in ("repeat", "second", "round", "alpha-subject-7", '"slot"'):
        assert word not in text, word
    assert case.keys() == before.keys()
    assert case["permissions"]["edit"] is True
    page = client.get("/studies/alpha/cases/").content.decode()
    assert "repeat" not in page
    assert "second reading" not in page
    assert [r.assignment.order_index for r in own_reads(final.reader, final.study)] == [1, 2]


def test_the_second_reading_starts_anew_and_changes_nothing_of_the_case(final: SimpleNamespace) -> None:
    first = final.case.final_read_id
    made = {r.assignment.reader_id: r for r in draw_repeats(study=final.study, by=final.manager)}
    again = made[final.reader.pk]
    sign_as(again, final.reader, thick=3.0)
    final.case.refresh_from_db()
    again.refresh_from_db()
    assert again.state == "signed"
    assert (final.case.state, final.case.final_read_id) == ("final", first)
    assert Discordance.objects.count() == 1


def test_who_reads_a_case_again_does_not_oversee_it_meanwhile(
    final: SimpleNamespace, client_for: Any
) -> None:
    Membership.objects.create(user=final.reader, study=final.study, role="manager")
    view = "/studies/alpha/exams/7/view/"
    assert client_for(final.reader).get(view).status_code == 200
    again = next(
        r
        for r in draw_repeats(study=final.study, by=final.manager)
        if r.assignment.reader_id == final.reader.pk
    )
    assert client_for(final.reader).get(view).status_code == 404
    assert not visible_cases(final.reader, final.study).exists()
    assert visible_cases(final.manager, final.study).exists()
    sign_as(again, final.reader)
    assert visible_cases(final.reader, final.study).exists()


def test_overseers_see_first_reads_as_sources_and_repeats_in_the_list(
    final: SimpleNamespace, client_for: Any
) -> None:
    for read in draw_repeats(study=final.study, by=final.manager):
        sign_as(read, read.assignment.reader)
    client = client_for(final.manager)
    assert client.post("/api/v1/studies/alpha/exams/7/view/opening/").json()["sources"] == [
        "final", "network", "reader 1", "reader 2",
    ]  # fmt: skip
    assert "second reading, signed" in client.get("/studies/alpha/case-list/").content.decode()


def test_still_nobody_is_reader_and_adjudicator_of_one_case(final: SimpleNamespace) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(
            study=final.study, case=final.case, reader=final.reader, purpose="adjudicate", slot=9,
            order_index=9, seed=1,
        )  # fmt: skip


def test_the_manager_draws_them_on_the_page(final: SimpleNamespace, client_for: Any) -> None:
    client = client_for(final.manager)
    assert "2 could be drawn now" in client.get("/studies/alpha/case-list/").content.decode()
    address = "/studies/alpha/case-list/repeats/"
    for role in ("reader", "adjudicator", "investigator", "auditor", "technician", "coordinator"):
        assert client_for(final.users[role]).post(address).status_code == 403, role
    assert client_for(final.other.manager).post(address).status_code == 404
    assert "2 hidden second readings drawn" in client.post(address, follow=True).content.decode()
    assert "No read can be repeated now" in client.post(address, follow=True).content.decode()


def test_the_pair_of_first_and_second_reading(final: SimpleNamespace) -> None:
    from plaquelab.freezes.dataset import build

    for read in draw_repeats(study=final.study, by=final.manager):
        sign_as(read, read.assignment.reader, thick=2.0)
    dataset = build(final.study)
    rows = [r for r in dataset.tables["patient_pairs"] if r["pair"] == "repeat"]
    assert len(rows) == 2
    assert all(r["total_plaque_volume_second"] > r["total_plaque_volume_first"] for r in rows)
    kinds = sorted((r["kind"], r["reader"]) for r in dataset.tables["reads"] if r["kind"] != "network")
    assert [kind for kind, _ in kinds] == ["expert", "repeat", "repeat", "second_expert"]
    assert {r["pair"] for r in dataset.tables["patient_pairs"]} == {
        "network_expert",
        "expert_expert",
        "repeat",
    }
