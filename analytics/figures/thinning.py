"""As many points of a curve as an eye can tell apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 800
"""A figure is some 700 to 1,000 pixels wide: more points of a curve cannot be told apart."""


def thinned(n: int) -> NDArray[np.int64]:
    """Indices of at most ``MOST_POINTS`` of n points, evenly along the curve, both ends among them."""
    if n <= MOST_POINTS:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, MOST_POINTS).astype(np.int64))
