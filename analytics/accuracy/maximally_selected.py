"""Maximally selected rank statistics: the cut-off that separates a score most, with a p that knows of the search.

Sources: Lausen and Schumacher 1992; the bound of the p value is that of Lausen, Sauerbrei and Schumacher 1994; log-rank
scores as Hothorn and Lausen 2003. A naive p at the same cut-off is far too small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.ranks import average_ranks
from analytics.resampling import SEED
from analytics.result import DRAWING, Dropped, Result, Test, no_values
from analytics.rounding import half_up, p_value

Array = NDArray[np.float64]
LEAST_SHARE = 0.1
"""As Lausen and Schumacher (1992) and R's maxstat: the bound of p is poor where a group may be smaller."""
REPLICATES = 2_000
"""A p of 0.05 is then known to ±0.5 points (binomial standard error)."""
CHUNK_ENTRIES = 2_000_000
"""Permuted scores (permutations × rows) worked on at once: 16 MB an array."""


@dataclass(frozen=True, kw_only=True)
class MaximallySelected(Result):
    """The cut-off as the largest value of the low group (``estimate``), ``at_least`` as the least of the high one.

    ``test`` bounds p over all cut-offs (1994), ``permutation`` counts permuted scores, ``naive`` forgets the search.
    """

    NO_INTERVAL: ClassVar[str] = "where a statistic is largest has no interval of a known level"

    scores: str
    at_least: float | None = None
    naive: Test | None = None
    permutation: Test | None = None
    cut_offs: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    statistics: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)

    def sentence(self) -> str:
        """Cut-off and the corrected p beside the naive one."""
        if self.estimate is None or self.test is None or self.naive is None or self.at_least is None:
            return super().sentence()
        text = f"{self.method}: cut-off ≥ {half_up(self.at_least, 1)}, M {half_up(self.test.statistic, 2)}"
        text += f", {p_value(self.test.p)} ({self.test.name})"
        if self.permutation is not None:
            text += f", {p_value(self.permutation.p)} ({self.permutation.name})"
        return f"{text}; without regard to the search {p_value(self.naive.p)}, {self.counted()}."


def log_rank_scores(time: Array, event: Array) -> Array:
    """Log-rank score of each patient: event less the Nelson–Aalen hazard at the end of follow-up."""
    time, event = np.asarray(time, np.float64), np.asarray(event, np.float64)
    order = np.argsort(time, kind="stable")
    last = np.searchsorted(time[order], time, "right")  # patients whose time is not later
    cumulative = np.cumsum((event / (len(time) - last + 1))[order])
    result: Array = event - cumulative[last - 1]
    return result


def maximally_selected(
    marker: Array,
    scores: Array,
    *,
    name: str = "log-rank",
    least_share: float = LEAST_SHARE,
    unit: str = "patient",
    replicates: int = REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> MaximallySelected:
    """Cut a marker where the scores of the two groups differ most.

    ``scores`` are, say, :func:`log_rank_scores` or midranks of an outcome; ``least_share`` of the units lie at least
    on either side. NaN in either array drops the unit.
    """
    x, a = np.asarray(marker, np.float64), np.asarray(scores, np.float64)
    if x.shape != a.shape or x.ndim != 1:
        raise AnalyticsError(f"Marker and scores differ in length: {x.shape} and {a.shape}.")
    if not 0 < least_share < 0.5:
        raise AnalyticsError(f"The least share of a group must lie between 0 and 0.5, not {least_share}.")
    complete = ~(np.isnan(x) | np.isnan(a))
    missing = int((~complete).sum())
    order = np.argsort(x[complete], kind="stable")
    x, a = x[complete][order], a[complete][order]
    n = len(x)
    common: dict[str, Any] = {
        "method": f"maximally selected {name} statistic",
        "n": n,
        "unit": unit,
        "dropped": (Dropped(missing, "marker or score is missing"),) if missing else (),
        "scores": name,
        "simulated": simulated,
    }
    low = np.flatnonzero(x[1:] != x[:-1]) + 1 if n else np.empty(0, np.int64)  # sizes of the low group
    low = low[(low >= n * least_share) & (low <= n * (1 - least_share))]
    if not low.size:
        return MaximallySelected(
            estimate=None, reason="no cut-off leaves enough units on either side", **common
        )
    centred = a - a.mean()
    spread = float((centred**2).sum())
    if spread <= 1e-24:
        return MaximallySelected(estimate=None, reason="all scores are equal", **common)
    scale = np.sqrt(low * (n - low) / (n * (n - 1)) * spread)
    statistics = np.cumsum(centred)[low - 1] / scale
    best = int(np.argmax(np.abs(statistics)))
    m = float(abs(statistics[best]))
    cut = int(low[best])
    return MaximallySelected(
        estimate=float(x[cut - 1]),
        at_least=float(x[cut]),
        test=Test("Lausen 1994 bound", m, (), search_p(m, low, n)),
        naive=Test("no correction", m, (), normal_two_sided_p(m)),
        permutation=_permutation(centred, low, scale, m, replicates, seed) if replicates else None,
        cut_offs=x[low],
        statistics=statistics,
        **common,
    )


def rank_scores(outcome: Array) -> Array:
    """Midranks of a numeric outcome: the Wilcoxon scores."""
    return average_ranks(np.asarray(outcome, np.float64))


def search_p(statistic: float, low: NDArray[np.int64], n: int) -> float:
    """Upper bound of P(max >= statistic) over the cut-offs whose low groups have sizes ``low``."""
    first, second = low[:-1].astype(np.float64), low[1:].astype(np.float64)
    step = np.sqrt(1 - first * (n - second) / ((n - first) * second))
    square = statistic**2
    steps = (math.exp(-square / 2) / math.pi * (step - (square / 4 - 1) * step**3 / 6)).sum()
    return float(min(1.0, normal_two_sided_p(statistic) + steps))


def _permutation(
    centred: Array, low: NDArray[np.int64], scale: Array, m: float, replicates: int, seed: int
) -> Test:
    rng = np.random.default_rng(seed)
    rows, reached = max(1, CHUNK_ENTRIES // len(centred)), 0
    for start in range(0, replicates, rows):
        block = np.tile(centred, (min(rows, replicates - start), 1))
        drawn = np.cumsum(rng.permuted(block, axis=1), axis=1)[:, low - 1] / scale
        reached += int((np.abs(drawn).max(axis=1) >= m - 1e-12).sum())
    return Test(f"permutation, {replicates:,}", m, (), (reached + 1) / (replicates + 1))
