"""What analysis does when others tell it something."""

from __future__ import annotations

from typing import Any

from plaquelab.analysis import services
from plaquelab.imaging.models import Exam


def start_on_acceptance(*, exam: Exam, by: Any, **_: Any) -> None:
    """Start the analysis of an accepted exam; without centrelines its page says what is missing."""
    for second in (False, True):
        if exam.centreline_sets.filter(is_second_operator=second).exists():
            services.request_analysis(exam=exam, by=by, second_operator=second)
