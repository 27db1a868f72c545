"""Result objects: what every estimator returns.

A result is frozen and validated where it is made: an estimate is a finite number, or None with the reason why; an
interval that is missing beside an estimate has a reason too. ``to_dict()`` is the JSON form, ``sentence()`` the
manuscript's. Results know no figure: ``analytics.figures.draw(result)`` draws them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from analytics import __version__
from analytics.rounding import count, half_up


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
        """JSON form; infinite degrees of freedom are None."""
        return {
            "name": self.name,
            "statistic": plain(self.statistic),
            "df": plain(self.df),
            "p": plain(self.p),
        }


def interval_or_none(low: float, high: float, method: str, level: float = 0.95) -> Interval | None:
    """An interval where both limits are finite and in order, else None."""
    if math.isfinite(low) and math.isfinite(high) and low <= high:
        return Interval(float(low), float(high), method, level)
    return None


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """A number with its interval; whichever of the two is missing says why.

    Attributes
    ----------
    estimate : float or None
        None when it cannot be estimated; ``reason`` then says why.
    interval : Interval or None
        None when there is none; beside an estimate ``interval_reason`` then says why.
    """

    NO_INTERVAL: ClassVar[str] = ""
    """Of a class that never makes an interval: why it does not."""

    estimate: float | None
    interval: Interval | None = None
    reason: str | None = None
    interval_reason: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is missing without a reason, and reasons of what is there."""
        if self.estimate is None and not self.reason:
            raise ValueError("an estimate that is missing needs a reason")
        if self.estimate is not None and not math.isfinite(self.estimate):
            raise ValueError(f"estimate {self.estimate} is not finite: give None and a reason")
        if self.estimate is not None and self.reason:
            raise ValueError(f"there is an estimate, and a reason why there is none: {self.reason}")
        why = self.NO_INTERVAL or self.interval_reason
        if self.estimate is not None and self.interval is None and not why:
            raise ValueError("an interval that is missing needs a reason")
        if self.interval is not None and (self.estimate is None or why):
            raise ValueError(f"there is an interval, and none can be had: {self.reason or why}")

    def limits(self, digits: int) -> str:
        """How a sentence goes on after the estimate: ``, 95 % CI 0.960–0.967 (F)``, or why there is no interval."""
        if self.interval is not None:
            level = half_up(100 * self.interval.level, 0)
            return f", {level} % CI {self.interval.text(digits)} ({self.interval.method})"
        return f", no interval ({self.interval_reason})" if self.interval_reason else ""


def unless(found: Interval | None, reason: str) -> str | None:
    """The reason where there is no interval, None where there is one."""
    return reason if found is None else None


@dataclass(frozen=True, kw_only=True)
class Finding(ABC):
    """What every estimator returns: how it was made, of how many units, what was left out and why.

    One number is a :class:`Result`; what holds several (a 2×2 table, subgroups) holds an :class:`Estimated` for each.

    Attributes
    ----------
    method : str
        Estimator and form, as printed in captions.
    n, unit : number of units and what they are (``lesion``, ``territory``, ``patient``)
    clusters, cluster_unit : number of independent clusters (patients), None when the unit is its own cluster
    dropped : rows left out, counted and named
    reason : why nothing could be estimated, None where something could
    """

    method: str
    n: int
    unit: str = "unit"
    clusters: int | None = None
    cluster_unit: str = "patient"
    dropped: tuple[Dropped, ...] = ()
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    simulated: bool = False

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

    @abstractmethod
    def sentence(self) -> str:
        """For a manuscript, with the reason of whatever is missing."""

    def caption(self) -> str:
        """What stands below a figure: the sentence, marked when simulated."""
        return ("Simulated data. " if self.simulated else "") + self.sentence()

    def to_dict(self) -> dict[str, Any]:
        """Every number as JSON, with form, n, drops, method and version; drawing data are left out."""
        content = {
            f.name: plain(getattr(self, f.name)) for f in fields(self) if not f.metadata.get("drawing_only")
        }
        return content | {"version": __version__}


@dataclass(frozen=True, kw_only=True)
class Result(Finding, Estimated):
    """An estimate with everything needed to print, quote or refuse it; ``analytics.figures.draw`` draws it."""

    test: Test | None = None

    def caption(self) -> str:
        """Method, unit and clustering: what stands below every figure."""
        prefix = "Simulated data. " if self.simulated else ""
        return f"{prefix}{self.method}; {self.counted()}."

    def sentence(self) -> str:
        """For a manuscript."""
        if self.estimate is None:
            return f"{self.method}: not estimable ({self.reason}); {self.counted()}."
        return f"{self.method} {half_up(self.estimate, 3)}{self.limits(3)}, {self.counted()}."


@dataclass(frozen=True, kw_only=True)
class ClusteredResult(Result):
    """A result whose ``interval`` takes units as independent, with one over patients beside it.

    ``cluster_interval`` is None where no patients are known, or where ``cluster_reason`` says why.
    """

    cluster_interval: Interval | None = None
    cluster_reason: str | None = None

    def __post_init__(self) -> None:
        """Hold the interval over patients to the same rule."""
        super().__post_init__()
        expected = self.estimate is not None and self.clusters is not None
        if expected:
            if self.cluster_interval is None and not self.cluster_reason:
                raise ValueError("an interval over patients that is missing needs a reason")
            if self.cluster_interval is not None and self.cluster_reason:
                raise ValueError(
                    f"there is an interval over patients, and none can be had: {self.cluster_reason}"
                )

    def beside(self, digits: int = 3) -> str:
        """How a sentence names the interval over patients, or says why there is none."""
        if self.cluster_interval is not None:
            return f"; {self.cluster_interval.method} interval {self.cluster_interval.text(digits)}"
        if self.cluster_reason in (None, NOT_ASKED):
            return ""
        return f"; no interval over {plural(self.cluster_unit, 2)} ({self.cluster_reason})"


NOT_ASKED = "no resamples were asked for"
"""The reason of an interval that the caller did not ask for; sentences leave it out."""

DRAWING = {"drawing_only": True}
"""Metadata of a field that only drawings need: kept out of JSON."""


def no_values() -> NDArray[np.float64]:
    """Default of an array that only drawings need."""
    return np.empty(0)


FEW_CLUSTERS, FEW_EVENTS = 50, 30
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


def plain(value: Any) -> Any:
    """Results, arrays and containers of them as JSON values; a number that is not finite becomes None."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Dropped):
        return {"count": value.count, "reason": value.reason}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
