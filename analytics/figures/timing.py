"""Times per case of two ways of reading, and how often something happens to a case."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, custom, refused
from analytics.figures.estimates import EstimateRow, estimates
from analytics.figures.style import ACCENT
from analytics.monitoring.rate import Rate
from analytics.monitoring.timing import PairedTiming

MOST_CASES = 2_000
"""More points hide each other, and each weighs some 60 bytes on the page."""


@draw.register
def paired_times(result: PairedTiming, *, links: Sequence[str] = ()) -> Drawing:
    """Second time against first, a point a case, on logarithmic axes with the line of equal times.

    Above ``MOST_CASES`` every k-th case is drawn, and the figure says so.
    """
    if result.first is None or result.second is None:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = Drawing(
        f"{result.first.name} ({result.time_unit})",
        f"{result.second.name} ({result.time_unit})",
        simulated=result.simulated,
    )
    both = [*result.first_values.tolist(), *result.second_values.tolist()]
    drawn.diagonal(min(both), max(both))
    step = max(1, -(-len(result.first_values) // MOST_CASES))
    drawn.trace(
        "scatter",
        x=np.round(result.first_values[::step], 4).tolist(),
        y=np.round(result.second_values[::step], 4).tolist(),
        mode="markers",
        marker={"size": 7, "color": ACCENT, "opacity": 0.7},
        customdata=custom((), links, len(result.first_values))[::step],
        hovertemplate="%{x:.3g} against %{y:.3g}<extra></extra>",
    )
    if step > 1:
        drawn.note(f"every {step}th case is drawn", x=0, y=1.02, xanchor="left", yanchor="bottom")
    for axis in ("xaxis", "yaxis"):
        drawn.logarithmic(axis, min(both), max(both))
    return drawn


@draw.register
def rate(result: Rate) -> Drawing:
    """The share with its interval."""
    rows = [EstimateRow(result.name, result.estimate, result.interval)]
    return estimates(rows, "Share", reason=result.reason, simulated=result.simulated)
