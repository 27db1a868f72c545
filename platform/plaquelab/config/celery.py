"""The Celery application. Workers: ``celery -A plaquelab.config.celery worker -Q default,ingest,gpu,analytics``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [p for p in (str(_ROOT), str(_ROOT / "platform")) if p not in sys.path]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaquelab.config.settings.embedded")

from celery import Celery  # noqa: E402

app = Celery("plaquelab")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
