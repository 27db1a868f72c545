"""Sliders beside numbers: where a cut-off may lie, and where it lies when nobody has moved it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.errors import AnalyticsError
from plaquelab.dashboards.questions import Question

if TYPE_CHECKING:
    from analytics.freeze import Freeze

STEPS = 200
HIGHEST_QUANTILE = 0.99


@dataclass(frozen=True)
class Slider:
    """Limits and step of a slider, and the value in force."""

    low: float
    high: float
    step: float
    value: float

    @property
    def shown(self) -> str:
        """The value as a person reads it."""
        return f"{self.value:g}"


def sliders(question: Question, freeze: Freeze, parameters: Any) -> dict[str, Slider]:
    """The outcome page's cut-off over the range of its marker; other questions have none."""
    if question.key != "outcome":
        return {}
    from analytics.questions.outcome import asked  # noqa: PLC0415  loads SciPy, which only who asks a question needs

    try:
        given = asked(freeze, parameters)
    except AnalyticsError:
        return {}  # the page itself says why there is no answer
    known = given.values[~np.isnan(given.values)]
    if not len(known):
        return {}
    low, high = min(0.0, float(known.min())), float(np.quantile(known, HIGHEST_QUANTILE))
    high = max(high, given.cut)
    if high <= low:
        return {}
    step = 10 ** math.floor(math.log10((high - low) / STEPS))
    return {"cut": Slider(low, math.ceil(high / step) * step, step, given.cut)}
