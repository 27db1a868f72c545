"""What freezes do when reading, references and analysis tell them something."""

from __future__ import annotations

from typing import Any

from plaquelab.analysis.models import AnalysisRun
from plaquelab.freezes import comparison_runs
from plaquelab.reading.models import ReadCase


def measure_inside_final_read(*, case: ReadCase, **_: Any) -> None:
    """A case is final: measure the network inside its lesions."""
    comparison_runs.request_for_case(case=case, by=None)


def measure_inside_imported_reads(*, exams: list[int], **_: Any) -> None:
    """Reads were imported: measure the network inside their lesions."""
    comparison_runs.request_for_imports(exams=exams, by=None)


def measure_inside_earlier_imports(*, run: AnalysisRun, **_: Any) -> None:
    """An exam was analysed whose reads may have come before: measure the network inside their lesions."""
    if run.purpose == AnalysisRun.Purpose.MAIN:
        comparison_runs.request_for_imports(exams=[run.exam_id], by=None)
