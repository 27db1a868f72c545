"""From request to release: the job, its hash, what investigators get, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from analytics.errors import AnalyticsError
from analytics.freeze import read_freeze
from plaquelab.audit.models import AuditEvent
from plaquelab.dashboards import freezing, services
from plaquelab.dashboards.frozen import NotFrozenError, freezes_match, open_freeze
from plaquelab.dashboards.models import DatasetFreeze
from plaquelab.dashboards.selectors import chosen_freeze, visible_freezes
from plaquelab.states import TransitionError
from plaquelab.storage import store
from tests.platform.conftest import ROLES

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]
REASON = "agreed by the steering committee"


def ask(world, **more):
    return services.request_freeze(study=world.study, by=world.manager, leave_out_waiting=True, **more)


@pytest.fixture
def frozen(filled):
    freeze = freezing.execute(ask(filled.a, note="Interim").pk)
    assert freeze.state == "frozen", freeze.message
    return freeze


@pytest.fixture
def released(frozen, filled):
    services.release_freeze(freeze=frozen, by=filled.a.manager, reason=REASON)
    return frozen


def url(name, **more):
    return reverse(f"dashboards:{name}", kwargs={"study": "alpha", **more})


def test_a_freeze_is_stored_hashed_and_opened_again(frozen, filled, settings):
    opened = open_freeze(frozen)
    opened.verify()
    assert opened.hash == frozen.hash
    assert len(frozen.hash) == 64
    assert (opened.about.study, opened.about.note, opened.about.simulated) == ("Study alpha", "Interim", True)
    assert opened.about.charter["number"] == 1
    assert opened.about.software == {"network unet": "w" * 64}
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
    from plaquelab.dashboards.dataset import Dataset

    bad = Dataset({"patients": [{"patient": "P-1", "site": "n"}], "outcomes": []}, (), ())
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


@pytest.mark.parametrize("role", ROLES)
def test_role_by_page(frozen, filled, client_for, role):
    client = client_for(filled.a.users[role])
    full = role in ("manager", "auditor")
    sees = full or role == "investigator"
    assert client.get(url("freezes")).status_code == (200 if sees else 403)
    for name in ("freeze", "freeze_progress", "freeze_download"):
        expected = 200 if full else 404 if sees else 403
        assert client.get(url(name, number=1)).status_code == expected, name
    assert visible_freezes(filled.a.users[role], filled.a.study).exists() == full
    posted = client.post(url("freeze_act", number=1, action="release"), {"reason": REASON})
    assert posted.status_code == (302 if role == "manager" else 403)
    assert client.post(url("freezes")).status_code == (200 if role == "manager" else 403)
    frozen.refresh_from_db()
    assert (frozen.state == "released") == (role == "manager")


@pytest.mark.parametrize("role", ROLES)
def test_strangers_learn_nothing(released, filled, client_for, role):
    client = client_for(filled.b.users[role])
    assert client.get(url("freezes")).status_code == 404
    for name in ("freeze", "freeze_progress", "freeze_download"):
        assert client.get(url(name, number=1)).status_code == 404
    assert client.get(url("freeze_panel", number=1, file="x.png")).status_code == 404
    assert client.post(url("freeze_act", number=1, action="release"), {"reason": REASON}).status_code == 404
    assert client.post(url("freezes")).status_code == 404


def test_who_reads_sees_no_freeze_even_as_manager(released, filled, client_for):
    from plaquelab.studies.models import Membership

    Membership.objects.create(user=filled.a.manager, study=filled.a.study, role="reader")
    client = client_for(filled.a.manager)
    assert client.get(url("freezes")).status_code == 403
    assert client.get(url("freeze", number=1)).status_code == 403
    assert client.post(url("freezes")).status_code == 403
    assert chosen_freeze(filled.a.manager, filled.a.study, "1") == (None, "")


def test_investigators_get_released_freezes(frozen, filled, client_for):
    world = filled.a
    assert chosen_freeze(world.investigator, world.study, "") == (None, "")
    assert chosen_freeze(world.manager, world.study, "") == (frozen, "")
    services.release_freeze(freeze=frozen, by=world.manager, reason=REASON)
    newer = freezing.execute(ask(world).pk)
    assert chosen_freeze(world.investigator, world.study, "") == (frozen, "")
    shown, problem = chosen_freeze(world.investigator, world.study, str(newer.number))
    assert shown == frozen
    assert "no freeze “2” that you may open" in problem
    # One begins with what investigators see; manager and auditor may choose the newer one.
    assert chosen_freeze(world.auditor, world.study, "") == (frozen, "")
    assert chosen_freeze(world.auditor, world.study, "2") == (newer, "")
    text = client_for(world.investigator).get(url("freezes")).content.decode()
    assert "1 freeze" in text
    assert "Make a freeze" not in text


def test_a_download_says_its_lock_state_and_is_noted(frozen, filled, client_for):
    answer = client_for(filled.a.manager).get(url("freeze_download", number=1))
    assert f"alpha-freeze-1-frozen-{frozen.hash[:12]}.zip" in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    names = {name.split("/", 1)[1] for name in archive.namelist()}
    assert {"EXPORT.txt", "manifest.json", "dictionary.json", "patients.parquet"} <= names
    root = archive.namelist()[0].split("/")[0]
    text = archive.read(f"{root}/EXPORT.txt").decode()
    assert "frozen, NOT released" in text
    assert frozen.hash in text
    assert "Simulated data." in text
    assert "Research use only" in text
    assert "lesion_pairs" in json.loads(archive.read(f"{root}/dictionary.json"))
    event = AuditEvent.objects.get(verb="dataset_freeze.download")
    assert (event.actor, event.after["state"]) == ("alpha-manager", "frozen")
    services.release_freeze(freeze=frozen, by=filled.a.manager, reason=REASON)
    answer = client_for(filled.a.investigator).get(url("freeze_download", number=1))
    assert "-released-" in answer["Content-Disposition"]


def test_the_pages_say_what_there_is_and_what_did_not_enter(frozen, filled, client_for):
    client = client_for(filled.a.manager)
    text = client.get(url("freeze", number=1)).content.decode()
    assert frozen.hash in text
    assert "cases that are not final yet" in text
    assert "Release to the investigators" in text
    text = client.get(url("freezes")).content.decode()
    assert "of 7 cases final" in text
    assert "leave out what these runs would bring" in text
    refused = client.post(url("freezes"), follow=True).content.decode()
    assert "4 runs that comparisons need" in refused
    made = client.post(url("freezes"), {"leave_out_waiting": "on", "note": "x"})
    assert made["Location"] == url("freeze", number=2)
    waiting = client.get(url("freeze", number=2)).content.decode()
    assert "Waits for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    assert client.get(url("freeze_download", number=2)).status_code == 404
    put_aside = client.post(url("freeze_act", number=2, action="discard"), follow=True).content.decode()
    assert "Discarded" in put_aside
    assert client.post(url("freeze_act", number=2, action="again"), follow=True).status_code == 200
    assert client.get(url("freeze_progress", number=1)).headers["HX-Refresh"] == "true"


def test_monitoring_names_no_outcome_and_no_compared_number(frozen, filled, client_for):
    from plaquelab.references.services import import_file
    from tests.platform.references.conftest import file_of

    data = file_of("outcomes", "P-001,myocardial_infarction,365,registry", "P-001,end_of_follow_up,400,s")
    import_file(study=filled.a.study, kind="outcomes", data=data, by=filled.a.manager)
    text = client_for(filled.a.manager).get(url("freezes")).content.decode()
    assert "subject: Outcomes" in text
    assert "infarction" not in text
    assert "ICC" not in text


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
    monkeypatch.setattr(simulation, "simulate_freeze", lambda out: small(out, seed=3, patients=60))
    freeze = freezing.execute(ask(filled.a, source="simulation").pk)
    assert freeze.state == "frozen", freeze.message
    opened = open_freeze(freeze)
    assert opened.simulated
    assert freeze.rows["markers"] == len(opened.table("markers"))
    assert all(store().exists(f"{freeze.folder}/{name}") for name in freeze.files)
    assert chosen_freeze(filled.a.manager, filled.a.study, "")[0] == freeze
