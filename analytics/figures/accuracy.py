"""ROC curve and proportions with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from analytics.figures.style import ACCENT, NEUTRAL, WARNING, figure, refused
from analytics.rounding import half_up

if TYPE_CHECKING:
    from analytics.accuracy.roc import Roc
    from analytics.accuracy.two_by_two import TwoByTwo


def roc_curve(result: Roc, *, link_template: str = "") -> go.Figure:
    """Sensitivity against 1 − specificity; every vertex is a cut-off, Youden's is marked."""
    if result.estimate is None:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = figure(x_title="1 − specificity", y_title="Sensitivity", simulated=result.simulated)
    drawn.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": NEUTRAL, "width": 1, "dash": "dot"}, hoverinfo="skip"
    )
    kept = corners(1 - result.specificity, result.sensitivity)
    cut_offs = result.thresholds[kept]
    drawn.add_scatter(
        x=[*np.round(1 - result.specificity[kept], 5).tolist(), 0.0],
        y=[*np.round(result.sensitivity[kept], 5).tolist(), 0.0],
        mode="lines+markers",
        line={"color": ACCENT, "width": 2},
        marker={"size": 4, "color": ACCENT},
        customdata=[
            *[
                [link_template.replace("{threshold}", repr(float(t))), f"≥ {half_up(float(t), 1)}"]
                for t in cut_offs
            ],
            ["", "nobody positive"],
        ],
        hovertemplate="%{customdata[1]}<br>sensitivity %{y:.3f}, 1 − specificity %{x:.3f}<extra></extra>",
    )
    if result.youden is not None:
        cut = result.youden.cut_offs[0]
        drawn.add_scatter(
            x=[1 - result.youden.specificity],
            y=[result.youden.sensitivity],
            mode="markers",
            marker={"size": 11, "color": WARNING, "symbol": "circle-open", "line": {"width": 2}},
            customdata=[[link_template.replace("{threshold}", repr(cut)), f"Youden ≥ {half_up(cut, 1)}"]],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    drawn.update_xaxes(range=[-0.01, 1.01])
    drawn.update_yaxes(range=[-0.01, 1.02])
    return drawn


def corners(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Indices of a step curve's vertices: points on a straight horizontal or vertical run are left out."""
    if len(x) < 3:
        return np.arange(len(x))
    flat = ((x[1:-1] == x[:-2]) & (x[1:-1] == x[2:])) | ((y[1:-1] == y[:-2]) & (y[1:-1] == y[2:]))
    return np.concatenate([[0], np.flatnonzero(~flat) + 1, [len(x) - 1]])


def proportions(result: TwoByTwo) -> go.Figure:
    """The five proportions with their intervals, in per cent."""
    drawn = figure(x_title="Per cent", y_title="", simulated=result.simulated, height=280)
    for title, value in reversed(result.measures()):
        if value.estimate is None:
            continue
        limits = value.interval
        drawn.add_scatter(
            x=[100 * value.estimate],
            y=[title],
            mode="markers",
            marker={"size": 9, "color": ACCENT},
            error_x=None
            if limits is None
            else {
                "type": "data",
                "symmetric": False,
                "array": [100 * (limits.high - value.estimate)],
                "arrayminus": [100 * (value.estimate - limits.low)],
                "color": ACCENT,
            },
            customdata=[["", value.printed()]],
            hovertemplate="%{y}: %{customdata[1]}<extra></extra>",
        )
    drawn.update_xaxes(range=[-2, 102])
    return drawn
