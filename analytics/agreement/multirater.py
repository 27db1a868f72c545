"""Several raters of one category: Fleiss' κ, κ of each category, Conger's κ, Gwet's AC1, Krippendorff's α.

Sources: Fleiss 1971; Fleiss, Nee and Landis 1979 (test); Conger 1980; Gwet 2014 (AC1 and its standard error);
Krippendorff 2011. The interval of Fleiss' κ leaves out one cluster at a time (one unit when no patients are given).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import codes, is_missing
from analytics.distributions import normal_quantile, normal_two_sided_p, t_quantile
from analytics.errors import AnalyticsError
from analytics.resampling import no_interval_over, sums_by_cluster
from analytics.result import Dropped, Interval, Result, Test, few_clusters, unless
from analytics.rounding import half_up

Array = NDArray[np.float64]
Z = normal_quantile(0.975)


@dataclass(frozen=True, kw_only=True)
class MultiRater(Result):
    """Fleiss' κ (``estimate``) and its companions; ``categories`` holds κ of each category (None where unused)."""

    raters: int
    levels: tuple[Any, ...]
    observed: float | None = None
    categories: dict[Any, float | None] = field(default_factory=dict)
    conger: float | None = None
    ac1: float | None = None
    ac1_se: float | None = None
    ac1_interval: Interval | None = None
    krippendorff: float | None = None

    def sentence(self) -> str:
        """κ with its companions."""
        text = super().sentence()
        if self.ac1 is None or self.krippendorff is None:
            return text
        text = f"{text[:-1]}; {self.raters} raters; AC1 {half_up(self.ac1, 3)}, Krippendorff's α {half_up(self.krippendorff, 3)}"
        return text + "".join(f"; {w}" for w in self.warnings) + "."


def fleiss_kappa(
    ratings: Sequence[Sequence[Any]],
    *,
    levels: Sequence[Any],
    clusters: Sequence[Any] | None = None,
    unit: str = "territory",
    simulated: bool = False,
) -> MultiRater:
    """Agreement of two or more raters; ``ratings`` has one row per unit and one column per rater.

    A unit with a missing entry is dropped and counted; a category off the scale is an error that names its row.
    """
    position = {level: i for i, level in enumerate(levels)}
    rows, kept = [], []
    for number, row in enumerate(ratings):
        if any(is_missing(entry) for entry in row):
            continue
        wrong = [entry for entry in row if entry not in position]
        if wrong:
            raise AnalyticsError(
                f"Row {number + 1}: category {wrong[0]!r} is not on the scale {list(levels)}."
            )
        rows.append([position[entry] for entry in row])
        kept.append(number)
    raters = len(ratings[0]) if len(ratings) else 0
    names = kept if clusters is None else [clusters[i] for i in kept]
    cluster, distinct = codes(names)
    lost = len(ratings) - len(kept)
    common: dict[str, Any] = {
        "method": "Fleiss' κ",
        "n": len(kept),
        "unit": unit,
        "clusters": None if clusters is None else len(distinct),
        "dropped": (Dropped(lost, "a read is missing"),) if lost else (),
        "raters": raters,
        "levels": tuple(levels),
        "simulated": simulated,
    }
    if raters < 2:
        return MultiRater(estimate=None, reason="one reader only", **common)
    if len(kept) < 2:
        return MultiRater(estimate=None, reason=f"{len(kept)} complete units; two are needed", **common)
    coded = np.array(rows)
    counts = (coded[:, :, None] == np.arange(len(levels))).sum(1).astype(np.float64)
    share = counts.sum(0) / counts.sum()
    if (share > 0).sum() < 2:
        return MultiRater(estimate=None, reason="all reads use one category only", **common)
    parts = np.column_stack([np.ones(len(counts)), counts, (counts**2).sum(1)])
    sums = sums_by_cluster(parts, cluster, len(distinct))
    kappa = float(_kappa(sums.sum(0)[None], raters)[0])
    ac1, ac1_se = _ac1(counts, raters)
    half = t_quantile(0.975, len(counts) - 1) * ac1_se
    interval = _jackknife(sums, raters, kappa, clusters is not None)
    return MultiRater(
        estimate=kappa,
        interval=interval,
        interval_reason=unless(
            interval,
            no_interval_over(
                len(distinct), resampled=False, least=3, noun="unit" if clusters is None else "patient"
            ),
        ),
        test=_test(share, len(counts), raters, kappa),
        observed=float(_agreement(counts, raters).mean()),
        categories=_categories(counts, share, raters, levels),
        conger=_conger(coded, counts, raters),
        ac1=ac1,
        ac1_se=ac1_se,
        ac1_interval=Interval(ac1 - half, min(1.0, ac1 + half), "Gwet, t"),
        krippendorff=_krippendorff(counts, raters),
        warnings=few_clusters(common["clusters"]) if interval else (),
        **common,
    )


