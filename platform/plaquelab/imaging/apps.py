"""Django application: imaging."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig


class ImagingConfig(AppConfig):
    """Makes import jobs known to the reaper and listens for completed uploads."""

    name = "plaquelab.imaging"
    label = "imaging"

    def ready(self) -> None:
        """Register the job kind and connect the receivers."""
        from plaquelab.imaging import services
        from plaquelab.imaging.models import ImportJob
        from plaquelab.imaging.transitions import IMPORT
        from plaquelab.jobs.registry import register
        from plaquelab.uploads.signals import session_received

        register(ImportJob, machine=IMPORT, ring=services.ring_import)
        session_received.connect(_start_import, dispatch_uid="plaquelab.imaging.start_import")
        worker_ready.connect(_expire_at_start, dispatch_uid="plaquelab.imaging.expire")


def _start_import(*, session: Any, by: Any, **_: Any) -> None:
    from plaquelab.imaging import services

    services.start_import(session=session, by=by)


def _expire_at_start(**_: Any) -> None:
    from plaquelab.imaging.tasks import expire_files

    expire_files.delay()
