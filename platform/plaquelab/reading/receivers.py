"""What reading does when analysis tells it something."""

from __future__ import annotations

from typing import Any

from plaquelab.analysis.models import AnalysisRun
from plaquelab.reading.assignment import open_case


def open_case_of_run(*, run: AnalysisRun, **_: Any) -> None:
    """Open the case of an exam whose main run has succeeded; it waits for readers."""
    if run.purpose != AnalysisRun.Purpose.MAIN:
        return
    open_case(exam=run.exam, by=None, run=run)
