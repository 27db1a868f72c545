"""Runs for comparisons: inside given lesions, and along a second operator's centrelines. Nobody reads on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from plaquelab.analysis import execution, given_extents, selectors, services
from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.services import GivenExtents
from plaquelab.imaging.models import Exam
from plaquelab.reading.models import ReadCase

pytestmark = [pytest.mark.django_db]
EXTENTS = {"LAD": GivenExtents(lesions=[(2, 12.0, 20.0), (1, 3.0, 9.0)], excluded=[(0.0, 1.0, "step")])}


def request(exam: Exam, **more: Any) -> AnalysisRun:
    run = selectors.latest_run(exam)
    assert run is not None
    return services.request_given_extents(
        run=run, by=None, **{"extents": EXTENTS, "reference": "revision 1", **more}
    )


def test_a_given_extents_run_is_made_once_and_is_never_the_exams_run(analysed_exam: Exam) -> None:
    main = selectors.latest_run(analysed_exam)
    assert main is not None
    given = request(analysed_exam)
    assert request(analysed_exam).pk == given.pk
    assert request(analysed_exam, reference="revision 2").pk != given.pk
    assert request(analysed_exam, variant="wall_minus_lumen").pk != given.pk
    assert (given.model_id, given.centrelines_id, given.profile) == (
        main.model_id, main.centrelines_id, main.profile,
    )  # fmt: skip
    assert given.extents["LAD"]["lesions"] == [[1, 3.0, 9.0], [2, 12.0, 20.0]]
    assert selectors.current_run(analysed_exam) == main
    assert selectors.latest_run(analysed_exam) == main


def test_the_pipeline_is_given_the_lesions_and_its_result_opens_no_case(
    analysed_exam: Exam, tiny_analysis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import inference.pipeline

    seen: list[Any] = []

    def spy(volume: Any, lines: Any, *, settings: Any, progress: Any, doubts: Any) -> Any:
        seen.append(settings.lesions)
        return tiny_analysis

    monkeypatch.setattr(inference.pipeline, "analyse", spy)
    case = ReadCase.objects.get(exam=analysed_exam)
    given = request(analysed_exam)
    done = execution.execute(given.pk)
    assert done is not None
    assert done.state == "succeeded", done.message
    (lesions,) = seen
    assert [(x.number, x.start_mm, x.end_mm) for x in lesions["LAD"]] == [(1, 3.0, 9.0), (2, 12.0, 20.0)]
    assert ReadCase.objects.get(exam=analysed_exam).run_id == case.run_id
    assert selectors.latest_run(analysed_exam) != done
    main_rows = case.run.measurements.filter(level="vessel", vessel="LAD", metric="vessel_volume")
    given_rows = done.measurements.filter(level="vessel", vessel="LAD", metric="vessel_volume")
    # The first millimetre is excluded: less vessel was analysed.
    assert given_rows.get().value < main_rows.get().value


def test_ultrasound_counts_the_whole_wall(tiny_analysis: Any) -> None:
    run = AnalysisRun(profile="corrected", variant="wall_minus_lumen", purpose="given_extents")
    counted = given_extents.measured(tiny_analysis, run)

    def volumes(analysis: Any) -> dict[tuple[str, int | None], float]:
        return {
            (row.vessel, row.lesion): row.value
            for row in analysis.measurements
            if row.level == "lesion" and row.metric == "total_plaque_volume"
        }

    plaque, wall = volumes(tiny_analysis), volumes(counted)
    assert plaque.keys() == wall.keys() != set()
    assert all(wall[place] > plaque[place] for place in plaque)
    assert {row.profile for row in counted.measurements} == {"corrected/wall_minus_lumen"}
    for place, volume in wall.items():
        parts = {
            row.metric: row.value for row in counted.measurements
            if row.level == "lesion" and (row.vessel, row.lesion) == place
        }  # fmt: skip
        assert volume == pytest.approx(parts["vessel_volume"] - parts["lumen_volume"], rel=1e-6)
    stented = replace(
        tiny_analysis, reads=tuple(replace(r, excluded=((2.0, 9.0, "stent"),)) for r in tiny_analysis.reads)
    )
    run.extents = {"LAD": {"lesions": [], "excluded": [[0.0, 1.0, "step"]]}}
    kept = {read.vessel: read.excluded for read in given_extents.measured(stented, run).reads}
    assert kept == {"LM": ((2.0, 9.0, "stent"),), "LAD": ((2.0, 9.0, "stent"), (0.0, 1.0, "step"))}
    same = AnalysisRun(profile="corrected", purpose="given_extents")
    assert given_extents.measured(tiny_analysis, same) is tiny_analysis


def test_a_technician_does_not_see_runs_that_hold_a_reads_lesions(
    analysed_exam: Exam, two_studies: SimpleNamespace, client_for: Callable[[Any], Any]
) -> None:
    given = request(analysed_exam)
    a = two_studies.a
    for user, sees in ((a.manager, True), (a.auditor, True), (a.technician, False), (a.reader, False)):
        assert selectors.visible_runs(user=user, study=a.study).filter(pk=given.pk).exists() == sees
    address = f"/studies/alpha/runs/{given.pk}/"
    assert client_for(a.technician).get(address).status_code == 404
    text = client_for(a.manager).get(address).content.decode()
    assert "nobody reads on it" in text


def test_a_second_operators_centrelines_make_a_run_of_their_own(
    analysed_exam: Exam, stored_points: Any
) -> None:
    main = selectors.latest_run(analysed_exam)
    assert main is not None
    made = services.add_centrelines(
        exam=analysed_exam, lines=stored_points, source="file", by=None, is_second_operator=True
    )
    second = AnalysisRun.objects.get(centrelines=made)
    assert (second.purpose, second.model_id, second.profile) == (
        "second_operator",
        main.model_id,
        main.profile,
    )
    assert selectors.current_run(analysed_exam) == main
    assert services.request_analysis(exam=analysed_exam, by=None) == main


def test_a_second_operators_centrelines_that_came_before_acceptance_run_with_it(
    make_exam: Callable[..., Any], stored_points: Any, served_model: Any
) -> None:
    from plaquelab.analysis.receivers import start_on_acceptance

    exam = make_exam(state="qc_pending")
    for second in (True, False):
        services.add_centrelines(
            exam=exam, lines=stored_points, source="file", by=None, is_second_operator=second
        )
    assert not exam.runs.exists()
    Exam.objects.filter(pk=exam.pk).update(state="accepted")
    exam.refresh_from_db()
    start_on_acceptance(exam=exam, by=None)
    assert sorted(exam.runs.values_list("purpose", flat=True)) == ["main", "second_operator"]
