"""Django application: dashboards."""

from __future__ import annotations

import threading
from typing import Any

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    """Registers freezes as jobs, asks for the runs that comparisons need, and loads the statistics libraries early."""

    name = "plaquelab.dashboards"
    label = "dashboards"

    def ready(self) -> None:
        """Connect to analysis, reading and references; load the libraries once a process has begun to serve pages."""
        from django.core.signals import request_started

        from plaquelab.analysis.signals import run_succeeded
        from plaquelab.audit import services as audit
        from plaquelab.dashboards import frozen, receivers, services
        from plaquelab.dashboards.models import Calculation, DatasetFreeze
        from plaquelab.dashboards.transitions import CALCULATION, FREEZE
        from plaquelab.jobs import services as jobs
        from plaquelab.reading.signals import case_final
        from plaquelab.references.signals import reads_imported

        jobs.register(
            DatasetFreeze,
            machine=FREEZE,
            ring=services.ring,
        )
        jobs.register(
            Calculation,
            machine=CALCULATION,
            ring=services.ring_calculation,
        )
        audit.register_check(frozen.freezes_match)
        case_final.connect(receivers.measure_inside_final_read, dispatch_uid="dashboards.final_read")
        reads_imported.connect(receivers.measure_inside_imported_reads, dispatch_uid="dashboards.imported")
        run_succeeded.connect(receivers.measure_inside_earlier_imports, dispatch_uid="dashboards.analysed")

        request_started.connect(_warm_up, dispatch_uid="dashboards.warm_up")


_warm = threading.Lock()


def _warm_up(**_: Any) -> None:
    """Start the loading once a process: importing SciPy within a first request would cost it a second or two."""
    if _warm.acquire(blocking=False):
        threading.Thread(target=_load, name="dashboards-warm-up", daemon=True).start()


def _load() -> None:
    import importlib

    for module in ("analytics.questions", "analytics.freeze", "analytics.simulation"):
        importlib.import_module(module)
