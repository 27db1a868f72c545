"""The flow of patients from sites over cohorts to their purpose, drawn from filled curves and markers.

Pages carry plotly's cartesian part only, which has no Sankey diagram; bands here are filled curves, and each box and
band has a marker that can be clicked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, GROUPS, NEUTRAL, WARNING, translucent

GAP = 0.03  # of the figure's height, between two boxes
BOX_WIDTH = 0.05  # of the distance between two columns
ALONG = 0.8
"""Where on a band its marker lies: near its end, where the boxes' names do not reach."""
CURVE = np.linspace(0, 1, 25)


@dataclass(frozen=True)
class Flow:
    """``number`` patients who go from one box to another; ``link`` leads to them."""

    source: str
    target: str
    number: int
    link: str = ""
    excluded: bool = False


def patient_flow(
    flows: Sequence[Flow],
    *,
    columns: Sequence[Sequence[str]],
    labels: Mapping[str, str],
    box_links: Mapping[str, str],
    simulated: bool = False,
) -> Drawing:
    """Boxes joined by bands as wide as their number of patients; exclusions leave in another colour.

    columns : boxes of each column from top to bottom · labels : box → text · box_links : box → link
    """
    if not flows:
        return refused("there is no patient", simulated=simulated)
    most = max(len(column) for column in columns)
    drawn = Drawing("", "", simulated=simulated, height=max(460, 46 * most))
    size = {box: _through(flows, box) for column in columns for box in column}
    total = max(sum(size[box] for box in column) for column in columns)
    scale = (1 - GAP * (most - 1)) / max(total, 1)
    bottom, x = {}, {}
    for i, column in enumerate(columns):
        free = 1 - sum(scale * size[box] for box in column)
        gap, at = free / max(len(column) - 1, 1) if len(column) > 1 else 0.0, 1.0
        if len(column) == 1:
            at = 1 - free / 2
        for box in column:
            at -= scale * size[box]
            bottom[box], x[box] = at, float(i)
            at -= gap
    leaving, entering = ({box: bottom[box] + scale * size[box] for box in bottom} for _ in range(2))
    for flow in flows:
        height = scale * flow.number
        leaving[flow.source] -= height
        entering[flow.target] -= height
        _band(drawn, flow, x, leaving[flow.source], entering[flow.target], height)
    excluded = {flow.target for flow in flows if flow.excluded}
    for box, low in bottom.items():
        _box(drawn, x[box], low, scale * size[box], WARNING if box in excluded else GROUPS[0])
    _markers(drawn, flows, x, bottom, size, scale, labels, box_links)
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    drawn.layout["xaxis"] = {**hidden, "range": [-0.05, len(columns) - 1 + 1.35]}
    drawn.layout["yaxis"] = {**hidden, "range": [-0.02, 1.04]}
    return drawn


def _through(flows: Sequence[Flow], box: str) -> int:
    return max(
        sum(f.number for f in flows if f.source == box), sum(f.number for f in flows if f.target == box)
    )


def _band(
    drawn: Drawing, flow: Flow, x: Mapping[str, float], left: float, right: float, height: float
) -> None:
    smooth = 3 * CURVE**2 - 2 * CURVE**3
    across = x[flow.source] + BOX_WIDTH + (x[flow.target] - x[flow.source] - BOX_WIDTH) * CURVE
    lower = left + (right - left) * smooth
    drawn.trace(
        "scatter",
        x=np.round(np.concatenate([across, across[::-1]]), 4).tolist(),
        y=np.round(np.concatenate([lower, (lower + height)[::-1]]), 4).tolist(),
        mode="lines",
        fill="toself",
        fillcolor=translucent(WARNING if flow.excluded else ACCENT, 0.3),
        line={"width": 0},
        hoverinfo="skip",
    )


def _box(drawn: Drawing, x: float, low: float, height: float, colour: str) -> None:
    place = {"x0": x, "x1": x + BOX_WIDTH, "y0": low, "y1": low + height}
    drawn.layout["shapes"].append({"type": "rect", **place, "fillcolor": colour, "line": {"width": 0}})


def _markers(
    drawn: Drawing,
    flows: Sequence[Flow],
    x: Mapping[str, float],
    bottom: Mapping[str, float],
    size: Mapping[str, int],
    scale: float,
    labels: Mapping[str, str],
    box_links: Mapping[str, str],
) -> None:
    """A marker with text for every box, and one on every band."""
    boxes = list(bottom)
    excluded = {flow.target for flow in flows if flow.excluded}
    drawn.trace(
        "scatter",
        name="boxes",
        x=[x[b] + BOX_WIDTH for b in boxes],
        y=[round(bottom[b] + scale * size[b] / 2, 4) for b in boxes],
        mode="markers+text",
        text=[f" {labels.get(b, b)} ({size[b]:,})" for b in boxes],
        textposition="middle right",
        textfont={"size": 12},
        marker={"size": 7, "color": [WARNING if b in excluded else NEUTRAL for b in boxes]},
        customdata=[[box_links.get(b, ""), f"{labels.get(b, b)}: {size[b]:,} patients"] for b in boxes],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    leaving, entering = ({box: bottom[box] + scale * size[box] for box in bottom} for _ in range(2))
    middle = []
    for flow in flows:
        height = scale * flow.number
        leaving[flow.source] -= height
        entering[flow.target] -= height
        low = leaving[flow.source] + (entering[flow.target] - leaving[flow.source]) * (
            3 * ALONG**2 - 2 * ALONG**3
        )
        middle.append(round(low + height / 2, 4))
    drawn.trace(
        "scatter",
        name="bands",
        x=[
            round(x[f.source] + BOX_WIDTH + ALONG * (x[f.target] - x[f.source] - BOX_WIDTH), 4) for f in flows
        ],
        y=middle,
        mode="markers",
        marker={"size": 8, "color": [WARNING if f.excluded else ACCENT for f in flows], "opacity": 0.6},
        customdata=[
            [
                f.link,
                f"{labels.get(f.source, f.source)} → {labels.get(f.target, f.target)}: {f.number:,} patients",
            ]
            for f in flows
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
