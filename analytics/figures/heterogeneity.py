"""Forest plots: a pooled effect over sites, hazard ratios over subgroups."""

from __future__ import annotations

import math
from urllib.parse import quote

from analytics.distributions import normal_quantile
from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, NEUTRAL
from analytics.heterogeneity.pooling import Pooled
from analytics.heterogeneity.subgroups import Subgroups
from analytics.rounding import half_up, p_value

Z = normal_quantile(0.975)


def _point(
    drawn: Drawing, name: str, value: float, low: float, high: float, text: str, *, pooled: bool
) -> None:
    colour = ACCENT if pooled else NEUTRAL
    drawn.trace(
        "scatter",
        x=[value],
        y=[name],
        mode="markers",
        marker={"size": 11 if pooled else 8, "color": colour, "symbol": "diamond" if pooled else "square"},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - value],
            "arrayminus": [value - low],
            "color": colour,
        },
        customdata=[["", text]],
        hovertemplate="%{y}: %{customdata[1]}<extra></extra>",
    )


@draw.register
def pooled_forest(result: Pooled) -> Drawing:
    """Every site with its Wald interval, the pooled effect as a diamond, the prediction interval as a row."""
    if result.estimate is None or result.interval is None:
        return refused(result.reason or "", simulated=result.simulated)

    rows = [
        (name, y, y - Z * math.sqrt(v), y + Z * math.sqrt(v))
        for name, y, v in zip(result.names, result.effects, result.variances, strict=True)
    ]
    # What it is a ratio of stands in the caption: the axis has no room for it.
    title = (
        result.effect.removeprefix("log ").split(" of ")[0].capitalize()
        if result.ratio
        else result.effect.capitalize()
    )
    title += " (log scale)" if result.ratio else ""
    drawn = Drawing(title, "", simulated=result.simulated, height=190 + 34 * len(rows))
    drawn.upright(result.read(0), colour=NEUTRAL)
    rows.append(("pooled", result.estimate, *result.interval))
    if result.prediction is not None:
        rows.append(("prediction", result.estimate, *result.prediction))
    for name, *numbers in rows:
        value, low, high = (result.read(v) for v in numbers)
        text = f"{half_up(value, 2)} ({half_up(low, 2)} to {half_up(high, 2)})"
        _point(drawn, name, value, low, high, text, pooled=name == "pooled")
    if result.ratio:
        ends = [result.read(v) for _, *numbers in rows for v in numbers]
        drawn.logarithmic("xaxis", min(ends), max(ends))
    drawn.layout["yaxis"] |= {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": [r[0] for r in rows][::-1],
    }
    return drawn


@draw.register
def subgroup_forest(result: Subgroups, *, link_template: str = "") -> Drawing:
    """Hazard ratios by level on a log axis; the interaction's p stands beside each subgrouping.

    In the link ``{by}`` and ``{level}`` become the subgroup and its level.
    """
    entries = [("all", "all", result.overall.terms[0], True)]
    links: dict[str, str] = {}
    for s in result.subgroupings:
        test = f" (interaction {p_value(s.interaction.p)})" if s.interaction else ""
        for i, level in enumerate(s.levels):
            label = f"{s.name}: {level.name}" + (test if i == 0 else "")
            entries.append((s.name, label, level.ratio, False))
            links[label] = link_template.replace("{by}", quote(s.name)).replace("{level}", quote(level.name))
    drawn = Drawing(
        "Hazard ratio (log scale)", "", simulated=result.simulated, height=170 + 34 * len(entries)
    )
    drawn.upright(1, colour=NEUTRAL)
    for _, label, ratio, everybody in entries:
        if ratio.estimate is None or ratio.interval is None:
            drawn.trace(
                "scatter",
                x=[1],
                y=[label],
                mode="text",
                text=[f"not estimable: {ratio.reason}"],
                hoverinfo="skip",
            )
            continue
        low, high = ratio.interval
        _point(drawn, label, ratio.estimate, low, high, ratio.printed(), pooled=everybody)
    ends = [e for _, _, ratio, _ in entries for e in (ratio.interval or ())]
    drawn.logarithmic("xaxis", min(ends, default=0.5), max(ends, default=2.0))
    drawn.layout["yaxis"] |= {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": [e[1] for e in entries][::-1],
    }
    return drawn.lead(links) if link_template else drawn
