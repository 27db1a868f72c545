"""Limits of agreement of the ratio second ÷ first: Bland–Altman of the logarithms, back on the scale of the ratio.

For measurements whose error grows in proportion to size. Source: Bland and Altman 1999, section 3.1.
The within-subject CV has three conventions: √(exp(s²/2) − 1) of the log differences' SD s, exp(s/√2) − 1, and the
root mean square of each pair's SD over its mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.bland_altman import BlandAltman, bland_altman_of
from analytics.agreement.correlation import pearson_coefficient
from analytics.agreement.limits import WithLimits
from analytics.agreement.pairs import TwoReads
from analytics.columns import identities_in
from analytics.errors import AnalyticsError
from analytics.resampling import REPLICATES, SEED
from analytics.result import ClusteredResult, Dropped, Interval
from analytics.rounding import percent

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RatioLimits(WithLimits, TwoReads, ClusteredResult):
    """Geometric mean ratio (``estimate``) with limits of agreement of the ratio; units have no dimension.

    ``spread_with_size`` is the correlation of the log differences' magnitude with the log mean: near 0 when the
    ratio is the right scale.
    """

    log_sd: float | None = None
    cv_log: float | None = None
    cv_simple: float | None = None
    cv_rms: float | None = None
    spread_with_size: float | None = None

    def sentence(self) -> str:
        """Ratio, limits and CV in words."""
        text = super().sentence()
        if self.lower is None or self.upper is None:
            return text
        text = f"{text[:-1]}; limits of agreement {self.limits_text(said=self.interval_reason)}"
        if self.interval is not None and self.cluster_interval is None:
            text += self.beside()
        if self.cv_log is not None:
            text += f"; within-subject CV {percent(self.cv_log)} %"
        return text + "".join(f"; {w}" for w in self.warnings) + "."


def ratio_limits_of(
    first: Array,
    second: Array,
    *,
    clusters: Sequence[Any] | None = None,
    names: tuple[str, str] = ("first", "second"),
    unit: str = "lesion",
    replicates: int = REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> RatioLimits:
    """Ratio limits of two arrays. NaN is a missing read; a pair with a value of zero or less has no ratio.

    Both are dropped and counted apart.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise AnalyticsError(f"The two reads differ in length: {first.shape} and {second.shape}.")
    present = ~(np.isnan(first) | np.isnan(second))
    positive = present & (np.nan_to_num(first) > 0) & (np.nan_to_num(second) > 0)
    kept = None if clusters is None else identities_in(clusters, positive)
    a, b = first[positive], second[positive]
    logs = bland_altman_of(
        np.log(a), np.log(b), clusters=kept, unit=unit, replicates=replicates, seed=seed, simulated=simulated
    )
    lost = (int((~present).sum()), int((present & ~positive).sum()))
    reasons = ("a read is missing", "a value is zero or negative")
    common: dict[str, Any] = {
        "method": f"geometric mean ratio ({names[1]} ÷ {names[0]})",
        "n": logs.n,
        "unit": unit,
        "clusters": logs.clusters,
        "dropped": tuple(Dropped(c, r) for c, r in zip(lost, reasons, strict=True) if c),
        "names": names,
        "first": a,
        "second": b,
        "simulated": simulated,
        "reason": logs.reason,
        "interval_reason": logs.interval_reason,
        "limits_reason": logs.limits_reason,
        "cluster_reason": logs.cluster_reason,
        "warnings": logs.warnings,
    }
    if logs.estimate is None:
        return RatioLimits(estimate=None, **common)
    return RatioLimits(
        estimate=math.exp(logs.estimate),
        interval=_exponential(logs.interval),
        cluster_interval=_exponential(logs.cluster_interval),
        test=logs.test,
        **_limits(logs),
        **_variation(a, b, logs.sd),
        **common,
    )


def _limits(logs: BlandAltman) -> dict[str, Any]:
    return {
        "lower": None if logs.lower is None else math.exp(logs.lower),
        "upper": None if logs.upper is None else math.exp(logs.upper),
        "lower_interval": _exponential(logs.lower_interval),
        "upper_interval": _exponential(logs.upper_interval),
        "log_sd": logs.sd,
    }


def _variation(a: Array, b: Array, sd: float | None) -> dict[str, Any]:
    if sd is None:
        return {}
    size, spread = (np.log(a) + np.log(b)) / 2, np.abs(np.log(b) - np.log(a))
    varies = len(a) > 2 and np.ptp(size) > 0 and np.ptp(spread) > 0
    return {
        "cv_log": math.sqrt(math.expm1(sd**2 / 2)),
        "cv_simple": math.expm1(sd / math.sqrt(2)),
        "cv_rms": float(np.sqrt(np.mean(((b - a) ** 2 / 2) / ((a + b) / 2) ** 2))),
        "spread_with_size": pearson_coefficient(spread, size) if varies else None,
    }


def _exponential(interval: Interval | None) -> Interval | None:
    if interval is None:
        return None
    return Interval(math.exp(interval.low), math.exp(interval.high), f"{interval.method}, of logarithms")
