"""Agreement of two reads beyond chance, where κ's paradox bites, and tests of equal margins.

Gwet's AC1/AC2, Scott's π, Krippendorff's α, Brennan–Prediger; Bowker, Stuart–Maxwell.
Standard errors: Gwet, Handbook of Inter-Rater Reliability (4th ed.), conditional on raters.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.kappa import weight_matrix
from analytics.distributions import chi2_upper_tail
from analytics.result import Test

Estimate = tuple[float, float]
"""Estimate and standard error."""


def gwet(matrix: NDArray[np.int64], weights: str = "unweighted") -> Estimate:
    """AC1 (unweighted) or AC2 (weighted)."""
    p, n = _shares(matrix)
    q = len(p)
    w = weight_matrix(q, weights)
    margin = (p.sum(0) + p.sum(1)) / 2
    total = float(w.sum())
    observed = float((w * p).sum())
    expected = total * float((margin * (1 - margin)).sum()) / (q * (q - 1))
    estimate = (observed - expected) / (1 - expected)
    gradient = total * (1 - (margin[:, None] + margin[None, :]) / 2) / (q * (q - 1))
    return estimate, _se(p, w, gradient, observed, expected, estimate, n)


def scott_pi(matrix: NDArray[np.int64]) -> Estimate:
    """Scott's π."""
    p, n = _shares(matrix)
    w = np.eye(len(p))
    margin = (p.sum(0) + p.sum(1)) / 2
    observed, expected = float((w * p).sum()), float((margin**2).sum())
    estimate = (observed - expected) / (1 - expected)
    gradient = (margin[:, None] + margin[None, :]) / 2
    return estimate, _se(p, w, gradient, observed, expected, estimate, n)


def krippendorff_alpha(matrix: NDArray[np.int64]) -> Estimate:
    """Krippendorff's α for nominal categories and two complete reads; the SE is that of Scott's π."""
    p, n = _shares(matrix)
    se = scott_pi(matrix)[1]
    expected = float((((p.sum(0) + p.sum(1)) / 2) ** 2).sum())
    observed = float(np.trace(p)) * (1 - 1 / (2 * n)) + 1 / (2 * n)
    return (observed - expected) / (1 - expected), se


def brennan_prediger(matrix: NDArray[np.int64]) -> Estimate:
    """Brennan–Prediger (PABAK for two categories): chance is 1/q."""
    p, n = _shares(matrix)
    observed, expected = float(np.trace(p)), 1 / len(p)
    return (observed - expected) / (1 - expected), math.sqrt(observed * (1 - observed) / n) / (1 - expected)


def bowker(matrix: NDArray[np.int64]) -> Test | None:
    """Bowker's test of symmetry; None where nobody disagreed."""
    m = np.asarray(matrix, np.float64)
    upper = np.triu_indices(len(m), 1)
    difference, total = (m - m.T)[upper], (m + m.T)[upper]
    used = total > 0
    if not used.any():
        return None
    statistic, df = float((difference[used] ** 2 / total[used]).sum()), int(used.sum())
    return Test("Bowker", statistic, (df,), chi2_upper_tail(statistic, df))


def stuart_maxwell(matrix: NDArray[np.int64]) -> Test | None:
    """Stuart–Maxwell test of equal margins over the categories that were used; None where not estimable."""
    m = np.asarray(matrix, np.float64)
    used = (m.sum(0) + m.sum(1)) > 0
    m = m[np.ix_(used, used)]
    difference = (m.sum(1) - m.sum(0))[:-1]
    covariance = -(m + m.T) + np.diag(m.sum(0) + m.sum(1))
    covariance = covariance[:-1, :-1]
    if len(m) < 2 or np.linalg.matrix_rank(covariance) < len(covariance):
        return None
    statistic = float(difference @ np.linalg.solve(covariance, difference))
    df = len(difference)
    return Test("Stuart–Maxwell", statistic, (df,), chi2_upper_tail(statistic, df))


def _shares(matrix: NDArray[np.int64]) -> tuple[NDArray[np.float64], int]:
    n = int(np.sum(matrix))
    return np.asarray(matrix, np.float64) / n, n


def _se(
    p: NDArray[np.float64],
    w: NDArray[np.float64],
    gradient: NDArray[np.float64],
    observed: float,
    expected: float,
    estimate: float,
    n: int,
) -> float:
    spread = (
        float((p * (w - 2 * (1 - estimate) * gradient) ** 2).sum())
        - (observed - 2 * (1 - estimate) * expected) ** 2
    )
    return math.sqrt(max(0.0, spread) / n) / (1 - expected)
