"""The reaper finds what a dead worker left, and leaves the living alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.transitions import S
from plaquelab.jobs import reaper, worker
from plaquelab.jobs.registry import kind_of
from plaquelab.jobs.selectors import health

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]
Make = Callable[..., AnalysisRun]


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Hear the bell instead of ringing a broker's."""
    heard: list[int] = []
    kind = kind_of(AnalysisRun)
    listening = replace(kind, ring=heard.append)
    monkeypatch.setattr(reaper, "kinds", lambda: [listening])
    return heard


def ago(seconds: float):
    return timezone.now() - timedelta(seconds=seconds)


def test_a_living_workers_job_is_left_alone(make_run: Make, rung: list[int]) -> None:
    make_run(state=S.RUNNING, attempt=1, lease_until=ago(-20), worker=worker.identity())
    make_run(state=S.RUNNING, attempt=1, lease_until=ago(-20), worker="elsewhere/pid:[1]/77/5")
    assert reaper.reap(at_start=True) == 0
    assert rung == []


def test_an_expired_lease_is_rung_once(make_run: Make, rung: list[int]) -> None:
    run = make_run(state=S.STORING, attempt=1, lease_until=ago(1), worker="elsewhere/pid:[1]/77/5")
    reaper.reap()
    reaper.reap()
    assert rung == [run.pk]


def test_each_death_is_rung_for(make_run: Make, rung: list[int]) -> None:
    run = make_run(state=S.RUNNING, attempt=1, lease_until=ago(1), started_at=ago(9))
    reaper.reap()
    # The second attempt was claimed after that bell and died too, before the quiet time was over.
    AnalysisRun.objects.update(attempt=2, started_at=timezone.now(), lease_until=ago(1))
    reaper.reap()
    assert rung == [run.pk, run.pk]


def test_a_dead_process_of_this_machine_is_found_before_its_lease_ends(
    make_run: Make, rung: list[int]
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    place = worker.identity().rsplit("/", 2)[0]
    run = make_run(state=S.RUNNING, attempt=1, lease_until=ago(-20), worker=f"{place}/{gone.pid}/123")
    assert health()["analysis run"]["dead"] == 1
    reaper.reap()
    assert rung == [run.pk]
    run.refresh_from_db()
    assert run.lease_until is None  # so that the claim finds it free


def test_a_reused_process_number_is_not_the_same_process() -> None:
    place, _, pid, start = worker.identity().rsplit("/", 3)[0], *worker.identity().rsplit("/", 3)[1:]
    assert not worker.is_dead_here(worker.identity())
    own = worker.identity().rsplit("/", 1)[0]
    assert worker.is_dead_here(f"{own}/{int(start) + 1}")
    assert place
    assert pid


def test_a_job_that_kills_its_workers_fails_with_a_message(make_run: Make, rung: list[int], settings) -> None:
    settings.JOB_MAX_ATTEMPTS = 3
    run = make_run(state=S.RUNNING, attempt=3, stage="segment", lease_until=ago(1))
    reaper.reap()
    run.refresh_from_db()
    assert run.state == S.FAILED
    assert "3 times" in run.message
    assert "segment" in run.message
    assert run.refusal == "worker-died"
    assert run.finished_at is not None
    assert rung == []


def test_an_unheard_bell_is_rung_again(make_run: Make, rung: list[int]) -> None:
    old, fresh = make_run(), make_run()
    AnalysisRun.objects.filter(pk=old.pk).update(created_at=ago(2 * reaper.QUEUED_SECONDS))
    reaper.reap()
    assert rung == [old.pk]
    reaper.reap()
    assert rung == [old.pk]
    reaper.reap(at_start=True)
    assert sorted(rung) == sorted([old.pk, old.pk, fresh.pk])


def test_an_orderly_end_does_not_count_as_an_attempt(make_run: Make, rung: list[int]) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    place = worker.identity().rsplit("/", 2)[0]
    run = make_run(state=S.RUNNING, attempt=1, lease_until=ago(-20), worker=f"{place}/{gone.pid}/123")
    make_run(state=S.RUNNING, attempt=1, lease_until=ago(-20), worker=worker.identity())
    assert reaper.release_dead() == 1
    run.refresh_from_db()
    assert run.attempt - run.attempt_base == 0
    reaper.reap()
    assert rung == [run.pk]


def test_health_counts(make_run: Make) -> None:
    make_run()
    make_run(state=S.RUNNING, lease_until=ago(-20))
    shown = health()["analysis run"]
    assert (shown["queued"], shown["running"], shown["dead"]) == (1, 1, 0)
    assert 0 <= shown["oldest_queued_s"] < 60
