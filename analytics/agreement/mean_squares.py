"""Two-way mean squares of a rating matrix, and the ICC from them, once or for many resamples at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.resampling import sums_by_cluster


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares of n subjects (rows) by k raters (columns)."""

    n: int
    k: int
    rows: float
    columns: float
    error: float
    within: float

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "n": self.n,
            "k": self.k,
            "rows": self.rows,
            "columns": self.columns,
            "error": self.error,
            "within": self.within,
        }


def mean_squares(ratings: NDArray[np.float64]) -> MeanSquares:
    """Analysis of variance of a complete (n, k) matrix."""
    n, k = ratings.shape
    grand = ratings.mean()
    row_effect = ratings.mean(axis=1, keepdims=True) - grand
    column_effect = ratings.mean(axis=0, keepdims=True) - grand
    residual = ratings - grand - row_effect - column_effect
    rows = k * float((row_effect**2).sum()) / (n - 1)
    columns = n * float((column_effect**2).sum()) / (k - 1)
    error = float((residual**2).sum()) / ((n - 1) * (k - 1))
    within = float(((ratings - ratings.mean(axis=1, keepdims=True)) ** 2).sum()) / (n * (k - 1))
    return MeanSquares(n, k, rows, columns, error, within)


def coefficient(squares: MeanSquares, form: str) -> float | None:
    """The ICC of a form; None where its denominator is not positive."""
    value = _formula(form, squares.n, squares.k, squares.rows, squares.columns, squares.error, squares.within)
    return float(value) if np.isfinite(value) else None


def _formula(form: str, n: Any, k: int, rows: Any, columns: Any, error: Any, within: Any) -> Any:
    numerator = rows - (within if form[0] == "1" else error)
    if form == "1,1":
        denominator = rows + (k - 1) * within
    elif form == "C,1":
        denominator = rows + (k - 1) * error
    elif form == "A,1":
        denominator = rows + (k - 1) * error + k * (columns - error) / n
    elif form == "A,k":
        denominator = rows + (columns - error) / n
    else:
        denominator = rows
    # A denominator that is zero but for rounding defines no coefficient. A negative one (A,k where the reads
    # contradict each other) gives a value outside [−1, 1], which is reported as it is.
    smallest = 1e-10 * (rows + columns + error + within)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(denominator) > smallest, np.divide(numerator, denominator), np.nan)


def patient_sums(
    ratings: NDArray[np.float64], clusters: NDArray[np.int64], number: int
) -> NDArray[np.float64]:
    """Per cluster: subjects, sum per rater (k), sum of squares, sum of squared row sums: (clusters, k + 3).

    Values are centred first, so that sums of squares do not cancel.
    """
    centred = ratings - ratings.mean()
    parts = [
        np.ones((len(ratings), 1)),
        centred,
        (centred**2).sum(1, keepdims=True),
        centred.sum(1, keepdims=True) ** 2,
    ]
    return sums_by_cluster(np.concatenate(parts, axis=1), clusters, number)


def replicate_icc(counts: NDArray[np.float64], sums: NDArray[np.float64], form: str) -> NDArray[np.float64]:
    """ICC of every resample. ``counts`` (replicates, clusters), ``sums`` from :func:`patient_sums`."""
    return icc_of_sums(counts @ sums, form)


def icc_of_sums(total: NDArray[np.float64], form: str) -> NDArray[np.float64]:
    """ICC of each row of sums over lesions (rows, k + 3), as :func:`patient_sums` makes them."""
    k = total.shape[1] - 3
    n, per_rater, squares, row_squares = total[:, 0], total[:, 1 : k + 1], total[:, k + 1], total[:, k + 2]
    correction = per_rater.sum(1) ** 2 / (n * k)
    ss_rows = row_squares / k - correction
    ss_columns = (per_rater**2).sum(1) / n - correction
    ss_total = squares - correction
    with np.errstate(divide="ignore", invalid="ignore"):
        rows, columns = ss_rows / (n - 1), ss_columns / (k - 1)
        error = (ss_total - ss_rows - ss_columns) / ((n - 1) * (k - 1))
        within = (ss_total - ss_rows) / (n * (k - 1))
    result: NDArray[np.float64] = _formula(form, n, k, rows, columns, error, within)
    return result
