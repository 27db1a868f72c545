"""Two reads of the same units, made ready: complete pairs, their patients, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import codes, identities_in
from analytics.errors import AnalyticsError
from analytics.resampling import no_interval_over
from analytics.result import DRAWING, Dropped, Interval, no_values

Array = NDArray[np.float64]
SIGNIFICANT_DIGITS = 12
"""A float holds 15 to 17; the last three are noise of subtracting decimals (12.3 − 10.1 is not 5.5 − 3.3)."""


@dataclass(frozen=True, kw_only=True)
class TwoReads:
    """Both reads and their names, for the figures of a result."""

    names: tuple[str, str] = ("first", "second")
    first: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    second: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)


@dataclass(frozen=True)
class Pairs:
    """Complete pairs. ``patient`` numbers each pair's cluster from 0; None when units are independent."""

    first: Array
    second: Array
    patient: NDArray[np.int64] | None
    patients: int | None
    missing: int
    kept: NDArray[np.bool_]

    @property
    def n(self) -> int:
        """Complete pairs."""
        return len(self.first)

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """Pairs that lack a read."""
        return (Dropped(self.missing, "a read is missing"),) if self.missing else ()

    @property
    def clustered(self) -> bool:
        """Whether two patients or more are known."""
        return self.patients is not None and self.patients >= 2

    def difference(self) -> Array:
        """Second − first read, rounded to 12 significant digits of the largest read.

        One-decimal volumes differ in binary (12.3 − 10.1 is not 5.5 − 3.3); ranks must not see that.
        """
        return to_resolution(self.second - self.first, np.concatenate([self.first, self.second]))

    def groups(self) -> tuple[NDArray[np.int64], int]:
        """Cluster of every pair and how many; each pair is its own cluster when no patients are given."""
        if self.patient is None or self.patients is None:
            return np.arange(self.n), self.n
        return self.patient, self.patients

    def why_no_interval_over(
        self, found: Interval | None, replicates: int, *, least: int = 2, resampled: bool = True
    ) -> str | None:
        """Why there is no interval over patients, None where there is one or no patients are given."""
        if found is not None or self.patients is None:
            return None
        asked = replicates > 0 or not resampled
        return no_interval_over(self.patients, resampled=resampled, least=least, asked=asked)

    def common(self, unit: str, *, simulated: bool) -> dict[str, Any]:
        """The fields that every result takes from its pairs."""
        return {
            "n": self.n,
            "unit": unit,
            "clusters": self.patients,
            "dropped": self.dropped,
            "simulated": simulated,
        }

    def drawn(self, unit: str, names: tuple[str, str], value_unit: str, *, simulated: bool) -> dict[str, Any]:
        """Those, and what a figure of the pairs needs."""
        return self.common(unit, simulated=simulated) | {
            "value_unit": value_unit,
            "names": names,
            "first": self.first,
            "second": self.second,
        }


def pairs(first: Array, second: Array, clusters: Sequence[Any] | None = None) -> Pairs:
    """Complete pairs of two arrays; NaN is a missing read. Raises AnalyticsError when lengths differ."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise AnalyticsError(f"The two reads differ in length: {first.shape} and {second.shape}.")
    if clusters is not None and len(clusters) != len(first):
        raise AnalyticsError(f"{len(first)} pairs have {len(clusters)} patients: give one patient per pair.")
    complete = ~(np.isnan(first) | np.isnan(second))
    patient, patients = None, None
    if clusters is not None:
        patient, distinct = codes(identities_in(clusters, complete))
        patients = len(distinct)
    return Pairs(first[complete], second[complete], patient, patients, int((~complete).sum()), complete)


def to_resolution(values: Array, scale: Array) -> Array:
    """Round to 12 significant digits of the largest magnitude in ``scale``."""
    largest = float(np.abs(scale).max()) if scale.size else 0.0
    if largest == 0:
        return values
    return np.round(values, SIGNIFICANT_DIGITS - 1 - int(np.floor(np.log10(largest))))
