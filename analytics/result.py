"""Result objects: what every estimator returns.

A result is frozen and validated where it is made: an estimate is a finite number, or None with the reason why.
``to_dict()`` is the JSON form, ``sentence()`` the manuscript's, ``figure()`` a plotly figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analytics import __version__
from analytics.rounding import count, half_up

if TYPE_CHECKING:
    from analytics.figures.drawing import Drawing


@dataclass(frozen=True)
class Interval:
    """A confidence interval and how it was made.

    ``low`` and ``high`` are in the estimate's unit. Unpacks as ``low, high = interval``.
    """

    low: float
    high: float
    method: str
    level: float = 0.95

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(f"interval ({self.low}, {self.high}) is not finite: give None and a reason")
        if self.low > self.high:
            raise ValueError(f"interval limits are reversed: {self.low} > {self.high}")
        if not 0 < self.level < 1:
            raise ValueError(f"confidence level {self.level} lies outside (0, 1)")

    def __iter__(self) -> Iterator[float]:
        return iter((self.low, self.high))

    def text(self, digits: int) -> str:
        """``0.960–0.967``; negative limits are joined by "to"."""
        joint = " to " if self.low < 0 else "–"
        return f"{half_up(self.low, digits)}{joint}{half_up(self.high, digits)}"

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"low": self.low, "high": self.high, "level": self.level, "method": self.method}


@dataclass(frozen=True)
class Dropped:
    """How many rows did not enter an estimate, and why."""

    count: int
    reason: str


@dataclass(frozen=True)
class Test:
    """A test statistic with its degrees of freedom and p value."""

    __test__ = False  # not a pytest class

    name: str
    statistic: float
    df: tuple[float, ...]
    p: float

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"name": self.name, "statistic": self.statistic, "df": list(self.df), "p": self.p}


def interval_or_none(low: float, high: float, method: str, level: float = 0.95) -> Interval | None:
    """An interval where both limits are finite and in order, else None."""
    if math.isfinite(low) and math.isfinite(high) and low <= high:
        return Interval(float(low), float(high), method, level)
    return None


@dataclass(frozen=True, kw_only=True)
class Result:
    """An estimate with everything needed to print, draw, quote or refuse it.

    Attributes
    ----------
    estimate : float or None
        None when it cannot be estimated; ``reason`` then says why.
    interval : Interval or None
    method : str
        Estimator and form, as printed in captions.
    n, unit : number of units and what they are (``lesion``, ``territory``, ``patient``)
    clusters, cluster_unit : number of independent clusters (patients), None when the unit is its own cluster
    dropped : rows left out, counted and named
    """

    estimate: float | None
    interval: Interval | None = None
    method: str
    n: int
    unit: str = "unit"
    clusters: int | None = None
    cluster_unit: str = "patient"
    dropped: tuple[Dropped, ...] = ()
    test: Test | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    simulated: bool = field(default=False)

    def __post_init__(self) -> None:
        if self.estimate is None and not self.reason:
            raise ValueError("an estimate that is missing needs a reason")
        if self.estimate is not None and not math.isfinite(self.estimate):
            raise ValueError(f"estimate {self.estimate} is not finite: give None and a reason")

    @property
    def dropped_count(self) -> int:
        """All rows left out."""
        return sum(item.count for item in self.dropped)

    def counted(self) -> str:
        """``1,901 lesions in 275 patients (2 dropped: a read is missing)``."""
        text = f"{count(self.n)} {plural(self.unit, self.n)}"
        if self.clusters is not None:
            text += f" in {count(self.clusters)} {plural(self.cluster_unit, self.clusters)}"
        if self.dropped_count:
            text += " (" + "; ".join(f"{count(d.count)} dropped: {d.reason}" for d in self.dropped) + ")"
        return text

    def caption(self) -> str:
        """Method, unit and clustering: what stands below every figure."""
        prefix = "Simulated data. " if self.simulated else ""
        return f"{prefix}{self.method}; {self.counted()}."

    def sentence(self) -> str:
        """For a manuscript."""
        if self.estimate is None:
            return f"{self.method}: not estimable ({self.reason}); {self.counted()}."
        text = f"{self.method} {half_up(self.estimate, 3)}"
        if self.interval is not None:
            text += f", {half_up(100 * self.interval.level, 0)} % CI {self.interval.text(3)} ({self.interval.method})"
        return f"{text}, {self.counted()}."

    def to_dict(self) -> dict[str, Any]:
        """Every number as JSON, with form, n, drops, method and version; drawing data are left out."""
        content = {
            f.name: _plain(getattr(self, f.name)) for f in fields(self) if not f.metadata.get("drawing_only")
        }
        return content | {"version": __version__}

    def drawing(self) -> Drawing:
        """The figure as plain JSON values. Results that have none raise NotImplementedError."""
        raise NotImplementedError(f"{type(self).__name__} has no figure of its own")

    def figure(self, **kwargs: Any) -> Any:
        """The figure as a ``plotly.graph_objects.Figure``; takes what ``drawing`` takes."""
        return self.drawing(**kwargs).to_figure()


DRAWING = {"drawing_only": True}
"""Metadata of a field that only drawings need: kept out of JSON."""


def no_values() -> NDArray[np.float64]:
    """Default of an array that only drawings need."""
    return np.empty(0)


FEW_CLUSTERS = 50
FEW_EVENTS = 30
"""Below these, simulated studies find approximate intervals holding the truth in less than 93 % (docs/validation-statistics.md)."""


def few_clusters(number: int | None, noun: str = "patient") -> tuple[str, ...]:
    """A warning where an interval over clusters has too few of them to keep its level."""
    if number is None or number >= FEW_CLUSTERS:
        return ()
    return (f"only {number} {plural(noun, number)}: an interval over so few clusters is too narrow",)


def few_events(number: int, noun: str = "event") -> tuple[str, ...]:
    """A warning where an approximate interval rests on too few events (cases, or controls) to keep its level."""
    if number >= FEW_EVENTS:
        return ()
    return (f"only {number} {plural(noun, number)}: an approximate interval over so few is too narrow",)


def plural(noun: str, number: int) -> str:
    """``lesion``, ``lesions``; ``territory``, ``territories``."""
    if number == 1:
        return noun
    return noun[:-1] + "ies" if noun.endswith("y") else noun + "s"


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Dropped):
        return {"count": value.count, "reason": value.reason}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
