"""A figure in plotly's JSON: traces and layout as plain values, in the house style."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analytics.figures.style import FONT, NEUTRAL, WARNING, translucent
from analytics.result import Interval
from analytics.rounding import half_up, minus

REFUSAL_WIDTH = 44
"""Characters of a line of the reason, so that it fits into half a page."""
WIDE_DECADES = 2.5
"""A logarithmic axis over more decades than this has ticks at powers of ten only."""


@dataclass
class Drawing:
    """Traces (``data``) and ``layout``. The background is transparent: the page's light or dark shows through."""

    x_title: str
    y_title: str
    simulated: bool = False
    height: int = 420
    data: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        axis: dict[str, Any] = {
            "gridcolor": translucent(NEUTRAL, 0.18),
            "zerolinecolor": translucent(NEUTRAL, 0.35),
            "linecolor": translucent(NEUTRAL, 0.5),
            "ticks": "outside",
            "tickcolor": translucent(NEUTRAL, 0.5),
            "automargin": True,
        }
        self.layout = {
            "height": self.height,
            "margin": {"l": 60, "r": 20, "t": 24, "b": 50},
            "font": {"family": FONT, "size": 13, "color": NEUTRAL},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "hovermode": "closest",
            "showlegend": False,
            "xaxis": axis | {"title": {"text": self.x_title}},
            "yaxis": axis | {"title": {"text": self.y_title}},
            "annotations": [],
            "shapes": [],
        }
        if self.simulated:
            self.note(
                "Simulated data", x=1, y=1.02, xanchor="right", yanchor="bottom", colour=WARNING, size=12
            )

    def trace(self, kind: str, **values: Any) -> None:
        """Add a trace of a plotly type."""
        self.data.append({"type": kind, **values})

    def note(self, text: str, *, x: float, y: float, colour: str = "", size: int = 11, **values: Any) -> None:
        """Add text at paper coordinates (or at those of ``xref``, ``yref``), in the page's ink unless a colour is given."""
        font = {"size": size} | ({"color": colour} if colour else {})
        place = {"xref": "paper", "yref": "paper", "x": x, "y": y}
        self.layout["annotations"].append({"text": text, **place, "showarrow": False, "font": font, **values})

    def level(self, value: float, *, name: str, colour: str, dash: str, interval: Interval | None) -> None:
        """A horizontal line across the figure with its name, and the band of its interval."""
        across = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y"}
        if interval is not None:
            band = {"y0": interval.low, "y1": interval.high, "fillcolor": translucent(colour, 0.12)}
            self.layout["shapes"].append(
                {"type": "rect", **across, **band, "line": {"width": 0}, "layer": "below"}
            )
        line = {"color": colour, "width": 1.5, "dash": dash}
        self.layout["shapes"].append({"type": "line", **across, "y0": value, "y1": value, "line": line})
        text = f"{name} {minus(half_up(value, 1))}"
        self.note(text, x=1, y=value, yref="y", xanchor="right", yanchor="bottom", colour=colour)

    def upright(self, value: float, *, colour: str) -> None:
        """A vertical dotted line."""
        line = {"color": colour, "width": 1, "dash": "dot"}
        place = {"xref": "x", "x0": value, "x1": value, "yref": "paper", "y0": 0, "y1": 1}
        self.layout["shapes"].append({"type": "line", **place, "line": line})

    def diagonal(self, low: float, high: float) -> None:
        """The line of identity."""
        line = {"color": NEUTRAL, "width": 1, "dash": "dot"}
        self.trace("scatter", x=[low, high], y=[low, high], mode="lines", line=line, hoverinfo="skip")

    def logarithmic(self, axis: str, low: float, high: float) -> None:
        """Make ``xaxis`` or ``yaxis`` logarithmic, with ticks printed in full: 1, 2, 5, or powers of ten over a wide range."""
        low, high = max(low, 1e-9), max(high, 1e-9)
        wide = math.log10(high / low) > WIDE_DECADES
        decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
        values = [step * 10.0**decade for decade in decades for step in ((1,) if wide else (1, 2, 5))]
        ticks = {"tickvals": values, "ticktext": [f"{value:g}" for value in values]}
        self.layout[axis] |= {"type": "log", **ticks}

    def lead(self, links: Mapping[str, str]) -> Drawing:
        """Let each row of a category axis lead to its cases: name of the row → link. Returns the drawing."""
        for trace in self.data:
            names, custom_data = trace.get("y"), trace.get("customdata")
            if isinstance(names, list) and len(names) == 1 and custom_data and names[0] in links:
                trace["customdata"] = [[links[names[0]], *custom_data[0][1:]]]
        return self

    def to_dict(self) -> dict[str, Any]:
        """``{"data": …, "layout": …}``: plain values without NaN."""
        return {"data": self.data, "layout": self.layout}

    def to_figure(self) -> Any:
        """The same as a ``plotly.graph_objects.Figure``."""
        import plotly.graph_objects as go  # noqa: PLC0415 - pages send JSON and never load plotly

        return go.Figure(self.to_dict())


def custom(labels: Sequence[str], links: Sequence[str], n: int) -> list[list[str]]:
    """``[link, label]`` of n points; missing ones are empty."""
    texts = list(labels) or [""] * n
    targets = list(links) or [""] * n
    if len(texts) != n or len(targets) != n:
        raise ValueError(f"{n} points need {n} labels and links, not {len(texts)} and {len(targets)}")
    return [[target, text] for target, text in zip(targets, texts, strict=True)]


def refused(reason: str, *, simulated: bool = False) -> Drawing:
    """A figure that says why there is none."""
    drawn = Drawing("", "", simulated=simulated, height=220)
    drawn.layout["xaxis"] = drawn.layout["yaxis"] = {"visible": False}
    words = "<br>".join(textwrap.wrap(f"Not estimable: {reason}", REFUSAL_WIDTH))
    drawn.note(words, x=0.5, y=0.5, size=13)
    return drawn
