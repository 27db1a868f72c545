"""Log-rank test and its Fleming–Harrington relatives (Harrington and Fleming 1982)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import chi2_upper_tail
from analytics.result import Finding, Test
from analytics.rounding import half_up, p_value


@dataclass(frozen=True, kw_only=True)
class LogRank(Finding):
    """Observed and expected (weighted) events per group; ``test`` is χ², None with ``reason`` where there is none."""

    observed: tuple[float, ...] = ()
    expected: tuple[float, ...] = ()
    test: Test | None = None

    def sentence(self) -> str:
        """``log-rank χ² 4.21, p = 0.040, 100 patients.``."""
        if self.test is None:
            return f"{self.method} not estimable ({self.reason}); {self.counted()}."
        return (
            f"{self.method} χ² {half_up(self.test.statistic, 2)}, {p_value(self.test.p)}, {self.counted()}."
        )


def log_rank(
    time: NDArray[np.float64],
    event: NDArray[np.float64],
    groups: NDArray[np.int64],
    number: int,
    *,
    rho: float = 0.0,
    unit: str = "patient",
) -> LogRank:
    """Compare groups coded 0 … number−1. ``rho`` 0 is the log-rank, 1 Peto–Prentice with weights S(t−).

    There is no test when the variance is singular: no events, one group, or never two groups at risk together.
    """
    method = "log-rank" if rho == 0 else f"log-rank with weights S(t−)^{rho:g}"
    times = np.unique(time[event == 1])
    if not len(times):
        return LogRank(method=method, n=len(time), unit=unit, reason="no events")
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
    found = LogRank(
        method=method,
        n=len(time),
        unit=unit,
        observed=tuple((weight * deaths).sum(1).tolist()),
        expected=tuple(expected.sum(1).tolist()),
    )
    if not reduced.size:
        return replace(found, reason="one group only")
    if np.linalg.matrix_rank(reduced) < len(reduced):
        return replace(found, reason="the groups never overlap in time")
    statistic = float(difference[:-1] @ np.linalg.solve(reduced, difference[:-1]))
    return replace(found, test=Test(method, statistic, (number - 1,), chi2_upper_tail(statistic, number - 1)))
