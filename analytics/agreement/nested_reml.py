"""REML of lesions nested in patients, each read once by every rater: y = rater (fixed) + patient + lesion + error.

The design splits orthogonally: contrasts between raters inside a lesion carry the error alone, lesion means carry
patient and lesion. The first has a closed form, the second is one-dimensional and needs, per patient, only its
number of lesions and its mean. A million lesions take a fraction of a second, and the sums of resampled patients
give the fits of all resamples at once (a patient drawn twice counts as two).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.minimise import golden_section

Array = NDArray[np.float64]
NEARLY_ONE = 1 - 1e-9
"""Largest share of the variance that is tried: at 1 the logarithm of the rest does not exist."""


@dataclass(frozen=True)
class NestedFit:
    """Variance components, one entry per fit."""

    patient: Array
    lesion: Array
    residual: Array


@dataclass(frozen=True)
class PatientSums:
    """Per patient: parts of the likelihood (patients, parts), and the distinct numbers of lesions."""

    parts: Array
    sizes: Array
    raters: int


def patient_sums(ratings: Array, patient: NDArray[np.int64], patients: int) -> PatientSums:
    """Reduce complete ratings (lesions, k) to sums per patient."""
    k = ratings.shape[1]
    # Column by column: a million lesions fit the processor's caches better so.
    columns = [column - column.mean() for column in np.ascontiguousarray(ratings.T)]
    lesion = sum(columns[1:], columns[0]) / k
    lesions = np.bincount(patient, minlength=patients)
    total = np.bincount(patient, weights=lesion, minlength=patients)
    mean = total / lesions
    spread = np.bincount(patient, weights=(lesion - mean[patient]) ** 2, minlength=patients)
    squares = np.zeros(len(lesion))
    by_rater = []
    for column in columns:
        column -= lesion
        by_rater.append(np.bincount(patient, weights=column, minlength=patients))
        squares += column * column
    error = np.bincount(patient, weights=squares, minlength=patients)
    sizes, group = np.unique(lesions, return_inverse=True)
    member = (group[:, None] == np.arange(len(sizes))).astype(np.float64)
    parts = [lesions, spread, error, *by_rater]
    parts += [*member.T, *(member * mean[:, None]).T, *(member * (mean**2)[:, None]).T]
    return PatientSums(np.column_stack(parts), sizes.astype(np.float64), k)


def fit_nested(total: Array, sums: PatientSums) -> NestedFit:
    """REML fits of summed parts (fits, parts)."""
    k, width = sums.raters, len(sums.sizes)
    lesions, spread, error = total[:, 0], total[:, 1], total[:, 2]
    by_rater = total[:, 3 : 3 + k]
    count, mean, square = (total[:, 3 + k + i * width : 3 + k + (i + 1) * width] for i in range(3))
    error = np.maximum(error - (by_rater**2).sum(1) / lesions, 0)
    df = lesions - 1

    def between(share: Array) -> tuple[Array, Array]:
        """Sum of squares of the lesion means at a patient share, and the log-determinant terms."""
        ratio = (share / (1 - share))[:, None]
        weight = sums.sizes / (1 + ratio * sums.sizes)
        all_weight = (weight * count).sum(1)
        squares = spread + (weight * square).sum(1) - (weight * mean).sum(1) ** 2 / all_weight
        logs = (count * np.log1p(ratio * sums.sizes)).sum(1) + np.log(all_weight)
        return np.maximum(squares, 1e-300), logs

    def free(share: Array) -> Array:
        squares, logs = between(share)
        return df * np.log(squares) + logs

    def pooled(share: Array) -> Array:
        squares, logs = between(share)
        found: Array = df * k * np.log(k * squares + error) + logs
        return found

    zero, one = np.zeros(len(total)), np.full(len(total), NEARLY_ONE)
    residual = error / (df * (k - 1))
    share = golden_section(free, zero, one)
    variance = between(share)[0] / df
    lesion = variance - residual / k
    without = lesion < 0  # no variance left for lesions: they share the error's
    if without.any():
        bounded = golden_section(pooled, zero, one)
        together = (k * between(bounded)[0] + error) / (df * k)
        share, residual = np.where(without, bounded, share), np.where(without, together, residual)
        variance, lesion = np.where(without, together / k, variance), np.where(without, 0.0, lesion)
    return NestedFit(share / (1 - share) * variance, lesion, residual)
