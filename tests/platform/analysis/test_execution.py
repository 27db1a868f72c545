"""One attempt at a run: what is stored, what is refused, and that nothing is half-written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded

from inference.code_version import code_version
from inference.errors import RefusedScan
from plaquelab.analysis import execution, measuring_code, selectors, services
from plaquelab.analysis.models import AnalysisRun, Artefact, ContourSet, Lesion, Measurement, Vessel
from plaquelab.analysis.signals import run_succeeded
from plaquelab.analysis.taking_over import take_over
from plaquelab.audit.models import AuditEvent
from plaquelab.imaging.models import CtSlab, Exam
from plaquelab.imaging.selectors import ct_slabs
from plaquelab.jobs import services as jobs
from plaquelab.storage import StorageError, store

pytestmark = [pytest.mark.django_db]


def test_everything_is_stored_and_comes_back(
    analysed_exam: Exam, tiny_analysis: Any, tiny_phantom: Any
) -> None:
    run = selectors.latest_run(analysed_exam)
    assert run is not None
    assert (run.state, run.attempt, run.progress, run.worker) == ("succeeded", 1, 1.0, "")
    assert run.versions["model"] == "truth"
    assert run.warnings == ["Simulated."]
    (doubt,) = run.doubts
    assert doubt["code"] == "no_border_contrast"
    assert "(40 %)" in doubt["message"]
    held = run.measurements.get(level="lesion", interval_low__isnull=False)
    assert (held.metric, held.interval_low, held.interval_high) == ("total_plaque_volume", 1.0, 900.0)
    assert {"load", "segment", "files", "total"} <= run.timings.keys()

    vessels = list(run.vessels.all())
    assert [v.name for v in vessels] == ["LM", "LAD"]
    for row, vessel, read in zip(vessels, tiny_analysis.vessels, tiny_analysis.reads, strict=True):
        assert np.array_equal(selectors.load_vessel(row).hu, vessel.hu)
        stored = selectors.vessel_read(selectors.network_contours(row))
        assert stored.contours.sha256 == read.contours.sha256
        assert stored.lesions == read.lesions
    assert Lesion.objects.count() == sum(len(read.lesions) for read in tiny_analysis.reads) > 0

    rows = Measurement.objects.filter(run=run)
    assert rows.count() == len(tiny_analysis.measurements)
    by_key = {(r.level, r.vessel, r.segment, r.lesion, r.metric): r for r in rows}
    for row in tiny_analysis.measurements:
        kept = by_key[(row.level, row.vessel or "", row.segment or "", row.lesion, row.metric)]
        if isinstance(row.value, str):
            assert kept.text == row.value
        else:
            assert kept.value == pytest.approx(row.value) if row.value is not None else kept.value is None
    assert by_key[("patient", "", "", None, "cadrads")].text != ""


def test_a_run_makes_no_slabs_of_an_exam_that_has_them_and_completes_one_that_has_none(
    make_exam: Callable[..., Exam], analyse: Callable[..., Any], tiny_phantom: Any
) -> None:
    exam = make_exam()
    at_registration = list(exam.volume.slabs.values_list("pk", "path", "sha256"))
    assert analyse(exam).state == "succeeded"
    assert list(exam.volume.slabs.values_list("pk", "path", "sha256")) == at_registration
    assert not Artefact.objects.filter(kind__startswith="ct-slab").exists()
    older = make_exam()
    older.volume.slabs.all().delete()
    assert analyse(older).state == "succeeded"
    assert [row.sha256 for row in ct_slabs(older)] == [sha256 for _, _, sha256 in at_registration]


def test_every_file_is_what_its_row_says(analysed_exam: Exam) -> None:
    for row in (
        *Artefact.objects.all(),
        *CtSlab.objects.all(),
        *Vessel.objects.all(),
        *ContourSet.objects.all(),
    ):
        assert hashlib.sha256(store().get(row.path)).hexdigest() == row.sha256
    summary = json.loads(store().get(Artefact.objects.get(kind=Artefact.RECORD).path))
    assert {row["metric"] for row in summary["measurements"]} >= {"total_plaque_volume", "cadrads"}


def test_an_altered_file_is_refused(analysed_exam: Exam) -> None:
    row = Vessel.objects.first()
    assert row is not None
    data = bytearray(store().get(row.path))
    data[len(data) // 2] ^= 1
    store().put(row.path, bytes(data))
    with pytest.raises(StorageError, match="hash differs"):
        selectors.load_vessel(row)


def test_each_step_leaves_its_event(analysed_exam: Exam) -> None:
    verbs = AuditEvent.objects.filter(verb__startswith="analysis_run.").order_by("sequence")
    assert [event.verb.partition(".")[2] for event in verbs] == [
        "request",
        "claim",
        "start",
        "store",
        "succeed",
    ]


def test_a_done_run_is_nothing_to_do(analysed_exam: Exam) -> None:
    run = selectors.latest_run(analysed_exam)
    assert run is not None
    assert execution.execute(run.pk) is None
    assert ContourSet.objects.count() == 2


@pytest.fixture
def attempt(
    make_exam: Callable[..., Exam], stored_points: Any, served_model: Any, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Run one attempt in which the pipeline does what the test says."""

    def run(pipeline: Callable[..., Any]) -> AnalysisRun | None:
        import inference.pipeline

        exam = make_exam()
        monkeypatch.setattr(inference.pipeline, "analyse", pipeline)
        services.add_centrelines(exam=exam, lines=stored_points, source="stored points", by=None)
        result = execution.execute(exam.runs.get().pk)
        assert not Vessel.objects.exists()
        assert not Measurement.objects.exists()
        return result

    return run


