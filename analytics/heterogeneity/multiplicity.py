"""p values adjusted for the number of tests.

``bonferroni``, ``holm`` and ``hochberg`` hold the chance of any false finding; ``BH`` (Benjamini and Hochberg 1995) and
``BY`` (Benjamini and Yekutieli 2001, any dependence) the expected share of false findings. Missing p values stay missing
and do not count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.errors import AnalyticsError

METHODS = ("bonferroni", "holm", "hochberg", "BH", "BY")


def adjusted(p: Sequence[float | None] | NDArray[np.float64], method: str = "holm") -> list[float | None]:
    """Adjusted p values in the order given.

    Raises
    ------
    AnalyticsError
        For a p value outside [0, 1], naming its place, or an unknown method.
    """
    if method not in METHODS:
        raise AnalyticsError(f"Unknown method {method!r}; known are {', '.join(METHODS)}.")
    values = np.array([np.nan if v is None else float(v) for v in p], np.float64)
    odd = np.flatnonzero((values < 0) | (values > 1))
    if odd.size:
        raise AnalyticsError(f"p value {odd[0] + 1} is {values[odd[0]]:g}; it must lie between 0 and 1.")
    known = np.flatnonzero(~np.isnan(values))
    result: list[float | None] = [None] * len(values)
    order = known[np.argsort(values[known], kind="stable")]
    for place, value in zip(order, _in_order(values[order], method), strict=True):
        result[int(place)] = float(value)
    return result


def _in_order(p: NDArray[np.float64], method: str) -> NDArray[np.float64]:
    """Adjust rising p values."""
    n = len(p)
    rank = np.arange(1, n + 1)
    if method == "bonferroni":
        return np.minimum(n * p, 1.0)
    if method == "holm":
        return np.minimum(np.maximum.accumulate((n - rank + 1) * p), 1.0)
    harmonic = float((1 / rank).sum()) if method == "BY" else 1.0
    factor = n - rank + 1 if method == "hochberg" else harmonic * n / rank
    falling = np.minimum.accumulate((factor * p)[::-1])[::-1]
    return np.minimum(falling, 1.0)
