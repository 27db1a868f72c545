"""Receiver operating characteristic: AUC with DeLong's interval, and the cut-off of Youden.

Higher values mean diseased, always: the direction is never flipped, and an AUC below 0.5 is reported as it is.
A cut-off is an observed value v with "positive = v or more"; where several are equally good all are listed.
Midranks: Sun and Xu 2014; a tie counts one half.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import logit_interval
from analytics.accuracy.rows import complete
from analytics.distributions import (
    normal_quantile,
    normal_two_sided_p,
    t_quantile,
    t_two_sided_p,
)
from analytics.result import (
    DRAWING,
    Finding,
    Interval,
    Result,
    Test,
    few_events,
    no_values,
)
from analytics.rounding import count, half_up, percent

Z = normal_quantile(0.975)


@dataclass(frozen=True)
class Youden:
    """The largest sensitivity + specificity − 1, and every observed value that reaches it."""

    index: float
    cut_offs: tuple[float, ...]
    sensitivity: float
    specificity: float

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "index": self.index,
            "cut_offs": list(self.cut_offs),
            "sensitivity": self.sensitivity,
            "specificity": self.specificity,
        }


@dataclass(frozen=True, kw_only=True)
class Roc(Result):
    """AUC (``estimate``) with DeLong's interval clipped to [0, 1]; ``logit_interval`` beside it."""

    cases: int
    controls: int
    se: float | None = None
    logit_interval: Interval | None = None
    youden: Youden | None = None
    marker: str = "marker"
    outcome: str = "outcome"
    thresholds: NDArray[np.float64] = field(
        default_factory=no_values, repr=False, compare=False, metadata=DRAWING
    )
    sensitivity: NDArray[np.float64] = field(
        default_factory=no_values, repr=False, compare=False, metadata=DRAWING
    )
    specificity: NDArray[np.float64] = field(
        default_factory=no_values, repr=False, compare=False, metadata=DRAWING
    )

    caption = Finding.caption

    def sentence(self) -> str:
        """AUC and cut-off in words."""
        text = f"{self.marker} for {self.outcome}: {super().sentence()}"
        text = text[:-1] + f", {count(self.cases)} with and {count(self.controls)} without {self.outcome}"
        if self.youden is not None:
            cuts = ", ".join(half_up(c, 1) for c in self.youden.cut_offs[:3])
            more = f" and {len(self.youden.cut_offs) - 3} more" if len(self.youden.cut_offs) > 3 else ""
            text += (
                f"; Youden's cut-off ≥ {cuts}{more}: sensitivity {percent(self.youden.sensitivity)} %, specificity "
                f"{percent(self.youden.specificity)} % (chosen and tested on the same data, so optimistic)"
            )
        return text + "".join(f"; {w}" for w in self.warnings) + "."


def roc_of(
    marker_values: NDArray[np.float64],
    outcome_values: NDArray[np.float64],
    *,
    unit: str = "patient",
    marker: str = "marker",
    outcome: str = "outcome",
    simulated: bool = False,
) -> Roc:
    """ROC of two arrays; rows with a missing value are dropped and counted.

    Raises AnalyticsError when an outcome is neither 0 nor 1.
    """
    _, (x,), case, dropped = complete(outcome_values, marker_values, name=outcome)
    diseased, healthy = x[case], x[~case]
    common: dict[str, Any] = {
        "method": "AUC",
        "n": len(x),
        "unit": unit,
        "dropped": dropped,
        "cases": len(diseased),
        "controls": len(healthy),
        "marker": marker,
        "outcome": outcome,
        "simulated": simulated,
    }
    if not len(diseased) or not len(healthy):
        return Roc(
            estimate=None, reason=f"{len(diseased)} with and {len(healthy)} without {outcome}", **common
        )
    auc, v10, v01 = placements(diseased, healthy)
    thresholds, sensitivity, specificity = curve(diseased, healthy)
    common |= {
        "thresholds": thresholds,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "youden": best_youden(thresholds, sensitivity, specificity),
    }
    if len(diseased) < 2 or len(healthy) < 2:
        return Roc(estimate=auc, interval_reason="one case or one control only", **common)
    se = math.sqrt(float(v10.var(ddof=1)) / len(diseased) + float(v01.var(ddof=1)) / len(healthy))
    if se == 0:
        return Roc(
            estimate=auc, se=0.0, interval_reason="marker separates completely or not at all", **common
        )
    on_logit = None
    if 0 < auc < 1:
        half = Z * se / (auc * (1 - auc))
        on_logit = logit_interval(auc, half, "DeLong, logit")
    z = (auc - 0.5) / se
    return Roc(
        estimate=auc,
        se=se,
        interval=Interval(max(0.0, auc - Z * se), min(1.0, auc + Z * se), "DeLong"),
        logit_interval=on_logit,
        test=Test("z against 0.5", z, (), normal_two_sided_p(z)),
        warnings=_few(len(diseased), len(healthy)),
        **common,
    )


def _few(cases: int, controls: int) -> tuple[str, ...]:
    return few_events(cases, "case") if cases <= controls else few_events(controls, "control")


