"""Tests of proportional hazards: whether a coefficient changes with time.

``score_tests`` is the exact score test of a term x·g(t) (Therneau and Grambsch; R survival 3), ``approximate_tests``
the 1994 approximation of Grambsch and Therneau that Stata and older R print. g(t) is 1 − S(t−) (Kaplan–Meier over all
strata), the rank among all observed times, the time itself or its logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import chi2_upper_tail
from analytics.errors import AnalyticsError
from analytics.survival.kaplan_meier import kaplan_meier
from analytics.survival.partial_likelihood import Fit, RiskSets

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PhTests:
    """χ² and p per covariate (1 df) and globally."""

    statistics: tuple[float, ...]
    p: tuple[float, ...]
    overall: float
    overall_p: float


TRANSFORMS = ("km", "rank", "identity", "log")


def transformed_times(risk: RiskSets, transform: str = "km") -> Array:
    """g(t) of every event, in the order of ``risk.event_order``: ``km``, ``rank``, ``identity`` or ``log``.

    Raises AnalyticsError for another name and for the logarithm of a time of 0.
    """
    times = risk.time[risk.event_order]
    if transform == "identity":
        return times
    if transform == "log":
        if np.any(times <= 0):
            raise AnalyticsError("An event at time 0 has no logarithm: take km, rank or identity.")
        result: Array = np.log(times)
        return result
    if transform == "rank":
        _, inverse, number = np.unique(risk.time, return_inverse=True, return_counts=True)
        middle: Array = (np.cumsum(number) - (number - 1) / 2)[inverse[risk.event_order]]
        return middle
    if transform != "km":
        raise AnalyticsError(f"Unknown transform {transform!r}; known are {', '.join(TRANSFORMS)}.")
    curve = kaplan_meier(risk.time, risk.event.astype(float), entry=risk.entry)
    before = np.concatenate([[1.0], curve.survival[:-1]])
    km: Array = 1 - before[np.searchsorted(curve.times, times)]
    return km


def score_tests(risk: RiskSets, fit: Fit, transform: str = "km") -> PhTests | None:
    """Exact score tests at the fitted β; None when the information is singular."""
    g = transformed_times(risk, transform)
    g = g - g.mean()
    residual = risk.x[risk.event_order] - fit.terms.mean
    score = g @ residual
    information = fit.terms.variance.sum(0)
    cross = (g[:, None, None] * fit.terms.variance).sum(0)
    second = ((g**2)[:, None, None] * fit.terms.variance).sum(0)
    try:
        schur = second - cross.T @ np.linalg.solve(information, cross)
        overall = float(score @ np.linalg.solve(schur, score))
    except np.linalg.LinAlgError:
        return None
    diagonal = np.diag(schur)
    if np.any(diagonal <= 1e-12):
        return None
    statistics = tuple(float(v) for v in score**2 / diagonal)
    return PhTests(
        statistics,
        tuple(chi2_upper_tail(s, 1) for s in statistics),
        overall,
        chi2_upper_tail(overall, len(score)),
    )


def approximate_tests(risk: RiskSets, fit: Fit, transform: str = "km") -> PhTests | None:
    """The 1994 approximation; None when the information is singular or all event times are equal."""
    g = transformed_times(risk, transform)
    g = g - g.mean()
    spread = float((g**2).sum()) / len(g)
    if fit.covariance is None or spread == 0:
        return None
    residual = g @ (risk.x[risk.event_order] - fit.terms.mean)
    weighted = residual @ fit.covariance
    statistics = tuple(float(v) for v in weighted**2 / (np.diag(fit.covariance) * spread))
    overall = float(weighted @ residual) / spread
    return PhTests(
        statistics,
        tuple(chi2_upper_tail(s, 1) for s in statistics),
        overall,
        chi2_upper_tail(overall, len(residual)),
    )
