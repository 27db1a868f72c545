"""Paired values of one metric: the rows of a pair table that a question asks for, ready for the estimators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.errors import AnalyticsError
from analytics.freeze import PAIRS, Freeze, Pair
from analytics.freeze.schema import PAIR_TABLES
from analytics.metrics import LEVELS, METRICS, Metric, metric
from analytics.questions.filters import NO_FILTERS, Filters, patient_index

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Paired:
    """Values of one metric in both reads of the chosen units, sorted by patient.

    first, second : (n,) NaN where a read has no value · patient : (n,) sorted numbers, the clusters
    rows : (n,) rows of the pair table · counts : what was counted on the way, in words · seed : of the bootstraps
    """

    pair: Pair
    metric: Metric
    level: str
    extents: str
    table: str
    first: Array
    second: Array
    patient: Index
    rows: Index
    counts: tuple[tuple[str, int], ...]
    simulated: bool
    seed: int

    @property
    def names(self) -> tuple[str, str]:
        """Names of the two reads, the reference first."""
        return self.pair.first, self.pair.second

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Units with both values."""
        return ~(np.isnan(self.first) | np.isnan(self.second))

    @property
    def ratings(self) -> Array:
        """(n, 2)."""
        return np.column_stack([self.first, self.second])

    def words(self) -> str:
        """How lesions were paired, for captions."""
        if self.level != "lesion":
            return ""
        if self.extents == "given":
            return f"{self.pair.second} measured inside the lesions of the {self.pair.first}"
        text = "each read with its own lesions, matched by overlap"
        if self.metric.zero_when_absent:
            text += "; a lesion of one read alone counts 0 in the other"
        return text


def pair_table(level: str) -> str:
    """Name of the table of a level. Raises AnalyticsError for a level that does not exist."""
    if level not in LEVELS:
        raise AnalyticsError(f"There is no level {level!r}; there are {', '.join(LEVELS)}.")
    return PAIR_TABLES[level]


def chosen_rows(
    freeze: Freeze, *, pair: str, level: str, extents: str, filters: Filters, matched_only: bool = False
) -> Index:
    """Rows of the pair table that a question asks for, sorted by patient."""
    if pair not in PAIRS:
        raise AnalyticsError(f"There is no pair {pair!r}; there are {', '.join(PAIRS)}.")
    name = pair_table(level)
    table = freeze.table(name)
    keep = filters.rows(freeze, name)
    keep &= (table["pair"] == pair).to_numpy(bool)
    if extents:
        keep &= (table["extents"] == extents).to_numpy(bool)
    if matched_only:
        keep &= (table["match"] == "matched").to_numpy(bool)
    rows = np.flatnonzero(keep)
    order = np.argsort(patient_index(freeze, name)[rows], kind="stable")
    result: Index = rows[order]
    return result


def paired(
    freeze: Freeze,
    *,
    pair: str,
    metric_name: str,
    level: str = "lesion",
    extents: str = "",
    filters: Filters = NO_FILTERS,
    matched_only: bool = False,
    rows: Index | None = None,
) -> Paired:
    """Values of one metric. ``extents`` empty means what the freeze has: given before own."""
    chosen = metric(metric_name)
    extents = extents or default_extents(freeze, pair, level)
    name = pair_table(level)
    table = freeze.table(name)
    if rows is None:
        rows = chosen_rows(
            freeze,
            pair=pair,
            level=level,
            extents=extents,
            filters=filters,
            matched_only=matched_only,
        )
    sides = []
    for side in ("first", "second"):
        column = f"{metric_name}_{side}"
        sides.append(table[column].to_numpy(float)[rows] if column in table else np.full(len(rows), np.nan))
    return Paired(
        pair=PAIRS[pair],
        metric=chosen,
        level=level,
        extents=extents,
        table=name,
        first=sides[0],
        second=sides[1],
        patient=patient_index(freeze, name)[rows],
        rows=rows,
        counts=_counts(table, rows, PAIRS[pair]) if level == "lesion" else (),
        simulated=freeze.simulated,
        seed=freeze.about.seed,
    )


def _counts(table: pd.DataFrame, rows: Index, pair: Pair) -> tuple[tuple[str, int], ...]:
    match = table["match"].iloc[rows]
    counted = (
        (f"lesions that the {pair.second} missed", int((match == "first_only").sum())),
        (f"lesions of the {pair.second} alone", int((match == "second_only").sum())),
    )
    return tuple(item for item in counted if item[1])


def default_extents(freeze: Freeze, pair: str, level: str) -> str:
    """``given`` where the freeze has such rows of the pair, else ``own``."""
    table = freeze.table(pair_table(level))
    given = ((table["pair"] == pair) & (table["extents"] == "given")).any()
    return "given" if given else "own"


def pairs_of(freeze: Freeze, level: str = "lesion") -> tuple[str, ...]:
    """Pairs that the freeze has at a level, in the order of the vocabulary."""

    def found() -> tuple[str, ...]:
        there = set(freeze.table(pair_table(level))["pair"].unique())
        return tuple(name for name in PAIRS if name in there)

    return freeze.derived(("pairs", level), found)


def metrics_of(freeze: Freeze, pair: str, level: str = "lesion") -> tuple[str, ...]:
    """Metrics that a pair has at a level: those with a value in both reads of one unit at least."""

    def found() -> tuple[str, ...]:
        table = freeze.table(pair_table(level))
        rows = (table["pair"] == pair).to_numpy(bool)
        names = [name for name in METRICS if f"{name}_first" in table and f"{name}_second" in table]
        return tuple(
            name
            for name in names
            if (
                ~np.isnan(table[f"{name}_first"].to_numpy(float)[rows])
                & ~np.isnan(table[f"{name}_second"].to_numpy(float)[rows])
            ).any()
        )

    return freeze.derived(("metrics", pair, level), found)


def labels(freeze: Freeze, name: str, rows: Index) -> list[str]:
    """``P-004 · LAD · lesion 2`` for each row of a pair table."""
    table = freeze.table(name)
    parts = [table["patient"].astype(str).to_numpy()[rows].tolist()]
    for column in ("vessel", "territory"):
        if column in table:
            parts.append(table[column].astype(object).to_numpy()[rows].tolist())
            break
    if "first_lesion" in table:
        first = table["first_lesion"].to_numpy(float)[rows]
        number = np.where(np.isnan(first), table["second_lesion"].to_numpy(float)[rows], first)
        parts.append([f"lesion {int(v)}" if v == v else "" for v in number.tolist()])
    return [" · ".join(str(p) for p in entry if p) for entry in zip(*parts, strict=True)]


IDENTITIES = (
    "patient",
    "vessel",
    "territory",
    "segment",
    "first_lesion",
    "second_lesion",
    "position",
    "first_read",
    "second_read",
    "match",
)


def case_rows(
    freeze: Freeze, name: str, rows: Index, values: Mapping[str, Array] | None = None
) -> pd.DataFrame:
    """The cases behind a selection: identities, site and cohort, and the values asked about."""
    table = freeze.table(name).iloc[rows]
    people = freeze.table("patients").iloc[patient_index(freeze, name)[rows]]
    found = pd.DataFrame({"row": rows})
    for column in IDENTITIES:
        if column in table:
            found[column] = (
                table[column].to_numpy() if column != "patient" else table[column].astype(str).to_numpy()
            )
    for column in ("exam", "site", "cohort"):
        found[column] = people[column].to_numpy()
    for column, array in (values or {}).items():
        found[column] = array
    return found
