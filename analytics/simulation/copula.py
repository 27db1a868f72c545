"""Correlated uniforms from a Gaussian copula, and ranks spread evenly over (0, 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]


def gaussian_copula(rng: np.random.Generator, correlation: Array, n: int) -> Array:
    """(n, variables) uniforms whose normal scores have the given correlation matrix."""
    normal = rng.standard_normal((n, len(correlation))) @ np.linalg.cholesky(correlation).T
    result: Array = special.ndtr(normal)
    return result


def even_ranks(values: Array) -> Array:
    """(rank − ½)/n: the same set of uniforms whatever the draw, in the order of the values."""
    result: Array = (np.argsort(np.argsort(values, kind="stable"), kind="stable") + 0.5) / len(values)
    return result
