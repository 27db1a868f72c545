"""Cumulative incidence with bands and number at risk, and the forest plot of hazard ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from analytics.figures.style import ACCENT, GROUPS, NEUTRAL, figure, refused, translucent

if TYPE_CHECKING:
    from analytics.survival.cox import Cox
    from analytics.survival.kaplan_meier import CumulativeIncidence, Curve


def incidence(result: CumulativeIncidence, *, link_template: str = "") -> go.Figure:
    """Steps per group with log-log bands; the number at risk stands below the axis.

    In the link template ``{group}`` becomes the group's number and ``{time}`` the step's time.
    """
    if not result.curves:
        return refused(result.reason or "", simulated=result.simulated)
    groups = len(result.curves)
    drawn = figure(
        x_title=f"Time ({result.time_unit})",
        y_title=f"Cumulative incidence of {result.outcome} (%)",
        simulated=result.simulated,
        height=430 + 22 * groups,
    )
    end = max(float(c.follow_up[-1]) for c in result.curves)
    for number, curve in enumerate(result.curves):
        _group(drawn, number, curve, end, link_template)
    ticks = list(range(math.floor(end) + 1)) if end < 15 else [round(end * i / 6) for i in range(7)]
    for number, curve in enumerate(result.curves):
        y = -0.2 - 0.065 * number
        colour = GROUPS[number % len(GROUPS)]
        drawn.add_annotation(
            text=curve.name,
            xref="paper",
            x=-0.01,
            y=y,
            yref="paper",
            xanchor="right",
            showarrow=False,
            font={"size": 11, "color": colour},
        )
        for tick in ticks:
            drawn.add_annotation(
                text=f"{curve.at_risk_at(tick):,}",
                x=tick,
                xref="x",
                y=y,
                yref="paper",
                showarrow=False,
                font={"size": 11, "color": colour},
            )
    drawn.update_xaxes(range=[0, end], tickvals=ticks)
    drawn.update_yaxes(rangemode="tozero")
    drawn.update_layout(
        margin={"l": 130, "b": 70 + 26 * groups},
        showlegend=True,
        legend={"x": 0.02, "y": 0.98, "bgcolor": "rgba(0,0,0,0)"},
    )
    return drawn


def _group(drawn: go.Figure, number: int, curve: Curve, end: float, link_template: str) -> None:
    colour = GROUPS[number % len(GROUPS)]
    times = [0.0, *curve.times.tolist()]
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
    shape = {"shape": "hv", "color": colour}
    drawn.add_scatter(
        x=times, y=high, mode="lines", line=shape | {"width": 0}, hoverinfo="skip", showlegend=False
    )
    drawn.add_scatter(
        x=times,
        y=low,
        mode="lines",
        line=shape | {"width": 0},
        fill="tonexty",
        fillcolor=translucent(colour, 0.15),
        hoverinfo="skip",
        showlegend=False,
    )
    drawn.add_scatter(
        x=times,
        y=values,
        mode="lines+markers",
        line=shape | {"width": 2},
        marker={"size": 5, "color": colour},
        name=curve.name,
        customdata=customdata,
        hovertemplate="%{customdata[1]}<br>%{x:.2f}: %{y:.2f} %<extra></extra>",
    )


def forest(models: Sequence[tuple[str, Cox]]) -> go.Figure:
    """Hazard ratios of one or several models with Wald intervals on a log axis; names prefix the covariates."""
    drawn = figure(
        x_title="Hazard ratio (log scale)", y_title="", height=150 + 38 * sum(len(m.terms) for _, m in models)
    )
    drawn.add_vline(x=1, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    rows: list[str] = []
    for number, (prefix, model) in enumerate(models):
        colour = (ACCENT, NEUTRAL)[number % 2]
        for term in model.terms:
            name = f"{prefix}{term.covariate}"
            rows.append(name)
            if term.estimate is None or term.interval is None:
                drawn.add_scatter(
                    x=[1], y=[name], mode="text", text=[f"not estimable: {term.reason}"], hoverinfo="skip"
                )
                continue
            drawn.add_scatter(
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
    drawn.update_xaxes(type="log", dtick="D2" if rows else None)
    drawn.update_yaxes(type="category", categoryorder="array", categoryarray=rows[::-1])
    if any(model.simulated for _, model in models):
        drawn.add_annotation(
            text="Simulated data",
            xref="paper",
            yref="paper",
            x=1,
            y=1.02,
            xanchor="right",
            yanchor="bottom",
            showarrow=False,
        )
    return drawn
