"""Scatter, Bland–Altman plot and category matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from analytics.figures.style import ACCENT, FAINT, NEUTRAL, WARNING, custom, figure, refused, translucent
from analytics.rounding import half_up

if TYPE_CHECKING:
    from analytics.agreement.bland_altman import BlandAltman
    from analytics.agreement.icc import Icc
    from analytics.agreement.kappa import Kappa
    from analytics.result import Interval

MARKER = {"size": 7, "color": ACCENT, "opacity": 0.65, "line": {"width": 0.5, "color": "white"}}


def scatter(
    result: Icc, *, labels: Sequence[str] = (), links: Sequence[str] = (), value_unit: str = ""
) -> go.Figure:
    """Second read against the first, with the line of identity."""
    ratings = result.ratings
    if ratings.ndim != 2 or not len(ratings) or ratings.shape[1] < 2:
        return refused(result.reason or "no complete pair of reads", simulated=result.simulated)
    unit = f" ({value_unit})" if value_unit else ""
    drawn = figure(
        x_title=f"{result.raters[0]}{unit}", y_title=f"{result.raters[1]}{unit}", simulated=result.simulated
    )
    low, high = float(min(0.0, ratings.min())), float(ratings.max()) * 1.03
    drawn.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    drawn.add_trace(
        _points(ratings[:, 0], ratings[:, 1], custom(labels, links, len(ratings)), "%{x:.1f}, %{y:.1f}")
    )
    return drawn


def bland_altman_plot(
    result: BlandAltman, *, labels: Sequence[str] = (), links: Sequence[str] = ()
) -> go.Figure:
    """Difference against mean with bias, limits and the bands of their intervals."""
    if result.estimate is None:
        return refused(result.reason or "", simulated=result.simulated)
    unit = f" ({result.value_unit})" if result.value_unit else ""
    first, second = result.names
    drawn = figure(
        x_title=f"Mean of {first} and {second}{unit}",
        y_title=f"{second} − {first}{unit}",
        simulated=result.simulated,
    )
    mean = (result.first + result.second) / 2
    _level(drawn, result.estimate, ACCENT, "bias", result.cluster_interval or result.interval)
    if result.lower is not None and result.upper is not None:
        _level(drawn, result.lower, WARNING, "−1.96 SD", result.lower_interval)
        _level(drawn, result.upper, WARNING, "+1.96 SD", result.upper_interval)
    drawn.add_trace(
        _points(
            mean,
            result.second - result.first,
            custom(labels, links, len(mean)),
            "mean %{x:.1f}, difference %{y:.1f}",
        )
    )
    return drawn


def _points(x: np.ndarray, y: np.ndarray, customdata: list[list[str]], text: str) -> go.Scatter:
    # SVG up to a few thousand points: WebGL contexts are scarce and the small plotly bundle has none.
    return go.Scatter(
        x=np.round(x, 3).tolist(),
        y=np.round(y, 3).tolist(),
        mode="markers",
        marker=MARKER,
        customdata=customdata,
        hovertemplate="%{customdata[1]}<br>" + text + "<extra></extra>",
    )


def _level(drawn: go.Figure, value: float, colour: str, name: str, interval: Interval | None) -> None:
    if interval is not None:
        drawn.add_hrect(
            y0=interval.low,
            y1=interval.high,
            fillcolor=translucent(colour, 0.12),
            line_width=0,
            layer="below",
        )
    drawn.add_hline(
        y=value,
        line={"color": colour, "width": 1.5, "dash": "solid" if name == "bias" else "dash"},
        annotation_text=f"{name} {half_up(value, 1)}",
        annotation_position="top right",
        annotation_font={"size": 11, "color": colour},
    )


def category_matrix(result: Kappa, *, links: Sequence[Sequence[str]] = ()) -> go.Figure:
    """Counts of first read (rows) against second (columns) as a heat map; cells hold their count."""
    if result.n == 0:
        return refused(result.reason or "", simulated=result.simulated)
    levels = [str(level) for level in result.levels]
    q = len(levels)
    drawn = figure(x_title=result.names[1], y_title=result.names[0], simulated=result.simulated)
    customdata = [
        [
            [links[i][j] if links else "", f"{result.names[0]} {levels[i]}, {result.names[1]} {levels[j]}"]
            for j in range(q)
        ]
        for i in range(q)
    ]
    drawn.add_heatmap(
        z=result.matrix.tolist(),
        x=levels,
        y=levels,
        customdata=customdata,
        text=[[str(v) if v else "" for v in row] for row in result.matrix.tolist()],
        texttemplate="%{text}",
        colorscale=[[0, translucent(FAINT, 0.15)], [1, ACCENT]],
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{customdata[1]}: %{z}<extra></extra>",
    )
    drawn.update_xaxes(type="category", showgrid=False)
    drawn.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return drawn
