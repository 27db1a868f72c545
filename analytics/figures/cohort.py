"""The flow of patients from sites over cohorts to their purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, GROUPS, NEUTRAL, WARNING, translucent


@dataclass(frozen=True)
class Flow:
    """``number`` patients who go from one box to another; ``link`` leads to them."""

    source: str
    target: str
    number: int
    link: str = ""
    excluded: bool = False


def patient_flow(
    flows: Sequence[Flow], *, labels: dict[str, str], box_links: dict[str, str], simulated: bool = False
) -> Drawing:
    """Boxes joined by bands as wide as their number of patients; exclusions leave in another colour.

    labels : box → text · box_links : box → link
    """
    if not flows:
        return refused("there is no patient", simulated=simulated)
    boxes = list(dict.fromkeys([name for f in flows for name in (f.source, f.target)]))
    place = {name: i for i, name in enumerate(boxes)}
    leaving = {f.target for f in flows if f.excluded}
    drawn = Drawing("", "", simulated=simulated, height=max(420, 34 * len(boxes)))
    drawn.trace(
        "sankey",
        arrangement="snap",
        node={
            "label": [labels.get(name, name) for name in boxes],
            "color": [WARNING if name in leaving else GROUPS[0] for name in boxes],
            "pad": 14,
            "thickness": 14,
            "line": {"width": 0},
            "customdata": [[box_links.get(name, ""), labels.get(name, name)] for name in boxes],
            "hovertemplate": "%{customdata[1]}: %{value:,} patients<extra></extra>",
        },
        link={
            "source": [place[f.source] for f in flows],
            "target": [place[f.target] for f in flows],
            "value": [f.number for f in flows],
            "color": [translucent(WARNING if f.excluded else ACCENT, 0.35) for f in flows],
            "customdata": [[f.link, f"{f.number:,} patients"] for f in flows],
            "hovertemplate": "%{customdata[1]}<extra></extra>",
        },
        textfont={"color": NEUTRAL},
    )
    drawn.layout["xaxis"] = drawn.layout["yaxis"] = {"visible": False}
    return drawn