def placements(
    diseased: NDArray[np.float64], healthy: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """AUC and the placement values of cases and controls, by counting in sorted values: O(n log n)."""
    sorted_healthy, sorted_diseased = np.sort(healthy), np.sort(diseased)
    below = np.searchsorted(sorted_healthy, diseased, "left") + np.searchsorted(
        sorted_healthy, diseased, "right"
    )
    v10 = below / (2 * len(healthy))
    above = np.searchsorted(sorted_diseased, healthy, "left") + np.searchsorted(
        sorted_diseased, healthy, "right"
    )
    v01 = 1 - above / (2 * len(diseased))
    return float(v10.mean()), v10, v01


def curve(
    diseased: NDArray[np.float64], healthy: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Cut-offs (every observed value, rising) with the sensitivity and specificity of "cut-off or more"."""
    thresholds = np.unique(np.concatenate([diseased, healthy]))
    sensitivity = 1 - np.searchsorted(np.sort(diseased), thresholds, "left") / len(diseased)
    specificity = np.searchsorted(np.sort(healthy), thresholds, "left") / len(healthy)
    return thresholds, sensitivity, specificity


def best_youden(
    thresholds: NDArray[np.float64], sensitivity: NDArray[np.float64], specificity: NDArray[np.float64]
) -> Youden:
    """Youden's index with all cut-offs that tie; sensitivity and specificity are those of the first."""
    index = sensitivity + specificity - 1
    best = np.flatnonzero(np.abs(index - index.max()) < 1e-12)
    return Youden(
        float(index.max()),
        tuple(float(t) for t in thresholds[best]),
        float(sensitivity[best[0]]),
        float(specificity[best[0]]),
    )


def hanley_mcneil_se(auc: float, cases: int, controls: int) -> float:
    """Standard error of Hanley and McNeil (1982)."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (cases - 1) * (q1 - auc**2) + (controls - 1) * (q2 - auc**2)
    return math.sqrt(spread / (cases * controls))


@dataclass(frozen=True, kw_only=True)
class AucDifference(Result):
    """First AUC minus second (``estimate``); ``covariance`` is that of the two, 0 of separate groups."""

    aucs: tuple[float, float] | None = None
    se: float | None = None
    covariance: float | None = None


def paired_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    outcome: NDArray[np.float64],
    *,
    unit: str = "patient",
    simulated: bool = False,
) -> AucDifference:
    """DeLong's test of two markers on the same units; rows with a missing value are dropped and counted.

    Raises
    ------
    AnalyticsError
        For columns of different length and outcomes other than 0/1.
    """
    _, (x, z), case, dropped = complete(outcome, first, second)
    m, n = int(case.sum()), int((~case).sum())
    common: dict[str, Any] = {
        "method": "difference of AUC",
        "n": len(case),
        "unit": unit,
        "dropped": dropped,
        "simulated": simulated,
    }
    if not m or not n:
        return AucDifference(estimate=None, reason=f"{m} with and {n} without the outcome", **common)
    a, a10, a01 = placements(x[case], x[~case])
    b, b10, b01 = placements(z[case], z[~case])
    common |= {"estimate": a - b, "aucs": (a, b)}
    if m < 2 or n < 2:
        return AucDifference(interval_reason="one case or one control only", **common)
    s = np.cov(np.stack([a10, b10])) / m + np.cov(np.stack([a01, b01])) / n
    variance = float(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    if variance <= 0:
        return AucDifference(interval_reason="the difference has no spread", **common)
    se = math.sqrt(variance)
    z_value = (a - b) / se
    return AucDifference(
        interval=Interval(a - b - Z * se, a - b + Z * se, "DeLong"),
        test=Test("z", z_value, (), normal_two_sided_p(z_value)),
        se=se,
        covariance=float(s[0, 1]),
        warnings=_few(m, n),
        **common,
    )


def unpaired_difference(first: Roc, second: Roc) -> AucDifference:
    """DeLong's comparison of two groups of different patients: Welch's t with Satterthwaite degrees of freedom.

    Each group is counted as its number of patients in the degrees of freedom (as the pROC package does).
    """
    common: dict[str, Any] = {
        "method": "difference of AUC between groups",
        "n": first.n + second.n,
        "unit": first.unit,
        "dropped": first.dropped + second.dropped,
        "simulated": first.simulated or second.simulated,
    }
    if first.estimate is None or second.estimate is None:
        return AucDifference(estimate=None, reason=first.reason or second.reason, **common)
    difference = first.estimate - second.estimate
    common |= {"estimate": difference, "aucs": (first.estimate, second.estimate), "covariance": 0.0}
    if not first.se or not second.se:
        return AucDifference(interval_reason="an AUC has no variance", **common)
    a, b = first.se**2, second.se**2
    se = math.sqrt(a + b)
    df = (a + b) ** 2 / (a**2 / (first.n - 1) + b**2 / (second.n - 1))
    half = t_quantile(0.975, df) * se
    return AucDifference(
        interval=Interval(difference - half, difference + half, "DeLong, t"),
        test=Test("Welch t", difference / se, (df,), t_two_sided_p(difference / se, df)),
        se=se,
        **common,
    )
