"""The queue: every task goes where a worker listens, and ends."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from plaquelab.config.celery import app
from plaquelab.jobs.management.commands.serve import QUEUES


def _tasks() -> dict[str, Any]:
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if name.startswith("plaquelab.")}


TASKS = _tasks()


def test_the_tasks_are_found() -> None:
    assert set(TASKS) >= {
        "plaquelab.imaging.tasks.run_import_job",
        "plaquelab.imaging.tasks.expire_files",
        "plaquelab.analysis.tasks.run_analysis",
    }
    assert {name.rpartition(".")[2] for name in TASKS} >= {"build_freeze", "calculate"}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_both_time_limits_and_the_soft_one_comes_first(name: str) -> None:
    task = TASKS[name]
    assert task.time_limit, "no hard limit of its own"
    assert 0 < task.soft_time_limit < task.time_limit <= settings.CELERY_TASK_TIME_LIMIT


@pytest.mark.parametrize("name", TASKS)
def test_a_task_goes_to_a_queue_of_its_own_cost_that_served_workers_hear(name: str) -> None:
    queue = app.amqp.router.route({}, name)["queue"].name
    assert queue in QUEUES.split(",")
    assert queue != settings.CELERY_TASK_DEFAULT_QUEUE


def test_a_task_whose_worker_dies_is_not_lost() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert settings.JOB_HEARTBEAT_SECONDS * 3 <= settings.JOB_LEASE_SECONDS
