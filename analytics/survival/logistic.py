"""Logistic regression by iteratively reweighted least squares, as calibration needs it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Logistic(NamedTuple):
    """Coefficients and standard errors, in the order of the columns."""

    coefficients: Array
    se: Array


def logistic(x: Array, y: Array, offset: Array | None = None) -> Logistic | None:
    """Fit y (n,) of 0/1 on columns of x (n, p) without adding an intercept; None where it has no finite maximum."""
    shift = np.zeros(len(y)) if offset is None else offset
    beta = np.zeros(x.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(x @ beta + shift, -700, 700)))
        information = x.T @ (x * (p * (1 - p))[:, None])
        if not np.all(np.isfinite(information)) or np.linalg.cond(information) > 1e13:
            return None
        step = np.linalg.solve(information, x.T @ (y - p))
        beta = beta + step
        if np.abs(step).max() < 1e-11 * max(1.0, float(np.abs(beta).max())):
            return Logistic(beta, np.sqrt(np.diag(np.linalg.inv(information))))
    return None
