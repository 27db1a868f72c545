"""Firth's penalised Cox regression: finite hazard ratios with few events and under separation.

The log partial likelihood (Breslow ties) gains half the log determinant of the information (Firth 1993; Heinze and
Schemper 2001). Intervals are those of the profile of the penalised likelihood; Wald's are wrong where it is skewed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq

from analytics.distributions import chi2_quantile, chi2_upper_tail
from analytics.result import Interval, Test
from analytics.survival.cox import refused_model, wald_terms
from analytics.survival.design import Design, design
from analytics.survival.hazard_ratio import Cox, HazardRatio
from analytics.survival.partial_likelihood import Array, EventTerms, Fit, RiskSets, regular

MAX_ITERATIONS = 200
"""A guard: steps are shortened to ``LARGEST_STEP``, so that a far profile point takes more than Newton's usual ten."""
LARGEST_STEP = 5.0
"""In standardised units; a Newton step beyond it is shortened."""
FARTHEST = 50.0
"""A profile limit farther than this from the estimate, in standardised units, is reported as missing."""


@dataclass(frozen=True)
class Penalised:
    """The penalised likelihood at one β: value, modified score (p,) and information (p, p)."""

    beta: Array
    value: float
    score: Array
    information: Array
    terms: EventTerms


def penalised(risk: RiskSets, beta: Array) -> Penalised | None:
    """Evaluate; None where the information is singular.

    The derivative of half the log determinant is half the trace of I⁻¹ ∂I/∂β, summed over events from each risk
    set's third moment contracted with I⁻¹.
    """
    terms = risk.terms(beta)
    information = risk.information(terms)
    sign, log_determinant = np.linalg.slogdet(information)
    if sign <= 0 or not math.isfinite(log_determinant):
        return None
    inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
    eta = risk.x @ beta
    weight = np.exp(eta - eta.max())
    quadratic = np.einsum("ij,jk,ik->i", risk.x, inverse, risk.x)
    columns = np.column_stack([np.ones(len(weight)), quadratic, quadratic[:, None] * risk.x])
    sums = risk.risk_sums(weight[:, None] * columns)
    moments = sums[:, 1:] / sums[:, :1]
    mean = terms.mean
    skew = moments[:, 1:] - mean * moments[:, :1]
    skew -= 2 * np.einsum("eij,ej->ei", terms.variance, mean @ inverse)
    value = terms.log_likelihood + log_determinant / 2
    return Penalised(beta, value, risk.score(terms) + skew.sum(0) / 2, information, terms)


def maximise_penalised(risk: RiskSets, start: Array, free: Array) -> Penalised | None:
    """Newton's method over the coefficients marked in ``free``; None when it does not converge.

    The covariates must be standardised: steps are limited in their units.
    """
    at = penalised(risk, start)
    for _ in range(MAX_ITERATIONS):
        if at is None:
            return None
        if not free.any():
            return at
        step = np.zeros(len(start))
        step[free] = np.linalg.solve(at.information[np.ix_(free, free)], at.score[free])
        longest = float(np.abs(step).max())
        if longest < 1e-10:
            return at
        step *= min(1.0, LARGEST_STEP / longest)
        trial = penalised(risk, at.beta + step)
        for _ in range(40):
            if trial is not None and trial.value >= at.value - 1e-13 * abs(at.value):
                break
            step = step / 2
            trial = penalised(risk, at.beta + step)
        if float(np.abs(step).max()) < 1e-9:
            return trial if trial is not None else at
        at = trial
    return None


def _profile(risk: RiskSets, best: Penalised, j: int) -> Callable[[float], float]:
    """Drop of the penalised likelihood, doubled, when coefficient j is held and the others are refitted."""
    free = np.arange(len(best.beta)) != j
    last = [best.beta]

    def drop(value: float) -> float:
        start = last[0].copy()
        start[j] = value
        held = maximise_penalised(risk, start, free)
        if held is None:
            held = maximise_penalised(risk, np.where(free, best.beta, value), free)
        if held is None:
            return math.inf
        last[0] = held.beta
        return 2 * (best.value - held.value)

    return drop


