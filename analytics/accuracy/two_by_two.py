"""Diagnostic accuracy of a yes-or-no test against a yes-or-no reference.

Profile ``lin2022``: Clopper–Pearson for sensitivity, specificity and accuracy; Mercaldo's logit interval (2007)
at the sample's prevalence for predictive values, Clopper–Pearson where those are 0 or 100 %.
Profile ``recommended``: Wilson's score interval for all five (Brown, Cai and DasGupta 2001), Clopper–Pearson at 0 or
100 %. Units count as independent in both; :mod:`analytics.accuracy.clustered` has the intervals over patients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import clopper_pearson, logit_interval, wilson
from analytics.distributions import normal_quantile
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Finding, Interval, Result, plural
from analytics.rounding import count, half_up, percent

Z = normal_quantile(0.975)
INTERVALS = {
    "lin2022": "Clopper–Pearson, predictive values Mercaldo logit",
    "recommended": "Wilson, Clopper–Pearson at 0 and 100 %",
}
INTERVAL_SETS = tuple(INTERVALS)
MEASURES = ("sensitivity", "specificity", "accuracy", "ppv", "npv")
TITLES = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "accuracy": "Accuracy",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
}


@dataclass(frozen=True, kw_only=True)
class Proportion(Result):
    """A proportion (0 to 1) of ``numerator`` in ``n``."""

    numerator: int

    def printed(self) -> str:
        """``90.2 % (76.9–97.3; 37/41)``, or why there is none."""
        if self.estimate is None:
            return f"not estimable: {self.reason}"
        limits = (
            "" if self.interval is None else f"{percent(self.interval.low)}–{percent(self.interval.high)}; "
        )
        return f"{percent(self.estimate)} % ({limits}{count(self.numerator)}/{count(self.n)})"


@dataclass(frozen=True, kw_only=True)
class TwoByTwo(Finding):
    """The four cells with sensitivity, specificity, accuracy and predictive values; ``n`` counts all units."""

    tp: int
    fp: int
    fn: int
    tn: int
    sensitivity: Proportion
    specificity: Proportion
    accuracy: Proportion
    ppv: Proportion
    npv: Proportion
    profile: str
    question: str

    def measures(self) -> tuple[tuple[str, Proportion], ...]:
        """Title and proportion of each measure, in the usual order."""
        return tuple((TITLES[name], getattr(self, name)) for name in MEASURES)

    def ratios(self) -> dict[str, float | Interval | None]:
        """Likelihood ratios (log intervals), diagnostic odds ratio, Youden's index; None where a cell is zero."""
        positives, negatives = self.tp + self.fn, self.fp + self.tn
        result: dict[str, float | Interval | None] = dict.fromkeys(
            ("lr_pos", "lr_pos_ci", "lr_neg", "lr_neg_ci", "dor", "dor_ci", "youden")
        )
        if not positives or not negatives:
            return result
        se, sp = self.tp / positives, self.tn / negatives
        result["youden"] = se + sp - 1
        if self.tp and self.fp:
            spread = math.sqrt((1 - se) / self.tp + sp / self.fp)
            result["lr_pos"], result["lr_pos_ci"] = _log_ratio(se / (1 - sp), spread)
        if self.fn and self.tn:
            spread = math.sqrt(se / self.fn + (1 - sp) / self.tn)
            result["lr_neg"], result["lr_neg_ci"] = _log_ratio((1 - se) / sp, spread)
        if self.fp and self.fn:
            result["dor"] = self.tp * self.tn / (self.fp * self.fn)
            if self.tp and self.tn:
                spread = math.sqrt(1 / self.tp + 1 / self.fp + 1 / self.fn + 1 / self.tn)
                result["dor"], result["dor_ci"] = _log_ratio(self.tp * self.tn / (self.fp * self.fn), spread)
        return result

    def caption(self) -> str:
        """Question, intervals, units and clusters."""
        text = "Simulated data. " if self.simulated else ""
        text += f"{self.question}; 95 % CI {INTERVALS[self.profile]} (profile {self.profile}); "
        text += f"{count(self.n)} {plural(self.unit, self.n)}"
        if self.clusters is not None:
            text += f" in {count(self.clusters)} patients, taken as independent"
        if self.dropped:
            text += " (" + "; ".join(f"{count(d.count)} dropped: {d.reason}" for d in self.dropped) + ")"
        return text + "."

    def sentence(self) -> str:
        """All five proportions in one sentence."""
        parts = [f"{title.lower()} {value.printed()}" for title, value in self.measures()]
        return f"{self.question}: {', '.join(parts)}; {self.counted()}."

    def to_dict(self) -> dict[str, Any]:
        """JSON form; the four counts are ``cells``, and ``ratio_reasons`` says why a ratio is missing."""
        content = super().to_dict()
        cells = {name: content.pop(name) for name in ("tp", "fp", "fn", "tn")}
        ratios = {k: v.to_dict() if isinstance(v, Interval) else v for k, v in self.ratios().items()}
        return content | {"cells": cells, **ratios, "ratio_reasons": self.ratio_reasons()}

    def ratio_reasons(self) -> dict[str, str]:
        """Why a ratio or its interval is missing, by its name in :meth:`ratios`."""
        one_kind = not (self.tp + self.fn and self.fp + self.tn)
        why = "everybody is positive, or negative, by the reference" if one_kind else "a cell is zero"
        return {name: why for name, value in self.ratios().items() if value is None}


def _log_ratio(ratio: float, spread: float) -> tuple[float, Interval]:
    return ratio, Interval(ratio * math.exp(-Z * spread), ratio * math.exp(Z * spread), "log")


