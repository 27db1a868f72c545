"""Scatter, Bland–Altman plot and category matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analytics.agreement.bland_altman import BlandAltman
from analytics.agreement.icc import Icc
from analytics.agreement.kappa import Kappa
from analytics.figures.decimals import ONE, Decimals
from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, custom, refused
from analytics.figures.style import ACCENT, FAINT, WARNING, translucent

MARKER = {"size": 7, "color": ACCENT, "opacity": 0.65, "line": {"width": 0.5, "color": "white"}}


@draw.register
def scatter(
    result: Icc,
    *,
    labels: Sequence[str] = (),
    links: Sequence[str] = (),
    value_unit: str = "",
    bins: str = "",
    decimals: Decimals = ONE,
) -> Drawing:
    """Second read against the first, with the line of identity; ``bins`` as in :func:`points`."""
    ratings = result.ratings
    if ratings.ndim != 2 or not len(ratings) or ratings.shape[1] < 2:
        return refused(result.reason or "no complete pair of reads", simulated=result.simulated)
    unit = f" ({value_unit})" if value_unit else ""
    drawn = Drawing(f"{result.raters[0]}{unit}", f"{result.raters[1]}{unit}", simulated=result.simulated)
    drawn.diagonal(float(min(0.0, ratings.min())), float(ratings.max()) * 1.03)
    points(drawn, ratings[:, 0], ratings[:, 1], labels, links, both_values(decimals), bins=bins)
    return drawn


@draw.register
def bland_altman_plot(
    result: BlandAltman,
    *,
    labels: Sequence[str] = (),
    links: Sequence[str] = (),
    bins: str = "",
    decimals: Decimals = ONE,
) -> Drawing:
    """Difference against mean with bias, limits and the bands of their intervals; ``bins`` as in :func:`points`."""
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
    difference = result.second - result.first
    shown = [float(difference.min()), float(difference.max()), result.estimate]
    shown += [limit for limit in (result.lower, result.upper) if limit is not None]
    for band in (result.lower_interval, result.upper_interval):
        shown += [] if band is None else [band.low, band.high]
    low, high = min(shown), max(shown)
    margin = 0.06 * (high - low) or 1.0
    drawn.layout["yaxis"]["range"] = [low - margin, high + margin]
    points(drawn, mean, difference, labels, links, mean_and_difference(decimals), bins=bins)
    return drawn


Told = Callable[[float, float], str]
"""What stands beside a point one points at, from its x and y in full precision."""


def both_values(decimals: Decimals) -> Told:
    """Of two reads: ``49.9, 51.2``."""
    return lambda x, y: f"{decimals.value(x)}, {decimals.value(y)}"


def mean_and_difference(decimals: Decimals) -> Told:
    """Of a mean and a difference: ``mean 49.9, difference −1.2``."""
    return lambda x, y: f"mean {decimals.value(x)}, difference {decimals.difference(y)}"


MOST_POINTS = 3_000  # beyond, a page with two such figures is slow to draw and its points hide one another
BINS = 60  # cells of about 8 pixels in half a page


def points(
    drawn: Drawing,
    x: np.ndarray,
    y: np.ndarray,
    labels: Sequence[str],
    links: Sequence[str],
    told: Told,
    *,
    bins: str = "",
) -> None:
    """Add a cloud of points; each has its link, its label and what is ``told`` of it.

    With ``bins`` and more than ``MOST_POINTS`` points, only the filled cells of a grid over them are drawn, by how
    many they hold; ``bins`` is the cells' link, in which ``{x0}``, ``{x1}``, ``{y0}`` and ``{y1}`` become the limits.
    """
    if bins and len(x) > MOST_POINTS:
        _density(drawn, x, y, bins, told)
        return
    customdata = [
        [*point, told(first, second)]
        for point, first, second in zip(custom(labels, links, len(x)), x.tolist(), y.tolist(), strict=True)
    ]
    # SVG: WebGL contexts are few, and a page may hold several figures.
    drawn.trace(
        "scatter",
        x=np.round(x, 3).tolist(),
        y=np.round(y, 3).tolist(),
        mode="markers",
        marker=MARKER,
        customdata=customdata,
        hovertemplate="%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )


def _density(drawn: Drawing, x: np.ndarray, y: np.ndarray, link: str, told: Told) -> None:
    """Filled cells of a grid, coloured by the logarithm of their count."""
    edges = [np.linspace(v.min(), v.max() or v.min() + 1.0, BINS + 1) for v in (x, y)]
    places = [
        np.clip(np.searchsorted(edge, v, side="right") - 1, 0, BINS - 1)
        for edge, v in zip(edges, (x, y), strict=True)
    ]
    counts = np.bincount(places[0] * BINS + places[1], minlength=BINS * BINS)
    filled = np.flatnonzero(counts)
    columns, rows = filled // BINS, filled % BINS
    customdata = []
    for column, row, number in zip(columns.tolist(), rows.tolist(), counts[filled].tolist(), strict=True):
        limits = (edges[0][column], edges[0][column + 1], edges[1][row], edges[1][row + 1])
        target = link
        for name, value in zip(("x0", "x1", "y0", "y1"), limits, strict=True):
            target = target.replace("{" + name + "}", repr(float(value)))
        middle = told((limits[0] + limits[1]) / 2, (limits[2] + limits[3]) / 2)
        customdata.append([target, f"{number:,} points", middle])
    drawn.trace(
        "scatter",
        x=np.round((edges[0][columns] + edges[0][columns + 1]) / 2, 3).tolist(),
        y=np.round((edges[1][rows] + edges[1][rows + 1]) / 2, 3).tolist(),
        mode="markers",
        marker={
            "symbol": "square",
            "size": 6,
            "color": np.round(np.log10(counts[filled]), 3).tolist(),
            "colorscale": [[0, translucent(ACCENT, 0.25)], [0.5, ACCENT], [1, WARNING]],
        },
        customdata=customdata,
        hovertemplate="%{customdata[1]} around %{customdata[2]}<extra></extra>",
    )
    drawn.note(
        f"{len(x):,} points, drawn as {len(filled):,} cells by number",
        x=0,
        y=1.02,
        xanchor="left",
        yanchor="bottom",
    )


@draw.register
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
