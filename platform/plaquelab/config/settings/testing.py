"""Tests: the embedded world in a private folder, or the production world when its servers are named.

``PLAQUELAB_TEST_DATABASE_URL`` and ``PLAQUELAB_TEST_REDIS_URL`` choose the second.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="plaquelab-test-"))
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)

from plaquelab.config.settings.embedded import *  # noqa: F403
from plaquelab.config.settings.embedded import DATABASES, env

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
FILE_STORE = "folder"
if _url := env.str("PLAQUELAB_TEST_DATABASE_URL", default=""):
    DATABASES["default"] = env.db_url("PLAQUELAB_TEST_DATABASE_URL")
else:
    # A file, not memory: real locking between connections, threads and processes.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["DATA_DIR"]) / "test.sqlite3")}
if _url := env.str("PLAQUELAB_TEST_REDIS_URL", default=""):
    CELERY_BROKER_URL = _url
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1980}
