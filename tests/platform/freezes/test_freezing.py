"""From request to release: the job, its hash, what the command makes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analytics.errors import AnalyticsError
from analytics.freeze import read_freeze
from plaquelab.audit.models import AuditEvent
from plaquelab.freezes import freezing, services
from plaquelab.freezes.frozen import NotFrozenError, freezes_match, open_freeze
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.freezes.selectors import chosen_freeze
from plaquelab.states import TransitionError
from plaquelab.storage import store
from tests.platform.filled_study import REASON, ask

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]


def test_a_freeze_is_stored_hashed_and_opened_again(frozen, filled, settings):
    opened = open_freeze(frozen)
    opened.verify()
    assert opened.hash == frozen.hash
    assert len(frozen.hash) == 64
    assert (opened.about.study, opened.about.note, opened.about.simulated) == ("Study alpha", "Interim", True)
    assert opened.about.charter["number"] == 1
    assert opened.about.software["network unet"] == "w" * 64
    assert frozen.rows["patients"] == len(opened.table("patients")) == 7
    assert dict(frozen.left_out)["network_expert: cases that are not final yet"] == 2
    event = AuditEvent.objects.get(verb="dataset_freeze.hash")
    assert event.after["hash"] == frozen.hash


def test_the_same_data_makes_the_same_tables_and_a_changed_file_is_refused(frozen, filled, settings):
    again = freezing.execute(ask(filled.a, note="Interim").pk)
    first, second = (open_freeze(freeze).manifest["tables"] for freeze in (frozen, again))
    assert {name: entry["sha256"] for name, entry in first.items()} == {
        name: entry["sha256"] for name, entry in second.items()
    }
    folder = Path(settings.DATA_DIR) / "cache" / "freezes" / f"{frozen.study_id}-{frozen.hash}"
    (folder / "patients.parquet").write_bytes(b"altered")
    with pytest.raises(AnalyticsError, match="was changed after the freeze was made"):
        read_freeze(folder).table("patients")


def test_audit_verify_finds_an_altered_freeze(frozen):
    assert list(freezes_match()) == []
    path = f"{frozen.folder}/patients.parquet"
    kept = store().get(path)
    store().put(path, kept + b"x")
    assert list(freezes_match()) == ["study alpha, freeze 1: patients.parquet was altered after freezing."]
    store().put(path, kept)
    manifest = json.loads(store().get(f"{frozen.folder}/manifest.json"))
    manifest["about"]["note"] = "Final"
    store().put(f"{frozen.folder}/manifest.json", json.dumps(manifest).encode())
    assert list(freezes_match()) == ["study alpha, freeze 1: its manifest is no longer what was frozen."]
    store().delete(path)
    (text,) = freezes_match()
    assert "it cannot be read" in text


def test_one_freeze_at_a_time_and_waiting_measurements_are_named(filled, client_for):
    world = filled.a
    with pytest.raises(services.FreezeError, match="4 runs that comparisons need"):
        services.request_freeze(study=world.study, by=world.manager)
    assert not DatasetFreeze.objects.exists()
    ask(world)
    with pytest.raises(services.FreezeError, match="is being made"):
        ask(world)
    assert services.request_freeze(study=filled.b.study, by=None).number == 1


def test_a_simulated_cohort_stands_beside_simulated_studies_only(filled):
    from plaquelab.studies.models import Study

    Study.objects.filter(pk=filled.b.study.pk).update(is_simulated=False)
    filled.b.study.refresh_from_db()
    with pytest.raises(services.FreezeError, match="simulated studies only"):
        services.request_freeze(study=filled.b.study, by=None, source="simulation")


def test_nobody_does_it_twice_and_a_dead_workers_freeze_is_taken_over(filled):
    freeze = ask(filled.a)
    DatasetFreeze.objects.filter(pk=freeze.pk).update(state="building", attempt=1)  # its lease is over
    assert freezing.execute(freeze.pk).state == "frozen"
    assert freezing.execute(freeze.pk) is None


def test_what_breaks_is_logged_with_a_number_and_can_be_made_again(filled, monkeypatch, caplog):
    freeze = ask(filled.a)

    def broken(*_, **__):
        raise RuntimeError("the disc of patient Smith")

    with monkeypatch.context() as patch:
        patch.setattr(freezing, "build", broken)
        assert freezing.execute(freeze.pk).state == "failed"
    freeze.refresh_from_db()
    assert "Smith" not in freeze.message
    assert freeze.error_id in freeze.message
    assert freeze.error_id in caplog.text
    services.retry_freeze(freeze=freeze, by=filled.a.manager)
    assert freezing.execute(freeze.pk).state == "frozen"


def test_tables_that_break_the_format_are_named(filled, monkeypatch):
    from plaquelab.freezes.dataset import Dataset

    bad = Dataset({"patients": [{"patient": "P-1", "site": "n"}], "outcomes": []}, (), (), {})
    monkeypatch.setattr(freezing, "build", lambda *_, **__: bad)
    freeze = freezing.execute(ask(filled.a).pk)
    assert freeze.state == "failed"
    assert "Table patients" in freeze.message


def test_a_killed_attempt_leaves_no_freeze(filled, monkeypatch):
    freeze = ask(filled.a)

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(freezing.jobs, "finish", killed)
    with pytest.raises(KeyboardInterrupt):
        freezing.execute(freeze.pk)
    freeze.refresh_from_db()
    assert (freeze.state, freeze.hash) == ("building", "")


def test_releasing_needs_a_reason_and_happens_once(frozen, filled, settings):
    with pytest.raises(services.FreezeError, match="at least 10 characters"):
        services.release_freeze(freeze=frozen, by=filled.a.manager, reason="ok")
    services.release_freeze(freeze=frozen, by=filled.a.manager, reason=REASON)
    with pytest.raises(TransitionError):
        services.release_freeze(freeze=frozen, by=filled.a.manager, reason=REASON)
    event = AuditEvent.objects.get(verb="dataset_freeze.release")
    assert (event.reason, event.after["hash"]) == (REASON, frozen.hash)


@pytest.mark.django_db(transaction=True)
def test_many_who_open_a_freeze_at_once_all_get_it(frozen, settings):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    def open_one(_):
        try:
            return open_freeze(frozen).table("patients").shape[0]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_one, range(16))) == [7] * 16
    kept = list((Path(settings.DATA_DIR) / "cache" / "freezes").iterdir())
    assert [path.name for path in kept] == [f"{frozen.study_id}-{frozen.hash}"]


def test_only_a_frozen_set_opens(filled):
    with pytest.raises(NotFrozenError):
        open_freeze(ask(filled.a))


def test_on_the_command_line(filled, tmp_path, capsys):
    with pytest.raises(CommandError, match="that comparisons need"):
        call_command("freeze", "alpha")
    with pytest.raises(CommandError, match="may not freeze"):
        call_command("freeze", "alpha", by="alpha-investigator")
    with pytest.raises(CommandError, match="There is no study"):
        call_command("freeze", "gamma")
    out = tmp_path / "copy"
    call_command("freeze", "alpha", leave_out_waiting=True, by="alpha-manager", release=REASON, out=out)
    freeze = DatasetFreeze.objects.get()
    text = capsys.readouterr().out
    assert f"freeze 1 of alpha: {freeze.hash}" in text
    assert "left out: network_expert: cases that are not final yet: 2" in text
    assert freeze.state == "released"
    assert read_freeze(out).hash == freeze.hash
    with pytest.raises(CommandError, match="exists already"):
        call_command("freeze", "alpha", leave_out_waiting=True, out=out)


def test_the_simulated_cohort_is_a_second_labelled_freeze(filled, monkeypatch):
    import analytics.simulation.freeze as simulation

    small = simulation.simulate_freeze
    monkeypatch.setattr(freezing, "simulate_freeze", lambda out: small(out, seed=3, patients=60))
    freeze = freezing.execute(ask(filled.a, source="simulation").pk)
    assert freeze.state == "frozen", freeze.message
    opened = open_freeze(freeze)
    assert opened.simulated
    assert freeze.rows["markers"] == len(opened.table("markers"))
    assert all(store().exists(f"{freeze.folder}/{name}") for name in freeze.files)
    assert chosen_freeze(filled.a.manager, filled.a.study, "")[0] == freeze
