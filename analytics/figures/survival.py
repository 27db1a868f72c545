"""Cumulative incidence with bands and number at risk, and the forest plot of hazard ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, refused
from analytics.figures.estimates import EstimateRow, estimates
from analytics.figures.style import ACCENT, GROUPS, NEUTRAL, translucent
from analytics.figures.thinning import thinned
from analytics.rounding import half_up
from analytics.survival.hazard_over_time import HazardOverTime
from analytics.survival.hazard_ratio import Cox
from analytics.survival.kaplan_meier import CumulativeIncidence, Curve
from analytics.survival.restricted_mean import RestrictedMeans


@draw.register
def incidence(result: CumulativeIncidence, *, link_template: str = "") -> Drawing:
    """Steps per group with log-log bands; the number at risk stands below the axis.

    In the link template ``{group}`` becomes the group's number and ``{time}`` the step's time.
    """
    if not result.curves:
        return refused(result.reason or "", simulated=result.simulated)
    groups = len(result.curves)
    title = "Cumulative incidence (%)"
    drawn = Drawing(f"Time ({result.time_unit})", title, simulated=result.simulated, height=430 + 22 * groups)
    end = max(float(c.follow_up[-1]) for c in result.curves)
    ticks = list(range(math.floor(end) + 1)) if end < 15 else [round(end * i / 6) for i in range(7)]
    for number, curve in enumerate(result.curves):
        _steps(drawn, number, curve, end, link_template)
        # Below the axis title, in pixels, so that rows keep their distance whatever the figure's height.
        colour, row = GROUPS[number % len(GROUPS)], {"y": 0, "yshift": -62 - 18 * number}
        drawn.note(curve.name, x=0, xshift=-24, xanchor="right", colour=colour, **row)
        for tick in ticks:
            drawn.note(f"{curve.at_risk_at(tick):,}", x=tick, xref="x", colour=colour, **row)
    drawn.layout["xaxis"] |= {
        "range": [0, end],
        "tickvals": ticks,
        "title": {"text": f"Time ({result.time_unit})", "standoff": 4},
    }
    drawn.layout["yaxis"]["rangemode"] = "tozero"
    drawn.layout["margin"] |= {"l": 130, "b": 70 + 22 * groups}
    drawn.note("At risk", x=0, xshift=-24, y=0, yshift=-44, xanchor="right")
    drawn.layout |= {"showlegend": True, "legend": {"x": 0.02, "y": 0.98, "bgcolor": "rgba(0,0,0,0)"}}
    return drawn


def _steps(drawn: Drawing, number: int, curve: Curve, end: float, link_template: str) -> None:
    colour = GROUPS[number % len(GROUPS)]
    times = [0.0, *curve.times[thinned(len(curve.times))].tolist()]
    if times[-1] < end:
        times.append(float(curve.follow_up[-1]))
    values, low, high, customdata = [], [], [], []
    for t in times:
        value, interval = curve.incidence_at(t)
        values.append(round(100 * value, 5))
        low.append(round(100 * (interval.low if interval else value), 5))
        high.append(round(100 * (interval.high if interval else value), 5))
        link = link_template.replace("{group}", str(number)).replace("{time}", repr(float(t)))
        customdata.append([link, f"{curve.name}: {curve.at_risk_at(t):,} at risk"])
    edge = {"mode": "lines", "line": {"shape": "hv", "width": 0}, "hoverinfo": "skip", "showlegend": False}
    drawn.trace("scatter", x=times, y=high, **edge)
    drawn.trace("scatter", x=times, y=low, fill="tonexty", fillcolor=translucent(colour, 0.15), **edge)
    drawn.trace(
        "scatter",
        x=times,
        y=values,
        mode="lines+markers",
        line={"shape": "hv", "color": colour, "width": 2},
        marker={"size": 5, "color": colour},
        name=curve.name,
        customdata=customdata,
        hovertemplate="%{customdata[1]}<br>%{x:.2f}: %{y:.2f} %<extra></extra>",
    )


@draw.register
def model(result: Cox) -> Drawing:
    """Forest plot of one model's hazard ratios."""
    return forest((("", result),))


