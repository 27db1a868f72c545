"""Celery tasks of the ingest queue. They are thin: the truth is the job's row."""

from __future__ import annotations

from celery import shared_task

from plaquelab.imaging.importing import run_import
from plaquelab.imaging.quarantine import expire_quarantine
from plaquelab.uploads.services import expire_uploads

HARD_SECONDS = 1800


@shared_task(time_limit=HARD_SECONDS, soft_time_limit=int(0.9 * HARD_SECONDS), ignore_result=True)
def run_import_job(job_id: int) -> None:
    """Run one import job; nothing to do is a success."""
    run_import(job_id)


@shared_task(time_limit=300, soft_time_limit=270, ignore_result=True)
def expire_files() -> None:
    """Erase abandoned uploads and undecided quarantine."""
    expire_uploads()
    expire_quarantine()
