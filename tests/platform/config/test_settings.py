"""Settings: production refuses to start without what only its operator knows; the embedded world needs nothing."""

from __future__ import annotations

import runpy
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from plaquelab.config.settings import base

FOLDER = Path(base.__file__).parent
SECRETS = {
    "SECRET_KEY": "k" * 50,
    "ALLOWED_HOSTS": "corelab.example",
    "DATABASE_URL": "postgres://lab:word@db.example:5433/plaquelab",
    "REDIS_URL": "redis://queue.example:6379/0",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("FILE_STORE", "COOKIES_SECURE", "S3_ENDPOINT_URL", "S3_BUCKET", *SECRETS):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def production(environment: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    for name, value in {**SECRETS, **variables}.items():
        environment.setenv(name, value)
    return runpy.run_path(str(FOLDER / "production.py"))


@pytest.mark.parametrize("missing", SECRETS)
def test_production_does_not_start_without_its_secrets(environment: pytest.MonkeyPatch, missing: str) -> None:
    for name, value in SECRETS.items():
        if name != missing:
            environment.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=missing):
        runpy.run_path(str(FOLDER / "production.py"))


def test_production_is_made_of_servers_and_secure_cookies(environment: pytest.MonkeyPatch) -> None:
    made = production(environment)
    database = made["DATABASES"]["default"]
    assert (database["ENGINE"], database["HOST"], database["PORT"]) == (
        "django.db.backends.postgresql",
        "db.example",
        5433,
    )
    assert made["SECRET_KEY"] == SECRETS["SECRET_KEY"]
    assert made["ALLOWED_HOSTS"] == ["corelab.example"]
    assert made["CELERY_BROKER_URL"] == SECRETS["REDIS_URL"]
    assert (made["FILE_STORE"], made["S3_BUCKET"], made["S3_ENDPOINT_URL"]) == ("s3", "plaquelab", None)
    assert made["SESSION_COOKIE_SECURE"] is made["CSRF_COOKIE_SECURE"] is True
    assert made["DEBUG"] is False


def test_a_message_stays_hidden_longer_than_the_longest_task(environment: pytest.MonkeyPatch) -> None:
    hidden = production(environment)["CELERY_BROKER_TRANSPORT_OPTIONS"]["visibility_timeout"]
    assert hidden > base.CELERY_TASK_TIME_LIMIT


def test_cookies_are_open_to_plain_http_only_when_told(environment: pytest.MonkeyPatch) -> None:
    made = production(environment, COOKIES_SECURE="0")
    assert made["SESSION_COOKIE_SECURE"] is made["CSRF_COOKIE_SECURE"] is False


@pytest.fixture
def data_folder(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    environment.setattr(base, "DATA_DIR", tmp_path)
    return tmp_path


def embedded() -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / "embedded.py"))


def test_the_embedded_world_needs_no_server(data_folder: Path) -> None:
    made = embedded()
    database = made["DATABASES"]["default"]
    assert (database["ENGINE"], database["NAME"]) == (
        "django.db.backends.sqlite3",
        data_folder / "plaquelab.sqlite3",
    )
    # A deferred transaction that turns into a write fails at once, and readers must not stop writers.
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
    assert database["OPTIONS"]["timeout"] >= 60
    assert made["CELERY_BROKER_URL"].startswith("filesystem://")
    options = made["CELERY_BROKER_TRANSPORT_OPTIONS"]
    assert options["data_folder_in"] == options["data_folder_out"] == str(data_folder / "queue" / "messages")
    assert all(
        Path(options[key]).is_dir() for key in ("data_folder_in", "processed_folder", "control_folder")
    )
    assert made["FILE_STORE"] == "folder"
    assert made["DEBUG"] is False
    assert set(made["ALLOWED_HOSTS"]) == {"127.0.0.1", "localhost", "[::1]"}


def test_its_secret_is_made_once_and_its_owners_alone(
    data_folder: Path, environment: pytest.MonkeyPatch
) -> None:
    first, second = embedded()["SECRET_KEY"], embedded()["SECRET_KEY"]
    assert first == second == (data_folder / "secret_key").read_text()
    assert len(first) >= 50
    assert stat.S_IMODE((data_folder / "secret_key").stat().st_mode) == 0o600
    environment.setenv("SECRET_KEY", "given by the operator")
    assert embedded()["SECRET_KEY"] == "given by the operator"


def test_passwords_are_long_and_sessions_end_with_the_working_day() -> None:
    lengths = [v["OPTIONS"]["min_length"] for v in base.AUTH_PASSWORD_VALIDATORS if "OPTIONS" in v]
    assert lengths == [12]
    assert base.SESSION_COOKIE_AGE <= 12 * 3600
    assert base.SESSION_COOKIE_HTTPONLY
    assert base.X_FRAME_OPTIONS == "DENY"
