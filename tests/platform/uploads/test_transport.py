"""Upload over HTTP: addresses, streaming, errors, and who may send what to where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from plaquelab.uploads.models import UploadSession

URL = "/studies/alpha/upload/"


def _announce(client: Client, **changes: Any) -> Any:
    body = {
        "site": "alpha-north",
        "subject": "A-001",
        "cohort": "",
        "files": [{"index": 0, "size": 3}],
        **changes,
    }
    return client.post(f"{URL}sessions/", json.dumps(body), content_type="application/json")


def _put(client: Client, url: str, data: bytes, **headers: str) -> Any:
    return client.put(url, data, content_type="application/octet-stream", headers=headers)


def test_the_way_of_an_upload(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client], tmp_path: Path
) -> None:
    client = client_for(two_studies.a.coordinator)
    made = _announce(client, files=[{"index": 0, "size": 3}, {"index": 1, "size": 2}], cohort="Test")
    assert made.status_code == 201
    urls = made.json()["urls"]
    status = client.get(urls["status"]).json()
    assert (status["state"], status["received"], status["expected"], status["import"]) == ("open", 0, 2, None)
    assert _put(client, urls["file"], b"abc").status_code == 200
    early = client.post(urls["complete"])
    assert (early.status_code, early.json()["code"]) == (409, "missing-files")
    assert _put(client, urls["file"].replace("/0/", "/1/"), b"de").status_code == 200
    done = client.post(urls["complete"])
    assert done.status_code == 200
    assert done.json()["import_state"] == "queued"
    assert client.get(done.json()["import"]).status_code == 200
    assert client.post(urls["abort"]).status_code == 409


def test_a_larger_body_than_the_memory_limit_streams(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client], settings: Any, tmp_path: Path
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    client = client_for(two_studies.a.technician)
    data = bytes(range(256)) * 20_000
    session = _announce(client, files=[{"index": 0, "size": len(data)}]).json()
    assert _put(client, session["urls"]["file"], data).status_code == 200
    assert (tmp_path / "staging" / session["id"] / "files" / "000000").read_bytes() == data


def test_errors_are_told_in_json(two_studies: SimpleNamespace, client_for: Callable[[Any], Client]) -> None:
    client = client_for(two_studies.a.technician)
    session = _announce(client).json()
    short = _put(client, session["urls"]["file"], b"ab")
    assert (short.status_code, short.json()["code"]) == (400, "file-incomplete")
    long = _put(client, session["urls"]["file"], b"abcd")
    assert (long.status_code, long.json()["code"]) == (413, "file-too-large")
    wrong = _put(client, session["urls"]["file"], b"abc", **{"X-Content-SHA256": "0" * 64})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "checksum")
    unknown = _put(client, session["urls"]["file"].replace("/0/", "/7/"), b"abc")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown-file")
    for body in ("{", "[]", '{"files": 3}', '{"files": [{"index": -1, "size": 3}]}'):
        answer = client.post(f"{URL}sessions/", body, content_type="application/json")
        assert answer.status_code == 400, body
        assert "detail" in answer.json()


def test_an_aborted_upload_is_gone(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client], tmp_path: Path
) -> None:
    client = client_for(two_studies.a.technician)
    session = _announce(client).json()
    _put(client, session["urls"]["file"], b"abc")
    assert client.post(session["urls"]["abort"]).json()["state"] == "aborted"
    assert not any((tmp_path / "staging").iterdir())
    assert _put(client, session["urls"]["file"], b"abc").status_code in (400, 409)


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("manager", 200),
        ("technician", 200),
        ("coordinator", 200),
        ("reader", 403),
        ("adjudicator", 403),
        ("investigator", 403),
        ("auditor", 403),
    ],
)
def test_who_may_upload(
    role: str, status: int, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    client = client_for(two_studies.a.users[role])
    assert client.get(URL).status_code == status
    assert _announce(client).status_code == (201 if status == 200 else 403)


def test_strangers_and_other_studies_see_nothing(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    assert _announce(client_for(two_studies.b.manager)).status_code == 404
    assert Client().get(URL).status_code == 302
    assert not UploadSession.objects.exists()


def test_a_coordinator_uploads_for_the_own_site_only(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    client = client_for(two_studies.a.coordinator)
    refused = _announce(client, site="alpha-south")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown-site")
    page = client.get(URL).content.decode()
    assert "alpha North" in page
    assert "alpha South" not in page


def test_nobody_sends_into_another_persons_upload(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    session = _announce(client_for(two_studies.a.technician)).json()
    for other in (two_studies.a.manager, two_studies.a.coordinator):
        assert _put(client_for(other), session["urls"]["file"], b"abc").status_code == 404
        assert client_for(other).get(session["urls"]["status"]).status_code == 404


def test_writing_needs_the_csrf_token(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(two_studies.a.technician)
    assert _announce(strict).status_code == 403
