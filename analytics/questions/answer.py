"""What a question returns: figures and grids whose every part leads to its cases, and the results behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analytics import __version__
from analytics.code_version import code_version
from analytics.figures.drawing import Drawing
from analytics.result import Interval, Result, plain
from analytics.rounding import count, half_up

SIMULATED = "Simulated data."
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def _addressable(name: str) -> None:
    """Figures and grids have addresses of their own."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot stand in an address")


@dataclass(frozen=True)
class Cell:
    """A cell of a grid: ``text`` as printed (rounded once), ``value`` in full, ``link`` to its cases."""

    text: str
    value: float | str | None = None
    link: str = ""
    title: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON form, without what is empty."""
        content: dict[str, Any] = {"text": self.text}
        if self.value is not None:
            content["value"] = self.value
        return content | {k: v for k, v in (("link", self.link), ("title", self.title)) if v}


@dataclass(frozen=True)
class Grid:
    """A table as shown: headings, rows of cells, and what stands below it."""

    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        _addressable(self.name)
        for row in self.rows:
            if len(row) != len(self.headings):
                raise ValueError(f"grid {self.name}: {len(row)} cells under {len(self.headings)} headings")

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "name": self.name,
            "title": self.title,
            "headings": list(self.headings),
            "rows": [[cell.to_dict() for cell in row] for row in self.rows],
            "caption": self.caption,
        }


@dataclass(frozen=True)
class Figure:
    """A drawing with its title and caption (form, n, clusters, method)."""

    name: str
    title: str
    drawing: Drawing
    caption: str

    def __post_init__(self) -> None:
        _addressable(self.name)

    def to_dict(self) -> dict[str, Any]:
        """JSON form: plotly's data and layout beside title and caption."""
        return {"name": self.name, "title": self.title, "caption": self.caption, **self.drawing.to_dict()}


@dataclass(frozen=True)
class Part:
    """What one section of a question gives."""

    figures: tuple[Figure, ...] = ()
    grids: tuple[Grid, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict)


def joined(parts: Iterable[Part]) -> Part:
    """Several parts as one, in their order."""
    figures: tuple[Figure, ...] = ()
    grids: tuple[Grid, ...] = ()
    results: dict[str, Any] = {}
    for part in parts:
        figures, grids, results = figures + part.figures, grids + part.grids, results | dict(part.results)
    return Part(figures, grids, results)


@dataclass(frozen=True)
class Answer:
    """The answer to one question.

    results : name → result object (or a mapping of them), everything that was estimated
    notes : what a reader must know first: what was left out, what is shown apart, warnings
    """

    question: str
    title: str
    parameters: Mapping[str, Any]
    freeze: str
    simulated: bool
    figures: tuple[Figure, ...] = ()
    grids: tuple[Grid, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.simulated:  # every caption says so, also those that no single result wrote
            marked = tuple(
                f if f.caption.startswith(SIMULATED) else replace(f, caption=f"{SIMULATED} {f.caption}")
                for f in self.figures
            )
            object.__setattr__(self, "figures", marked)

    def numbers(self) -> dict[str, Any]:
        """Every number as JSON, with form, n, drops, method, version and the freeze's hash."""
        return {
            "question": self.question,
            "parameters": dict(self.parameters),
            "freeze": self.freeze,
            "simulated": self.simulated,
            "version": __version__,
            "code_version": code_version(),
            "notes": list(self.notes),
            "results": plain(self.results),
        }

    def to_dict(self) -> dict[str, Any]:
        """Numbers, figures and grids as JSON."""
        return self.numbers() | {
            "title": self.title,
            "figures": [figure.to_dict() for figure in self.figures],
            "grids": [grid.to_dict() for grid in self.grids],
        }

    def figure(self, name: str) -> Figure:
        """The figure of that name. Raises KeyError when there is none."""
        return next((f for f in self.figures if f.name == name), None) or _missing(name)

    def grid(self, name: str) -> Grid:
        """The grid of that name. Raises KeyError when there is none."""
        return next((g for g in self.grids if g.name == name), None) or _missing(name)


def _missing(name: str) -> Any:
    raise KeyError(name)


def estimate_cell(result: Result, digits: int, *, link: str = "", scale: float = 1.0) -> Cell:
    """An estimate as printed; a dash with the reason as title where there is none."""
    if result.estimate is None:
        return Cell("–", None, link, f"not estimable: {result.reason}")
    return Cell(half_up(scale * result.estimate, digits), result.estimate, link, result.method)


def interval_cell(interval: Interval | None, digits: int, *, scale: float = 1.0) -> Cell:
    """Both limits as printed; a dash where there is no interval."""
    if interval is None:
        return Cell("–")
    scaled = Interval(scale * interval.low, scale * interval.high, interval.method, interval.level)
    return Cell(scaled.text(digits), None, "", interval.method)


def number_cell(value: float | None, digits: int = 1, *, link: str = "", title: str = "") -> Cell:
    """A number as printed; a dash for None and NaN."""
    if value is None or value != value:
        return Cell("–", None, link, title)
    return Cell(half_up(value, digits), float(value), link, title)


def count_cell(value: int, *, link: str = "", title: str = "") -> Cell:
    """A whole number with thousands separated."""
    return Cell(count(int(value)), int(value), link, title)


def text_cell(text: str, *, link: str = "", title: str = "") -> Cell:
    """A text."""
    return Cell(text, text, link, title)
