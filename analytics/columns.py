"""Reading columns of a table (a pandas DataFrame or a mapping of column name to values).

Missing entries are None, an empty text or NaN. Anything else that should be a number and is not raises
:class:`AnalyticsError` naming column and row; rows count from 1 below the heading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.errors import AnalyticsError

Table = Any
"""A DataFrame, or a mapping of column name to a sequence of equal length."""


def column(table: Table, name: str) -> NDArray[Any]:
    """One column as an array. Raises AnalyticsError when the table has none of that name, or columns of different length."""
    names = list(table.keys()) if isinstance(table, Mapping) else list(table.columns)
    if name not in names:
        raise AnalyticsError(f"The table has no column {name!r}; it has {', '.join(map(repr, names))}.")
    if isinstance(table, Mapping):
        lengths = {other: len(table[other]) for other in names}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{other!r} {length}" for other, length in lengths.items())
            raise AnalyticsError(f"The table's columns differ in length: {told} rows.")
    return np.asarray(table[name])


def numbers(table: Table, name: str) -> NDArray[np.float64]:
    """A column of numbers; missing entries become NaN.

    Raises AnalyticsError for text that is no number and for infinite values.
    """
    raw = column(table, name)
    if raw.dtype.kind in "fiub":
        values = raw.astype(np.float64)
    else:
        values = np.empty(len(raw))
        for row, entry in enumerate(raw, start=1):
            values[row - 1] = _number(entry, name, row)
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise AnalyticsError(f"Column {name!r}, row {infinite[0] + 1}: the value is infinite.")
    return values


def _number(entry: Any, name: str, row: int) -> float:
    if is_missing(entry):
        return np.nan
    try:
        if isinstance(entry, str) and "_" in entry:  # Python reads 1_000; nobody else does
            raise ValueError
        return float(entry)
    except (TypeError, ValueError):
        raise AnalyticsError(
            f"Column {name!r}, row {row}: {str(entry)[:40]!r} is not a number. Leave the cell empty when "
            "the value is missing."
        ) from None


def is_missing(entry: Any) -> bool:
    """None, an empty text, or NaN."""
    if entry is None:
        return True
    if isinstance(entry, str):
        return entry.strip() in ("", "NA", "NaN", "nan")
    return isinstance(entry, float | np.floating) and bool(np.isnan(entry))


def keys(table: Table, names: str | Sequence[str], *, required: bool = True) -> list[Any]:
    """Row identities: the values of one column, or tuples of several columns.

    Raises AnalyticsError for a row without identity, unless that is allowed: it would count as one more unit.
    """
    wanted = (names,) if isinstance(names, str) else tuple(names)
    columns = [column(table, name) for name in wanted]
    for name, values in zip(wanted, columns, strict=True) if required else ():
        missing = np.asarray(pd.isna(values))
        if values.dtype.kind in "OU":
            missing |= np.asarray(values == "", bool)
        if missing.any():
            row = int(np.flatnonzero(missing)[0]) + 1
            raise AnalyticsError(
                f"Column {name!r}, row {row}: the identity is missing. Every row needs one; leave out rows without."
            )
    if isinstance(names, str):
        single: list[Any] = columns[0].tolist()
        return single
    return list(zip(*(values.tolist() for values in columns), strict=True))


def identities_in(identities: Sequence[Any] | NDArray[Any], mask: NDArray[np.bool_]) -> Any:
    """The identities of the rows in ``mask``, as list or array; raises ValueError when the lengths differ."""
    if len(identities) != len(mask):
        raise ValueError(f"{len(mask)} rows have {len(identities)} identities")
    if isinstance(identities, np.ndarray):
        return identities[mask]
    return [identity for identity, keep in zip(identities, mask, strict=True) if keep]


def codes(identities: Sequence[Any] | NDArray[Any]) -> tuple[NDArray[np.int64], list[Any]]:
    """Number the identities from 0 in order of first appearance; returns codes and the distinct identities."""
    if isinstance(identities, np.ndarray) and identities.dtype.kind in "iu" and identities.size:
        steps = np.diff(identities)
        if (steps >= 0).all():  # sorted numbers, as a freeze hands them over: no dictionary is needed
            new = np.concatenate([[True], steps > 0])
            return np.cumsum(new, dtype=np.int64) - 1, identities[new].tolist()
    numbering: dict[Any, int] = {}
    result = np.fromiter((numbering.setdefault(key, len(numbering)) for key in identities), np.int64)
    return result, list(numbering)


def wide(
    table: Table, *, subject: str | Sequence[str], rater: str, value: str
) -> tuple[list[Any], list[Any], NDArray[np.float64], NDArray[np.int64]]:
    """Turn a long table into one row per subject and one column per rater.

    Returns
    -------
    subjects, raters : lists in order of first appearance
    matrix : (subjects, raters) float64, NaN where a rater has no value
    rows : (subjects,) index of each subject's first row in the table

    Raises
    ------
    AnalyticsError
        When a subject has two values of one rater.
    """
    subject_codes, subjects = codes(keys(table, subject))
    rater_codes, raters = codes(keys(table, rater))
    values = numbers(table, value)
    cell = subject_codes * max(len(raters), 1) + rater_codes
    order = np.argsort(cell, kind="stable")
    repeated = np.flatnonzero(cell[order][1:] == cell[order][:-1])
    if repeated.size:
        row = int(order[repeated[0] + 1])
        raise AnalyticsError(
            f"Row {row + 1}: {raters[rater_codes[row]]!r} has a second value of {value!r} for "
            f"{subjects[subject_codes[row]]!r}. One value per subject and rater is needed."
        )
    matrix = np.full((len(subjects), len(raters)), np.nan)
    matrix[subject_codes, rater_codes] = values
    rows = np.full(len(subjects), len(values), np.int64)
    np.minimum.at(rows, subject_codes, np.arange(len(values)))
    return subjects, raters, matrix, rows
