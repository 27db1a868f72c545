"""One attempt: whatever becomes of the work, the row says it, and who lost the job writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from analytics.errors import AnalyticsError
from inference.errors import RefusedScan
from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.transitions import S
from plaquelab.dashboards.models import Calculation
from plaquelab.errors import Refusal
from plaquelab.jobs import attempt as attempts
from plaquelab.jobs import services as jobs
from plaquelab.jobs.attempt import End, attempt, reporter, usual

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]
Make = Callable[..., AnalysisRun]


def raising(error: Exception) -> Callable[..., None]:
    def work(*_: Any) -> None:
        raise error

    return work


def test_work_that_stores_its_result_ends_the_job(make_run: Make) -> None:
    def work(run: AnalysisRun, progress: attempts.Progress) -> None:
        jobs.step(run, "start")
        progress("load", 0.5)
        jobs.step(run, "store")
        jobs.finish(run, timings={"total": 1.0})

    done = attempt(AnalysisRun, make_run().pk, what="analysis", work=work)
    assert done is not None
    stored = AnalysisRun.objects.get()
    assert (stored.state, stored.attempt, stored.stage, stored.timings) == (
        "succeeded",
        1,
        "load",
        {"total": 1.0},
    )
    assert attempt(AnalysisRun, done.pk, what="analysis", work=raising(AssertionError("done twice"))) is None


@pytest.mark.parametrize(
    ("error", "state", "code", "message"),
    [
        (jobs.JobCancelledError(), "cancelled", "cancelled", "Cancelled."),
        (SoftTimeLimitExceeded(), "timed_out", "time-out", "The analysis took too long and was stopped."),
        (Refusal("Give a vessel.", code="no-vessel"), "failed", "no-vessel", "Give a vessel."),
        (
            RefusedScan("no-contrast", "Send a scan with contrast."),
            "failed",
            "no-contrast",
            "Send a scan with contrast.",
        ),
        (AnalyticsError("Column x is missing."), "failed", "cannot-be-answered", "Column x is missing."),
    ],
)
def test_what_is_no_fault_of_ours_is_told_in_its_own_words(
    make_run: Make, error: Exception, state: str, code: str, message: str
) -> None:
    attempt(AnalysisRun, make_run().pk, what="analysis", work=raising(error))
    run = AnalysisRun.objects.get()
    assert (run.state, run.refusal, run.message, run.error_id) == (state, code, message, "")
    assert (run.lease_until, run.worker) == (None, "")
    assert run.finished_at is not None


@pytest.mark.parametrize("error", [jobs.JobCancelledError(), SoftTimeLimitExceeded()])
def test_a_kind_without_such_an_end_fails(error: Exception) -> None:
    """Else its row would stay as if a worker held it."""
    assert usual("calculation", Calculation(), error).event == "fail"


@pytest.mark.parametrize("private", [False, True])
def test_what_is_ours_is_a_number_and_the_log_knows_more(
    make_run: Make, caplog: pytest.LogCaptureFixture, private: bool
) -> None:
    attempt(
        AnalysisRun, make_run().pk, what="analysis", work=raising(KeyError("Smith^John")), private=private
    )
    run = AnalysisRun.objects.get()
    assert (run.state, run.refusal) == ("failed", "internal")
    assert run.message == jobs.ours("analysis", run.error_id)
    assert run.error_id
    assert run.error_id in caplog.text
    assert "KeyError" in caplog.text
    assert "in work" in caplog.text  # the place
    assert ("Smith" in caplog.text) is not private


def test_a_kind_says_what_an_error_of_its_own_means(make_run: Make) -> None:
    done: list[str] = []

    def meaning(run: AnalysisRun, error: Exception) -> End | None:
        if not isinstance(error, LookupError):
            return None
        return End(
            "fail",
            lambda number: f"Gone. ({number})",
            code="gone",
            stored=lambda: AnalysisRun.objects.filter(pk=run.pk).update(warnings=["gone"]),
            after=lambda: done.append(run.state),
        )

    attempt(AnalysisRun, make_run().pk, what="analysis", work=raising(LookupError()), meaning=meaning)
    run = AnalysisRun.objects.get()
    assert (run.state, run.refusal, run.message) == ("failed", "gone", f"Gone. ({run.error_id})")
    assert run.warnings == ["gone"]
    assert done == ["failed"]
    attempt(AnalysisRun, make_run().pk, what="analysis", work=raising(Refusal("No.")), meaning=meaning)
    assert AnalysisRun.objects.latest("pk").message == "No."


def test_the_end_and_what_belongs_to_it_are_one_transaction(make_run: Make) -> None:
    def stored() -> None:
        raise RuntimeError("cannot be stored")

    made = make_run()
    with pytest.raises(RuntimeError):
        attempt(
            AnalysisRun, made.pk, what="analysis", work=raising(LookupError()),
            meaning=lambda *_: End("fail", "Gone.", stored=stored, after=pytest.fail),
        )  # fmt: skip
    made.refresh_from_db()
    assert (made.state, made.message) == (S.CLAIMED, "")  # its lease ends, and the reaper finds it


def test_who_lost_the_job_writes_nothing(make_run: Make) -> None:
    def lose(run: AnalysisRun, progress: attempts.Progress) -> None:
        AnalysisRun.objects.update(attempt=7, message="theirs")
        progress("segment", 0.1)

    assert attempt(AnalysisRun, make_run().pk, what="analysis", work=lose) is None

    def break_late(run: AnalysisRun, progress: attempts.Progress) -> None:
        AnalysisRun.objects.filter(pk=run.pk).update(attempt=7, message="theirs")
        raise LookupError

    attempt(
        AnalysisRun, make_run().pk, what="analysis", work=break_late,
        meaning=lambda *_: End("fail", "mine", stored=pytest.fail, after=pytest.fail),
    )  # fmt: skip
    assert (
        list(AnalysisRun.objects.values_list("state", "attempt", "message")) == [("claimed", 7, "theirs")] * 2
    )


def test_results_that_rolled_back_leave_a_failed_row(make_run: Make) -> None:
    """The transaction that was to end the job took its state back; the object in memory had moved on."""

    def work(run: AnalysisRun, progress: attempts.Progress) -> None:
        jobs.step(run, "start")
        jobs.step(run, "store")
        with attempts.transaction.atomic():
            jobs.finish(run)
            raise RuntimeError("a listener broke")

    attempt(AnalysisRun, make_run().pk, what="analysis", work=work)
    assert AnalysisRun.objects.get().state == "failed"


@pytest.mark.parametrize("private", [False, True])
def test_what_breaks_after_the_end_is_logged_and_changes_nothing(
    make_run: Make, caplog: pytest.LogCaptureFixture, private: bool
) -> None:
    """The result stands; but what came in may not have been erased, and somebody must learn of it."""
    broken = OSError("staging/Smith^John is busy")

    def work(run: AnalysisRun, _: attempts.Progress) -> None:
        jobs.step(run, "start")
        jobs.step(run, "store")
        jobs.finish(run)
        raise broken

    done = attempt(AnalysisRun, make_run().pk, what="import", work=work, private=private)
    run = AnalysisRun.objects.get()
    assert (run.state, run.message, run.error_id) == ("succeeded", "", "")
    assert done == run
    assert f"import {run.pk} broke after its end as succeeded" in caplog.text
    assert "OSError" in caplog.text
    assert "in work" in caplog.text  # the place
    assert ("Smith" in caplog.text) is not private


def test_progress_writes_each_stages_start_and_at_most_four_rows_a_second(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    written: list[tuple[str, float]] = []
    monkeypatch.setattr(attempts.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(jobs, "report", lambda _, stage, fraction: written.append((stage, fraction)))
    progress = reporter(make_run())
    for seconds, stage, fraction in (
        (0.0, "load", 0.0),
        (0.1, "load", 0.3),
        (0.2, "segment", 0.0),
        (0.4, "segment", 0.1),
        (0.46, "segment", 0.2),
    ):
        now[0] = 100.0 + seconds
        progress(stage, fraction)
    assert written == [("load", 0.0), ("segment", 0.0), ("segment", 0.2)]
