"""Wilcoxon–Mann–Whitney rank-sum test of two independent groups, with ties.

Exact where 120 units or fewer were ranked, by counting every split of the midranks; else normal with the variance
corrected for ties, without continuity correction. For two reads of the same units use the signed-rank test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.exact_ranks import MOST_PAIRED_RANKS, rank_sum_p
from analytics.agreement.pairs import to_resolution
from analytics.distributions import normal_quantile, normal_two_sided_p
from analytics.ranks import average_ranks
from analytics.result import Dropped, Interval, Result, Test, interval_or_none, unless
from analytics.rounding import half_up, p_value

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
MOST_DIFFERENCES = 12_000_000
"""Largest number of differences between two groups that are formed and sorted: 100 MB."""


@dataclass(frozen=True, kw_only=True)
class RankSum(Result):
    """Hodges–Lehmann shift first − second (``estimate``); ``superiority`` is P(first > second) + ½ P(equal)."""

    value_unit: str
    sizes: tuple[int, int]
    rank_sum: float | None = None
    u: float | None = None
    superiority: float | None = None
    normal: Test | None = None
    continuity: Test | None = None
    exact_deviation: Test | None = None
    exact_tails: Test | None = None

    def sentence(self) -> str:
        """Shift, superiority and p in words."""
        text = super().sentence()[:-1]
        if self.superiority is not None:
            text += f"; probability of superiority {half_up(self.superiority, 3)}"
        if self.test is not None:
            text += f"; {self.test.name} {p_value(self.test.p)}"
        return text + "."


def rank_sum_of(
    first: Array, second: Array, *, value_unit: str = "", unit: str = "patient", simulated: bool = False
) -> RankSum:
    """Rank-sum test of two arrays, which may differ in length; NaN is missing."""
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    lost = int(np.isnan(x).sum() + np.isnan(y).sum())
    x, y = x[~np.isnan(x)], y[~np.isnan(y)]
    m, n = len(x), len(y)
    common = {
        "method": "Hodges–Lehmann shift (first − second)",
        "n": m + n,
        "unit": unit,
        "dropped": (Dropped(lost, "the value is missing"),) if lost else (),
        "value_unit": value_unit,
        "sizes": (m, n),
        "simulated": simulated,
    }
    if not m or not n:
        return RankSum(estimate=None, reason=f"groups of {m} and {n}", **common)  # type: ignore[arg-type]
    ranks = average_ranks(np.concatenate([x, y]))
    total = float(ranks[:m].sum())
    deviation = total - m * (m + n + 1) / 2
    variance = m * n / (m + n) * float(((ranks - ranks.mean()) ** 2).sum()) / max(m + n - 1, 1)
    u = total - m * (m + 1) / 2
    if variance == 0:
        return RankSum(
            estimate=0.0,
            interval_reason="all values are equal",
            rank_sum=total,
            u=u,
            superiority=0.5,
            **common,  # type: ignore[arg-type]
        )
    z = deviation / math.sqrt(variance)
    corrected = math.copysign(max(abs(deviation) - 0.5, 0), deviation) / math.sqrt(variance)
    normal = Test("rank-sum, normal", z, (), normal_two_sided_p(z))
    by_deviation, by_tails = None, None
    if m + n <= MOST_PAIRED_RANKS:
        p_deviation, p_tails = rank_sum_p(ranks, m, total)
        by_deviation = Test("rank-sum, exact", total, (), p_deviation)
        by_tails = Test("rank-sum, exact, twice the smaller tail", total, (), p_tails)
    estimate, interval = _shift(x, y, variance)
    return RankSum(
        estimate=estimate,
        interval=interval,
        interval_reason=unless(interval, "too few or too many units"),
        test=by_deviation or normal,
        rank_sum=total,
        u=u,
        superiority=u / (m * n),
        normal=normal,
        continuity=Test("rank-sum, normal, continuity", corrected, (), normal_two_sided_p(corrected)),
        exact_deviation=by_deviation,
        exact_tails=by_tails,
        **common,  # type: ignore[arg-type]
    )


def _shift(x: Array, y: Array, variance: float) -> tuple[float, Interval | None]:
    """Median of all differences and the order statistics that invert the test."""
    if len(x) * len(y) > MOST_DIFFERENCES:
        return float(np.median(x) - np.median(y)), None
    differences = np.sort(to_resolution(np.subtract.outer(x, y).ravel(), np.concatenate([x, y])))
    cut = math.floor(len(differences) / 2 - Z * math.sqrt(variance))
    interval = None
    if cut >= 0 and min(len(x), len(y)) >= 4:
        low, high = float(differences[cut]), float(differences[len(differences) - 1 - cut])
        interval = interval_or_none(low, high, "rank-sum inverted")
    return float(np.median(differences)), interval
