"""When the network is measured inside a reference's lesions: by itself, once, and with what it needs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from plaquelab.analysis.models import AnalysisRun
from plaquelab.freezes import comparison_runs
from plaquelab.references.models import ImportedRead
from plaquelab.references.services import import_file
from tests.platform.ready_cases import assigned, ready_case, sign_as, store_run
from tests.platform.references.conftest import file_of

__all__ = ["assigned", "ready_case"]
pytestmark = pytest.mark.django_db
LESION = "alpha-subject-7,LAD,1,6.0,12.0,vessel_volume,100,mm³,core"
LUMEN = "alpha-subject-7,LAD,1,6.0,12.0,lumen_volume,60,mm³,core"


def given() -> list[AnalysisRun]:
    return list(AnalysisRun.objects.filter(purpose="given_extents").order_by("pk"))


def bring(world: SimpleNamespace, kind: str, *rows: str, **more: Any) -> Any:
    return import_file(study=world.study, kind=kind, data=file_of(kind, *rows), by=world.manager, **more)


def test_a_case_that_becomes_final_asks_for_its_run(assigned: SimpleNamespace) -> None:
    sign_as(assigned.reads[0], assigned.reader)
    assert given() == []
    sign_as(assigned.reads[1], assigned.reader2)
    assigned.case.refresh_from_db()
    assert assigned.case.state == "final"
    (run,) = given()
    final = assigned.case.final_read.revisions.get()
    assert run.reference == f"revision {final.pk}"
    assert run.extents == {
        "LAD": {"lesions": [[1, 6.0, 11.7]], "excluded": []},
        "RCA": {"lesions": [[1, 6.0, 11.7]], "excluded": []},
    }
    assert (run.state, run.variant, run.centrelines_id) == (
        "pending",
        "plaque",
        assigned.case.run.centrelines_id,
    )
    comparison_runs.request_missing(study=assigned.study, by=assigned.manager)
    assert given() == [run]
    assert comparison_runs.waiting(assigned.study) == 1


def test_a_read_that_saw_the_network_asks_for_none(assigned: SimpleNamespace) -> None:
    for read, reader in zip(assigned.reads, (assigned.reader, assigned.reader2), strict=True):
        type(read).objects.filter(pk=read.pk).update(saw_network=True)
        read.refresh_from_db()
        sign_as(read, reader)
    assert given() == []


def test_imported_ultrasound_is_compared_wall_minus_lumen(ready_case: SimpleNamespace) -> None:
    bring(ready_case, "ivus", LESION, LUMEN)
    (run,) = given()
    read = ImportedRead.objects.get()
    assert (run.reference, run.variant) == (f"imported read {read.pk}", "wall_minus_lumen")
    assert run.extents == {"LAD": {"lesions": [[1, 6.0, 12.0]], "excluded": []}}


def test_a_second_reading_angiography_and_covariates_ask_for_none(ready_case: SimpleNamespace) -> None:
    bring(ready_case, "expert", LESION.replace("core", "R1#2"))
    bring(ready_case, "ica", "alpha-subject-7,6,75,A")
    bring(ready_case, "covariates", "alpha-subject-7,age,60,years")
    assert given() == []


def test_a_replaced_read_asks_anew(ready_case: SimpleNamespace) -> None:
    bring(ready_case, "ivus", LESION, LUMEN)
    longer = [row.replace("12.0", "13.0") for row in (LESION, LUMEN)]
    bring(ready_case, "ivus", *longer, replace_reason="co-registered again")
    assert [run.extents["LAD"]["lesions"][0][2] for run in given()] == [12.0, 13.0]


def test_reads_that_came_before_the_analysis_are_measured_after_it(two_studies: SimpleNamespace) -> None:
    from plaquelab.analysis.signals import run_succeeded

    world = two_studies.a
    case = store_run(world, 7)
    AnalysisRun.objects.filter(pk=case.run_id).update(state="running")
    bring(world, "ivus", LESION, LUMEN)
    assert given() == []
    AnalysisRun.objects.filter(pk=case.run_id).update(state="succeeded")
    run_succeeded.send(sender=AnalysisRun, run=AnalysisRun.objects.get(pk=case.run_id))
    assert len(given()) == 1


def test_the_networks_own_lesions_are_counted_as_ultrasound_counts(ready_case: SimpleNamespace) -> None:
    from plaquelab.freezes.measured import values_of
    from plaquelab.freezes.recounting import wall_minus_lumen

    run = ready_case.case.run
    counted = wall_minus_lumen(run.pk, ["LAD"])
    assert set(counted.lesions) == {("LAD", 1)}
    stored = values_of(study=ready_case.study, owners=[("run", run.pk)])["run", run.pk]
    lesion, plaque = counted.lesions["LAD", 1], stored.lesions["LAD", 1]
    assert lesion["lesion_start"] == plaque["lesion_start"]
    assert lesion["minimal_luminal_area"] == pytest.approx(plaque["minimal_luminal_area"])
    assert lesion["total_plaque_volume"] == pytest.approx(
        plaque["vessel_volume"] - plaque["lumen_volume"], rel=1e-6
    )
    assert lesion["total_plaque_volume"] > plaque["total_plaque_volume"]
