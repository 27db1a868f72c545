"""Tables of how sure the network's numbers are: intervals of lesions, doubts of lesions, vessels and scans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plaquelab.analysis.models import AnalysisRun, Measurement
from plaquelab.freezes.gathering import Case

Rows = list[dict[str, Any]]


def intervals(cases: Sequence[Case]) -> Rows:
    """Return every interval of the main runs' lesions."""
    patients = {run.pk: patient for patient, run in _analysed(cases)}
    found = Measurement.objects.filter(
        run__in=patients, level="lesion", interval_low__isnull=False, interval_high__isnull=False
    ).values_list("run_id", "vessel", "lesion", "metric", "value", "interval_low", "interval_high")
    names = ("vessel", "lesion", "metric", "value", "interval_low", "interval_high")
    rows = [{"patient": patients[run], **dict(zip(names, row, strict=True))} for run, *row in found]
    return sorted(rows, key=lambda row: (row["patient"], row["vessel"], row["lesion"], row["metric"]))


def doubts(cases: Sequence[Case]) -> Rows:
    """Return every doubt of the main runs, numbered within the patient."""
    return [
        {
            "patient": patient,
            "number": number,
            "code": doubt["code"],
            "vessel": doubt["vessel"] or None,
            **{name: doubt[name] for name in ("lesion", "start_mm", "end_mm", "measure")},
        }
        for patient, run in _analysed(cases)
        for number, doubt in enumerate(run.doubts, start=1)
    ]


def _analysed(cases: Sequence[Case]) -> list[tuple[str, AnalysisRun]]:
    """Return patient and main run of every case of a cohort that has one, by patient."""
    found = [(c.patient, c.run) for c in cases if c.run is not None and c.subject.cohort is not None]
    return sorted(found, key=lambda pair: pair[0])
