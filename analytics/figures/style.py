"""One quiet look for all figures: colours, type and margins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

ACCENT = "#2a9d8f"
NEUTRAL = "#6c757d"
FAINT = "#ced4da"
WARNING = "#e76f51"
GROUPS = (NEUTRAL, ACCENT, "#457b9d", "#e9c46a")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def translucent(colour: str, opacity: float) -> str:
    """A ``#rrggbb`` colour as ``rgba()``."""
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({r},{g},{b},{opacity})"


def figure(*, x_title: str, y_title: str, simulated: bool = False, height: int = 420) -> go.Figure:
    """An empty figure in the house style; transparent, so that the page's light or dark shows through."""
    result = go.Figure()
    axis: dict[str, Any] = {
        "gridcolor": translucent(NEUTRAL, 0.18),
        "zerolinecolor": translucent(NEUTRAL, 0.35),
        "linecolor": translucent(NEUTRAL, 0.5),
        "ticks": "outside",
        "tickcolor": translucent(NEUTRAL, 0.5),
        "automargin": True,
    }
    result.update_layout(
        template=None,
        height=height,
        margin={"l": 60, "r": 20, "t": 24, "b": 50},
        font={"family": FONT, "size": 13, "color": NEUTRAL},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest",
        showlegend=False,
        xaxis=axis | {"title": {"text": x_title}},
        yaxis=axis | {"title": {"text": y_title}},
    )
    if simulated:
        result.add_annotation(
            text="Simulated data",
            xref="paper",
            yref="paper",
            x=1,
            y=1.02,
            xanchor="right",
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": WARNING},
        )
    return result


def custom(labels: Sequence[str], links: Sequence[str], n: int) -> list[list[str]]:
    """``[link, label]`` of n points; missing ones are empty."""
    texts = list(labels) or [""] * n
    targets = list(links) or [""] * n
    if len(texts) != n or len(targets) != n:
        raise ValueError(f"{n} points need {n} labels and links, not {len(texts)} and {len(targets)}")
    return [[target, text] for target, text in zip(targets, texts, strict=True)]


def refused(reason: str, *, simulated: bool = False) -> go.Figure:
    """A figure that says why there is none."""
    result = figure(x_title="", y_title="", simulated=simulated, height=220)
    result.update_xaxes(visible=False)
    result.update_yaxes(visible=False)
    result.add_annotation(
        text=f"Not estimable: {reason}", xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False
    )
    return result
