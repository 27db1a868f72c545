"""Bootstrap of the area under the ROC curve, of one marker or of the difference of two, patients drawn with replacement.

Rows are sorted once; a resample is a row of counts, and its AUC follows from running sums of the controls' counts, ties
counting one half. Weighting by counts equals repeating rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.roc import placements
from analytics.accuracy.rows import complete
from analytics.columns import codes, identities_in
from analytics.ranks import ties
from analytics.resampling import SEED, percentile_interval, resample_counts
from analytics.result import Interval, Result, few_clusters, few_events, unless

Array = NDArray[np.float64]
ENTRIES = 1_500_000
"""Weights (resamples × rows) worked on at once."""


@dataclass(frozen=True, kw_only=True)
class BootstrappedAuc(Result):
    """AUC (``estimate``), or first minus second AUC, with its percentile interval over resampled patients."""

    cases: int
    controls: int
    replicates: int
    seed: int


def bootstrapped_auc_of(
    marker: Array,
    outcome: Array,
    *,
    second: Array | None = None,
    clusters: Sequence[Any] | NDArray[Any] | None = None,
    replicates: int = 10_000,
    seed: int = SEED,
    unit: str = "patient",
    simulated: bool = False,
) -> BootstrappedAuc:
    """AUC of a marker (n,) for 0/1, or of ``marker`` minus that of ``second``; rows with a missing value are dropped.

    Resamples without cases or without controls are left out of the percentiles. Raises AnalyticsError for outcomes
    other than 0/1 and columns of different length.
    """
    kept, markers, case, dropped = complete(outcome, marker, *([second] if second is not None else []))
    patient, patients = np.arange(len(case)), len(case)
    if clusters is not None:
        patient, distinct = codes(identities_in(clusters, kept))
        patients = len(distinct)
    common: dict[str, Any] = {
        "method": "AUC" if second is None else "difference of two AUCs",
        "n": len(case),
        "unit": unit,
        "clusters": None if clusters is None else patients,
        "dropped": dropped,
        "cases": int(case.sum()),
        "controls": int((~case).sum()),
        "replicates": replicates,
        "seed": seed,
        "simulated": simulated,
    }
    if not case.any() or case.all():
        reason = f"{common['cases']} with and {common['controls']} without the outcome"
        return BootstrappedAuc(estimate=None, reason=reason, **common)
    aucs = [placements(m[case], m[~case])[0] for m in markers]
    drawn = np.concatenate(
        [
            np.subtract(*parts) if len(parts) == 2 else parts[0]
            for parts in _replicates(markers, case, patient, patients, replicates, seed)
        ]
    )
    interval = percentile_interval(drawn, replicates, clusters=patients)
    if interval is not None and clusters is None:
        interval = Interval(interval.low, interval.high, interval.method.replace("patient-cluster ", ""))
    return BootstrappedAuc(
        estimate=aucs[0] - aucs[1] if len(aucs) == 2 else aucs[0],
        interval=interval,
        interval_reason=unless(interval, "too few resamples hold both cases and controls"),
        warnings=few_clusters(None if clusters is None else patients)
        + few_events(min(common["cases"], common["controls"]), "case"),
        **common,
    )


def _replicates(
    markers: Sequence[Array],
    case: NDArray[np.bool_],
    patient: NDArray[np.int64],
    patients: int,
    replicates: int,
    seed: int,
) -> Iterator[list[Array]]:
    """AUCs (rows,) of each marker over chunks of resamples."""
    sorted_rows = []
    for marker in markers:
        tied = ties(marker)
        order = np.argsort(tied.place, kind="stable")
        edges = np.concatenate([[0], np.cumsum(tied.counts)])
        sorted_rows.append((order, edges, tied.place[order]))
    size = max(1, ENTRIES // max(len(case), 1))
    for counts in resample_counts(clusters=patients, replicates=replicates, seed=seed):
        for start in range(0, len(counts), size):
            weights = counts[start : start + size][:, patient]
            yield [
                _weighted_auc(weights[:, order], case[order], edges, place)
                for order, edges, place in sorted_rows
            ]


def _weighted_auc(
    weights: Array, case: NDArray[np.bool_], edges: NDArray[np.int64], place: NDArray[np.int64]
) -> Array:
    """AUC of rows of weights (rows, n) in the order of the marker."""
    controls = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights * ~case, axis=1)], axis=1)
    rows = np.flatnonzero(case)
    # Half of the controls below and half of those below or equal: ties count one half.
    below = (controls[:, edges[place[rows]]] + controls[:, edges[place[rows] + 1]]) / 2
    w = weights[:, rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Array = (w * below).sum(1) / (w.sum(1) * controls[:, -1])
    return result
