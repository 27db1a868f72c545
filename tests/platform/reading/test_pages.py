"""Pages of reading: what each person finds, and what a reader's pages never say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from plaquelab.analysis.models import AnalysisRun
from plaquelab.reading.models import Adjudication, Assignment, Read, ReadCase
from tests.platform.ready_cases import PASSWORD, sign_as, store_run

pytestmark = pytest.mark.django_db
CASES, LIST = "/studies/alpha/cases/", "/studies/alpha/case-list/"


def test_a_reader_finds_the_next_case_first(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    client = client_for(assigned.reader)
    page = client.get(CASES).content.decode()
    assert re.search(r'data-testid="next-case" autofocus href="/studies/alpha/cases/1/">Open case 1<', page)
    assert "0 of 1 signed" in page
    assert client.get("/studies/alpha/cases/next/").url == "/studies/alpha/cases/1/"
    client.post("/api/v1/studies/alpha/cases/1/opening/")
    assert "Go on with case 1" in client.get(CASES).content.decode()
    sign_as(assigned.reads[0], assigned.reader)
    page = client.get(CASES).content.decode()
    assert "1 of 1 signed" in page
    assert "next-case" not in page
    assert client.get("/studies/alpha/cases/next/").url == CASES


def test_list_filters_and_says_what_is_overdue(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    client = client_for(assigned.reader)
    Assignment.objects.filter(reader=assigned.reader).update(due_on=timezone.now().date() - timedelta(days=1))
    assert "1 overdue" in client.get(CASES).content.decode()
    assert "No case matches" in client.get(CASES, {"state": "signed"}).content.decode()
    assert "Case 1</a>" in client.get(CASES, {"state": "assigned", "sort": "due"}).content.decode()


def test_viewer_page_knows_its_root_and_hides_the_exam(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    page = client_for(assigned.reader).get("/studies/alpha/cases/1/").content.decode()
    config = json.loads(re.search(r'id="viewer-config"[^>]*>(.*?)</script>', page).group(1))  # type: ignore[union-attr]
    assert config == {"api_root": "/api/v1/studies/alpha/cases/1/", "printed_name": "alpha reader"}
    for word in ("alpha-subject", "North", "Exam", "drawn"):
        assert word not in page
    assert client_for(assigned.reader).get("/studies/alpha/cases/2/").status_code == 404
    assert client_for(assigned.manager).get("/studies/alpha/cases/1/").status_code == 404
    assert client_for(assigned.other.reader).get("/studies/alpha/cases/1/").status_code == 404
    view = "/studies/alpha/exams/7/view/"
    assert client_for(assigned.reader).get(view).status_code == 404
    assert "/api/v1/studies/alpha/exams/7/view/" in client_for(assigned.auditor).get(view).content.decode()


def test_the_adjudicator_sees_what_differs_and_nobody_named(
    discordant: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    client = client_for(discordant.adjudicator)
    page = client.get(CASES).content.decode()
    assert "Total plaque volume: A " in page
    assert "1 of 1 to decide" in page
    assert "alpha reader" not in page
    assert client.get("/studies/alpha/cases/next/").url == "/studies/alpha/cases/1/"
    from plaquelab.reading.services import adjudicate

    side = Adjudication.objects.get().a_slot
    adjudicate(
        case=discordant.case,
        by=discordant.adjudicator,
        chosen_slot=side,
        reason="A is the better one",
        password=PASSWORD,
    )
    assert "A chosen" in client.get(CASES).content.decode()


def test_overseers_are_sent_to_all_cases_and_others_nowhere(
    ready_case: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    assert client_for(ready_case.manager).get(CASES).url == LIST
    assert client_for(ready_case.auditor).get(CASES).url == LIST
    assert client_for(ready_case.coordinator).get(CASES).status_code == 404
    for role, status in {"reader": 403, "technician": 403, "investigator": 403, "auditor": 200}.items():
        assert client_for(ready_case.users[role]).get(LIST).status_code == status
    assert client_for(ready_case.other.manager).get(LIST).status_code == 404
    assert 'name="exam"' not in client_for(ready_case.auditor).get(LIST).content.decode()


def test_the_manager_assigns_readers_and_an_adjudicator(
    ready_case: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    second = store_run(ready_case, 8)
    client = client_for(ready_case.manager)
    page = client.get(LIST).content.decode()
    assert 'value="8" aria-label="Exam 8"' in page
    send = {"exam": ["7", "8"], "reader": [str(ready_case.reader.pk), str(ready_case.reader.pk)]}
    refused = client.post(f"{LIST}assign/", send, follow=True).content.decode()
    assert "The readers must be different persons." in refused
    send["reader"][1] = str(ready_case.reader2.pk)
    assert "2 cases assigned" in client.post(f"{LIST}assign/", send, follow=True).content.decode()
    for case in (ready_case.case, second):
        assert {read.assignment.reader for read in Read.objects.filter(case=case)} == {
            ready_case.reader,
            ready_case.reader2,
        }
    reads = list(Read.objects.filter(case=second).order_by("assignment__slot"))
    sign_as(reads[0], ready_case.reader)
    sign_as(reads[1], ready_case.reader2, thick=6.0)
    page = client.get(LIST, {"state": "discordant"}).content.decode()
    assert re.search(r"Total plaque volume: reader 1: [\d.]+ mm³, reader 2: [\d.]+ mm³", page)
    assert "Choose an adjudicator" in client.post(f"{LIST}8/adjudicator/", follow=True).content.decode()
    chosen = {"adjudicator": str(ready_case.adjudicator.pk)}
    assert "waits for" in client.post(f"{LIST}8/adjudicator/", chosen, follow=True).content.decode()
    assert client_for(ready_case.auditor).post(f"{LIST}8/adjudicator/", chosen).status_code == 403
    assert "1 of 2 cases" in client.get(LIST, {"subject": "subject-8"}).content.decode()


def test_a_failed_analysis_is_shown_with_its_message(
    ready_case: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    other = store_run(ready_case, 9)
    ReadCase.objects.filter(pk=other.pk).delete()
    AnalysisRun.objects.filter(exam=other.exam).update(state="failed", message="The scan has no contrast.")
    page = client_for(ready_case.manager).get(LIST).content.decode()
    assert "Accepted exams without a case" in page
    assert "The scan has no contrast." in page


def test_a_final_case_names_its_final_read(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    for read, reader in zip(assigned.reads, (assigned.reader, assigned.reader2), strict=True):
        sign_as(read, reader)
    page = client_for(assigned.manager).get(LIST).content.decode()
    assert page.count("signed, final") == 1
