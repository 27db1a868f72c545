"""Estimates with their intervals, one row each: the figure of results that are a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, NEUTRAL
from analytics.result import Interval
from analytics.rounding import half_up


@dataclass(frozen=True)
class EstimateRow:
    """A name, its estimate (None is left out) and interval."""

    name: str
    estimate: float | None
    interval: Interval | None


def estimates(
    rows: Sequence[EstimateRow],
    title: str,
    *,
    reason: str | None = None,
    reference: float | None = None,
    logarithmic: bool = False,
    simulated: bool = False,
) -> Drawing:
    """Points with whiskers, first row on top; ``reference`` draws a vertical line of no effect."""
    shown = [row for row in rows if row.estimate is not None]
    if not shown:
        return refused(reason or "nothing could be estimated", simulated=simulated)
    drawn = Drawing(title, "", simulated=simulated, height=130 + 42 * len(shown))
    if reference is not None:
        drawn.upright(reference, colour=NEUTRAL)
    for row in reversed(shown):
        if row.estimate is not None:
            _row(drawn, row, row.estimate)
    drawn.layout["yaxis"]["type"] = "category"
    if logarithmic:
        ends = [e for row in shown for e in (row.estimate, *(row.interval or ())) if e is not None and e > 0]
        drawn.logarithmic("xaxis", min(ends), max(ends))
    return drawn


def _row(drawn: Drawing, row: EstimateRow, estimate: float) -> None:
    text, whiskers = half_up(estimate, 3), dict[str, Any]()
    if row.interval is not None:
        above, below = row.interval.high - estimate, estimate - row.interval.low
        whiskers["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": [above],
            "arrayminus": [below],
            "color": ACCENT,
        }
        text += f" ({row.interval.text(3)}; {row.interval.method})"
    drawn.trace(
        "scatter",
        x=[estimate],
        y=[row.name],
        mode="markers",
        marker={"size": 9, "color": ACCENT},
        customdata=[["", text]],
        hovertemplate="%{y}: %{customdata[1]}<extra></extra>",
        **whiskers,
    )
