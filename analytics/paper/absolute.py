"""Which bias makes ICC(A,1) of two reads have a printed interval.

An interval of absolute agreement depends on the bias between the reads, which tables rarely print. Given ICC, number of
units and bias over the SD of the differences, the mean squares follow up to scale (error 1), and with them the interval
of McGraw and Wong.
"""

from __future__ import annotations

import numpy as np

from analytics.agreement.icc import absolute_limits
from analytics.agreement.mean_squares import MeanSquares

GRID = np.round(np.arange(0.0, 0.601, 0.005), 3)


def squares_of(icc: float, n: int, bias_ratio: float) -> MeanSquares:
    """Mean squares of two reads with that ICC(A,1), error 1, whose bias is ``bias_ratio`` SDs of their differences."""
    # SD of differences is √2 for an error of 1; columns differ by the bias: MSC = n·bias²/2.
    columns = n * (bias_ratio * np.sqrt(2)) ** 2 / 2
    extra = 2 / n * (columns - 1)
    rows = (1 + icc * (1 + extra)) / (1 - icc)
    total = rows * (n - 1) + columns + (n - 1)
    within = (total - rows * (n - 1)) / n
    return MeanSquares(n=n, k=2, rows=float(rows), columns=float(columns), error=1.0, within=float(within))


def bias_ratios_that_fit(
    icc: float, n: int, low: float, high: float, tolerance: float
) -> tuple[float, float] | None:
    """Smallest and largest bias/SD (0 to 0.6) whose interval is the printed one; None where no bias gives it."""
    found = []
    for ratio in GRID:
        limits = absolute_limits(squares_of(icc, n, float(ratio)), icc)
        if abs(limits[0] - low) <= tolerance and abs(limits[1] - high) <= tolerance:
            found.append(float(ratio))
    return (min(found), max(found)) if found else None
