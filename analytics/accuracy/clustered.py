"""Sensitivity, specificity and accuracy of lesions or vessels that share patients.

The proportion is a ratio of patient sums; its standard error is that of a ratio estimator with clusters drawn with
replacement (Taylor linearisation, P/(P−1) over the patients that hold a unit in the denominator). Sources: Rao and
Scott 1992; Genders et al. 2012. The interval is
on the logit scale with the normal quantile, the plain one beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import clopper_pearson, logit_interval
from analytics.columns import codes
from analytics.distributions import normal_quantile
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Finding, Interval, Result, few_clusters
from analytics.rounding import count, half_up, percent

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
TITLES = ("Sensitivity", "Specificity", "Accuracy")


@dataclass(frozen=True, kw_only=True)
class ClusteredProportion(Result):
    """A proportion (0 to 1) of ``numerator`` in ``n`` units with its patient-cluster interval (logit).

    ``wald_interval`` is the same on the plain scale (it may leave [0, 1]), ``exact_interval`` takes units as
    independent; ``design_effect`` is the variance over that of independent units.
    """

    numerator: int
    se: float | None = None
    wald_interval: Interval | None = None
    exact_interval: Interval | None = None
    design_effect: float | None = None

    def sentence(self) -> str:
        """``Sensitivity 88.4 % (61/69; 95 % CI …)``."""
        if self.estimate is None:
            return super().sentence()
        text = f"{self.method} {percent(self.estimate)} % ({count(self.numerator)}/{count(self.n)}"
        shown = self.interval or self.exact_interval
        if shown is not None:
            text += f"; 95 % CI {percent(shown.low)}–{percent(shown.high)}, {shown.method}"
        text += ")" if self.interval_reason is None else f"; {self.interval_reason})"
        if self.design_effect is not None:
            text += f", design effect {half_up(self.design_effect, 2)}"
        return f"{text}, {self.counted()}" + "".join(f"; {w}" for w in self.warnings) + "."


@dataclass(frozen=True, kw_only=True)
class ClusteredAccuracy(Finding):
    """Sensitivity, specificity and accuracy with patient-cluster intervals."""

    sensitivity: ClusteredProportion
    specificity: ClusteredProportion
    accuracy: ClusteredProportion

    def measures(self) -> tuple[ClusteredProportion, ClusteredProportion, ClusteredProportion]:
        """The three in the usual order."""
        return self.sensitivity, self.specificity, self.accuracy

    def sentence(self) -> str:
        """All three in words."""
        return " ".join(m.sentence() for m in self.measures())


def clustered_accuracy_of(
    positive: NDArray[np.bool_],
    diseased: NDArray[np.bool_],
    *,
    clusters: Sequence[Any],
    unit: str = "territory",
    missing: int = 0,
    simulated: bool = False,
) -> ClusteredAccuracy:
    """Accuracy of yes-or-no arrays (test positive; diseased by the reference), one patient per unit."""
    positive, diseased = np.asarray(positive, bool), np.asarray(diseased, bool)
    if positive.shape != diseased.shape or positive.ndim != 1 or len(clusters) != len(positive):
        raise AnalyticsError(
            f"Test, reference and patients differ in length: {positive.shape}, {diseased.shape}, {len(clusters)}."
        )
    patient, _ = codes(clusters)
    dropped = (Dropped(missing, "a value is missing"),) if missing else ()
    everyone = np.ones_like(diseased)
    asked = (
        (diseased, positive, "nobody is positive by the reference"),
        (~diseased, ~positive, "nobody is negative by the reference"),
        (everyone, positive == diseased, "there is no unit"),
    )
    found = [
        _proportion(title, right[of], patient[of], unit, dropped, empty, simulated)
        for title, (of, right, empty) in zip(TITLES, asked, strict=True)
    ]
    return ClusteredAccuracy(
        method="accuracy with patients as clusters",
        n=found[2].n,
        unit=unit,
        clusters=found[2].clusters,
        dropped=dropped,
        reason=found[2].reason,
        simulated=simulated,
        sensitivity=found[0],
        specificity=found[1],
        accuracy=found[2],
    )


def clustered_proportion(
    title: str,
    right: NDArray[np.bool_],
    *,
    clusters: Sequence[Any],
    unit: str = "territory",
    dropped: tuple[Dropped, ...] = (),
    simulated: bool = False,
) -> ClusteredProportion:
    """Proportion of True in an array, one patient per unit."""
    patient, _ = codes(clusters)
    return _proportion(title, np.asarray(right, bool), patient, unit, dropped, "there is no unit", simulated)


def _proportion(
    title: str,
    right: NDArray[np.bool_],
    patient: NDArray[np.int64],
    unit: str,
    dropped: tuple[Dropped, ...],
    empty: str,
    simulated: bool,
) -> ClusteredProportion:
    n, x = len(right), int(right.sum())
    present, group = np.unique(patient, return_inverse=True)
    common: dict[str, Any] = {
        "method": title,
        "n": n,
        "unit": unit,
        "clusters": len(present),
        "dropped": dropped,
        "numerator": x,
        "simulated": simulated,
    }
    if n == 0:
        return ClusteredProportion(estimate=None, reason=empty, **common)
    share = x / n
    exact = clopper_pearson(x, n)
    if x in (0, n) or len(present) < 2:
        reason = "one patient only" if len(present) < 2 else "all units agree"
        why = f"{reason}: exact interval only"
        return ClusteredProportion(estimate=share, exact_interval=exact, interval_reason=why, **common)
    se = ratio_se(right.astype(np.float64), group, len(present))
    if se == 0:
        return ClusteredProportion(
            estimate=share,
            se=0.0,
            exact_interval=exact,
            interval_reason="no spread between patients",
            **common,
        )
    half = Z * se / (share * (1 - share))
    return ClusteredProportion(
        estimate=share,
        interval=logit_interval(share, half, "patient-cluster, logit"),
        se=se,
        wald_interval=Interval(share - Z * se, share + Z * se, "patient-cluster, Wald"),
        exact_interval=exact,
        design_effect=se**2 / (share * (1 - share) / n),
        warnings=few_clusters(len(present)),
        **common,
    )


def ratio_se(values: Array, group: NDArray[np.int64], groups: int) -> float:
    """Standard error of the mean of ``values`` whose rows are drawn by group (linearised ratio estimator)."""
    deviation = np.bincount(group, weights=values - values.mean(), minlength=groups)
    return math.sqrt(groups / (groups - 1) * float((deviation**2).sum())) / len(values)
