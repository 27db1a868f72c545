"""Figures of the lab at work: indices of readers, learning curves, control charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, GROUPS, NEUTRAL, WARNING
from analytics.monitoring.control_chart import ControlChart
from analytics.monitoring.disagreement import ReaderDisagreement
from analytics.monitoring.learning import LearningCurve
from analytics.rounding import percent

MOST_READS = 2_000  # more points hide one another


@draw.register
def reader_indices(result: ReaderDisagreement, *, links: Sequence[str] = ()) -> Drawing:
    """Reader Disagreement Index of each reader with its exact interval; readers who stand out are marked."""
    if result.estimate is None:
        return refused(result.reason or "", simulated=result.simulated)
    rows = result.readers
    drawn = Drawing(
        "Reader Disagreement Index (%)", "", simulated=result.simulated, height=130 + 42 * len(rows)
    )
    targets = list(links) or [""] * len(rows)
    drawn.trace(
        "scatter",
        x=[100 * r.index for r in rows],
        y=[r.reader for r in rows],
        mode="markers",
        marker={"size": 10, "color": [WARNING if r.stands_out else ACCENT for r in rows]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [100 * (r.interval.high - r.index) for r in rows],
            "arrayminus": [100 * (r.index - r.interval.low) for r in rows],
            "color": NEUTRAL,
        },
        customdata=[
            [target, f"{r.overruled} of {r.cases} ({percent(r.index)} %)"]
            for target, r in zip(targets, rows, strict=True)
        ],
        hovertemplate="%{y}: %{customdata[1]}<extra></extra>",
    )
    drawn.layout["yaxis"] |= {"type": "category", "autorange": "reversed"}
    drawn.layout["xaxis"]["rangemode"] = "tozero"
    return drawn


@draw.register
def learning(result: LearningCurve, *, links: Sequence[str] = ()) -> Drawing:
    """Time per case against the number of the read; above some thousands every k-th read is drawn."""
    if result.estimate is None or result.slope is None:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = Drawing("Number of the read", f"Time per case ({result.time_unit})", simulated=result.simulated)
    step = max(1, -(-len(result.order) // MOST_READS))
    for i, reader in enumerate(result.readers):
        colour = GROUPS[(i + 1) % len(GROUPS)]
        rows = np.flatnonzero(result.reader == i)[::step]
        drawn.trace(
            "scatter",
            x=result.order[rows].tolist(),
            y=np.round(result.minutes[rows], 2).tolist(),
            mode="markers",
            name=reader,
            marker={"size": 5, "color": colour, "opacity": 0.55},
            customdata=[[links[int(result.kept[r])] if links else "", reader] for r in rows],
            hovertemplate="%{customdata[1]}, read %{x}: %{y:.1f}<extra></extra>",
        )
        end = float(result.order[result.reader == i].max())
        x = np.unique(np.round(np.geomspace(1, max(end, 2), 60), 2))
        drawn.trace(
            "scatter",
            x=x.tolist(),
            y=np.round(result.levels[i] * np.exp(result.slope * np.log2(x)), 3).tolist(),
            mode="lines",
            line={"color": colour, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
    if step > 1:
        drawn.note(f"every {step}th read is drawn", x=0, y=1.02, xanchor="left", yanchor="bottom")
    drawn.layout["showlegend"] = True
    drawn.layout["yaxis"]["rangemode"] = "tozero"
    return drawn


@draw.register
def control_chart(result: ControlChart, *, links: Sequence[str] = ()) -> Drawing:
    """Points in order of time, centre line, stepped limits; alarms are ringed."""
    if result.estimate is None:
        return refused(result.reason or "", simulated=result.simulated)
    scale, unit = (100.0, "%") if result.kind == "p" else (1.0, result.value_unit)
    short = result.what.split(" per ")[0]
    drawn = Drawing(
        result.period.capitalize(),
        f"{short} ({unit})" if unit else short,
        simulated=result.simulated,
        height=300,
    )
    names = [p.name for p in result.periods]
    targets = list(links) or [""] * len(names)
    drawn.trace(
        "scatter",
        x=names,
        y=[scale * result.estimate] * len(names),
        mode="lines",
        line={"color": NEUTRAL, "width": 1},
        hoverinfo="skip",
    )
    for side in ("low", "high"):
        values = [getattr(p, side) for p in result.periods]
        drawn.trace(
            "scatter",
            x=names,
            y=[None if v is None else scale * v for v in values],
            mode="lines",
            line={"color": WARNING, "width": 1, "dash": "dash", "shape": "hvh"},
            hoverinfo="skip",
        )
    style: dict[str, Any] = {"size": [12 if p.alarm else 7 for p in result.periods]}
    style["color"] = [WARNING if p.alarm else ACCENT for p in result.periods]
    drawn.trace(
        "scatter",
        x=names,
        y=[None if p.value is None else round(scale * p.value, 4) for p in result.periods],
        mode="lines+markers",
        line={"color": ACCENT, "width": 1},
        marker=style,
        customdata=[
            [t, f"n = {p.n:,}{f', {p.alarm}' if p.alarm else ''}"]
            for t, p in zip(targets, result.periods, strict=True)
        ],
        hovertemplate=result.period + " %{x}: %{y:.2f}, %{customdata[1]}<extra></extra>",
    )
    drawn.layout["xaxis"] |= {"type": "category", "nticks": 12, "tickangle": 0}
    return drawn
