"""What is taken away from a page: tables of figures, grids and cases, each row marked with freeze, lock state and simulation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils import timezone

from analytics import __version__
from analytics.code_version import code_version
from plaquelab.dashboards.answers import Document
from plaquelab.dashboards.asking import Asked
from plaquelab.freezes.models import DatasetFreeze

Table = tuple[list[str], list[list[Any]]]
MARKS = ("freeze", "lock state", "data")


def lock_state(freeze: DatasetFreeze) -> str:
    """Whether investigators were given it."""
    return "released" if freeze.state == DatasetFreeze.State.RELEASED else "frozen, NOT released"


def watermark(asked: Asked) -> str:
    """One line for pictures: study, freeze, hash, lock state, simulation."""
    parts = [
        f"{asked.study.title}: freeze {asked.row.number}, {lock_state(asked.row)}",
        f"SHA-256 {asked.row.hash[:16]}",
        "simulated data" if asked.freeze.simulated else "",
        "research use only",
    ]
    return " · ".join(part for part in parts if part)


def marks(asked: Asked) -> list[str]:
    """The last cells of every exported row."""
    data = "simulated" if asked.freeze.simulated else "study"
    return [asked.row.hash[:16], lock_state(asked.row), data]


def marked(asked: Asked, table: Table) -> Table:
    """A table with the marks behind each row."""
    headings, rows = table
    behind = marks(asked)
    return [*headings, *MARKS], [[*row, *behind] for row in rows]


def provenance(asked: Asked) -> dict[str, Any]:
    """Where exported numbers come from."""
    return {
        "study": asked.study.title,
        "freeze": asked.row.number,
        "freeze_hash": asked.row.hash,
        "lock_state": lock_state(asked.row),
        "simulated": asked.freeze.simulated,
        "question": asked.question.key,
        "parameters": dict(asked.address.parameters),
        "exported": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}",
        "analytics_version": __version__,
        "analytics_code_version": code_version(),
        "use": "research use only",
    }


def figure_table(figure: Document) -> Table:
    """A figure's points, cells, bars and steps: series, x, y, value where there is one, and the label."""
    rows: list[list[Any]] = []
    for number, trace in enumerate(json.loads(figure["drawing"])["data"], start=1):
        if trace.get("hoverinfo") == "skip" and not trace.get("name"):
            continue  # lines of identity and the like carry no data
        name = str(trace.get("name") or f"{trace['type']} {number}")
        rows += [[name, *row] for row in _trace(trace)]
    return ["series", "x", "y", "value", "label"], rows


def _trace(trace: dict[str, Any]) -> Iterator[list[Any]]:
    x, y, z = (_values(trace.get(axis)) for axis in ("x", "y", "z"))
    custom = _values(trace.get("customdata"))
    if z and isinstance(z[0], list):
        for i, line in enumerate(z):
            for j, value in enumerate(line):
                yield [_at(x, j), _at(y, i), value, _label(_at(_at(custom, i), j))]
        return
    text = trace.get("text")
    for i in range(max(len(x), len(y))):
        shown = _label(_at(custom, i)) or (_at(text, i) if isinstance(text, list) else None)
        yield [_at(x, i), _at(y, i), _at(z, i), shown]


def _values(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _at(values: Any, index: int) -> Any:
    return (
        values[index]
        if isinstance(values, Sequence) and not isinstance(values, str) and index < len(values)
        else None
    )


def _label(custom: Any) -> Any:
    return custom[1] if isinstance(custom, list) and len(custom) > 1 else None


def grid_table(grid: Document) -> Table:
    """A grid as printed."""
    return list(grid["headings"]), [[cell["text"] for cell in row] for row in grid["rows"]]
