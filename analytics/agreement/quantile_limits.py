"""Limits of agreement without a distribution: the 2.5 % and 97.5 % quantiles of the differences.

Quantiles are of type 6 (i/(n+1); Bland and Altman 1999, section 5). The interval of a limit for independent pairs is
that of order statistics, exact by the binomial; it needs about 150 pairs. With patients it resamples them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.agreement.limits import WithLimits
from analytics.agreement.pairs import Pairs, TwoReads, pairs
from analytics.resampling import REPLICATES, SEED, no_interval_over, percentile_interval, resample_counts
from analytics.result import Interval, Result, few_clusters, plural, unless

Array = NDArray[np.float64]
LEVELS = (0.5, 0.025, 0.975)  # median and the limits of 95 % of the differences
ROW_ENTRIES = 4_000_000
"""Entries of a matrix of running counts held at once: 32 MB."""
MOST_ENTRIES = 200_000_000
"""Pairs times replicates: beyond it fewer replicates are drawn, 500 at least, and the method says how many."""


@dataclass(frozen=True, kw_only=True)
class QuantileLimits(WithLimits, TwoReads, Result):
    """Median difference (``estimate``) with the 2.5 % and 97.5 % quantiles as limits."""

    value_unit: str

    def sentence(self) -> str:
        """Median and limits in words."""
        text = super().sentence()
        if self.lower is None or self.upper is None:
            return text
        reason = self.limits_reason
        said = reason if reason and any(reason in w for w in self.warnings) else None
        text = f"{text[:-1]}; 2.5 % and 97.5 % quantiles {self.limits_text(said=said)}"
        return text + "".join(f"; {w}" for w in self.warnings) + "."


def quantile_limits_of(
    first: Array,
    second: Array,
    *,
    clusters: Sequence[Any] | None = None,
    names: tuple[str, str] = ("first", "second"),
    value_unit: str = "",
    unit: str = "lesion",
    replicates: int = REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> QuantileLimits:
    """Quantile limits of two arrays of equal length; NaN is a missing read."""
    p = pairs(first, second, clusters)
    common = p.drawn(unit, names, value_unit, simulated=simulated) | {
        "method": f"median difference ({names[1]} − {names[0]})",
    }
    if p.n < 2:
        return QuantileLimits(estimate=None, reason=f"{p.n} complete pairs; two are needed", **common)
    ordered = np.sort(p.difference())
    median, lower, upper = (float(quantile_type6(ordered, level)) for level in LEVELS)
    if p.clustered and replicates:
        intervals, warnings = _bootstrap(p, replicates, seed), few_clusters(p.patients)
        why = no_interval_over(p.patients or 0, resampled=True)
    else:
        label = f"order statistics, {plural(unit, 2)} taken as independent"
        intervals, warnings = [order_interval(ordered, level, label) for level in LEVELS], ()
        why = f"{p.n} pairs are too few for an interval"
        if intervals[1] is None:
            warnings = (f"{why} of the limits",)
    return QuantileLimits(
        estimate=median,
        interval=intervals[0],
        interval_reason=unless(intervals[0], why),
        lower=lower,
        upper=upper,
        lower_interval=intervals[1],
        upper_interval=intervals[2],
        limits_reason=None if intervals[1] and intervals[2] else why,
        warnings=warnings,
        **common,
    )


def quantile_type6(ordered: Array, level: float) -> float:
    """Quantile of sorted values at position (n + 1)·level, by linear interpolation, kept inside the sample."""
    return float(np.quantile(ordered, level, method="weibull"))


def order_interval(ordered: Array, level: float, label: str) -> Interval | None:
    """Exact 95 % interval of a quantile from order statistics; None where the sample is too small."""
    n = len(ordered)
    below = special.bdtr(np.arange(n + 1), n, level)  # P(at most i values lie below the quantile)
    low = int(np.searchsorted(below, 0.025, "right")) - 1
    high = int(np.searchsorted(below, 0.975, "left")) + 1
    if low < 0 or high >= n:
        return None
    return Interval(float(ordered[low]), float(ordered[high]), label)


def _bootstrap(p: Pairs, replicates: int, seed: int) -> list[Interval | None]:
    """Type 6 quantiles of every resample: the sorted differences weighted by how often their patient was drawn."""
    patient, patients = p.groups()
    difference = p.difference()
    order = np.argsort(difference, kind="stable")
    ordered, owner = difference[order], patient[order]
    replicates = min(replicates, max(500, MOST_ENTRIES // p.n))
    rows = max(1, ROW_ENTRIES // p.n)
    found: list[list[Array]] = [[], [], []]
    for counts in resample_counts(clusters=patients, replicates=replicates, seed=seed):
        for start in range(0, len(counts), rows):
            reached = np.cumsum(counts[start : start + rows][:, owner], axis=1)
            for values, level in zip(found, LEVELS, strict=True):
                values.append(_weighted(ordered, reached, level))
    return [percentile_interval(np.concatenate(values), replicates, clusters=patients) for values in found]


def _weighted(ordered: Array, reached: Array, level: float) -> Array:
    total = reached[:, -1]
    position = np.clip((total + 1) * level, 1, total)
    whole = np.floor(position)

    def value(rank: Array) -> Array:
        found: Array = ordered[np.argmax(reached >= rank[:, None], axis=1)]
        return found

    low = value(whole)
    result: Array = low + (position - whole) * (value(np.minimum(whole + 1, total)) - low)
    return result
