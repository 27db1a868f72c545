"""Intervals and doubts of the main runs in a freeze, under pseudonyms alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.selectors import lesion_doubts
from plaquelab.freezes import certainty_tables
from plaquelab.imaging.models import Exam

pytestmark = pytest.mark.django_db


def test_a_run_s_intervals_and_doubts_become_rows(analysed_exam: Exam) -> None:
    run = AnalysisRun.objects.get(exam=analysed_exam)
    case = SimpleNamespace(patient="P1", run=run, subject=SimpleNamespace(cohort=object()))
    other = SimpleNamespace(patient="P0", run=None, subject=case.subject)
    (row,) = certainty_tables.intervals([case, other])
    assert row["patient"] == "P1"
    assert row["metric"] == "total_plaque_volume"
    assert row["interval_low"] == 1.0 < row["value"] < row["interval_high"] == 900.0
    (doubt,) = certainty_tables.doubts([case, other])
    assert (doubt["number"], doubt["code"], doubt["measure"]) == (1, "no_border_contrast", 40.0)
    assert doubt["start_mm"] < doubt["end_mm"]
    without = SimpleNamespace(patient="P1", run=run, subject=SimpleNamespace(cohort=None))
    assert certainty_tables.doubts([without]) == certainty_tables.intervals([without]) == []


def test_a_lesion_has_the_doubts_of_what_the_network_drew_there(analysed_exam: Exam) -> None:
    run = AnalysisRun.objects.get(exam=analysed_exam)
    (doubt,) = run.doubts
    there = lesion_doubts(run, vessel=doubt["vessel"], start_mm=doubt["end_mm"] - 0.5, end_mm=900.0)
    assert there == [{"code": doubt["code"], "message": doubt["message"]}]
    assert lesion_doubts(run, vessel=doubt["vessel"], start_mm=doubt["end_mm"], end_mm=900.0) == []
    assert lesion_doubts(run, vessel="AM", start_mm=0.0, end_mm=900.0) == []
