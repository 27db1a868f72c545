"""The Celery task of analysis: a doorbell with a number."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from plaquelab.analysis.execution import execute


@shared_task(
    acks_late=True,
    reject_on_worker_lost=True,
    soft_time_limit=settings.CELERY_TASK_SOFT_TIME_LIMIT,
    time_limit=settings.CELERY_TASK_TIME_LIMIT,
)
def run_analysis(run_id: int) -> None:
    """Do one attempt at a run, if nobody else does."""
    execute(run_id)