def _agreement(counts: Array, raters: int) -> Array:
    """Share of agreeing pairs of raters per unit."""
    result: Array = ((counts**2).sum(1) - raters) / (raters * (raters - 1))
    return result


def _kappa(sums: Array, raters: int) -> Array:
    """Fleiss' κ of summed parts (fits, 1 + levels + 1)."""
    n, share = sums[:, 0], sums[:, 1:-1] / sums[:, 1:-1].sum(1, keepdims=True)
    observed = (sums[:, -1] / n - raters) / (raters * (raters - 1))
    expected = (share**2).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected < 1 - 1e-12, (observed - expected) / (1 - expected), np.nan)


def _jackknife(sums: Array, raters: int, kappa: float, patients: bool) -> Interval | None:
    n = len(sums)
    if n < 3:
        return None
    values = _kappa(sums.sum(0) - sums, raters)
    se = math.sqrt((n - 1) / n * float(((values - values.mean()) ** 2).sum()))
    if not math.isfinite(se) or se < 1e-12:
        return None
    name = "patient" if patients else "unit"
    return Interval(kappa - Z * se, min(1.0, kappa + Z * se), f"delete-one-{name} jackknife")


def _test(share: Array, n: int, raters: int, kappa: float) -> Test:
    """Test against chance by z (Fleiss, Nee and Landis)."""
    spread = share * (1 - share)
    variance = spread.sum() ** 2 - (spread * (1 - 2 * share)).sum()
    se = math.sqrt(2 * float(variance) / (n * raters * (raters - 1))) / float(spread.sum())
    return Test("z against chance", kappa / se, (), normal_two_sided_p(kappa / se))


def _categories(counts: Array, share: Array, raters: int, levels: Sequence[Any]) -> dict[Any, float | None]:
    apart = (counts * (raters - counts)).sum(0)
    scale = len(counts) * raters * (raters - 1) * share * (1 - share)
    return {
        level: float(1 - a / s) if s > 0 else None for level, a, s in zip(levels, apart, scale, strict=True)
    }


def _conger(coded: NDArray[np.int64], counts: Array, raters: int) -> float | None:
    margins = (coded[:, :, None] == np.arange(counts.shape[1])).mean(0)
    expected = float((margins.mean(0) ** 2).sum() - margins.var(axis=0, ddof=1).sum() / raters)
    if expected >= 1 - 1e-12:
        return None
    return (float(_agreement(counts, raters).mean()) - expected) / (1 - expected)


def _ac1(counts: Array, raters: int) -> tuple[float, float]:
    n, q = counts.shape
    share = counts.mean(0) / raters
    agreement = _agreement(counts, raters)
    expected = float((share * (1 - share)).sum()) / (q - 1)
    each = (agreement - expected) / (1 - expected)
    estimate = float(each.mean())
    leaning = (counts / raters) @ (1 - share) / (q - 1)
    influence = each - 2 * (1 - estimate) * (leaning - expected) / (1 - expected)
    return estimate, math.sqrt(float(((influence - estimate) ** 2).sum()) / (n * (n - 1)))


def _krippendorff(counts: Array, raters: int) -> float:
    total = counts.sum(0)
    values = float(total.sum())
    apart = float((counts * (raters - counts)).sum()) / (raters - 1)
    return 1 - (values - 1) * apart / float(values**2 - (total**2).sum())
