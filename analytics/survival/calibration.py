"""Calibration of predicted probabilities against a yes/no outcome: whether they mean what they say.

In the large (intercept with the logit as offset), slope (Cox 1958), Brier score, Hosmer–Lemeshow and Spiegelhalter's z.
For predictions at a horizon with censoring see ``survival_calibration``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import wilson
from analytics.distributions import chi2_upper_tail, normal_quantile, normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.ranks import average_ranks
from analytics.result import DRAWING, Dropped, Interval, Result, Test, interval_or_none, unless
from analytics.rounding import half_up
from analytics.survival.logistic import logistic
from analytics.survival.risk_groups import TENTHS, RiskGroup, risk_groups, risk_tenths

Array = NDArray[np.float64]
Z = normal_quantile(0.975)


@dataclass(frozen=True, kw_only=True)
class Calibration(Result):
    """``estimate`` is the slope (1 is perfect), ``test`` Hosmer and Lemeshow's.

    intercept : calibration in the large (0 is perfect; above, events are more frequent than predicted)
    joint_intercept : intercept beside the slope
    brier_scaled : 1 − Brier / (Brier of the mean risk)
    """

    events: int
    slope_se: float | None = None
    intercept: float | None = None
    intercept_se: float | None = None
    joint_intercept: float | None = None
    observed_expected: float | None = None
    brier: float | None = None
    brier_scaled: float | None = None
    auc: float | None = None
    spiegelhalter: Test | None = None
    groups: tuple[RiskGroup, ...] = field(default=(), metadata=DRAWING)

    def sentence(self) -> str:
        """Slope, intercept and Brier score."""
        text = super().sentence()
        if self.estimate is None or self.intercept is None or self.brier is None:
            return text
        more = f"in the large {half_up(self.intercept, 3)}, Brier score {half_up(self.brier, 3)}"
        return f"{text[:-1]}; {more}."


def complete_predictions(
    outcome: Array, *predictions: Array
) -> tuple[Array, tuple[Array, ...], tuple[Dropped, ...]]:
    """Rows whose outcome (0/1) and probabilities are known, and what was dropped.

    Raises AnalyticsError naming the row of an outcome other than 0/1 or a probability outside [0, 1].
    """
    outcome = np.asarray(outcome, np.float64)
    columns = [np.asarray(p, np.float64) for p in predictions]
    odd = np.flatnonzero(~np.isnan(outcome) & ~np.isin(outcome, (0, 1)))
    if odd.size:
        raise AnalyticsError(f"Outcome, row {odd[0] + 1}: {outcome[odd[0]]:g} is neither 0 nor 1.")
    for p in columns:
        if p.shape != outcome.shape:
            raise AnalyticsError(f"Probabilities and outcomes differ in length: {len(p)} and {len(outcome)}.")
        outside = np.flatnonzero((p < 0) | (p > 1))
        if outside.size:
            raise AnalyticsError(f"Probability, row {outside[0] + 1}: {p[outside[0]]:g} lies outside 0 to 1.")
    gone = np.isnan(outcome) | np.any([np.isnan(p) for p in columns], axis=0)
    dropped = (Dropped(int(gone.sum()), "outcome or probability is missing"),) if gone.any() else ()
    return outcome[~gone], tuple(p[~gone] for p in columns), dropped


def calibration_of(
    probability: Array,
    outcome: Array,
    *,
    groups: int = TENTHS,
    unit: str = "patient",
    simulated: bool = False,
) -> Calibration:
    """Calibration of probabilities (n,) for outcomes (n,) of 0/1; incomplete rows are dropped and counted.

    Raises
    ------
    AnalyticsError
        For outcomes other than 0/1 and probabilities outside [0, 1].
    """
    y, (p,), dropped = complete_predictions(outcome, probability)
    common: dict[str, Any] = {
        "method": "calibration slope",
        "n": len(y),
        "events": int(y.sum()),
        "unit": unit,
        "dropped": dropped,
        "simulated": simulated,
    }
    if not len(y) or y.min() == y.max():
        return Calibration(estimate=None, reason="the outcome has one value only", **common)
    brier, spread = float(((y - p) ** 2).mean()), float(y.mean() * (1 - y.mean()))
    common |= {
        "observed_expected": float(y.sum() / p.sum()) if p.sum() else None,
        "brier": brier,
        "brier_scaled": 1 - brier / spread,
        "auc": _auc(p, y),
        "spiegelhalter": _spiegelhalter(p, y),
        "groups": risk_groups(p, lambda rows: _observed(y[rows]), groups),
    }
    if np.any((p == 0) | (p == 1)):
        return Calibration(estimate=None, reason="a probability of exactly 0 or 1 has no logit", **common)
    logit = np.log(p / (1 - p))
    one = np.ones((len(y), 1))
    large = logistic(one, y, logit)
    both = logistic(np.column_stack([one, logit]), y) if np.ptp(logit) > 0 else None
    if large is None or both is None:
        return Calibration(estimate=None, reason="the logistic fit has no finite maximum", **common)
    slope, se = float(both.coefficients[1]), float(both.se[1])
    interval = interval_or_none(slope - Z * se, slope + Z * se, "Wald")
    return Calibration(
        estimate=slope,
        interval=interval,
        interval_reason=unless(interval, "the slope's standard error is not finite"),
        slope_se=se,
        intercept=float(large.coefficients[0]),
        intercept_se=float(large.se[0]),
        joint_intercept=float(both.coefficients[0]),
        test=_hosmer_lemeshow(p, y, groups),
        **common,
    )


def _auc(p: Array, y: Array) -> float:
    cases = int(y.sum())
    below = float(average_ranks(p)[y == 1].sum()) - cases * (cases + 1) / 2
    return below / (cases * (len(y) - cases))


def _spiegelhalter(p: Array, y: Array) -> Test | None:
    """Whether the Brier score is larger than its expectation under the predictions (Spiegelhalter 1986)."""
    variance = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    if variance <= 0:
        return None
    z = float(((y - p) * (1 - 2 * p)).sum()) / math.sqrt(variance)
    return Test("Spiegelhalter z", z, (), normal_two_sided_p(z))


def _observed(y: Array) -> tuple[float, Interval | None]:
    """Share of events with Wilson's interval."""
    events = int(y.sum())
    return events / len(y), wilson(events, len(y))


def _hosmer_lemeshow(p: Array, y: Array, groups: int) -> Test | None:
    parts = risk_tenths(p, groups)
    n = np.array([len(g) for g in parts])
    observed, expected = (np.array([v[g].sum() for g in parts]) for v in (y, p))
    variance = expected * (1 - expected / n)
    if len(parts) < 3 or np.any(variance <= 0):
        return None
    statistic = float(((observed - expected) ** 2 / variance).sum())
    df = len(parts) - 2
    return Test("Hosmer–Lemeshow", statistic, (df,), chi2_upper_tail(statistic, df))
