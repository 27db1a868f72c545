"""Pages of freezes: who gets which, what they say, and what is taken away from them."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.urls import reverse

from plaquelab.audit.models import AuditEvent
from plaquelab.freezes import freezing, services
from plaquelab.freezes.selectors import chosen_freeze, visible_freezes
from tests.platform.conftest import ROLES
from tests.platform.filled_study import REASON, ask

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]


def url(name, **more):
    return reverse(f"dashboards:{name}", kwargs={"study": "alpha", **more})


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
    asked = client.post(url("freezes"))
    assert asked.status_code == (302 if role == "manager" else 403)
    if role == "manager":  # back to the list, with the reason
        assert asked["Location"] == url("freezes")
        assert "that comparisons need" in client.get(url("freezes")).content.decode()
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