def _limit(drop: Callable[[float], float], estimate: float, se: float, sign: int) -> float | None:
    """Where the profile has fallen by the χ² quantile, on one side of the estimate."""
    target = chi2_quantile(0.95, 1)
    inner, step = estimate, 2 * se
    while abs(inner - estimate) < FARTHEST:
        outer = inner + sign * step
        if drop(outer) >= target:
            root: float = brentq(lambda v: drop(v) - target, inner, outer, xtol=1e-10, rtol=1e-12)
            return root
        inner, step = outer, step * 1.6
    return None


def firth_of(
    time: Array,
    event: Array,
    covariates: Mapping[str, Array],
    *,
    entry: Array | None = None,
    strata: Sequence[Any] | None = None,
    unit: str = "patient",
    outcome: str = "event",
    simulated: bool = False,
) -> Cox:
    """Penalised Cox model from arrays, Breslow ties, profile-likelihood intervals and tests.

    ``se`` of each term is that of the unpenalised information at the estimate (for Wald's interval); ``likelihood_ratio``
    compares penalised likelihoods, whose values are those of covariates in units of their standard deviation, so that
    they do not depend on the covariates' units.

    Raises
    ------
    AnalyticsError
        As :func:`analytics.survival.cox.cox_of`.
    """
    rows = design(time, event, covariates, entry=entry, strata=strata)
    happened = np.asarray(rows.event == 1)
    common: dict[str, Any] = {
        "n": len(rows.time),
        "events": int(happened.sum()),
        "unit": unit,
        "ties": "Breslow",
        "method": "Firth-penalised Cox regression",
        "interval_method": "profile likelihood",
        "strata": rows.strata,
        "dropped": rows.dropped,
        "outcome": outcome,
        "simulated": simulated,
    }
    why = rows.refusal()
    if why is not None:
        return refused_model(rows.names, [why] * len(rows.names), why, common)
    spread = rows.x.std(axis=0, ddof=1)
    risk = RiskSets(rows.time, happened, rows.centred / spread, rows.entry, False, rows.stratum)
    start = np.zeros(len(spread))
    null = penalised(risk, start)
    if null is None or not regular(null.information, np.ones(len(spread))):
        why = "the covariates are collinear"
        return refused_model(rows.names, [why] * len(rows.names), why, common)
    best = maximise_penalised(risk, start, np.ones(len(start), bool))
    if best is None:
        why = "the penalised likelihood did not converge"
        return refused_model(rows.names, [why] * len(rows.names), why, common)
    return _described(rows, risk, spread, null, best, common)


def _described(
    rows: Design, risk: RiskSets, spread: Array, null: Penalised, best: Penalised, common: dict[str, Any]
) -> Cox:
    covariance = np.asarray(np.linalg.inv(best.information), dtype=np.float64)
    fit = Fit(
        best.beta / spread,
        covariance / np.outer(spread, spread),
        best.terms,
        null.terms,
        0,
        np.zeros(len(spread), bool),
    )
    wald = wald_terms(rows.names, fit, None, common, method="hazard ratio, Firth-penalised Cox")
    terms = tuple(_profiled(term, risk, best, covariance, j, spread[j]) for j, term in enumerate(wald))
    ratio, p = 2 * (best.value - null.value), len(spread)
    return Cox(
        terms=terms,
        log_likelihood=best.value,
        log_likelihood_null=null.value,
        likelihood_ratio=Test("penalised likelihood ratio", ratio, (p,), chi2_upper_tail(ratio, p)),
        warnings=tuple(f"{t.covariate}: {t.interval_reason}" for t in terms if t.interval_reason),
        **common,
    )


def _profiled(
    term: HazardRatio, risk: RiskSets, best: Penalised, covariance: Array, j: int, spread: float
) -> HazardRatio:
    """The term with its profile interval and penalised likelihood-ratio test instead of Wald's."""
    estimate, se = float(best.beta[j]), math.sqrt(covariance[j, j])
    low, high = (_limit(_profile(risk, best, j), estimate, se, sign) for sign in (-1, 1))
    statistic = max(0.0, _profile(risk, best, j)(0.0))
    test = (
        Test("penalised likelihood ratio", statistic, (1,), chi2_upper_tail(statistic, 1))
        if math.isfinite(statistic)
        else None
    )
    if low is None or high is None or max(abs(low), abs(high)) / spread > 700:
        return replace(term, interval=None, test=test, interval_reason="the profile likelihood has no limit")
    interval = Interval(math.exp(low / spread), math.exp(high / spread), "profile likelihood")
    return replace(term, interval=interval, interval_reason=None, test=test)
