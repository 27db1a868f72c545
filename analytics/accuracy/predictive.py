"""Predictive values at prevalences other than the sample's.

A case-control or enriched sample says nothing about predictive values at its own prevalence. Interval: Mercaldo, Lau and
Zhou 2007, on the logit scale; where a cell is zero their adjusted form, which adds z²/2 to every cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analytics.accuracy.binomial import logit_interval
from analytics.accuracy.two_by_two import TwoByTwo, predictive_at
from analytics.distributions import normal_quantile
from analytics.errors import AnalyticsError
from analytics.result import Finding, Interval, Result
from analytics.rounding import percent

Z = normal_quantile(0.975)


@dataclass(frozen=True, kw_only=True)
class PredictiveValue(Result):
    """Positive or negative predictive value (``estimate``) at ``prevalence``."""

    prevalence: float
    positive: bool

    def sentence(self) -> str:
        """``Positive predictive value at a prevalence of 10.0 % 40.1 % (…)``."""
        if self.estimate is None:
            return super().sentence()
        text = f"{self.method} {percent(self.estimate)} %"
        if self.interval is not None:
            text += f" (95 % CI {percent(self.interval.low)}–{percent(self.interval.high)}, {self.interval.method})"
        return f"{text}, {self.counted()}."


@dataclass(frozen=True, kw_only=True)
class PredictiveValues(Finding):
    """Both predictive values over several prevalences, rising."""

    ppv: tuple[PredictiveValue, ...]
    npv: tuple[PredictiveValue, ...]

    def sentence(self) -> str:
        """Every value in words."""
        return " ".join(value.sentence() for value in (*self.ppv, *self.npv))


def predictive_values(table: TwoByTwo, prevalences: Sequence[float]) -> PredictiveValues:
    """Predictive values of a 2×2 table at prevalences (0 to 1, exclusive). Units count as independent."""
    wrong = [p for p in prevalences if not 0 < p < 1]
    if wrong:
        raise AnalyticsError(f"A prevalence must lie between 0 and 1, not {wrong[0]}.")
    ordered = sorted(prevalences)
    return PredictiveValues(
        method="predictive values over prevalences",
        n=table.n,
        unit=table.unit,
        clusters=table.clusters,
        dropped=table.dropped,
        reason=table.reason,
        ppv=tuple(_value(table, p, positive=True) for p in ordered),
        npv=tuple(_value(table, p, positive=False) for p in ordered),
        simulated=table.simulated,
    )


def _value(table: TwoByTwo, prevalence: float, *, positive: bool) -> PredictiveValue:
    name = "Positive" if positive else "Negative"
    common: dict[str, Any] = {
        "method": f"{name} predictive value at a prevalence of {percent(prevalence)} %",
        "n": table.n,
        "unit": table.unit,
        "clusters": table.clusters,
        "dropped": table.dropped,
        "simulated": table.simulated,
        "prevalence": prevalence,
        "positive": positive,
    }
    positives, negatives = table.tp + table.fn, table.fp + table.tn
    if not positives or not negatives:
        return PredictiveValue(
            estimate=None, reason="nobody is positive, or negative, by the reference", **common
        )
    found = predictive_at(prevalence, tp=table.tp, fp=table.fp, fn=table.fn, tn=table.tn, positive=positive)
    if found is not None:
        return PredictiveValue(estimate=found[0], interval=found[1], **common)
    se, sp = table.tp / positives, table.tn / negatives
    right = se * prevalence if positive else sp * (1 - prevalence)
    wrong = (1 - sp) * (1 - prevalence) if positive else (1 - se) * prevalence
    if right + wrong == 0:
        return PredictiveValue(estimate=None, reason="nobody has this result of the test", **common)
    return PredictiveValue(
        estimate=right / (right + wrong), interval=_adjusted(table, prevalence, positive), **common
    )


def _adjusted(table: TwoByTwo, prevalence: float, positive: bool) -> Interval:
    """Mercaldo's adjusted logit interval: z²/2 added to every cell."""
    add = Z**2 / 2
    positives, negatives = table.tp + table.fn + 2 * add, table.fp + table.tn + 2 * add
    se, sp = (table.tp + add) / positives, (table.tn + add) / negatives
    if positive:
        value = se * prevalence / (se * prevalence + (1 - sp) * (1 - prevalence))
        spread = (1 - se) / se / positives + sp / (1 - sp) / negatives
    else:
        value = sp * (1 - prevalence) / (sp * (1 - prevalence) + (1 - se) * prevalence)
        spread = se / (1 - se) / positives + (1 - sp) / sp / negatives
    half = Z * math.sqrt(spread)
    return logit_interval(value, half, "Mercaldo, adjusted logit")
