"""Log-rank test and its Fleming–Harrington relatives (Harrington and Fleming 1982)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import chi2_upper_tail


@dataclass(frozen=True)
class LogRank:
    """Observed and expected (weighted) events per group, χ² and p."""

    observed: NDArray[np.float64]
    expected: NDArray[np.float64]
    statistic: float
    p: float


def log_rank(
    time: NDArray[np.float64],
    event: NDArray[np.float64],
    groups: NDArray[np.int64],
    number: int,
    *,
    rho: float = 0.0,
) -> LogRank | None:
    """Compare groups coded 0 … number−1. ``rho`` 0 is the log-rank, 1 Peto–Prentice with weights S(t−).

    None when the variance is singular (no events, or never two groups at risk together).
    """
    times = np.unique(time[event == 1])
    if not len(times):
        return None
    at_risk = np.empty((number, len(times)))
    deaths = np.empty((number, len(times)))
    for g in range(number):
        mine = groups == g
        at_risk[g] = mine.sum() - np.searchsorted(np.sort(time[mine]), times, "left")
        dead = np.sort(time[mine & (event == 1)])
        deaths[g] = np.searchsorted(dead, times, "right") - np.searchsorted(dead, times, "left")
    n, d = at_risk.sum(0), deaths.sum(0)
    before = np.concatenate([[1.0], np.cumprod(1 - d / n)[:-1]])
    weight = before**rho
    expected = weight * at_risk * d / n
    difference = (weight * deaths - expected).sum(1)
    several = n > 1
    factor = np.zeros_like(n)
    factor[several] = (weight**2 * d * (n - d))[several] / (n - 1)[several]
    share = at_risk / n
    covariance = np.diag((factor * share).sum(1)) - (factor * share) @ share.T
    reduced = covariance[:-1, :-1]
    if not reduced.size or np.linalg.matrix_rank(reduced) < len(reduced):
        return None
    statistic = float(difference[:-1] @ np.linalg.solve(reduced, difference[:-1]))
    return LogRank(
        (weight * deaths).sum(1), expected.sum(1), statistic, chi2_upper_tail(statistic, number - 1)
    )
