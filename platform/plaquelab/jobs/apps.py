"""Django application: jobs."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from django.apps import AppConfig

from plaquelab.jobs.death import die_with_parent


class JobsConfig(AppConfig):
    """Starts the reaper in every worker, and ends a worker's children with it."""

    name = "plaquelab.jobs"
    label = "jobs"

    def ready(self) -> None:
        """Connect to the worker's start and end."""
        worker_process_init.connect(_end_with_worker, dispatch_uid="plaquelab.jobs.end_with_worker")
        worker_ready.connect(_start_reaper, dispatch_uid="plaquelab.jobs.reaper")
        worker_shutting_down.connect(_stop_reaper, dispatch_uid="plaquelab.jobs.reaper.stop")


def _end_with_worker(**_: Any) -> None:
    """Without its main process a pool process has no time limit and no reaper."""
    die_with_parent()


_reapers: list[Any] = []


def _start_reaper(**_: Any) -> None:
    from plaquelab.jobs.reaper import ReaperThread

    thread = ReaperThread()
    _reapers.append(thread)
    thread.start()


def _stop_reaper(**_: Any) -> None:
    for thread in _reapers:
        thread.stop()
