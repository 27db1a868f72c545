"""How accuracy reads its columns: a marker or a test beside the truth, or ratings by reader and modality."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.clustered import clustered_accuracy_of
from analytics.accuracy.clustered_roc import clustered_roc_of
from analytics.accuracy.cutoff import cut_off_of
from analytics.accuracy.mrmc import mrmc_of
from analytics.accuracy.paired import paired_accuracy_of
from analytics.accuracy.roc import roc_of
from analytics.accuracy.two_by_two import two_by_two_at
from analytics.columns import Table, codes, column, keys, numbers
from analytics.errors import AnalyticsError
from analytics.tables.adapter import CLUSTER, READINGS, Column, Columns, zeros_and_ones

MARKER_AND_OUTCOME = {"marker": Column("marker_values"), "outcome": Column("outcome_values")}

READINGS[roc_of] = Columns(MARKER_AND_OUTCOME, {"marker": "marker", "outcome": "outcome"})
READINGS[cut_off_of] = Columns(MARKER_AND_OUTCOME | {"cluster": CLUSTER}, {"marker": "marker"})
READINGS[clustered_roc_of] = Columns(
    {"marker": Column("marker"), "outcome": Column("outcome"), "cluster": Column("clusters", keys)}
)
READINGS[two_by_two_at] = Columns(
    {"test": Column("test"), "reference": Column("reference"), "cluster": CLUSTER},
    {"names": ("test", "reference")},
)


def _thresholded(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """Two columns of numbers, positive from ``threshold``; rows with a missing value are counted."""
    others = {k: v for k, v in given.items() if k not in ("test", "reference", "cluster", "threshold")}
    values = np.stack([numbers(table, given[name]) for name in ("test", "reference")])
    complete = np.asarray(~np.isnan(values).any(axis=0))
    positive, diseased = values[:, complete] >= given["threshold"]
    clusters = [c for c, keep in zip(keys(table, given["cluster"]), complete, strict=True) if keep]
    arrays = {"positive": positive, "diseased": diseased, "clusters": clusters}
    return others | arrays | {"missing": int((~complete).sum())}


def _flags(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """Two tests and the truth, columns of 0 and 1; rows with a missing value are counted."""
    names = ("first", "second", "reference")
    others = {k: v for k, v in given.items() if k not in names}
    values = np.stack([zeros_and_ones(table, given[name]) for name in names])
    complete = ~np.isnan(values).any(axis=0)
    first, second, diseased = values[:, complete] == 1
    arrays = {"first": first, "second": second, "diseased": diseased}
    return others | arrays | {"missing": int((~complete).sum())}


def _crossed(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """Ratings (modalities, readers, cases) of one row per case, reader and modality.

    ``score`` is the rating, ``diseased`` 0 or 1, the same in every row of a case; ``cluster`` the patient where several
    cases share one.
    """
    named = ("case", "reader", "modality", "score", "diseased", "cluster")
    others = {k: v for k, v in given.items() if k not in named}
    case_codes, cases = codes(keys(table, given["case"]))
    reader_codes, readers = codes([str(v) for v in column(table, given["reader"]).tolist()])
    modality_codes, modalities = codes([str(v) for v in column(table, given["modality"]).tolist()])
    ratings = np.full((len(modalities), len(readers), len(cases)), np.nan)
    place = (modality_codes, reader_codes, case_codes)
    values = numbers(table, given["score"])
    outcome = _of_cases(table, given["diseased"], case_codes, len(cases))
    flat = np.ravel_multi_index(place, ratings.shape)
    repeated = np.flatnonzero(np.bincount(flat)[flat] > 1)
    if repeated.size:
        raise AnalyticsError(
            f"Row {repeated[-1] + 1}: a second rating of one case by one reader and modality."
        )
    ratings[place] = values
    patients = None
    if given.get("cluster"):
        first_rows = np.unique(case_codes, return_index=True)[1]
        labels = keys(table, given["cluster"])
        patients = [labels[row] for row in first_rows]
    arrays = {"ratings": ratings, "diseased": outcome, "clusters": patients}
    return others | arrays | {"modalities": modalities, "readers": readers}


def _of_cases(table: Table, name: str, case: NDArray[np.int64], cases: int) -> NDArray[np.bool_]:
    """What a column of 0 and 1 says of every case; all rows of a case must say the same."""
    truth = numbers(table, name)
    bad = np.flatnonzero(~np.isin(truth, (0, 1)))
    if bad.size:
        raise AnalyticsError(f"Column {name!r}, row {bad[0] + 1}: {truth[bad[0]]:g} is not 0 or 1.")
    outcome = np.zeros(cases, bool)
    outcome[case] = truth == 1
    differs = np.flatnonzero(outcome[case] != (truth == 1))
    if differs.size:
        raise AnalyticsError(
            f"Column {name!r}, row {differs[0] + 1}: another row of this case says otherwise."
        )
    return outcome


READINGS[clustered_accuracy_of] = _thresholded
READINGS[paired_accuracy_of] = _flags
READINGS[mrmc_of] = _crossed
