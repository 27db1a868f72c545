"""One machine, no server to install: SQLite in WAL mode, files in a folder, a file-system doorbell."""

from __future__ import annotations

import secrets

from plaquelab.config.settings.base import *  # noqa: F403
from plaquelab.config.settings.base import DATA_DIR, env


def _kept_secret() -> str:
    """Return the installation's secret key, made once and kept readable by its owner only."""
    path = DATA_DIR / "secret_key"
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    try:
        return path.read_text()
    except FileNotFoundError:
        key = secrets.token_urlsafe(48)
        path.touch(mode=0o600)
        path.write_text(key)
        return key


SECRET_KEY = env.str("SECRET_KEY", default="") or _kept_secret()

# A write that waits longer for another's is given up. Others' are milliseconds, but of a reader's first opening of a
# case or saved revision seconds, and each may wait for a disk that other programs keep busy.
_WAIT_SECONDS = 60

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "plaquelab.sqlite3",
        "OPTIONS": {
            # A deferred transaction that turns into a write fails at once with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": _WAIT_SECONDS,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}

_QUEUE = DATA_DIR / "queue"
for _name in ("messages", "control", "processed"):
    (_QUEUE / _name).mkdir(parents=True, exist_ok=True)
CELERY_BROKER_URL = "filesystem://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(_QUEUE / "messages"),
    "data_folder_out": str(_QUEUE / "messages"),
    "processed_folder": str(_QUEUE / "processed"),
    "control_folder": str(_QUEUE / "control"),
    "store_processed": False,
    "polling_interval": 0.1,
}
