"""What reading does when analysis tells it something."""

from __future__ import annotations

from typing import Any

from plaquelab.analysis.models import AnalysisRun
from plaquelab.reading.assignment import open_case


def open_case_of_run(*, run: AnalysisRun, **_: Any) -> None:
    """Open the case of an exam whose analysis has succeeded; it waits for readers."""
    open_case(exam=run.exam, by=None, run=run)
