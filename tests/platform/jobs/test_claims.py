"""One claim wins; whoever lost a job can write nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.transitions import S
from plaquelab.audit.models import AuditEvent
from plaquelab.jobs import services as jobs
from plaquelab.states import TransitionError

pytestmark = pytest.mark.both_worlds
Make = Callable[..., AnalysisRun]


def claim(run: AnalysisRun) -> AnalysisRun | None:
    return jobs.claim(AnalysisRun, run.pk)


@pytest.mark.django_db
def test_a_claim_takes_the_job_once(make_run: Make) -> None:
    run = make_run()
    held = claim(run)
    assert held is not None
    assert (held.state, held.attempt) == (S.CLAIMED, 1)
    assert held.lease_until > timezone.now()
    assert claim(run) is None


@pytest.mark.django_db
def test_a_claim_leaves_its_event(make_run: Make) -> None:
    run = make_run()
    claim(run)
    event = AuditEvent.objects.get(verb="analysis_run.claim", object_id=str(run.pk))
    assert (event.before, event.after) == ({"state": "pending"}, {"state": "claimed", "attempt": 1})


@pytest.mark.django_db
@pytest.mark.parametrize("state", [S.SUCCEEDED, S.FAILED, S.TIMED_OUT, S.CANCELLED])
def test_ended_jobs_are_nothing_to_do(make_run: Make, state: str) -> None:
    assert claim(make_run(state=state)) is None


@pytest.mark.django_db
@pytest.mark.parametrize("state", [S.CLAIMED, S.RUNNING, S.STORING])
def test_a_dead_workers_job_is_taken_when_its_lease_is_over(make_run: Make, state: str) -> None:
    now = timezone.now()
    alive = make_run(state=state, attempt=1, lease_until=now + timedelta(seconds=20))
    dead = make_run(state=state, attempt=1, lease_until=now - timedelta(seconds=1))
    assert claim(alive) is None
    taken = claim(dead)
    assert taken is not None
    assert (taken.attempt, taken.state, taken.progress) == (2, S.CLAIMED, 0.0)


@pytest.mark.django_db
def test_attempts_end(make_run: Make, settings) -> None:
    settings.JOB_MAX_ATTEMPTS = 3
    assert claim(make_run(attempt=3)) is None
    assert claim(make_run(attempt=3, attempt_base=1)) is not None


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_wins(make_run: Make) -> None:
    run = make_run()
    won: list[int] = []
    barrier = threading.Barrier(6)

    def contend() -> None:
        try:
            barrier.wait()
            if held := claim(run):
                won.append(held.attempt)
        finally:
            connection.close()

    threads = [threading.Thread(target=contend) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]


@pytest.mark.django_db
def test_a_lost_job_takes_no_writes(make_run: Make) -> None:
    run = make_run()
    old = claim(run)
    assert old is not None
    jobs.step(old, "start")
    jobs.step(old, "store")
    AnalysisRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    new = claim(run)
    assert new is not None
    jobs.step(new, "start")
    for write in (lambda: jobs.report(old, "segment", 0.5), lambda: jobs.finish(old)):
        with pytest.raises(jobs.JobLostError):
            write()
    assert jobs.fail(old, message="stale") is False
    run.refresh_from_db()
    assert (run.state, run.message, run.stage) == (S.RUNNING, "", "")
    jobs.report(new, "segment", 0.5)
    run.refresh_from_db()
    assert (run.stage, run.progress) == ("segment", 0.5)


@pytest.mark.django_db
def test_an_ended_job_takes_no_writes_from_its_own_attempt(make_run: Make) -> None:
    held = claim(make_run())
    assert held is not None
    jobs.fail(held, "cancel", message="Cancelled.", code="cancelled")
    with pytest.raises(jobs.JobLostError):
        jobs.finish(held)
    held.refresh_from_db()
    assert (held.state, held.refusal, held.lease_until) == (S.CANCELLED, "cancelled", None)


@pytest.mark.django_db
def test_a_cancel_reaches_the_next_report(make_run: Make) -> None:
    run = make_run()
    held = claim(run)
    assert held is not None
    jobs.report(held, "straighten", 0.1)
    assert jobs.request_cancel(run) is True
    with pytest.raises(jobs.JobCancelledError):
        jobs.report(held, "segment", 0.2)


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_renews_the_lease(make_run: Make, settings) -> None:
    settings.JOB_HEARTBEAT_SECONDS = 0.05
    held = claim(make_run())
    assert held is not None
    AnalysisRun.objects.filter(pk=held.pk).update(lease_until=timezone.now() + timedelta(seconds=1))
    with jobs.heartbeat(held):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if AnalysisRun.objects.get(pk=held.pk).lease_until > timezone.now() + timedelta(seconds=10):
                break
            time.sleep(0.02)
        else:
            pytest.fail("the lease was not renewed")


@pytest.mark.django_db
def test_a_retry_gets_fresh_attempts(make_run: Make, settings) -> None:
    run = make_run(state=S.FAILED, attempt=3, message="broken", refusal="internal")
    assert jobs.retry(run, by=None) is True
    run.refresh_from_db()
    assert (run.state, run.attempt, run.attempt_base) == (S.PENDING, 3, 3)
    assert (run.message, run.refusal) == ("", "")
    held = claim(run)
    assert held is not None
    assert held.attempt == 4
    assert jobs.retry(run, by=None) is False


@pytest.mark.django_db
def test_a_held_job_moves_by_its_table_only(make_run: Make) -> None:
    held = claim(make_run())
    assert held is not None
    with pytest.raises(TransitionError, match="“store” is not possible"):
        jobs.step(held, "store")
    jobs.step(held, "start")
    jobs.step(held, "store")
    jobs.finish(held, timings={"total": 2.0})
    held.refresh_from_db()
    assert (held.state, held.progress, held.worker, held.timings) == (S.SUCCEEDED, 1.0, "", {"total": 2.0})
