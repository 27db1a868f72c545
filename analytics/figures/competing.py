"""Cumulative incidence with competing events: steps with bands, a colour a group, a dash a cause."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import GROUPS, translucent
from analytics.figures.thinning import thinned
from analytics.survival.competing import CauseCurve, CompetingIncidence

NO_GROUPS: Mapping[str, str] = MappingProxyType({})
DASHES = ("solid", "dash", "dot")


@draw.register
def competing_incidence(
    result: CompetingIncidence, *, link_template: str = "", groups: Mapping[str, str] = NO_GROUPS
) -> Drawing:
    """Every cause and group; the first cause has its log-log bands.

    In the link ``{group}`` becomes the group's entry in ``groups``, ``{cause}`` and ``{time}`` those of the step.
    """
    if not result.curves:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = Drawing(
        f"Time ({result.time_unit})", "Cumulative incidence (%)", simulated=result.simulated, height=440
    )
    names = sorted({curve.name for curve in result.curves})  # as in the incidence of one cause
    end = max(float(curve.follow_up[-1]) for curve in result.curves)
    for curve in result.curves:
        outcome = result.outcomes[curve.cause - 1]
        label = outcome if curve.name == "all" else f"{outcome}, {curve.name}"
        link = link_template.replace("{group}", groups.get(curve.name, "")).replace(
            "{cause}", str(curve.cause)
        )
        _steps(drawn, curve, end, GROUPS[names.index(curve.name) % len(GROUPS)], label, link)
    drawn.layout["xaxis"]["range"] = [0, end]
    drawn.layout["yaxis"]["rangemode"] = "tozero"
    drawn.layout |= {"showlegend": True, "legend": {"x": 0.02, "y": 0.98, "bgcolor": "rgba(0,0,0,0)"}}
    return drawn


def _steps(drawn: Drawing, curve: CauseCurve, end: float, colour: str, label: str, link: str) -> None:
    times = [0.0, *curve.times[thinned(len(curve.times))].tolist(), end]
    points = [curve.incidence_at(t) for t in times]
    if curve.cause == 1:
        edge = {
            "mode": "lines",
            "line": {"shape": "hv", "width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        high = [round(100 * (limits.high if limits else value), 5) for value, limits in points]
        low = [round(100 * (limits.low if limits else value), 5) for value, limits in points]
        drawn.trace("scatter", x=times, y=high, **edge)
        drawn.trace("scatter", x=times, y=low, fill="tonexty", fillcolor=translucent(colour, 0.15), **edge)
    drawn.trace(
        "scatter",
        x=times,
        y=[round(100 * value, 5) for value, _ in points],
        mode="lines",
        line={"shape": "hv", "color": colour, "width": 2, "dash": DASHES[(curve.cause - 1) % len(DASHES)]},
        name=label,
        customdata=[
            [link.replace("{time}", repr(float(t))), f"{label}: {curve.at_risk_at(t):,} at risk"]
            for t in times
        ],
        hovertemplate="%{customdata[1]}<br>%{x:.2f}: %{y:.2f} %<extra></extra>",
    )
