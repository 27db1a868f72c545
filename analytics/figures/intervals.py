"""Estimates with their intervals, one a row."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, NEUTRAL
from analytics.result import Result
from analytics.rounding import half_up


def intervals(
    rows: Sequence[tuple[str, Result]],
    title: str,
    *,
    factor: float = 1.0,
    digits: int = 2,
    reference: float | None = None,
    simulated: bool = False,
) -> Drawing:
    """Point and interval of every result times ``factor``; ``reference`` is where a dotted upright stands."""
    known = [(name, r) for name, r in rows if r.estimate is not None]
    if not known:
        return refused(rows[0][1].reason or "" if rows else "nothing to show", simulated=simulated)
    drawn = Drawing(title, "", simulated=simulated, height=140 + 40 * len(rows))
    if reference is not None:
        drawn.upright(reference, colour=NEUTRAL)
    for name, result in rows:
        if result.estimate is None:
            text = [f"not estimable: {result.reason}"]
            at = reference if reference is not None else factor * (known[0][1].estimate or 0.0)
            drawn.trace("scatter", x=[at], y=[name], mode="text", text=text, hoverinfo="skip")
            continue
        low, high = result.interval or (result.estimate, result.estimate)
        value, low, high = factor * result.estimate, factor * low, factor * high
        drawn.trace(
            "scatter",
            x=[value],
            y=[name],
            mode="markers",
            marker={"size": 9, "color": ACCENT, "symbol": "square"},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - value],
                "arrayminus": [value - low],
                "color": ACCENT,
            },
            customdata=[
                ["", f"{half_up(value, digits)} ({half_up(low, digits)} to {half_up(high, digits)})"]
            ],
            hovertemplate="%{y}: %{customdata[1]}<extra></extra>",
        )
    names = [name for name, _ in rows]
    drawn.layout["yaxis"] |= {"type": "category", "categoryorder": "array", "categoryarray": names[::-1]}
    return drawn
