"""Django application: dashboards."""

from __future__ import annotations

import threading
from typing import Any

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.dashboards"
    label = "dashboards"

    def ready(self) -> None:
        """Load the statistics libraries in the background once a process has begun to serve pages."""
        from django.core.signals import request_started

        request_started.connect(_warm_up, dispatch_uid="dashboards.warm_up")


_warm = threading.Lock()


def _warm_up(**_: Any) -> None:
    """Start the loading once a process: importing SciPy within a first request would cost it a second or two."""
    if _warm.acquire(blocking=False):
        threading.Thread(target=_load, name="dashboards-warm-up", daemon=True).start()


def _load() -> None:
    import importlib

    for module in ("analytics.agreement", "analytics.accuracy", "analytics.survival", "analytics.simulation"):
        importlib.import_module(module)
