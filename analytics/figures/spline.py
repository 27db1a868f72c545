"""Hazard ratio along a continuous marker."""

from __future__ import annotations

from analytics.figures.decimals import ONE
from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, NEUTRAL, translucent
from analytics.rounding import printed
from analytics.survival.spline import Spline


@draw.register
def spline(result: Spline, *, link_template: str = "") -> Drawing:
    """Curve and band on a log axis; dotted uprights are the knots, the level line is a hazard ratio of 1.

    In the link ``{value}`` becomes the marker's value.
    """
    if result.reason:
        return refused(result.reason, simulated=result.simulated)
    unit = f" ({result.marker_unit})" if result.marker_unit else ""
    drawn = Drawing(f"{result.marker}{unit}", "Hazard ratio (log scale)", simulated=result.simulated)
    x = result.grid.tolist()
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    drawn.trace("scatter", x=x, y=result.high.tolist(), **edge)
    drawn.trace(
        "scatter", x=x, y=result.low.tolist(), fill="tonexty", fillcolor=translucent(ACCENT, 0.15), **edge
    )
    drawn.trace(
        "scatter",
        x=x,
        y=result.ratio.tolist(),
        mode="lines",
        line={"color": ACCENT, "width": 2},
        customdata=[
            [link_template.replace("{value}", repr(v)), f"{ONE.value(v)}: HR {printed(ratio, 2)}"]
            for v, ratio in zip(x, result.ratio.tolist(), strict=True)
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    drawn.trace(
        "scatter",
        x=[x[0], x[-1]],
        y=[1, 1],
        mode="lines",
        line={"color": NEUTRAL, "width": 1},
        hoverinfo="skip",
    )
    for knot in result.knots:
        drawn.upright(knot, colour=NEUTRAL)
    drawn.logarithmic("yaxis", float(result.low.min()), float(result.high.max()))
    return drawn
