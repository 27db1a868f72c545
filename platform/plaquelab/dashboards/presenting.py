"""How figures and grids are laid out on a page; nothing here changes a number."""

from __future__ import annotations

import json
import re
from typing import Any

from analytics.rounding import minus, typeset
from plaquelab.dashboards.answers import Document
from plaquelab.dashboards.asking import Asked

NUMBER = re.compile(r"[−+-]?\d|[–<>≥≤] ?\d|–$|p [=<]|$")
LONG_LABEL = 26
DENSE_COLUMNS = 9
"""A grid of this many columns or more is set smaller, its first column stays in sight."""


def shown_grid(asked: Asked, grid: Document) -> Document:
    """A grid whose cells know their address and side; a dash refers to the reason, which stands below the table."""
    footnotes: list[str] = []
    numeric = [
        bool(grid["rows"]) and all(NUMBER.match(row[column]["text"]) for row in grid["rows"])
        for column in range(len(grid["headings"]))
    ]

    def shown(cell: dict[str, Any], is_number: bool) -> dict[str, Any]:
        link, title = cell.get("link"), cell.get("title", "")
        extra: dict[str, Any] = {"number": is_number}
        if link:
            extra["query"] = asked.address.selecting(link)
        if cell["text"] == "–" and title:
            why = typeset(title)
            if why not in footnotes:
                footnotes.append(why)
            extra["note"] = footnotes.index(why) + 1
        return {**cell, **extra, "text": minus(cell["text"])}

    rows = [
        [shown(cell, is_number) for cell, is_number in zip(row, numeric, strict=True)] for row in grid["rows"]
    ]
    headings = [
        {"text": text, "number": is_number} for text, is_number in zip(grid["headings"], numeric, strict=True)
    ]
    return {
        **grid,
        "rows": rows,
        "headings": headings,
        "footnotes": footnotes,
        "dense": len(headings) >= DENSE_COLUMNS,
    }


def is_wide(figure: Document) -> bool:
    """Whether a figure needs the page's whole width: its lines carry long names."""
    drawing = json.loads(figure["drawing"])
    names = list(drawing["layout"].get("yaxis", {}).get("ticktext") or [])
    for trace in drawing["data"]:
        names += [y for y in trace.get("y") or [] if isinstance(y, str)]
    return any(len(re.sub(r"<[^>]+>", "", str(name))) > LONG_LABEL for name in names)
