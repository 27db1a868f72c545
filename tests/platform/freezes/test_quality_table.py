"""What the table of quality takes from a run's stored record."""

from __future__ import annotations

import json

import pytest

from plaquelab.analysis.models import AnalysisRun, Artefact
from plaquelab.freezes.quality_table import uncertainties
from plaquelab.imaging.models import Exam
from plaquelab.storage import store

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "found"),
    [("run_record", {"LAD": [0.25, 0.5]}), ("analysis", {"LAD": [0.25, 0.5]}), ("other", {})],
)
def test_the_record_of_a_run_opens_as_earlier_releases_named_it_too(
    analysed_exam: Exam, kind: str, found: dict[str, list[float]]
) -> None:
    run = AnalysisRun.objects.get(exam=analysed_exam)
    record = Artefact.objects.get(run=run, kind="run_record")
    store().put(record.path, json.dumps({"uncertainty": {"LAD": [0.25, None, 0.5]}}).encode())
    Artefact.objects.filter(pk=record.pk).update(kind=kind)
    assert uncertainties(run) == found
