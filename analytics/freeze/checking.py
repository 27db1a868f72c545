"""Checks that a table keeps its schema. What is wrong is named by table, column and row (from 1 below the heading)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.columns import is_missing, numbers
from analytics.errors import AnalyticsError
from analytics.freeze.schema import END_OF_FOLLOW_UP, FLAG, INTEGER, NUMBER, TEXT, Column, TableSchema

SLACK = 1e-9
"""A value may pass a limit by the rounding of its last digit."""


def typed_frame(schema: TableSchema, table: Any) -> pd.DataFrame:
    """Turn a table (DataFrame, or mapping of column name to values) into the types of its schema.

    Text becomes categorical; integers and flags with a null become float64 with NaN; columns that the schema knows
    and the table lacks are null, metric columns apart.

    Raises
    ------
    AnalyticsError
        For columns that the schema does not know or that are missing, and for cells of another type.
    """
    names = [str(name) for name in (table.keys() if isinstance(table, Mapping) else table.columns)]
    for name in names:
        if schema.column(name) is None:
            known = ", ".join(column.name for column in schema.columns)
            more = " and the metric columns of definitions" if schema.metrics else ""
            raise AnalyticsError(
                f"Table {schema.name}: there is no column {name!r}. Its columns are {known}{more}."
            )
    for column in schema.columns:
        if column.required and column.name not in names:
            raise AnalyticsError(f"Table {schema.name}: the column {column.name!r} is missing.")
    lengths = {len(table[name]) for name in names}
    if len(lengths) > 1:
        sizes = ", ".join(f"{name} {len(table[name])}" for name in names)
        raise AnalyticsError(f"Table {schema.name}: its columns differ in length ({sizes}).")
    rows = lengths.pop() if lengths else 0
    columns = {}
    for column in (*schema.columns, *(c for c in schema.metric_columns() if c.name in names)):
        values = table[column.name] if column.name in names else [None] * rows
        columns[column.name] = _typed(schema, column, values)
    return pd.DataFrame(columns)


def _typed(schema: TableSchema, column: Column, values: Any) -> Any:
    where = f"Table {schema.name}: "
    if column.type == TEXT:
        return _texts(where, column, values)
    try:
        found = numbers({column.name: values}, column.name)
    except AnalyticsError as error:
        raise AnalyticsError(where + str(error)) from None
    if column.type == NUMBER:
        return found
    present = np.isfinite(found)
    wrong = present & (found != np.round(found))
    if column.type == FLAG:
        wrong = present & (found != 0) & (found != 1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        wanted = "a whole number" if column.type == INTEGER else "yes or no (true, false, 1, 0)"
        raise AnalyticsError(f"{where}column {column.name!r}, row {row + 1}: {found[row]:g} is not {wanted}.")
    if not present.all():
        return found
    return found.astype(bool) if column.type == FLAG else found.astype(np.int64)


def _texts(where: str, column: Column, values: Any) -> pd.Categorical:
    if isinstance(values, pd.Series) and isinstance(values.dtype, pd.CategoricalDtype):
        distinct = values.cat.categories.tolist()
        if all(isinstance(text, str) and text.strip() for text in distinct):
            return pd.Categorical.from_codes(values.cat.codes.to_numpy(), categories=pd.Index(distinct))
    raw = np.asarray(values, dtype=object)
    missing = np.fromiter((is_missing(v) for v in raw), bool, len(raw))
    for row, value in enumerate(raw):
        if not missing[row] and not isinstance(value, str):
            raise AnalyticsError(
                f"{where}column {column.name!r}, row {row + 1}: {value!r} is a {type(value).__name__}, not a text."
            )
    cells = raw.copy()
    cells[missing] = None
    return pd.Categorical(cells)


def check(schema: TableSchema, frame: pd.DataFrame) -> None:
    """Raise AnalyticsError unless the frame keeps nulls, choices, limits and key of its schema."""
    for column in schema.columns:
        _check_column(schema, column, frame[column.name])
    for column in schema.metric_columns():
        if column.name in frame:
            _check_column(schema, column, frame[column.name])
    repeated = frame.duplicated(list(schema.key))
    if repeated.any():
        row = int(np.flatnonzero(repeated)[0])
        names = ", ".join(f"{name} {frame[name].iloc[row]}" for name in schema.key)
        raise AnalyticsError(f"Table {schema.name}, row {row + 1}: a second row with the same key ({names}).")
    if schema.level == "lesion":
        _check_matches(schema, frame)


def _check_column(schema: TableSchema, column: Column, values: pd.Series) -> None:
    missing = values.isna().to_numpy()
    if column.required and missing.any():
        _fail(schema, column, missing, "the cell is empty, and may not be")
    if column.choices:
        bad = ~(values.isin(list(column.choices)).to_numpy() | missing)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            allowed = ", ".join(map(str, column.choices))
            _fail(schema, column, bad, f"{values.iloc[row]!r} is none of {allowed}")
    if column.type in (TEXT, FLAG):
        return
    found = values.to_numpy(np.float64)
    for limit, bad, word in (
        (column.low, found < (column.low or 0) - SLACK, "below"),
        (column.high, found > (column.high or 0) + SLACK, "above"),
    ):
        if limit is not None and bad.any():
            row = int(np.flatnonzero(bad)[0])
            _fail(
                schema, column, bad, f"{found[row]:g} {column.unit} lies {word} {limit:g}".replace("  ", " ")
            )


def _fail(schema: TableSchema, column: Column, bad: NDArray[np.bool_], what: str) -> None:
    row = int(np.flatnonzero(bad)[0])
    raise AnalyticsError(f"Table {schema.name}: column {column.name!r}, row {row + 1}: {what}.")


def _check_matches(schema: TableSchema, frame: pd.DataFrame) -> None:
    """A lesion of one read alone has no number in the other."""
    for match, other in (("first_only", "second_lesion"), ("second_only", "first_lesion")):
        bad = ((frame["match"] == match) & frame[other].notna()).to_numpy()
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise AnalyticsError(
                f"Table {schema.name}: column {other!r}, row {row + 1}: the match says {match}, so this must be empty."
            )


def check_together(frames: Mapping[str, pd.DataFrame]) -> None:
    """Raise AnalyticsError for patients whom the table of patients lacks, and events after the end of follow-up."""
    if "patients" not in frames:
        raise AnalyticsError("The table patients is missing: every freeze needs it.")
    known = set(frames["patients"]["patient"])
    for name, frame in frames.items():
        unknown = ~frame["patient"].isin(known).to_numpy()
        if unknown.any():
            row = int(np.flatnonzero(unknown)[0])
            raise AnalyticsError(
                f"Table {name}: column 'patient', row {row + 1}: {frame['patient'].iloc[row]!r} is not in the table patients."
            )
    if "outcomes" in frames:
        _check_follow_up(frames["outcomes"])


def _check_follow_up(outcomes: pd.DataFrame) -> None:
    ends = outcomes[outcomes["event"] == END_OF_FOLLOW_UP].set_index("patient")["years"]
    end = outcomes["patient"].astype(object).map(ends).to_numpy(np.float64)
    late = outcomes["years"].to_numpy(np.float64) > end + SLACK
    if late.any():
        row = int(np.flatnonzero(late)[0])
        raise AnalyticsError(
            f"Table outcomes: column 'years', row {row + 1}: the event {outcomes['event'].iloc[row]!r} of "
            f"{outcomes['patient'].iloc[row]!r} lies after the end of follow-up ({end[row]:g} years)."
        )
