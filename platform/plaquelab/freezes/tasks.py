"""The Celery task of freezes: a doorbell with a number."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings


@shared_task(
    acks_late=True,
    reject_on_worker_lost=True,
    soft_time_limit=settings.CELERY_TASK_SOFT_TIME_LIMIT,
    time_limit=settings.CELERY_TASK_TIME_LIMIT,
)
def build_freeze(freeze_id: int) -> None:
    """Do one attempt at a freeze, if nobody else does."""
    from plaquelab.freezes.freezing import execute  # noqa: PLC0415  only a worker loads what makes freezes

    execute(freeze_id)
