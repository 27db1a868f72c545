"""Django application: imaging."""

from __future__ import annotations

from celery.signals import worker_ready
from django.apps import AppConfig


class ImagingConfig(AppConfig):
    """Makes import jobs known to the reaper and listens for completed uploads."""

    name = "plaquelab.imaging"
    label = "imaging"

    def ready(self) -> None:
        """Register the job kind and connect the receivers."""
        from plaquelab.imaging import receivers, services
        from plaquelab.imaging.models import ImportJob
        from plaquelab.imaging.transitions import IMPORT
        from plaquelab.jobs.registry import register
        from plaquelab.uploads.signals import session_received

        register(ImportJob, machine=IMPORT, ring=services.ring_import)
        session_received.connect(receivers.import_upload, dispatch_uid="plaquelab.imaging.start_import")
        worker_ready.connect(receivers.expire_at_start, dispatch_uid="plaquelab.imaging.expire")
