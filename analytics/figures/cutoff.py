"""Sensitivity and specificity over all cut-offs, and the statistic of a search over cut-offs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.cutoff import CutOff
from analytics.accuracy.maximally_selected import MaximallySelected
from analytics.figures.decimals import ONE, Decimals
from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, NEUTRAL, WARNING, translucent
from analytics.rounding import printed

MOST_POINTS = 2_000
"""A figure is about a thousand pixels wide: more points cannot be told apart."""
SHOWN_SHARE = 0.9
"""The axis ends at this quantile of the marker: nine tenths of lognormal plaque volumes lie in the first twentieth of their range."""


@draw.register
def cut_off_plot(result: CutOff, *, link_template: str = "", decimals: Decimals = ONE) -> Drawing:
    """Both rates against the cut-off; the chosen one with the band of its interval. ``{threshold}`` in the link."""
    if result.estimate is None:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = Drawing(f"Cut-off of {result.marker}", "Proportion", simulated=result.simulated)
    shown = _rounded(len(result.thresholds))
    for name, values, colour in (
        ("sensitivity", result.sensitivity, ACCENT),
        ("specificity", result.specificity, NEUTRAL),
    ):
        drawn.trace(
            "scatter",
            x=result.thresholds[shown].tolist(),
            y=np.round(values[shown], 5).tolist(),
            mode="lines",
            line={"color": colour, "width": 2},
            name=name,
            customdata=[
                [
                    link_template.replace("{threshold}", repr(t)),
                    f"≥ {decimals.value(t)}: {name} {printed(v, 3)}",
                ]
                for t, v in zip(result.thresholds[shown].tolist(), values[shown].tolist(), strict=True)
            ],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    drawn.upright(result.estimate, colour=WARNING)
    if result.interval is not None:
        band = {"x0": result.interval.low, "x1": result.interval.high, "yref": "paper", "y0": 0, "y1": 1}
        look = {"fillcolor": translucent(WARNING, 0.12), "line": {"width": 0}, "layer": "below"}
        drawn.layout["shapes"].append({"type": "rect", "xref": "x", **band, **look})
    drawn.layout |= {"showlegend": True, "legend": {"x": 0.98, "y": 0.5, "xanchor": "right"}}
    drawn.layout["yaxis"]["range"] = [-0.01, 1.02]
    # The far tail of a skewed marker would press everything against the axis; one may zoom out.
    low, high = float(result.thresholds.min()), float(np.quantile(result.thresholds, SHOWN_SHARE))
    high = max(high, 1.5 * result.estimate, low + 1e-9)
    drawn.layout["xaxis"]["range"] = [low, min(high, float(result.thresholds.max()))]
    return drawn


@draw.register
def maximally_selected_plot(result: MaximallySelected) -> Drawing:
    """The absolute standardised statistic against the cut-off."""
    if result.estimate is None or result.at_least is None:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = Drawing("Cut-off (positive = this or more)", "|statistic|", simulated=result.simulated)
    shown = _rounded(len(result.cut_offs))
    drawn.trace(
        "scatter",
        x=result.cut_offs[shown].tolist(),
        y=np.round(np.abs(result.statistics[shown]), 5).tolist(),
        mode="lines+markers",
        line={"color": ACCENT, "width": 1.5},
        marker={"size": 4, "color": ACCENT},
        customdata=[
            ["", f"≥ {ONE.value(c)}: {printed(abs(v), 2)}"]
            for c, v in zip(result.cut_offs[shown].tolist(), result.statistics[shown].tolist(), strict=True)
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    drawn.upright(result.at_least, colour=WARNING)
    return drawn


def _rounded(n: int) -> NDArray[np.int64]:
    """Indices of at most 2,000 points, ends kept."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(np.int64))
