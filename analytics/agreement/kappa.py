"""Cohen's κ, unweighted and with linear or quadratic weights, for two reads of a category.

Interval: Fleiss, Cohen and Everitt (1969). With patients given, the delete-one-patient jackknife stands beside it.
All categories of the scale count for the weights, also those that nobody used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import codes, identities_in, is_missing
from analytics.distributions import normal_quantile, normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.resampling import no_interval_over
from analytics.result import DRAWING, ClusteredResult, Dropped, Interval, Test
from analytics.rounding import percent

Z = normal_quantile(0.975)
WEIGHTS = ("unweighted", "linear", "quadratic")


@dataclass(frozen=True, kw_only=True)
class Kappa(ClusteredResult):
    """κ of two reads. ``matrix[i][j]`` counts units that the first read put in level i, the second in j."""

    weights: str
    levels: tuple[Any, ...]
    names: tuple[str, str] = ("first", "second")
    matrix: NDArray[np.int64] = field(repr=False, compare=False, metadata=DRAWING)
    observed: float | None = None
    expected: float | None = None
    se: float | None = None
    se_null: float | None = None
    cluster_se: float | None = None

    @property
    def agree(self) -> int:
        """Units in the same level."""
        return int(np.trace(self.matrix))

    @property
    def within_one(self) -> int:
        """Units in the same or a neighbouring level."""
        i, j = np.indices(self.matrix.shape)
        return int(self.matrix[np.abs(i - j) <= 1].sum())

    def sentence(self) -> str:
        """κ with interval, exact agreement and agreement within one category."""
        text = super().sentence()
        if not self.n:
            return text
        shares = f"same category {self.agree} ({percent(self.agree / self.n, 0)} %), within one {self.within_one} ({percent(self.within_one / self.n, 0)} %)"
        return f"{text[:-1]}; {shares}{self.beside()}."

    def caption(self) -> str:
        """The sentence, marked when simulated."""
        return ("Simulated data. " if self.simulated else "") + self.sentence()

    def to_dict(self) -> dict[str, Any]:
        """JSON form with the matrix."""
        return super().to_dict() | {
            "matrix": self.matrix.tolist(),
            "agree": self.agree,
            "within_one": self.within_one,
        }


def kappa_of(
    first: Sequence[Any],
    second: Sequence[Any],
    *,
    levels: Sequence[Any],
    weights: str = "unweighted",
    clusters: Sequence[Any] | None = None,
    names: tuple[str, str] = ("first", "second"),
    unit: str = "territory",
    simulated: bool = False,
) -> Kappa:
    """κ of two sequences of categories; a missing entry drops the unit, a category off the scale is an error."""
    if weights not in WEIGHTS:
        raise AnalyticsError(f"Unknown weights {weights!r}; known are {', '.join(WEIGHTS)}.")
    counted = cross_table(first, second, levels=levels, clusters=clusters)
    return kappa_of_matrix(
        counted.matrix,
        levels=levels,
        weights=weights,
        patient_tables=counted.patient_tables,
        names=names,
        unit=unit,
        dropped=counted.dropped,
        simulated=simulated,
    )


@dataclass(frozen=True)
class CrossTable:
    """Counts of two reads: ``matrix`` (q, q), first read in rows; per patient (patients, q, q) when they are known."""

    matrix: NDArray[np.int64]
    patient_tables: NDArray[np.int64] | None
    dropped: tuple[Dropped, ...]


def cross_table(
    first: Sequence[Any] | NDArray[Any],
    second: Sequence[Any] | NDArray[Any],
    *,
    levels: Sequence[Any],
    clusters: Sequence[Any] | NDArray[Any] | None = None,
) -> CrossTable:
    """Count two sequences of categories. A missing entry drops the unit, a category off the scale is an error."""
    if len(first) != len(second):
        raise AnalyticsError(f"The two reads differ in length: {len(first)} and {len(second)}.")
    a, b = (_positions(values, levels) for values in (first, second))
    complete = (a >= 0) & (b >= 0)
    rows, columns, missing = a[complete], b[complete], int((~complete).sum())
    q = len(levels)
    cell = rows * q + columns
    tables = None
    if clusters is not None:
        patient_codes, distinct = codes(identities_in(clusters, complete))
        tables = np.bincount(patient_codes * q * q + cell, minlength=len(distinct) * q * q).reshape(-1, q, q)
    matrix = np.bincount(cell, minlength=q * q).reshape(q, q)
    dropped = (Dropped(missing, "a read is missing"),) if missing else ()
    return CrossTable(matrix, tables, dropped)


def _positions(values: Sequence[Any] | NDArray[Any], levels: Sequence[Any]) -> NDArray[np.int64]:
    """Index on the scale of every entry, −1 where it is missing. Raises AnalyticsError for one off the scale."""
    place = {level: i for i, level in enumerate(levels)}
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        distinct, inverse = np.unique(values, return_inverse=True)
        entries, places = distinct.tolist(), inverse
    else:
        numbering: dict[Any, int] = {}
        places = np.fromiter((numbering.setdefault(v, len(numbering)) for v in values), np.int64, len(values))
        entries = list(numbering)
    found = np.empty(len(entries), np.int64)
    for i, entry in enumerate(entries):
        found[i] = -1 if is_missing(entry) else place.get(entry, -2)
    result = found[places] if len(entries) else np.empty(0, np.int64)
    if (result == -2).any():
        row = int(np.flatnonzero(result == -2)[0])
        raise AnalyticsError(f"Row {row + 1}: category {values[row]!r} is not on the scale {list(levels)}.")
    return result


def kappa_of_matrix(
    matrix: NDArray[np.int64],
    *,
    levels: Sequence[Any],
    weights: str = "unweighted",
    patient_tables: NDArray[np.int64] | None = None,
    names: tuple[str, str] = ("first", "second"),
    unit: str = "territory",
    dropped: tuple[Dropped, ...] = (),
    simulated: bool = False,
) -> Kappa:
    """κ of a square matrix of counts; ``patient_tables`` (patients, q, q) sum to it."""
    matrix = np.asarray(matrix, np.int64)
    if matrix.shape != (len(levels), len(levels)):
        raise AnalyticsError(f"The matrix has shape {matrix.shape}; the scale has {len(levels)} levels.")
    n = int(matrix.sum())
    common: dict[str, Any] = {
        "method": f"Cohen's κ, {weights}" + (" weights" if weights != "unweighted" else ""),
        "n": n,
        "unit": unit,
        "clusters": None if patient_tables is None else len(patient_tables),
        "dropped": dropped,
        "weights": weights,
        "levels": tuple(levels),
        "names": names,
        "matrix": matrix,
        "simulated": simulated,
    }
    if n == 0:
        return Kappa(estimate=None, reason="no complete pair of reads", **common)
    w = weight_matrix(len(levels), weights)
    p = matrix / n
    chance = np.outer(p.sum(1), p.sum(0))
    observed, expected = float((w * p).sum()), float((w * chance).sum())
    if expected >= 1 - 1e-12:
        return Kappa(
            estimate=None,
            reason="both reads use one category only",
            observed=observed,
            expected=expected,
            **common,
        )
    estimate = (observed - expected) / (1 - expected)
    row_weight, column_weight = w @ p.sum(0), w.T @ p.sum(1)
    margins = row_weight[:, None] + column_weight[None, :]
    spread = (p * (w - margins * (1 - estimate)) ** 2).sum() - (estimate - expected * (1 - estimate)) ** 2
    se = math.sqrt(max(0.0, float(spread)) / n) / (1 - expected)
    null = float((chance * (w - margins) ** 2).sum()) - expected**2
    se_null = math.sqrt(max(0.0, null) / n) / (1 - expected)
    cluster_se = (
        jackknife_se(patient_tables, w) if patient_tables is not None and len(patient_tables) > 2 else None
    )
    label = "Fleiss, Cohen and Everitt" + ("" if patient_tables is None else ", units taken as independent")
    return Kappa(
        estimate=estimate,
        interval=_wald(estimate, se, label) if se > 0 else None,
        interval_reason=None if se > 0 else "no disagreement",
        test=Test("z against chance", estimate / se_null, (), normal_two_sided_p(estimate / se_null))
        if se_null > 0
        else None,
        observed=observed,
        expected=expected,
        se=se,
        se_null=se_null,
        cluster_se=cluster_se,
        cluster_interval=_wald(estimate, cluster_se, "delete-one-patient jackknife") if cluster_se else None,
        cluster_reason=None
        if cluster_se or patient_tables is None
        else no_interval_over(len(patient_tables), least=3, resampled=False),
        **common,
    )


def _wald(estimate: float, se: float, label: str) -> Interval:
    return Interval(estimate - Z * se, min(1.0, estimate + Z * se), label)


def weight_matrix(q: int, weights: str) -> NDArray[np.float64]:
    """Agreement weights of a scale of q levels: 1 on the diagonal, 0 at the far corners."""
    i, j = np.indices((q, q))
    if weights == "unweighted":
        same: NDArray[np.float64] = (i == j).astype(np.float64)
        return same
    distance = np.abs(i - j) / max(q - 1, 1)
    result: NDArray[np.float64] = 1 - (distance if weights == "linear" else distance**2)
    return result


def jackknife_se(patient_tables: NDArray[np.int64], weights: NDArray[np.float64]) -> float | None:
    """Delete-one-patient jackknife standard error of κ."""
    left = patient_tables.sum(0) - patient_tables
    totals = left.sum((1, 2))
    if np.any(totals == 0):
        return None
    p = left / totals[:, None, None]
    chance = p.sum(2)[:, :, None] * p.sum(1)[:, None, :]
    expected = (weights * chance).sum((1, 2))
    if np.any(expected >= 1 - 1e-12):
        return None
    values = ((weights * p).sum((1, 2)) - expected) / (1 - expected)
    n = len(values)
    return math.sqrt((n - 1) / n * float(((values - values.mean()) ** 2).sum()))


def maximum_kappa(matrix: NDArray[np.int64]) -> float | None:
    """Largest unweighted κ that the margins allow."""
    p = np.asarray(matrix, np.float64) / np.sum(matrix)
    rows, columns = p.sum(1), p.sum(0)
    expected = float(rows @ columns)
    return (float(np.minimum(rows, columns).sum()) - expected) / (1 - expected) if expected < 1 else None
