"""Times per case of two ways of reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT

if TYPE_CHECKING:
    from analytics.timing import PairedTiming


def paired_times(result: PairedTiming) -> Drawing:
    """Second time against first, a point a case, on logarithmic axes with the line of equal times."""
    if result.first is None or result.second is None:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = Drawing(
        f"{result.first.name} ({result.time_unit})",
        f"{result.second.name} ({result.time_unit})",
        simulated=result.simulated,
    )
    both = [*result.first_values.tolist(), *result.second_values.tolist()]
    drawn.diagonal(min(both), max(both))
    drawn.trace(
        "scatter",
        x=result.first_values.tolist(),
        y=result.second_values.tolist(),
        mode="markers",
        marker={"size": 7, "color": ACCENT, "opacity": 0.7},
        hovertemplate="%{x:.3g} against %{y:.3g}<extra></extra>",
    )
    drawn.layout["xaxis"]["type"] = drawn.layout["yaxis"]["type"] = "log"
    return drawn
