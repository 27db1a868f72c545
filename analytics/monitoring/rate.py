"""How often something happens to a case: an analysis fails, a scan or a vessel cannot be read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import clopper_pearson
from analytics.columns import codes, is_missing
from analytics.distributions import normal_quantile
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Interval, Result, few_clusters
from analytics.rounding import percent

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rate(Result):
    """A share of cases (``estimate``), such as analyses that failed or vessels that could be evaluated.

    ``interval`` is Clopper–Pearson, or Wilson's with the effective sample size where cases are clustered; ``reasons``
    counts what stood beside the cases that had it.
    """

    name: str
    count: int
    design_effect: float | None = None
    reasons: tuple[tuple[str, int], ...] = ()

    def sentence(self) -> str:
        """Count, share and interval."""
        if self.estimate is None:
            return super().sentence()
        limits = ""
        if self.interval is not None:
            low, high = self.interval
            limits = f", 95 % CI {percent(low)}–{percent(high)} ({self.interval.method})"
        why = (
            "; " + ", ".join(f"{reason} {number}" for reason, number in self.reasons) if self.reasons else ""
        )
        return f"{self.name}: {self.count} of {self.counted()} ({percent(self.estimate)} %{limits}){why}."


def rate_of(
    flags: Array,
    *,
    clusters: Sequence[Any] | None = None,
    reasons: Sequence[Any] | None = None,
    name: str,
    unit: str = "scan",
    cluster_unit: str = "patient",
    simulated: bool = False,
) -> Rate:
    """Share of flags (n,) of 0/1; missing flags are dropped and counted.

    With ``clusters`` the sample size is divided by the design effect of the between-cluster variance (Rao and Scott
    1992), never less than 1.

    Raises
    ------
    AnalyticsError
        For flags other than 0/1, naming the row.
    """
    flags = np.asarray(flags, np.float64)
    odd = np.flatnonzero(~np.isnan(flags) & ~np.isin(flags, (0, 1)))
    if odd.size:
        raise AnalyticsError(f"Column {name!r}, row {odd[0] + 1}: {flags[odd[0]]:g} is neither 0 nor 1.")
    known = ~np.isnan(flags)
    y = flags[known]
    number = None
    if clusters is not None:
        of, distinct = codes([c for c, k in zip(clusters, known, strict=True) if k])
        number = len(distinct)
    common: dict[str, Any] = {
        "method": name,
        "name": name,
        "n": len(y),
        "count": int(y.sum()),
        "unit": unit,
        "clusters": number,
        "cluster_unit": cluster_unit,
        "dropped": (Dropped(int((~known).sum()), f"{name} is missing"),) if not known.all() else (),
        "simulated": simulated,
        "reasons": _counted_reasons(flags, reasons),
        "warnings": few_clusters(number, cluster_unit),
    }
    if not len(y):
        return Rate(estimate=None, reason="no case", **common)
    p = float(y.mean())
    if number is None or number < 2 or p in (0.0, 1.0):
        return Rate(estimate=p, interval=clopper_pearson(common["count"], len(y)), **common)
    effect = _design_effect(y, of, number)
    return Rate(estimate=p, interval=_wilson(p, len(y) / effect), design_effect=effect, **common)


def _wilson(p: float, n: float) -> Interval:
    """Wilson's interval of a share with an effective sample size that need not be whole."""
    z2 = normal_quantile(0.975) ** 2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Interval(max(0.0, centre - half), min(1.0, centre + half), "Wilson, effective sample size")


def _design_effect(y: Array, of: NDArray[np.int64], number: int) -> float:
    size = np.bincount(of, minlength=number)
    gap = np.bincount(of, y, number) - y.mean() * size
    variance = number / (number - 1) * float((gap**2).sum()) / len(y) ** 2
    plain = y.mean() * (1 - y.mean()) / len(y)
    return max(1.0, float(variance / plain))


def _counted_reasons(flags: Array, reasons: Sequence[Any] | None) -> tuple[tuple[str, int], ...]:
    if reasons is None:
        return ()
    found: dict[str, int] = {}
    for flag, why in zip(flags, reasons, strict=True):
        if flag == 1:
            text = "no reason given" if is_missing(why) else str(why)
            found[text] = found.get(text, 0) + 1
    return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0])))