def forest(models: Sequence[tuple[str, Cox]]) -> Drawing:
    """Hazard ratios of one or several models with Wald intervals on a log axis; names prefix the covariates."""
    simulated = any(model.simulated for _, model in models)
    height = 150 + 38 * sum(len(model.terms) for _, model in models)
    drawn = Drawing("Hazard ratio (log scale)", "", simulated=simulated, height=height)
    drawn.upright(1, colour=NEUTRAL)
    rows: list[str] = []
    for number, (prefix, model) in enumerate(models):
        colour = (ACCENT, NEUTRAL)[number % 2]
        for term in model.terms:
            name = f"{prefix}{term.covariate}"
            rows.append(name)
            if term.estimate is None or term.interval is None:
                text = [f"not estimable: {term.reason}"]
                drawn.trace("scatter", x=[1], y=[name], mode="text", text=text, hoverinfo="skip")
                continue
            drawn.trace(
                "scatter",
                x=[term.estimate],
                y=[name],
                mode="markers",
                marker={"size": 9, "color": colour, "symbol": "square"},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [term.interval.high - term.estimate],
                    "arrayminus": [term.estimate - term.interval.low],
                    "color": colour,
                },
                customdata=[["", term.printed()]],
                hovertemplate="%{y}: %{customdata[1]}<extra></extra>",
            )
    ends = [e for _, model in models for term in model.terms for e in (term.interval or ())]
    drawn.logarithmic("xaxis", min(ends, default=0.5), max(ends, default=2.0))
    drawn.layout["yaxis"] |= {"type": "category", "categoryorder": "array", "categoryarray": rows[::-1]}
    return drawn


@draw.register
def hazard_over_time(result: HazardOverTime, *, links: Sequence[str] = ()) -> Drawing:
    """Scaled Schoenfeld residuals against time with their smooth; each point is one event."""
    if result.reason or result.coefficient is None:
        return refused(result.reason or "", simulated=result.simulated)
    title = f"β(t) of {result.covariate}"
    drawn = Drawing(f"Time ({result.time_unit})", title, simulated=result.simulated)
    x = result.grid.tolist()
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    drawn.trace("scatter", x=x, y=(result.smooth + result.half_width).tolist(), **edge)
    low = (result.smooth - result.half_width).tolist()
    drawn.trace("scatter", x=x, y=low, fill="tonexty", fillcolor=translucent(ACCENT, 0.15), **edge)
    line = {"color": ACCENT, "width": 2}
    drawn.trace("scatter", x=x, y=result.smooth.tolist(), mode="lines", line=line, hoverinfo="skip")
    targets = list(links) or [""] * len(result.times)
    drawn.trace(
        "scatter",
        x=result.times.tolist(),
        y=np.round(result.residuals, 4).tolist(),
        mode="markers",
        marker={"size": 6, "color": NEUTRAL, "opacity": 0.7},
        customdata=[[target, ""] for target in targets],
        hovertemplate="%{x:.2f}: %{y:.2f}<extra></extra>",
    )
    across = {"xref": "paper", "x0": 0, "x1": 1, "y0": result.coefficient, "y1": result.coefficient}
    drawn.layout["shapes"].append(
        {"type": "line", **across, "line": {"color": NEUTRAL, "width": 1, "dash": "dash"}}
    )
    return drawn


@draw.register
def restricted_means(result: RestrictedMeans) -> Drawing:
    """Every group's restricted mean."""
    if result.reason:
        return refused(result.reason, simulated=result.simulated)
    rows = [EstimateRow(g.group, g.estimate, g.interval) for g in result.groups]
    title = f"Event-free {result.time_unit} up to {half_up(result.tau, 1)}"
    return estimates(rows, title, simulated=result.simulated)
