"""Django application: dashboards."""

from __future__ import annotations

import importlib
import threading
from typing import Any

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    """Registers calculations as jobs, and loads the statistics libraries early."""

    name = "plaquelab.dashboards"
    label = "dashboards"

    def ready(self) -> None:
        """Register calculations; load the libraries once a process has begun to serve pages."""
        from django.core.signals import request_started

        from plaquelab.dashboards import services
        from plaquelab.dashboards.models import Calculation
        from plaquelab.dashboards.transitions import CALCULATION
        from plaquelab.jobs import services as jobs

        jobs.register(
            Calculation,
            machine=CALCULATION,
            ring=services.ring_calculation,
        )
        request_started.connect(_warm_up, dispatch_uid="dashboards.warm_up")


_warm = threading.Lock()


def _warm_up(**_: Any) -> None:
    """Start the loading once a process: importing SciPy within a first request would cost it a second or two."""
    if _warm.acquire(blocking=False):
        threading.Thread(target=_load, name="dashboards-warm-up", daemon=True).start()


def _load() -> None:
    importlib.import_module("analytics.questions")
