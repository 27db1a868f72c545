"""The Celery task of calculations: a doorbell with a number."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings


@shared_task(
    acks_late=True,
    reject_on_worker_lost=True,
    soft_time_limit=settings.CELERY_TASK_SOFT_TIME_LIMIT,
    time_limit=settings.CELERY_TASK_TIME_LIMIT,
)
def calculate(calculation_id: int) -> None:
    """Do one attempt at a calculation, if nobody else does."""
    from plaquelab.dashboards.calculating import execute  # noqa: PLC0415  only a worker loads what resamples and reports

    execute(calculation_id)