def two_by_two_at(
    test: NDArray[np.float64],
    reference: NDArray[np.float64],
    *,
    threshold: float,
    unit: str = "territory",
    clusters: Sequence[Any] | None = None,
    profile: str = "lin2022",
    names: tuple[str, str] = ("test", "reference"),
    value_unit: str = "%",
    simulated: bool = False,
) -> TwoByTwo:
    """Accuracy of ``test >= threshold`` for ``reference >= threshold``, two arrays of numbers.

    A unit with either value missing is dropped and counted.
    """
    test, reference = np.asarray(test, np.float64), np.asarray(reference, np.float64)
    if test.shape != reference.shape:
        raise AnalyticsError(f"Test and reference differ in length: {test.shape} and {reference.shape}.")
    complete = ~(np.isnan(test) | np.isnan(reference))
    missing = int((~complete).sum())
    positive, diseased = test[complete] >= threshold, reference[complete] >= threshold
    kept = None if clusters is None else {c for c, keep in zip(clusters, complete, strict=True) if keep}
    limit = half_up(threshold, 0 if float(threshold).is_integer() else 1)
    return two_by_two_of(
        tp=int((positive & diseased).sum()),
        fp=int((positive & ~diseased).sum()),
        fn=int((~positive & diseased).sum()),
        tn=int((~positive & ~diseased).sum()),
        unit=unit,
        clusters=None if kept is None else len(kept),
        dropped=(Dropped(missing, "a value is missing"),) if missing else (),
        profile=profile,
        question=f"{names[0]} ≥ {limit} {value_unit} for {names[1]} ≥ {limit} {value_unit}",
        simulated=simulated,
    )


def two_by_two_of(
    *,
    tp: int,
    fp: int,
    fn: int,
    tn: int,
    unit: str = "patient",
    clusters: int | None = None,
    dropped: tuple[Dropped, ...] = (),
    profile: str = "lin2022",
    question: str = "test positive for reference positive",
    simulated: bool = False,
) -> TwoByTwo:
    """Accuracy from the four cells. Raises AnalyticsError for negative counts or an unknown profile."""
    if profile not in INTERVAL_SETS:
        raise AnalyticsError(f"Unknown profile {profile!r}; known are {', '.join(INTERVAL_SETS)}.")
    if min(tp, fp, fn, tn) < 0:
        raise AnalyticsError(f"A cell is negative: tp {tp}, fp {fp}, fn {fn}, tn {tn}.")
    positives, negatives = tp + fn, fp + tn

    def proportion(name: str, x: int, n: int, empty: str, interval: Interval | None = None) -> Proportion:
        common: dict[str, Any] = {
            "method": TITLES[name],
            "n": n,
            "unit": unit,
            "numerator": x,
            "simulated": simulated,
        }
        if n == 0:
            return Proportion(estimate=None, reason=empty, **common)
        if profile == "recommended":
            interval = clopper_pearson(x, n) if x in (0, n) else wilson(x, n)
        return Proportion(estimate=x / n, interval=interval or clopper_pearson(x, n), **common)

    return TwoByTwo(
        method=f"2×2 table, {INTERVALS[profile]}",
        n=tp + fp + fn + tn,
        reason=None if tp + fp + fn + tn else "there is no unit",
        tp=tp,
        fp=fp,
        fn=fn,
        tn=tn,
        sensitivity=proportion("sensitivity", tp, positives, "nobody is positive by the reference"),
        specificity=proportion("specificity", tn, negatives, "nobody is negative by the reference"),
        accuracy=proportion("accuracy", tp + tn, positives + negatives, "there is no unit"),
        ppv=proportion(
            "ppv", tp, tp + fp, "nobody is positive by the test", _predictive(tp, fp, fn, tn, positive=True)
        ),
        npv=proportion(
            "npv", tn, tn + fn, "nobody is negative by the test", _predictive(tp, fp, fn, tn, positive=False)
        ),
        unit=unit,
        clusters=clusters,
        dropped=dropped,
        profile=profile,
        question=question,
        simulated=simulated,
    )


def _predictive(tp: int, fp: int, fn: int, tn: int, *, positive: bool) -> Interval | None:
    """Mercaldo's interval at the sample's prevalence; None where it does not exist (0 or 100 %)."""
    if not (tp + fn and fp + tn):
        return None
    interval = predictive_at((tp + fn) / (tp + fp + fn + tn), tp=tp, fp=fp, fn=fn, tn=tn, positive=positive)
    return None if interval is None else interval[1]


def predictive_at(
    prevalence: float, *, tp: int, fp: int, fn: int, tn: int, positive: bool
) -> tuple[float, Interval] | None:
    """Predictive value at a prevalence with its logit interval (Mercaldo, Lau and Zhou 2007).

    None where the value is 0 or 1, or a row of the reference is empty.
    """
    positives, negatives = tp + fn, fp + tn
    if not positives or not negatives:
        return None
    se, sp = tp / positives, tn / negatives
    if positive:
        right, wrong = se * prevalence, (1 - sp) * (1 - prevalence)
        zero = tp == 0 or fp == 0
        spread = 0.0 if zero else (1 - se) / se / positives + sp / (1 - sp) / negatives
    else:
        right, wrong = sp * (1 - prevalence), (1 - se) * prevalence
        zero = tn == 0 or fn == 0
        spread = 0.0 if zero else se / (1 - se) / positives + (1 - sp) / sp / negatives
    if zero or not 0 < prevalence < 1:
        return None
    value = right / (right + wrong)
    half = Z * math.sqrt(spread)
    return value, logit_interval(value, half, "Mercaldo logit")
