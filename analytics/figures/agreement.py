"""Scatter, Bland–Altman plot and category matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analytics.figures.drawing import Drawing, custom, refused
from analytics.figures.style import ACCENT, FAINT, WARNING, translucent

if TYPE_CHECKING:
    from analytics.agreement.bland_altman import BlandAltman
    from analytics.agreement.icc import Icc
    from analytics.agreement.kappa import Kappa

MARKER = {"size": 7, "color": ACCENT, "opacity": 0.65, "line": {"width": 0.5, "color": "white"}}


def scatter(
    result: Icc, *, labels: Sequence[str] = (), links: Sequence[str] = (), value_unit: str = ""
) -> Drawing:
    """Second read against the first, with the line of identity."""
    ratings = result.ratings
    if ratings.ndim != 2 or not len(ratings) or ratings.shape[1] < 2:
        return refused(result.reason or "no complete pair of reads", simulated=result.simulated)
    unit = f" ({value_unit})" if value_unit else ""
    drawn = Drawing(f"{result.raters[0]}{unit}", f"{result.raters[1]}{unit}", simulated=result.simulated)
    drawn.diagonal(float(min(0.0, ratings.min())), float(ratings.max()) * 1.03)
    points(drawn, ratings[:, 0], ratings[:, 1], custom(labels, links, len(ratings)), "%{x:.1f}, %{y:.1f}")
    return drawn


def bland_altman_plot(
    result: BlandAltman, *, labels: Sequence[str] = (), links: Sequence[str] = ()
) -> Drawing:
    """Difference against mean with bias, limits and the bands of their intervals."""
    if result.estimate is None:
        return refused(result.reason or "", simulated=result.simulated)
    unit = f" ({result.value_unit})" if result.value_unit else ""
    first, second = result.names
    drawn = Drawing(
        f"Mean of {first} and {second}{unit}", f"{second} − {first}{unit}", simulated=result.simulated
    )
    mean = (result.first + result.second) / 2
    interval = result.cluster_interval or result.interval
    drawn.level(result.estimate, name="bias", colour=ACCENT, dash="solid", interval=interval)
    if result.lower is not None and result.upper is not None:
        limits = (
            (result.lower, "−1.96 SD", result.lower_interval),
            (result.upper, "+1.96 SD", result.upper_interval),
        )
        for value, name, band in limits:
            drawn.level(value, name=name, colour=WARNING, dash="dash", interval=band)
    shown = [*(result.second - result.first).tolist(), result.estimate]
    shown += [limit for limit in (result.lower, result.upper) if limit is not None]
    for band in (result.lower_interval, result.upper_interval):
        shown += [] if band is None else [band.low, band.high]
    low, high = min(shown), max(shown)
    margin = 0.06 * (high - low) or 1.0
    drawn.layout["yaxis"]["range"] = [low - margin, high + margin]
    hover = "mean %{x:.1f}, difference %{y:.1f}"
    points(drawn, mean, result.second - result.first, custom(labels, links, len(mean)), hover)
    return drawn


def points(drawn: Drawing, x: np.ndarray, y: np.ndarray, customdata: list[list[str]], text: str) -> None:
    """Add a cloud of points; ``customdata`` holds link and label of each."""
    # SVG: WebGL contexts are few, and a page may hold several figures.
    drawn.trace(
        "scatter",
        x=np.round(x, 3).tolist(),
        y=np.round(y, 3).tolist(),
        mode="markers",
        marker=MARKER,
        customdata=customdata,
        hovertemplate="%{customdata[1]}<br>" + text + "<extra></extra>",
    )


def category_matrix(result: Kappa, *, links: Sequence[Sequence[str]] = ()) -> Drawing:
    """Counts of first read (rows) against second (columns) as a heat map; cells hold their count."""
    if result.n == 0:
        return refused(result.reason or "", simulated=result.simulated)
    levels = [str(level) for level in result.levels]
    first, second = result.names
    counts = result.matrix.tolist()
    drawn = Drawing(second, first, simulated=result.simulated)
    drawn.trace(
        "heatmap",
        z=counts,
        x=levels,
        y=levels,
        customdata=[
            [[links[i][j] if links else "", f"{first} {a}, {second} {b}"] for j, b in enumerate(levels)]
            for i, a in enumerate(levels)
        ],
        text=[[str(v) if v else "" for v in row] for row in counts],
        texttemplate="%{text}",
        colorscale=[[0, translucent(FAINT, 0.15)], [1, ACCENT]],
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{customdata[1]}: %{z}<extra></extra>",
    )
    drawn.layout["xaxis"] |= {"type": "category", "showgrid": False}
    drawn.layout["yaxis"] |= {"type": "category", "showgrid": False, "autorange": "reversed"}
    return drawn
