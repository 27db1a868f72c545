"""``/health`` is open, asks every part, and names the one that does not answer without saying why."""

from __future__ import annotations

import pytest
from django.test import Client

from plaquelab.config import health
from plaquelab.storage import store

pytestmark = pytest.mark.django_db


def test_every_part_answers() -> None:
    answer = Client().get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "broker": "ok", "storage": "ok"}


@pytest.mark.parametrize("part", ["database", "broker", "storage"])
def test_a_part_that_is_away_is_named(
    part: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise ConnectionError("secret-host:5432 refused the password")

    monkeypatch.setitem(health.PARTS, part, away)
    answer = Client().get("/health")
    assert answer.status_code == 503
    assert answer.json() == {"status": "degraded", "database": "ok", "broker": "ok", "storage": "ok"} | {
        part: "does not answer"
    }
    assert "secret-host" not in answer.content.decode()
    assert "secret-host" in caplog.text


def test_storage_that_gives_back_something_else_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(store()), "get", lambda *_: b"rubbish")
    assert Client().get("/health").json()["storage"] == "does not answer"
