"""What a prediction is good for: net benefit (decision curve) and reclassification.

Net benefit at threshold p_t is the share of true positives less that of false positives weighted by p_t/(1 − p_t)
(Vickers and Elkin 2006); with censoring both shares come from Kaplan–Meier among those at or above the threshold
(Vickers and others 2008). A probability equal to the threshold counts as positive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import normal_quantile, normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import Finding, Interval, Result, Test
from analytics.rounding import half_up, percent
from analytics.survival.calibration import complete_predictions
from analytics.survival.concordance import complete
from analytics.survival.kaplan_meier import kaplan_meier

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
MOST_QUOTED = 5
"""Thresholds that a sentence quotes; the JSON has all."""


@dataclass(frozen=True, kw_only=True)
class DecisionCurve(Finding):
    """Net benefit of every model, and of treating all, at the thresholds; treating none has 0.

    It is None, for ``missing_reason``, where nobody at or above a threshold is followed up to the horizon.
    """

    thresholds: tuple[float, ...]
    models: tuple[tuple[str, tuple[float | None, ...]], ...]
    treat_all: tuple[float, ...]
    horizon: float | None = None

    @property
    def missing_reason(self) -> str | None:
        """Why a net benefit is missing, None where none is."""
        missing = any(value is None for _, values in self.models for value in values)
        return "nobody at or above the threshold is followed up to the horizon" if missing else None

    def sentence(self) -> str:
        """Net benefit of every model per 100 patients, at a few thresholds where there are many."""
        rows = [*self.models, ("treat all", self.treat_all)]
        quoted = range(len(self.thresholds))
        if len(quoted) > MOST_QUOTED:
            quoted = range(len(quoted) // MOST_QUOTED - 1, len(quoted), len(quoted) // MOST_QUOTED)
        parts = [
            f"{name} " + ", ".join("–" if (v := values[i]) is None else half_up(100 * v, 2) for i in quoted)
            for name, values in rows
        ]
        at = ", ".join(f"{percent(self.thresholds[i])} %" for i in quoted)
        text = f"Net benefit per 100 {self.unit}s at thresholds {at}: {'; '.join(parts)}"
        missing = f"; – where {self.missing_reason}" if self.missing_reason else ""
        return f"{text}{missing}; {self.counted()}."

    def to_dict(self) -> dict[str, Any]:
        """JSON form; ``models`` by name."""
        models = {name: list(values) for name, values in self.models}
        return super().to_dict() | {"models": models, "missing_reason": self.missing_reason}


def _thresholds(values: Sequence[float]) -> tuple[float, ...]:
    for t in values:
        if not 0 < t < 1:
            raise AnalyticsError(f"Threshold {t:g} lies outside 0 to 1 (exclusive).")
    return tuple(float(t) for t in values)


def decision_curve_of(
    outcome: Array,
    predictions: dict[str, Array],
    thresholds: Sequence[float],
    *,
    unit: str = "patient",
    simulated: bool = False,
) -> DecisionCurve:
    """Net benefit of models' probabilities (name → (n,)) for an outcome of 0/1.

    Raises
    ------
    AnalyticsError
        For outcomes other than 0/1, probabilities outside [0, 1] or thresholds not inside (0, 1).
    """
    limits = _thresholds(thresholds)
    y, columns, dropped = complete_predictions(outcome, *predictions.values())

    def benefit(chosen: NDArray[np.bool_], t: float) -> float:
        return float((chosen * y).sum() - (chosen * (1 - y)).sum() * t / (1 - t)) / len(y)

    if not len(y):
        raise AnalyticsError("No row has outcome and probabilities.")
    models = tuple(
        (name, tuple(benefit(p >= t, t) for t in limits))
        for name, p in zip(predictions, columns, strict=True)
    )
    everybody = tuple(benefit(np.ones(len(y), bool), t) for t in limits)
    return DecisionCurve(
        thresholds=limits,
        models=models,
        treat_all=everybody,
        method="net benefit",
        n=len(y),
        unit=unit,
        dropped=dropped,
        simulated=simulated,
    )


def survival_decision_curve_of(
    time: Array,
    event: Array,
    predictions: dict[str, Array],
    thresholds: Sequence[float],
    *,
    horizon: float,
    unit: str = "patient",
    simulated: bool = False,
) -> DecisionCurve:
    """Net benefit of predicted risks at ``horizon`` with censoring; null where nobody positive is followed so far.

    Raises
    ------
    AnalyticsError
        For negative times, events other than 0/1 or thresholds not inside (0, 1).
    """
    limits = _thresholds(thresholds)
    time, event, columns, dropped = complete(time, event, *predictions.values())
    if not len(time) or time.max() < horizon:
        raise AnalyticsError(f"Nobody is followed up to {horizon:g}: choose an earlier horizon.")

    def benefit(chosen: NDArray[np.bool_], t: float) -> float | None:
        if not chosen.any():
            return 0.0
        if time[chosen].max() < horizon and not event[chosen][np.argmax(time[chosen])]:
            return None
        risk = 1 - kaplan_meier(time[chosen], event[chosen]).survival_at(horizon)
        return float(chosen.mean()) * (risk - (1 - risk) * t / (1 - t))

    models = tuple(
        (name, tuple(benefit(p >= t, t) for t in limits))
        for name, p in zip(predictions, columns, strict=True)
    )
    overall = 1 - kaplan_meier(time, event).survival_at(horizon)
    return DecisionCurve(
        thresholds=limits,
        models=models,
        method=f"net benefit at {horizon:g}, Kaplan–Meier",
        treat_all=tuple(overall - (1 - overall) * t / (1 - t) for t in limits),
        n=len(time),
        unit=unit,
        horizon=horizon,
        dropped=dropped,
        simulated=simulated,
    )


@dataclass(frozen=True, kw_only=True)
class Reclassification(Result):
    """Net reclassification (``estimate``, −2 to 2) of a new model against an old one, with its two parts, and IDI.

    Without categories every change counts. NRI can rise for a useless marker: read it beside the decision curve.
    """

    events: int
    of_events: float | None = None
    of_others: float | None = None
    se: float | None = None
    idi: Result | None = None


def reclassification_of(
    old: Array,
    new: Array,
    outcome: Array,
    *,
    categories: Sequence[float] = (),
    unit: str = "patient",
    simulated: bool = False,
) -> Reclassification:
    """NRI (continuous, or over ``categories``, whose limits belong upwards) and IDI (Pencina and others 2008, 2011).

    Raises
    ------
    AnalyticsError
        For outcomes other than 0/1 and probabilities outside [0, 1].
    """
    y, (before, after), dropped = complete_predictions(outcome, old, new)
    kind = "continuous NRI" if not len(categories) else "categorical NRI"
    common: dict[str, Any] = {
        "method": kind,
        "n": len(y),
        "events": int(y.sum()),
        "unit": unit,
        "dropped": dropped,
        "simulated": simulated,
    }
    if not len(y) or y.min() == y.max():
        return Reclassification(estimate=None, reason="the outcome has one value only", **common)
    shift = after - before
    if len(categories):
        a, b = (np.searchsorted(np.asarray(categories), p, "right") for p in (before, after))
        move = np.sign(b - a).astype(float)
    else:
        move = np.sign(shift)
    case = y == 1
    of_events, of_others = float(move[case].mean()), -float(move[~case].mean())
    variance = sum(float((m**2).mean() - m.mean() ** 2) / len(m) for m in (move[case], move[~case]))
    nri, se = of_events + of_others, math.sqrt(variance)
    return Reclassification(
        estimate=nri,
        interval=Interval(nri - Z * se, nri + Z * se, "Wald") if se else None,
        interval_reason=None if se else "all patients of a kind move alike",
        se=se,
        of_events=of_events,
        of_others=of_others,
        test=Test("z", nri / se, (), normal_two_sided_p(nri / se)) if se else None,
        idi=_idi(shift, case, common),
        **common,
    )


def _idi(shift: Array, case: NDArray[np.bool_], common: dict[str, Any]) -> Result:
    """Integrated discrimination improvement; its test needs two of each kind."""
    shared = {k: v for k, v in common.items() if k != "events"} | {
        "method": "integrated discrimination improvement"
    }
    value = float(shift[case].mean() - shift[~case].mean())
    if min(case.sum(), (~case).sum()) < 2:
        return Result(estimate=value, interval_reason="one case or one control only", **shared)
    variance = float(shift[case].var(ddof=1) / case.sum() + shift[~case].var(ddof=1) / (~case).sum())
    if variance == 0:
        return Result(estimate=value, interval_reason="both models predict alike", **shared)
    se = math.sqrt(variance)
    return Result(
        estimate=value,
        interval=Interval(value - Z * se, value + Z * se, "Wald"),
        test=Test("z", value / se, (), normal_two_sided_p(value / se)),
        **shared,
    )
