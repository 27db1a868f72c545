"""ROC curve and proportions with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.locked import LockedCutOff
from analytics.accuracy.predictive import PredictiveValues
from analytics.accuracy.roc import Roc
from analytics.accuracy.two_by_two import TwoByTwo
from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, NEUTRAL, WARNING, translucent
from analytics.figures.thinning import thinned
from analytics.rounding import half_up


@draw.register
def roc_curve(result: Roc, *, link_template: str = "") -> Drawing:
    """Sensitivity against 1 − specificity; every vertex is a cut-off, Youden's is marked."""
    if result.estimate is None:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = Drawing("1 − specificity", "Sensitivity", simulated=result.simulated)
    drawn.diagonal(0, 1)
    vertices = corners(1 - result.specificity, result.sensitivity)
    kept = vertices[thinned(len(vertices))]

    def point(cut_off: float, name: str) -> list[str]:
        return [link_template.replace("{threshold}", repr(cut_off)), f"{name}≥ {half_up(cut_off, 1)}"]

    drawn.trace(
        "scatter",
        x=[*np.round(1 - result.specificity[kept], 5).tolist(), 0.0],
        y=[*np.round(result.sensitivity[kept], 5).tolist(), 0.0],
        mode="lines+markers",
        line={"color": ACCENT, "width": 2},
        marker={"size": 4, "color": ACCENT},
        customdata=[*[point(t, "") for t in result.thresholds[kept].tolist()], ["", "nobody positive"]],
        hovertemplate="%{customdata[1]}<br>sensitivity %{y:.3f}, 1 − specificity %{x:.3f}<extra></extra>",
    )
    if result.youden is not None:
        drawn.trace(
            "scatter",
            x=[1 - result.youden.specificity],
            y=[result.youden.sensitivity],
            mode="markers",
            marker={"size": 11, "color": WARNING, "symbol": "circle-open", "line": {"width": 2}},
            customdata=[point(result.youden.cut_offs[0], "Youden ")],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    drawn.layout["xaxis"]["range"] = [-0.01, 1.01]
    drawn.layout["yaxis"]["range"] = [-0.01, 1.02]
    return drawn


def corners(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of a step curve's vertices: points inside a straight horizontal or vertical run are left out."""
    if len(x) < 3:
        return np.arange(len(x))
    flat = ((x[1:-1] == x[:-2]) & (x[1:-1] == x[2:])) | ((y[1:-1] == y[:-2]) & (y[1:-1] == y[2:]))
    return np.concatenate([[0], np.flatnonzero(~flat) + 1, [len(x) - 1]])


@draw.register
def proportions(result: TwoByTwo) -> Drawing:
    """The five proportions with their intervals, in per cent."""
    drawn = Drawing("Per cent", "", simulated=result.simulated, height=280)
    for title, value in reversed(result.measures()):
        if value.estimate is None:
            continue
        whiskers: dict[str, Any] = {}
        if value.interval is not None:
            above, below = value.interval.high - value.estimate, value.estimate - value.interval.low
            whiskers["error_x"] = {
                "type": "data",
                "symmetric": False,
                "array": [100 * above],
                "arrayminus": [100 * below],
                "color": ACCENT,
            }
        drawn.trace(
            "scatter",
            x=[100 * value.estimate],
            y=[title],
            mode="markers",
            marker={"size": 9, "color": ACCENT},
            customdata=[["", value.printed()]],
            hovertemplate="%{y}: %{customdata[1]}<extra></extra>",
            **whiskers,
        )
    drawn.layout["xaxis"]["range"] = [-2, 102]
    drawn.layout["yaxis"]["type"] = "category"
    return drawn


@draw.register
def locked(result: LockedCutOff) -> Drawing:
    """The proportions on the second cohort."""
    return proportions(result.accuracy)


@draw.register
def predictive_curves(result: PredictiveValues) -> Drawing:
    """Both predictive values against prevalence, in per cent, with the bands of their intervals."""
    drawn = Drawing("Prevalence (%)", "Predictive value (%)", simulated=result.simulated)
    for name, values, colour in (("positive", result.ppv, ACCENT), ("negative", result.npv, NEUTRAL)):
        shown = [v for v in values if v.estimate is not None]
        x = [100 * v.prevalence for v in shown]
        bands = [v.interval for v in shown]
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        with_band = [(p, b) for p, b in zip(x, bands, strict=True) if b is not None]
        where = [p for p, _ in with_band]
        drawn.trace("scatter", x=where, y=[100 * b.high for _, b in with_band], **edge)
        low = [100 * b.low for _, b in with_band]
        drawn.trace("scatter", x=where, y=low, fill="tonexty", fillcolor=translucent(colour, 0.15), **edge)
        drawn.trace(
            "scatter",
            x=x,
            y=[100 * (v.estimate or 0) for v in shown],
            mode="lines+markers",
            line={"color": colour, "width": 2},
            name=name,
            customdata=[["", v.sentence()] for v in shown],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    drawn.layout["showlegend"] = True
    drawn.layout["yaxis"]["range"] = [-2, 102]
    return drawn
