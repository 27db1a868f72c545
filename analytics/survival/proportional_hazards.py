"""Tests of proportional hazards: does a coefficient change with time?

``score_tests`` is the exact score test of a term x·g(t) (Therneau and Grambsch; R survival 3), ``approximate_tests``
the 1994 approximation of Grambsch and Therneau that Stata and older R print. g(t) = 1 − S(t−), Kaplan–Meier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import chi2_upper_tail
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


def km_transform(risk: RiskSets) -> Array:
    """g(t) of every event, by rising time."""
    curve = kaplan_meier(risk.time, risk.event.astype(float))
    before = np.concatenate([[1.0], curve.survival[:-1]])
    result: Array = np.repeat(1 - before, curve.events)
    return result


def score_tests(risk: RiskSets, fit: Fit) -> PhTests | None:
    """Exact score tests at the fitted β; None when the information is singular."""
    g = km_transform(risk)
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


def approximate_tests(risk: RiskSets, fit: Fit) -> tuple[float, ...] | None:
    """χ² per covariate of the 1994 approximation."""
    if fit.covariance is None:
        return None
    g = km_transform(risk)
    g = g - g.mean()
    residual = risk.x[risk.event_order] - fit.terms.mean
    weighted = g @ residual @ fit.covariance
    events = len(g)
    denominator = events * np.diag(fit.covariance) * float((g**2).sum())
    return tuple(float(v) for v in weighted**2 * events**2 / denominator)