def test_a_refusal_is_told_to_the_person(attempt: Any) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise RefusedScan("no-contrast", "The scan shows no contrast in the vessels: send a contrast scan.")

    run = attempt(refuse)
    assert (run.state, run.refusal) == ("failed", "no-contrast")
    assert run.message.startswith("The scan shows no contrast")
    assert run.error_id == ""


def test_a_time_out_has_its_own_state(attempt: Any) -> None:
    def slow(*_: Any, **__: Any) -> Any:
        raise SoftTimeLimitExceeded

    assert attempt(slow).state == "timed_out"


def test_our_own_error_is_a_number_not_a_traceback(attempt: Any, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("secret internals")

    run = attempt(broken)
    assert run.state == "failed"
    assert "secret internals" not in run.message
    assert run.error_id in run.message
    assert run.error_id in caplog.text
    assert "secret internals" in caplog.text


def test_a_cancel_stops_at_the_next_stage(attempt: Any) -> None:
    seen = []

    def cancelled(*_: Any, progress: Any, **__: Any) -> Any:
        progress("straighten", 0.0)
        seen.append("straighten")
        services.cancel_run(run=AnalysisRun.objects.get(), by=None)  # type: ignore[arg-type]
        progress("segment", 0.0)
        seen.append("segment")

    run = attempt(cancelled)
    assert (run.state, seen) == ("cancelled", ["straighten"])


def test_a_lost_run_writes_nothing(attempt: Any) -> None:
    def lost(*_: Any, progress: Any, **__: Any) -> Any:
        AnalysisRun.objects.update(attempt=7)
        progress("segment", 0.0)

    assert attempt(lost) is None
    run = AnalysisRun.objects.get()
    assert (run.state, run.attempt) == ("running", 7)


def test_a_failing_listener_leaves_no_result(
    make_exam: Callable[..., Exam], analyse: Callable[..., Any]
) -> None:
    def listener(**_: Any) -> None:
        raise RuntimeError("a listener broke")

    run_succeeded.connect(listener, dispatch_uid="test")
    try:
        run = analyse(make_exam())
    finally:
        run_succeeded.disconnect(dispatch_uid="test")
    assert run.state == "failed"
    assert not Vessel.objects.exists()
    assert not Artefact.objects.exists()


def test_a_read_of_another_vessel_is_not_stored(analysed_exam: Exam, tiny_analysis: Any) -> None:
    vessel = Vessel.objects.get(name="LM")
    with pytest.raises(ValueError, match="LAD cannot be stored for LM"):
        services.store_read(vessel=vessel, read=tiny_analysis.reads[1], source="reader")


def test_a_run_is_measured_and_named_by_the_code_that_runs_it(
    make_exam: Callable[..., Exam], analyse: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for under older code, it takes the version of today's, and so do its contours."""
    ask = services.request_analysis

    def ask_earlier(**how: Any) -> AnalysisRun:
        with monkeypatch.context() as earlier:
            earlier.setattr(measuring_code, "today", lambda: "0" * 16)
            return ask(**how)

    monkeypatch.setattr(services, "request_analysis", ask_earlier)
    run = analyse(make_exam())
    run.refresh_from_db()
    assert (run.state, run.code_version) == ("succeeded", code_version())
    event = AuditEvent.objects.get(verb="analysis_run.take_over")
    assert (event.before, event.after) == ({"code_version": "0" * 16}, {"code_version": code_version()})
    assert set(ContourSet.objects.values_list("code_version", flat=True)) == {code_version()}


def test_what_newer_code_has_a_run_of_is_not_measured_twice(attempt: Any) -> None:
    measured = []

    def refuse(*_: Any, **__: Any) -> Any:
        measured.append(1)
        raise RefusedScan("no-contrast", "No contrast.")

    refused = attempt(refuse)
    assert refused.code_version == code_version()
    older = AnalysisRun.objects.get()
    older.pk, older.code_version, older.state, older.attempt = None, "0" * 16, "pending", 0
    older.save(force_insert=True)
    execution.execute(older.pk)
    older.refresh_from_db()
    assert (older.state, older.refusal, older.code_version) == ("failed", "superseded", "0" * 16)
    assert "newer code has a run of its own" in older.message
    assert measured == [1]
    assert not AuditEvent.objects.filter(verb="analysis_run.take_over").exists()


@pytest.mark.parametrize("meanwhile", [{"attempt": 2}, {"state": "failed"}])
def test_who_lost_a_run_does_not_rename_it(attempt: Any, meanwhile: dict[str, Any]) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise RefusedScan("no-contrast", "No contrast.")

    attempt(refuse)
    run = AnalysisRun.objects.get()
    run.state, run.attempt, run.code_version = "running", 1, "0" * 16
    run.save()
    AnalysisRun.objects.update(**meanwhile)
    with pytest.raises(jobs.JobLostError):
        take_over(run)
    assert AnalysisRun.objects.get().code_version == "0" * 16
    assert not AuditEvent.objects.filter(verb="analysis_run.take_over").exists()
