"""The viewer's API as a reader uses it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.test import Client

from plaquelab.analysis import measuring_code
from plaquelab.api.vocabulary import columns
from plaquelab.audit.models import AuditEvent
from plaquelab.imaging.slabs import decode
from plaquelab.reading.models import Read
from plaquelab.storage.folder import FolderStore
from tests.platform.ready_cases import FORM, PASSWORD, SECTIONS, sign_as

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/studies/alpha/cases/1/"
MOVE = {"type": "move_contour", "which": "wall", "section": 30, "angle_rad": 0.7, "delta_mm": 1.0}


def post(client: Client, url: str, body: dict[str, Any]) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json")


def floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(-1, 64)


@pytest.fixture
def client(assigned: SimpleNamespace, client_for: Callable[[Any], Client]) -> Client:
    return client_for(assigned.reader)


def test_case_tells_what_the_viewer_needs(client: Client, assigned: SimpleNamespace) -> None:
    body = client.post(f"{ROOT}opening/").json()
    assert body["label"] == "Case 1"
    assert body["mode"] == "read"
    assert body["state"] == "in_progress"
    assert body["permissions"] == {"edit": True, "sign": True, "adjudicate": False}
    assert [vessel["name"] for vessel in body["vessels"]] == ["LAD", "RCA"]
    assert body["vessels"][0]["segments"] == [["pLAD", 0, SECTIONS - 1]]
    assert body["vessels"][0]["arc_length_mm"] == pytest.approx(20.7)
    assert body["ct"]["shape"] == [30, 8, 8]
    assert [(slab["first"], slab["count"]) for slab in body["ct"]["slabs"]] == [(0, 25), (25, 5)]
    assert body["next_url"] is None
    assert {row["metric"] for row in body["patient"]} >= {"total_plaque_volume", "cadrads", "plaque_stage"}
    assert Read.objects.get(pk=assigned.reads[0].pk).state == "in_progress"


def test_columns_come_in_the_words_and_digits_of_the_vocabulary(client: Client) -> None:
    body = client.post(f"{ROOT}opening/").json()
    lesion = {column["metric"]: column for column in body["columns"]["lesion"]}
    assert lesion["diameter_stenosis"] == {
        "metric": "diameter_stenosis",
        "short": "DS",
        "label": "Diameter stenosis",
        "unit": "%",
        "digits": 1,
        "borders": [1, 25, 50, 70, 100],
        "ranged": True,
    }
    assert lesion["remodelling_index"]["short"] == "Remod."
    assert [lesion["remodelling_index"]["unit"], lesion["high_risk_features"]["unit"]] == ["", ""]
    assert lesion["noncalcified_plaque_volume"]["label"].endswith("(contains low-attenuation)")
    patient = {column["metric"]: column for column in body["columns"]["patient"]}
    assert patient["diameter_stenosis"]["short"] == "Worst DS"
    assert patient["diameter_stenosis"]["label"] == "Worst diameter stenosis"
    assert not patient["plaque_stage"]["ranged"]
    # Whatever stands in a row of this case has its column.
    command = {"type": "add_lesion", "start_mm": 5.0, "end_mm": 12.0}
    answer = post(client, body["commands_url"], {"vessel": "LAD", "version": 0, "command": command}).json()
    rows = {name for found in answer["state"]["lesions"] for name in found["metrics"]}
    assert rows - set(lesion) == {"lesion_start", "lesion_end", "cadrads"}
    rows = {row["metric"] for row in answer["state"]["measurements"]}
    assert rows - set(lesion) == {"cadrads", "percent_atheroma_volume"}
    assert {row["metric"] for row in client.get(ROOT).json()["patient"]} >= set(patient)


def test_a_composition_profile_of_four_classes_has_columns_for_them() -> None:
    three, four = (
        {column["metric"] for column in columns(profile)["lesion"]} for profile in ("corrected", "qangio")
    )
    assert four - three == {
        "necrotic_core_volume",
        "fibrofatty_volume",
        "fibrous_volume",
        "dense_calcium_volume",
    }


def test_image_bytes_are_what_was_stored_and_may_be_kept(client: Client) -> None:
    body = client.post(f"{ROOT}opening/").json()
    answer = client.get(body["vessels"][0]["hu"], headers={"accept": "application/octet-stream"})
    assert len(answer.content) == SECTIONS * 64 * 64 * 2
    assert np.frombuffer(answer.content, "<i2").reshape(-1, 64, 64)[10, 32, 32] == pytest.approx(400, abs=40)
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert client.get(body["vessels"][0]["hu"], headers={"if-none-match": answer["ETag"]}).status_code == 304
    other = body["vessels"][0]["hu"].replace("/hu/", "/hu/x")
    assert client.get(other).status_code == 404
    frames = client.get(body["vessels"][0]["frames"]).json()
    assert frames["spacing_along"] == 0.3
    assert len(frames["centre"]) == len(frames["segment"]) == SECTIONS
    slab = client.get(body["ct"]["slabs"][1]["url"], headers={"accept-encoding": "gzip"})
    assert slab["Content-Encoding"] == "gzip"
    hu = decode(gzip.decompress(slab.content), (5, 8, 8))
    assert hu.ravel()[:2].tolist() == [25 * 64 % 700 - 100, 25 * 64 % 700 - 99]
    assert (
        client.get(body["ct"]["slabs"][1]["url"], headers={"accept-encoding": "gzip, zstd"})[
            "Content-Encoding"
        ]
        == "zstd"
    )


def test_opening_images_is_one_event_a_session(client: Client) -> None:
    for _ in range(2):
        body = client.post(f"{ROOT}opening/").json()
        client.get(body["vessels"][1]["hu"])
    opened = AuditEvent.objects.filter(verb="case.open_images")
    assert [event.actor for event in opened] == ["alpha-reader"]


def test_edit_undo_redo_and_numbers_follow(client: Client) -> None:
    body = client.post(f"{ROOT}opening/").json()
    before = client.get(body["vessels"][0]["state"]).json()
    assert before["status"] == "not annotated"
    assert np.frombuffer(base64.b64decode(before["composition"]), np.uint8).size == SECTIONS * 4096

    def send(command: dict[str, Any], version: int) -> dict[str, Any]:
        answer = post(client, body["commands_url"], {"vessel": "LAD", "version": version, "command": command})
        assert answer.status_code == 200, answer.content
        return answer.json()

    added = send({"type": "add_lesion", "start_mm": 6.0, "end_mm": 12.0}, 0)
    assert added["version"] == 1
    assert added["state"]["status"] == "annotated"
    moved = send(MOVE, 1)["state"]
    assert floats(moved["wall"])[30, 7] == pytest.approx(floats(before["wall"])[30, 7] + 1.0, abs=0.02)
    metrics = moved["lesions"][0]["metrics"]
    assert metrics["total_plaque_volume"]["value"] > 5
    assert moved["lesions"][0]["segment"] == "pLAD"
    undone = send({"type": "undo"}, 2)["state"]
    assert undone["wall"] == added["state"]["wall"]
    assert (undone["can_undo"], undone["can_redo"]) == (True, True)
    redone = send({"type": "redo"}, 3)["state"]
    assert redone["wall"] == moved["wall"]
    assert redone["lesions"] == moved["lesions"]
    reviewed = send({"type": "mark_reviewed", "reviewed": True}, 4)
    again = client.get(ROOT).json()
    assert again["version"] == reviewed["version"] == 5
    assert [vessel["reviewed"] for vessel in again["vessels"]] == [True, False]
    assert again["vessels"][0]["lesions"] == 1
    patient = {row["metric"]: row["value"] for row in again["patient"] if row["level"] == "patient"}
    assert patient["total_plaque_volume"] == pytest.approx(metrics["total_plaque_volume"]["value"])


def test_two_tabs_the_older_one_is_told(client: Client) -> None:
    url = client.post(f"{ROOT}opening/").json()["commands_url"]
    assert post(client, url, {"vessel": "LAD", "version": 0, "command": MOVE}).status_code == 200
    stale = post(client, url, {"vessel": "RCA", "version": 0, "command": MOVE})
    assert stale.status_code == 409
    assert "another window" in stale.json()["detail"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ({"type": "move_contour", "which": "fat", "section": 3, "angle_rad": 0, "delta_mm": 1}, "lumen"),
        ({**MOVE, "section": SECTIONS}, "section"),
        ({**MOVE, "delta_mm": "far"}, "delta_mm"),
        ({**MOVE, "delta_mm": 1e9}, "delta_mm"),
        ({"type": "add_lesion", "start_mm": 9, "end_mm": 9.1}, "at least 0.6 mm"),
        ({"type": "set_lesion", "number": 4, "start_mm": 1, "end_mm": 9}, "no lesion 4"),
        ({"type": "undo"}, "nothing to undo"),
        ({"type": "replace", "contour_set": 1}, "no command"),
        ({}, "no command"),
    ],
)
def test_impossible_edit_changes_nothing(client: Client, command: dict[str, Any], says: str) -> None:
    body = client.post(f"{ROOT}opening/").json()
    answer = post(client, body["commands_url"], {"vessel": "LAD", "version": 0, "command": command})
    assert answer.status_code == 400, answer.content
    assert says in answer.json()["detail"]
    assert client.get(ROOT).json()["version"] == 0


def test_save_sign_and_nothing_moves_any_more(client: Client, assigned: SimpleNamespace) -> None:
    body = client.post(f"{ROOT}opening/").json()
    saved = post(client, body["revisions_url"], {"form": {"image_quality": 3, "remarks": " blurred "}}).json()
    assert saved["revision"] == 1
    assert client.get(ROOT).json()["form"] == {"image_quality": 3, "remarks": "blurred"}
    wrong = post(client, body["sign_url"], {"password": "guess", "form": FORM})
    assert wrong.status_code == 400
    assert "4 more tries" in wrong.json()["detail"]
    without = post(client, body["sign_url"], {"password": PASSWORD, "form": {"image_quality": None}})
    assert "image quality" in without.json()["detail"]
    signed = post(client, body["sign_url"], {"password": PASSWORD, "form": FORM})
    assert signed.status_code == 200, signed.content
    assert signed.json()["printed_name"] == "alpha reader"
    assert len(signed.json()["content_sha256"]) == 64
    after = client.get(ROOT).json()
    assert after["state"] == "signed"
    assert after["revision"] == 2
    assert after["permissions"]["edit"] is False
    assert after["patient"]
    assert client.get(after["vessels"][0]["state"]).json()["can_undo"] is False
    late = post(client, body["commands_url"], {"vessel": "LAD", "version": 0, "command": MOVE})
    assert late.status_code == 409
    assert post(client, body["sign_url"], {"password": PASSWORD, "form": FORM}).status_code == 409


def test_schema_describes_every_endpoint(client: Client) -> None:
    text = client.get(
        "/api/v1/schema/", headers={"accept": "application/vnd.oai.openapi+json"}
    ).content.decode()
    for part in ("commands/", "signature/", "adjudication/", "exams/{number}/view/", "ct/{index}/"):
        assert part in text


def test_a_signed_read_says_when_older_code_measured_it(
    assigned: SimpleNamespace, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get(ROOT).json()["measured_earlier"] == {}
    version = sign_as(assigned.reads[0], assigned.reader).revision.code_version
    assert client.get(ROOT).json()["measured_earlier"] == {}
    monkeypatch.setattr(measuring_code, "today", lambda: "f" * 16)
    body = client.get(ROOT).json()
    assert body["measured_earlier"] == {"": f"Measured by older code than today's (version {version})."}
    assert body["again_url"] is None


def test_a_read_in_work_is_measured_by_today_s_code(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring_code, "today", lambda: "f" * 16)
    assert client.get(ROOT).json()["measured_earlier"] == {}


def test_a_view_says_of_each_source_whether_older_code_measured_it(
    discordant: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    revision = discordant.case.reads.get(assignment__slot=1).revisions.get()
    type(revision).objects.filter(pk=revision.pk).update(code_version="")
    manager, auditor = (client_for(getattr(discordant, role)) for role in ("manager", "auditor"))
    body = manager.post("/api/v1/studies/alpha/exams/7/view/opening/").json()
    words = "Measured before versions of the measuring code were kept."
    assert body["measured_earlier"] == {"reader 2": words}
    assert body["again_url"] == f"/studies/alpha/runs/{discordant.case.run_id}/"
    assert auditor.post("/api/v1/studies/alpha/exams/7/view/opening/").json()["again_url"] is None
    # The sides of an adjudication are not told apart by it.
    adjudicator = client_for(discordant.adjudicator)
    assert adjudicator.get(ROOT).json()["measured_earlier"] == {
        "": "One read at least was measured by older code than today's."
    }


def test_looking_starts_nothing_and_tells_nothing_of_the_network(
    client: Client, assigned: SimpleNamespace
) -> None:
    """Only opening starts a read; before it the case has no lesion, no number and no contour to show."""
    body = client.get(ROOT).json()
    assert body["state"] == "assigned"
    assert [(vessel["lesions"], vessel["reviewed"]) for vessel in body["vessels"]] == [(0, False)] * 2
    assert body["patient"] == []
    state = client.get(body["vessels"][0]["state"])
    assert state.status_code == 409
    assert "open the case first" in state.json()["detail"]
    read = Read.objects.get(pk=assigned.reads[0].pk)
    assert (read.state, read.started_at, read.last_active_at) == ("assigned", None, None)
    assert not AuditEvent.objects.filter(verb="case.open_images").exists()
    assert client.post(f"{ROOT}opening/").json()["state"] == "in_progress"
    assert client.get(body["vessels"][0]["state"]).status_code == 200


def test_opening_a_case_reads_no_ct(
    client: Client, assigned: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slabs come when the viewer asks for them; what it is told first needs the volume's row alone."""
    volume = assigned.case.exam.volume.path
    get = FolderStore.get
    monkeypatch.setattr(
        FolderStore,
        "get",
        lambda self, path: pytest.fail("the CT was read") if path == volume else get(self, path),
    )
    ct = client.post(f"{ROOT}opening/").json()["ct"]
    assert ct.keys() == {"shape", "affine", "slabs"}
    assert ct["affine"][:6] == [0.5, 0, 0, 0, 0, 0.5]
