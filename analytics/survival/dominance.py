"""How many (or how much weight) of a stretch of a sequence lies below a value, for many stretches at once.

A wavelet matrix: the values' ranks are split bit by bit, each split a stable partition, so that all queries walk down
together in ⌈log₂ n⌉ vectorised steps. Pairs of n rows are counted in n log n instead of n² work.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


class Below(NamedTuple):
    """Per query: the sum below the bound and the sum equal to it."""

    less: Array
    equal: Array


def below(values: Array, low: Index, high: Index, bounds: Array, weights: Array | None = None) -> Below:
    """Sum the weights (default 1) of ``values[low:high]`` that lie below and at each bound.

    Parameters
    ----------
    values : (n,)
    low, high, bounds : (queries,) half-open stretches of ``values`` and the value to compare with
    """
    levels, rank = np.unique(values, return_inverse=True)
    start = np.searchsorted(levels, bounds, "left")
    known = start < len(levels)
    known[known] = levels[start[known]] == bounds[known]
    bits = max(1, len(levels).bit_length())
    w = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    left, right = np.asarray(low, np.int64).copy(), np.asarray(high, np.int64).copy()
    less = np.zeros(len(left))
    for bit in range(bits - 1, -1, -1):
        one = ((rank >> bit) & 1).astype(bool)
        zeros = np.concatenate([[0], np.cumsum(~one)])
        total = np.concatenate([[0.0], np.cumsum(np.where(one, 0.0, w))])
        up = ((start >> bit) & 1).astype(bool)
        less += np.where(up, total[right] - total[left], 0.0)
        left = np.where(up, zeros[-1] + left - zeros[left], zeros[left])
        right = np.where(up, zeros[-1] + right - zeros[right], zeros[right])
        order = np.concatenate([np.flatnonzero(~one), np.flatnonzero(one)])
        rank, w = rank[order], w[order]
    sums = np.concatenate([[0.0], np.cumsum(w)])
    return Below(less, np.where(known, sums[right] - sums[left], 0.0))
