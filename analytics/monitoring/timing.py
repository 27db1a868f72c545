"""Time per case of two ways of reading.

Times are skewed, so that their ratio is the geometric one; the ratio of means and the mean difference stand beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.signed_rank import SignedRank, signed_rank_of
from analytics.distributions import t_quantile, t_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import DRAWING, Dropped, Finding, Interval, Result, Test, no_values, unless
from analytics.rounding import half_up, p_value

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Times:
    """One way of reading: mean, SD (None for one case) and median with quartiles (type 7), in the column's unit."""

    name: str
    mean: float
    sd: float | None
    median: float
    quartiles: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "name": self.name,
            "mean": self.mean,
            "sd": self.sd,
            "median": self.median,
            "quartiles": list(self.quartiles),
        }


@dataclass(frozen=True, kw_only=True)
class PairedTiming(Result):
    """Ratio of times, first over second (``estimate``): how many times longer the first way takes.

    ``test`` is the paired t test of the log ratio; ``signed_rank`` Wilcoxon's (exact where it could be counted).
    """

    first: Times | None = None
    second: Times | None = None
    time_unit: str = "min"
    ratio_of_means: float | None = None
    mean_difference: float | None = None
    mean_difference_interval: Interval | None = None
    signed_rank: SignedRank | None = None
    first_values: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    second_values: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)

    caption = Finding.caption

    def sentence(self) -> str:
        """Both ways' medians and the ratio."""
        if self.estimate is None or self.first is None or self.second is None:
            return super().sentence()
        parts = []
        for t in (self.first, self.second):
            low, high = (half_up(q, _digits(t.median)) for q in t.quartiles)
            median = half_up(t.median, _digits(t.median))
            parts.append(f"{t.name} median {median} {self.time_unit} (quartiles {low}–{high})")
        limits = f" (no interval: {self.interval_reason})"
        if self.interval is not None:
            limits = f" (95 % CI {self.interval.text(_digits(self.estimate))})"
        ranks = self.signed_rank.test if self.signed_rank else None
        test = f", {ranks.name} {p_value(ranks.p)}" if ranks else ""
        ratio = half_up(self.estimate, _digits(self.estimate))
        return f"{'; '.join(parts)}; geometric mean ratio {ratio}{limits}{test}; {self.counted()}."


def _digits(value: float) -> int:
    """Decimals that show three figures."""
    return max(0, min(6, 2 - math.floor(math.log10(abs(value))))) if value else 1


def paired_timing_of(
    first: Array,
    second: Array,
    *,
    names: tuple[str, str] = ("first", "second"),
    time_unit: str = "min",
    unit: str = "patient",
    simulated: bool = False,
) -> PairedTiming:
    """Compare the times (n,) of the same cases; pairs with a missing time are dropped and counted.

    Raises
    ------
    AnalyticsError
        For times that are not above 0, naming column and row, and for columns of different length.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape:
        raise AnalyticsError(f"{names[0]} and {names[1]} differ in length: {len(a)} and {len(b)}.")
    for name, values in zip(names, (a, b), strict=True):
        odd = np.flatnonzero(values <= 0)
        if odd.size:
            raise AnalyticsError(
                f"Column {name!r}, row {odd[0] + 1}: a time of {values[odd[0]]:g} is not above 0."
            )
    gone = np.isnan(a) | np.isnan(b)
    a, b = a[~gone], b[~gone]
    common: dict[str, Any] = {
        "method": "paired ratio of times (geometric mean)",
        "n": len(a),
        "unit": unit,
        "dropped": (Dropped(int(gone.sum()), "a time is missing"),) if gone.any() else (),
        "time_unit": time_unit,
        "simulated": simulated,
    }
    if not len(a):
        return PairedTiming(estimate=None, reason="no complete pair", **common)
    ratio = np.log(a / b)
    centre, half, test = _t_interval(ratio)
    difference, difference_half, _ = _t_interval(a - b)
    interval = None
    why = "one pair only" if len(a) < 2 else "the ratios have no spread"
    if half is not None:
        interval = Interval(math.exp(centre - half), math.exp(centre + half), "t, log ratio")
    return PairedTiming(
        estimate=math.exp(centre),
        interval=interval,
        interval_reason=unless(interval, why),
        test=test,
        first=_summary(names[0], a),
        second=_summary(names[1], b),
        ratio_of_means=float(a.mean() / b.mean()),
        mean_difference=difference,
        mean_difference_interval=None
        if difference_half is None
        else Interval(difference - difference_half, difference + difference_half, "paired t"),
        signed_rank=signed_rank_of(b, a, value_unit=time_unit, unit=unit, simulated=simulated),
        first_values=a,
        second_values=b,
        warnings=("fewer than 3 pairs",) if len(a) < 3 else (),
        **common,
    )


def _summary(name: str, values: Array) -> Times:
    low, middle, high = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
    sd = float(values.std(ddof=1)) if len(values) > 1 else None
    return Times(name, float(values.mean()), sd, middle, (low, high))


def _t_interval(values: Array) -> tuple[float, float | None, Test | None]:
    """Mean, half the width of its 95 % interval and the t test against 0; None for one value or no spread."""
    n, mean = len(values), float(values.mean())
    if n < 2:
        return mean, None, None
    se = float(values.std(ddof=1)) / math.sqrt(n)
    if se == 0:
        return mean, None, None
    return (
        mean,
        t_quantile(0.975, n - 1) * se,
        Test("paired t", mean / se, (n - 1,), t_two_sided_p(mean / se, n - 1)),
    )
