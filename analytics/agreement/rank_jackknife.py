"""Spearman's ρ without each patient, and its influence: the spread behind a clustered interval.

Taking a patient away lowers every other midrank by the number of the patient's values below it (ties count one
half), so that all patients are one matrix; where that matrix would be too large, the influence of each unit on ρ
(the infinitesimal jackknife, Efron 1982) is summed within patients, which is the same to first order.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analytics.ranks import Ties, ties

Array = NDArray[np.float64]
Index = NDArray[np.int64]
MOST_ENTRIES = 200_000
"""Patients × units up to which the jackknife is exact."""


def left_out_spearman(x: Array, y: Array, patient: Index, patients: int) -> Array:
    """ρ without each patient: (patients,); NaN where the others' values are all equal."""
    weight = np.ones((patients, len(x)))
    weight[patient, np.arange(len(x))] = 0
    size = weight.sum(1)
    rx, ry = (_reduced_ranks(values, patient, patients) for values in (x, y))
    middle = ((size + 1) / 2)[:, None]
    rx, ry = (rx - middle) * weight, (ry - middle) * weight
    sxy, sxx, syy = (rx * ry).sum(1), (rx * rx).sum(1), (ry * ry).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Array = np.where((sxx > 0) & (syy > 0), sxy / np.sqrt(sxx * syy), np.nan)
    return result


def _reduced_ranks(values: Array, patient: Index, patients: int) -> Array:
    """Midranks (patients, units) among the units of the other patients."""
    tied = ties(values)
    own = np.zeros((patients, len(tied.counts)))
    np.add.at(own, (patient, tied.place), 1.0)
    below = np.cumsum(own, axis=1) - own / 2
    result: Array = tied.ranks()[None, :] - below[:, tied.place]
    return result


def influence_spearman(x: Array | Ties, y: Array | Ties) -> Array:
    """Influence of each unit on ρ: the derivative of ρ with respect to its weight; sums to 0."""
    tx, ty = (v if isinstance(v, Ties) else ties(v) for v in (x, y))
    n = len(tx.place)
    f, g = ((t.ranks() - 0.5) / n for t in (tx, ty))
    cov, var_f, var_g = ((a * b).mean() - 0.25 for a, b in ((f, g), (f, f), (g, g)))
    d_cov = f * g + (tx.above(g) + ty.above(f)) / n
    d_f, d_g = f * f + 2 * tx.above(f) / n, g * g + 2 * ty.above(g) / n
    rho = cov / math.sqrt(var_f * var_g)
    d_cov, d_f, d_g = (d - d.mean() for d in (d_cov, d_f, d_g))
    result: Array = d_cov / math.sqrt(var_f * var_g) - rho / 2 * (d_f / var_f + d_g / var_g)
    return result


def spearman_se(
    x: Array, y: Array, tied: tuple[Ties, Ties], patient: Index, patients: int, rho: float
) -> tuple[float, str] | None:
    """Standard error of Fisher's z of ρ over patients, and how it was had; None where there is no spread.

    ``tied`` are the ties of x and y, which the caller has already.
    """
    if patients * len(x) <= MOST_ENTRIES:
        rest = left_out_spearman(x, y, patient, patients)
        if not (
            np.abs(rest) < 1
        ).all():  # NaN included: without one patient the others say nothing, or all the same
            return None
        z = np.arctanh(rest)
        se = math.sqrt((patients - 1) / patients * float(((z - z.mean()) ** 2).sum()))
        name = "delete-one-patient jackknife on Fisher's z"
    else:
        sums = np.bincount(patient, weights=influence_spearman(*tied), minlength=patients) / len(x)
        se = math.sqrt(patients / (patients - 1) * float((sums**2).sum())) / (1 - rho**2)
        name = "infinitesimal jackknife over patients on Fisher's z"
    # Where every patient says the same there is no spread to make an interval of.
    return None if se < 1e-9 else (se, name)
