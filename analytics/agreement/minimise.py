"""Minimise many functions of one bounded variable at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RATIO = (5**0.5 - 1) / 2
"""The golden section."""


def golden_section(f: Callable[[Array], Array], low: Array, high: Array, steps: int = 45) -> Array:
    """Minimiser of each function inside its [low, high] (arrays of one length) by golden section.

    ``f`` takes one point per function. The ends are tried too, so that a minimum on the boundary is found exactly.
    """
    first, last = low.copy(), high.copy()
    inner, outer = high - RATIO * (high - low), low + RATIO * (high - low)
    f_inner, f_outer = f(inner), f(outer)
    for _ in range(steps):
        left = f_inner <= f_outer
        high, low = np.where(left, outer, high), np.where(left, low, inner)
        point = np.where(left, high - RATIO * (high - low), low + RATIO * (high - low))
        value = f(point)
        inner, outer = np.where(left, point, outer), np.where(left, inner, point)
        f_inner, f_outer = np.where(left, value, f_outer), np.where(left, f_inner, value)
    found = (low + high) / 2
    candidates = np.stack([found, first, last])
    best = np.argmin(np.stack([f(c) for c in candidates]), axis=0)
    result: Array = np.take_along_axis(candidates, best[None], axis=0)[0]
    return result
