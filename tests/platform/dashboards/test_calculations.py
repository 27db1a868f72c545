"""Bootstraps as queued work: asked for once, watched, killed and taken over, shown when they are there."""

from __future__ import annotations

import pytest
from django.urls import reverse

from plaquelab.audit.models import AuditEvent
from plaquelab.dashboards import answers, calculating, documents
from plaquelab.dashboards.calculating import FolderMemory
from plaquelab.dashboards.models import Calculation
from plaquelab.storage import store

QUERY = {"metric": "calcified_plaque_volume", "freeze": "2", "by": "vendor"}


@pytest.fixture
def few(monkeypatch, settings, tmp_path):
    settings.DATA_DIR = tmp_path  # a cache of its own
    monkeypatch.setattr(documents, "REPLICATES", 40)


def address(view, question="agreement"):
    return reverse(f"dashboards:{view}", kwargs={"study": "alpha", "question": question})


def start(client, **query):
    return client.post(address("bootstrap"), query_params={**QUERY, **query}, headers={"HX-Request": "true"})


def test_asked_for_once_and_shown_when_it_is_there(pages, client_for, few, settings, tmp_path):
    client = client_for(pages.a.investigator)
    before = client.get(address("question"), QUERY).content.decode()
    assert "jackknife" in before
    assert "Bootstrap 40 resamples" in before
    assert "waits for a worker" in start(client).content.decode()
    assert "waits for a worker" in start(client_for(pages.a.manager)).content.decode()
    calculation = Calculation.objects.get()
    assert calculation.requested_by == pages.a.investigator
    assert AuditEvent.objects.filter(verb="calculation.request").count() == 1
    assert "waits for a worker" in client.get(address("question"), QUERY).content.decode()

    assert calculating.execute(calculation.pk).state == "succeeded"
    assert calculating.execute(calculation.pk) is None
    strip = client.get(address("bootstrap_progress"), QUERY)
    assert strip["HX-Refresh"] == "true"
    after = client.get(address("question"), QUERY).content.decode()
    assert "bootstrap, 40 resamples of patients" in after
    assert "patient-cluster bootstrap" in after
    # Other filters are another calculation.
    assert (
        "Bootstrap 40 resamples" in client.get(address("question"), {**QUERY, "by": "site"}).content.decode()
    )
    # The auditor reads it though it was not his to start.
    seen = client_for(pages.a.auditor).get(address("question"), QUERY).content.decode()
    assert "bootstrap, 40 resamples of patients" in seen
    # The cache on disk may go: the store has it.
    settings.DATA_DIR = tmp_path / "another machine"
    assert "patient-cluster bootstrap" in client.get(address("question"), QUERY).content.decode()


def test_the_same_freeze_and_seed_give_the_same_bytes(pages, client_for, few):
    client = client_for(pages.a.investigator)
    start(client)
    calculation = Calculation.objects.get()
    calculating.execute(calculation.pk)
    calculation.refresh_from_db()
    first = store().get(f"{calculation.folder}/{answers.ANSWER_FILE}")
    Calculation.objects.filter(pk=calculation.pk).update(state="queued", attempt_base=1)
    calculating.execute(calculation.pk)
    assert store().get(f"{calculation.folder}/{answers.ANSWER_FILE}") == first


def test_an_attempt_goes_on_where_a_killed_one_stopped(pages, client_for, few, monkeypatch):
    from analytics.questions import agreement

    start(client_for(pages.a.investigator))
    calculation = Calculation.objects.get()
    whole, done = agreement.icc_of, []

    def dies_at_the_third(*args, **kwargs):
        if len(done) == 2:
            raise KeyboardInterrupt  # what a killed worker leaves behind: a running row and finished parts
        done.append(kwargs)
        return whole(*args, **kwargs)

    from analytics.questions import agreement_grids

    with monkeypatch.context() as patch:
        patch.setattr(agreement_grids, "icc_of", dies_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            calculating.execute(calculation.pk)
    calculation.refresh_from_db()
    assert calculation.state == "running"
    kept = len(FolderMemory(calculating.memory_folder(calculation)))
    assert kept >= 3
    Calculation.objects.filter(pk=calculation.pk).update(lease_until=None)
    again = []

    def counts(*args, **kwargs):
        again.append(kwargs)
        return whole(*args, **kwargs)

    monkeypatch.setattr(agreement_grids, "icc_of", counts)
    assert calculating.execute(calculation.pk).state == "succeeded"
    # The two metrics that were finished are not computed again (groups of the page are, they have no bootstrap).
    resampled = [k for k in again if k.get("replicates")]
    assert resampled
    assert len(FolderMemory(calculating.memory_folder(calculation))) == 0


def test_what_fails_says_so_and_can_be_asked_for_again(pages, client_for, few, monkeypatch, caplog):
    client = client_for(pages.a.manager)
    start(client)
    calculation = Calculation.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr(calculating, "open_freeze", lambda _: 1 / 0)
        assert calculating.execute(calculation.pk).state == "failed"
    calculation.refresh_from_db()
    assert "ZeroDivision" not in calculation.message
    assert calculation.error_id in caplog.text
    page = client.get(address("question"), QUERY).content.decode()
    assert calculation.error_id in page
    assert "Bootstrap 40 resamples" in page
    start(client)
    calculation.refresh_from_db()
    assert calculation.state == "queued"
    assert calculating.execute(calculation.pk).state == "succeeded"


def test_a_question_that_the_freeze_cannot_answer_is_refused_with_the_reason(pages, client_for, few):
    client = client_for(pages.a.investigator)
    client.post(address("bootstrap", "outcome"), query_params={"freeze": "1"})
    calculation = Calculation.objects.get()
    assert calculating.execute(calculation.pk).state == "failed"
    calculation.refresh_from_db()
    assert calculation.message.startswith("This freeze has no outcomes")


def test_memory_keeps_parts_as_private_files(tmp_path):
    memory = FolderMemory(tmp_path / "steps")
    assert "a" not in memory
    memory["a"] = {"x": (1, 2)}
    assert memory["a"] == {"x": (1, 2)}
    assert "a" in memory
    assert (tmp_path / "steps").stat().st_mode & 0o077 == 0
    next((tmp_path / "steps").iterdir()).write_bytes(b"cut short")
    with pytest.raises(KeyError):
        memory["a"]
