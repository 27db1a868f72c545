"""Asking for a run, again and again, cancelling it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inference.code_version import code_version
from plaquelab.analysis import measuring_code, services
from plaquelab.analysis.centreline_sets import CentrelineInputError, TwoPoints
from plaquelab.analysis.model_versions import NoModelError, current_model, path_of
from plaquelab.analysis.models import AnalysisRun, CentrelineSet, ModelVersion
from plaquelab.analysis.transitions import RUN
from plaquelab.audit.models import AuditEvent
from plaquelab.imaging import services as imaging
from plaquelab.imaging.models import Exam
from plaquelab.states import TransitionError

pytestmark = [pytest.mark.django_db]
MakeExam = Callable[..., Exam]


@pytest.fixture
def by(two_studies: SimpleNamespace) -> Any:
    return two_studies.a.users["technician"]


def add(exam: Exam, lines: Any, by: Any) -> CentrelineSet:
    return services.add_centrelines(exam=exam, lines=lines, source="file", by=by)


def test_centrelines_of_an_accepted_exam_start_its_run(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path
) -> None:
    exam = make_exam()
    add(exam, stored_points, by)
    run = AnalysisRun.objects.get(exam=exam)
    assert (run.state, run.profile, run.model.name) == ("pending", "corrected", "small")
    assert services.request_analysis(exam=exam, by=by) == run
    assert AuditEvent.objects.filter(verb="analysis_run.request").count() == 1


def test_the_bell_rings_after_commit_only(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path, django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from plaquelab.analysis import tasks

    rung: list[int] = []
    monkeypatch.setattr(tasks.run_analysis, "apply_async", lambda args=(), *a, **k: rung.append(args[0]))
    exam = make_exam()
    with django_capture_on_commit_callbacks(execute=True):
        add(exam, stored_points, by)
        assert rung == []
    assert rung == [AnalysisRun.objects.get().pk]


def test_acceptance_starts_the_run(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path
) -> None:
    exam = make_exam(state="qc_pending")
    add(exam, stored_points, by)
    assert not AnalysisRun.objects.exists()
    imaging.accept_exam(exam=exam, by=by, image_quality=4)
    assert AnalysisRun.objects.get().exam == exam


def test_acceptance_without_centrelines_starts_nothing(
    make_exam: MakeExam, by: Any, served_model: Path
) -> None:
    imaging.accept_exam(exam=make_exam(state="qc_pending"), by=by, image_quality=4)
    assert not AnalysisRun.objects.exists()


def test_other_input_is_another_run(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path
) -> None:
    exam = make_exam()
    add(exam, stored_points, by)
    first = AnalysisRun.objects.get()
    served_model.write_bytes(served_model.read_bytes() + b"other")
    second = services.request_analysis(exam=exam, by=by)
    assert second != first
    add(exam, stored_points[:1], by)
    assert AnalysisRun.objects.filter(exam=exam).count() == 3


def test_what_is_missing_is_said(
    make_exam: MakeExam, stored_points: Any, by: Any, settings: Any, tmp_path: Path
) -> None:
    with pytest.raises(TransitionError, match="not accepted"):
        services.request_analysis(exam=make_exam(state="qc_pending"), by=by)
    with pytest.raises(TransitionError, match="no centrelines"):
        services.request_analysis(exam=make_exam(), by=by)
    settings.INFERENCE_MODEL = str(tmp_path / "gone.safetensors")
    with pytest.raises(NoModelError, match="gone"):
        add(make_exam(), stored_points, by)
    assert not CentrelineSet.objects.exists()


def test_centrelines_must_be_there_once(make_exam: MakeExam, stored_points: Any, by: Any) -> None:
    exam = make_exam()
    with pytest.raises(CentrelineInputError, match="No centreline"):
        add(exam, [], by)
    with pytest.raises(CentrelineInputError, match="LM came twice"):
        add(exam, [stored_points[0], stored_points[0]], by)


def test_two_points_are_checked() -> None:
    with pytest.raises(CentrelineInputError, match="“LADD” is no vessel"):
        TwoPoints("LADD", (0.0, 0.0, 0.0), (0.0, 0.0, 50.0))
    with pytest.raises(CentrelineInputError, match="less than 5 mm"):
        TwoPoints("LAD", (0.0, 0.0, 0.0), (0.0, 0.0, 4.9))


@pytest.mark.both_worlds
def test_a_waiting_run_is_cancelled_at_once(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path
) -> None:
    add(make_exam(), stored_points, by)
    run = AnalysisRun.objects.get()
    services.cancel_run(run=run, by=by, reason="wrong exam")
    run.refresh_from_db()
    assert run.state == "cancelled"
    event = AuditEvent.objects.get(verb="analysis_run.cancel")
    assert (event.actor, event.reason) == (by.username, "wrong exam")
    with pytest.raises(TransitionError, match="nothing to cancel"):
        services.cancel_run(run=run, by=by)


@pytest.mark.both_worlds
def test_a_running_run_is_asked_to_stop(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path
) -> None:
    add(make_exam(), stored_points, by)
    AnalysisRun.objects.update(state="running", attempt=1)
    run = AnalysisRun.objects.get()
    services.cancel_run(run=run, by=by)
    assert (run.state, run.cancel_requested) == ("running", True)


@pytest.mark.both_worlds
@pytest.mark.parametrize("state", ["failed", "timed_out", "cancelled"])
def test_a_run_without_result_can_be_tried_again(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path, state: str
) -> None:
    add(make_exam(), stored_points, by)
    AnalysisRun.objects.update(state=state, attempt=3, refusal="time-out", message="too long")
    run = AnalysisRun.objects.get()
    services.retry_run(run=run, by=by)
    assert (run.state, run.message, run.refusal, run.attempt_base) == ("pending", "", "", 3)
    with pytest.raises(TransitionError, match="cannot be run again"):
        services.retry_run(run=run, by=by)


def test_a_model_is_found_by_its_hash(served_model: Path, settings: Any) -> None:
    version = current_model()
    assert path_of(version) == served_model
    assert current_model() == version
    assert ModelVersion.objects.count() == 1
    assert version.card == {"trained": "never"}
    served_model.write_bytes(served_model.read_bytes() + b"other")
    with pytest.raises(NoModelError, match="not on this machine"):
        path_of(version)
    served_model.write_bytes(b"torn")
    with pytest.raises(NoModelError, match="damaged"):
        current_model()


def test_the_table_of_states_is_closed() -> None:
    states = set(AnalysisRun.State.values)
    assert {state for state, _ in RUN.table} | set(RUN.table.values()) == states
    assert not [event for state, event in RUN.table if state == "succeeded"]


def changed_code(monkeypatch: pytest.MonkeyPatch, version: str = "ffff000011112222") -> str:
    """Let the measuring code be another."""
    monkeypatch.setattr(measuring_code, "today", lambda: version)
    return version


def test_asking_again_after_the_measuring_code_changed_is_another_run(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = make_exam()
    add(exam, stored_points, by)
    run = AnalysisRun.objects.get()
    assert run.code_version == code_version()
    version = changed_code(monkeypatch)
    again = services.request_analysis(exam=exam, by=by)
    assert (again.pk != run.pk, again.code_version) == (True, version)
    assert services.request_analysis(exam=exam, by=by) == again
    monkeypatch.undo()
    assert services.request_analysis(exam=exam, by=by) == run


def test_a_run_of_before_versions_were_kept_is_asked_for_anew(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path
) -> None:
    exam = make_exam()
    add(exam, stored_points, by)
    AnalysisRun.objects.update(code_version="", state="succeeded")
    assert services.request_analysis(exam=exam, by=by).code_version == code_version()
    assert AnalysisRun.objects.count() == 2


def test_given_extents_are_measured_by_the_main_run_s_code_where_that_was_done(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = make_exam()
    add(exam, stored_points, by)
    main = AnalysisRun.objects.get()
    extents = {"LAD": services.GivenExtents(lesions=[(1, 3.0, 9.0)])}

    def ask(number: int) -> AnalysisRun:
        return services.request_given_extents(
            run=main, extents=extents, reference=f"revision {number}", by=by
        )

    first = ask(1)
    version = changed_code(monkeypatch)
    assert ask(1) == first
    assert ask(2).code_version == version
    AnalysisRun.objects.filter(pk=first.pk).update(state="failed")
    assert ask(1).code_version == version


def test_a_second_update_keeps_what_given_extents_the_first_one_measured(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None by the main run's code is there and none can be made: each update would make freezes wait."""
    exam = make_exam()
    add(exam, stored_points, by)
    main = AnalysisRun.objects.get()
    extents = {"LAD": services.GivenExtents(lesions=[(1, 3.0, 9.0)])}

    def ask(run: AnalysisRun) -> AnalysisRun:
        return services.request_given_extents(run=run, extents=extents, reference="revision 1", by=by)

    changed_code(monkeypatch, "1" * 16)
    first = ask(main)
    changed_code(monkeypatch, "2" * 16)
    assert (first.code_version, ask(main)) == ("1" * 16, first)
    AnalysisRun.objects.filter(pk=first.pk).update(state="failed")
    second = ask(main)
    assert second.code_version == "2" * 16
    AnalysisRun.objects.filter(pk=first.pk).update(state="succeeded")
    changed_code(monkeypatch, "3" * 16)
    assert ask(main) == second  # the newest
    # A main run by today's code is compared with nothing older: its own code can still measure.
    assert ask(services.request_analysis(exam=exam, by=by)).code_version == "3" * 16


def test_running_an_exam_again_runs_the_second_operators_centrelines_too(
    make_exam: MakeExam, stored_points: Any, by: Any, served_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = make_exam()
    add(exam, stored_points, by)
    assert services.request_again(exam=exam, by=by) == AnalysisRun.objects.get()
    services.add_centrelines(
        exam=exam, lines=stored_points[:1], source="file", by=by, is_second_operator=True
    )
    AnalysisRun.objects.update(state="succeeded")
    version = changed_code(monkeypatch)
    served_model.write_bytes(served_model.read_bytes() + b"other")
    run = services.request_again(exam=exam, by=by)
    second = AnalysisRun.objects.get(purpose="second_operator", code_version=version)
    assert (run.purpose, run.code_version, run.state) == ("main", version, "pending")
    assert second.model == run.model  # the one that waits, not the one that has run
    assert services.request_again(exam=exam, by=by) == run
    assert AnalysisRun.objects.filter(exam=exam).count() == 4
