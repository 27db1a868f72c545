"""Total deviation index: the difference that a given share of pairs stays below, and the share below a bound.

Source: Lin 2000. Normal theory: ``P(|D| <= t) = share`` for D normal with the sample's mean and SD (denominator n).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.agreement.pairs import Pairs, pairs
from analytics.distributions import normal_quantile
from analytics.errors import AnalyticsError
from analytics.resampling import (
    REPLICATES,
    SEED,
    no_interval_over,
    percentile_interval,
    resampled_sums,
    sums_by_cluster,
)
from analytics.result import Interval, Result, few_clusters, unless
from analytics.rounding import half_up, percent

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TotalDeviation(Result):
    """``estimate``: ``|second − first|`` that ``share`` of pairs stays below, by normal theory.

    ``approximate`` is Lin's formula for little bias, ``observed`` the sample's quantile (type 7). ``coverage``
    is the share of pairs within ``bound``. The interval resamples patients (pairs where no patients are given).
    """

    value_unit: str
    share: float
    approximate: float | None = None
    observed: float | None = None
    bound: float | None = None
    coverage: float | None = None

    def sentence(self) -> str:
        """The index and, with a bound, the share of pairs inside."""
        text = super().sentence()
        if self.bound is not None and self.coverage is not None:
            unit = f" {self.value_unit}" if self.value_unit else ""
            text = f"{text[:-1]}; {percent(self.coverage)} % of pairs differ by at most {half_up(self.bound, 1)}{unit}."
        return text


def total_deviation_of(
    first: Array,
    second: Array,
    *,
    clusters: Sequence[Any] | None = None,
    share: float = 0.9,
    bound: float | None = None,
    value_unit: str = "",
    unit: str = "lesion",
    replicates: int = REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> TotalDeviation:
    """Total deviation index of two arrays; NaN is a missing read, ``share`` lies in (0, 1)."""
    if not 0 < share < 1:
        raise AnalyticsError(f"The share of pairs must lie between 0 and 1, not {share}.")
    p = pairs(first, second, clusters)
    common = p.common(unit, simulated=simulated) | {
        "method": f"total deviation index, {percent(share, 0)} %",
        "value_unit": value_unit,
        "share": share,
    }
    if p.n < 2:
        return TotalDeviation(estimate=None, reason=f"{p.n} complete pairs; two are needed", **common)
    difference = p.difference()
    mean, sd = float(difference.mean()), float(difference.std())
    size = np.abs(difference)
    interval = _bootstrap(p, difference, share, replicates, seed) if replicates and sd > 0 else None
    return TotalDeviation(
        estimate=float(normal_bound(np.array([mean]), np.array([sd]), share)[0]),
        interval=interval,
        interval_reason=unless(
            interval,
            "all differences are equal"
            if sd == 0
            else no_interval_over(
                p.groups()[1],
                resampled=True,
                asked=replicates > 0,
                noun="pair" if p.patients is None else "patient",
            ),
        ),
        approximate=normal_quantile((1 + share) / 2) * float(np.sqrt(mean**2 + sd**2)),
        observed=float(np.quantile(size, share)),
        bound=bound,
        coverage=None if bound is None else float((size <= bound).mean()),
        warnings=few_clusters(p.patients) if interval else (),
        **common,
    )


def normal_bound(mean: Array, sd: Array, share: float) -> Array:
    """The t with ``P(|D| <= t) = share`` for D normal(mean, sd): bisection, arrays of equal length; ``|mean|`` where sd is 0."""
    mean, spread = np.abs(mean), np.where(sd > 0, sd, 1.0)
    low, high = np.zeros_like(mean), mean + spread * normal_quantile((1 + share) / 2)
    for _ in range(60):
        middle = (low + high) / 2
        inside = special.ndtr((middle - mean) / spread) - special.ndtr((-middle - mean) / spread)
        low, high = np.where(inside < share, middle, low), np.where(inside < share, high, middle)
    return np.where(sd > 0, (low + high) / 2, mean)


def _bootstrap(p: Pairs, difference: Array, share: float, replicates: int, seed: int) -> Interval | None:
    patient, patients = p.groups()
    centre = difference.mean()
    moved = difference - centre
    parts = sums_by_cluster(np.stack([np.ones(p.n), moved, moved**2], axis=1), patient, patients)
    values = []
    for total in resampled_sums(parts, replicates=replicates, seed=seed):
        n, s, ss = total.T
        variance = np.maximum(ss / n - (s / n) ** 2, 0)
        values.append(normal_bound(s / n + centre, np.sqrt(variance), share))
    interval = percentile_interval(np.concatenate(values), replicates, clusters=patients)
    if interval is None or p.patient is not None:
        return interval
    return Interval(interval.low, interval.high, interval.method.replace("patient-cluster ", ""))
