"""One patient of a freeze: the row that was clicked on with both reads, and everything else that the freeze holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.freeze import PAIRS, TABLES
from analytics.metrics import METRICS
from plaquelab.dashboards.case_list import label, place, records, row_address, shown, words

if TYPE_CHECKING:
    import pandas as pd

    from analytics.freeze import Freeze

PAIR_TABLES = ("lesion_pairs", "vessel_pairs", "territory_pairs", "patient_pairs")
MOST_ROWS = 200
NUMBER = re.compile(r"[−+-]?\d[\d.,]*$|–$")


@dataclass(frozen=True)
class Table:
    """A table of texts; each row may lead somewhere; a column of numbers stands ``right``."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, bool], ...]], ...]
    right: tuple[bool, ...]

    @property
    def head(self) -> list[tuple[str, bool]]:
        """Headings, and whether each stands right."""
        return list(zip(self.headings, self.right, strict=True))


@dataclass(frozen=True)
class Chosen:
    """The row that was clicked on: what it is, and (metric, unit, first, second)."""

    record: dict[str, Any]
    title: str
    pair: str
    extents: str
    match: str
    first: str
    second: str
    values: tuple[tuple[str, str, str, str], ...]


def facts(freeze: Freeze, patient: str) -> list[tuple[str, str]] | None:
    """What the table of patients says, in words; None when the freeze does not have the patient."""
    people = freeze.table("patients")
    rows = people[people["patient"] == patient]
    if not len(rows):
        return None
    schema = TABLES["patients"]
    found = []
    for name, value in rows.iloc[0].items():
        column = schema.column(str(name))
        if name == "patient" or value is None or value != value or column is None:
            continue
        unit = f" ({column.unit})" if column.unit else ""
        found.append((f"{words(str(name))}{unit}", shown(value)))
    covariates = freeze.table("covariates")
    for record in records(covariates[(covariates["patient"] == patient).to_numpy()]):
        text = record["category"] if isinstance(record["category"], str) else shown(record["value"])
        unit = f" ({record['unit']})" if isinstance(record["unit"], str) else ""
        if record["unit"] == "yes/no":
            text, unit = ("yes" if record["value"] else "no"), ""
        found.append((f"{words(str(record['name']))}{unit}", text))
    return found


def chosen(freeze: Freeze, patient: str, table: str, row: str) -> Chosen | None:
    """One row of a pair table with both reads side by side; None when it is not this patient's."""
    if table not in PAIR_TABLES or not row.isdecimal() or len(row) > 9:
        return None
    frame = freeze.table(table)
    if int(row) >= len(frame):
        return None
    record: dict[str, Any] = {str(k): v for k, v in frame.iloc[int(row)].items()}
    if record["patient"] != patient:
        return None
    pair = PAIRS[record["pair"]]
    values = []
    if "cadrads_first" in record:
        values.append(("CAD-RADS", "", shown(record["cadrads_first"]), shown(record["cadrads_second"])))
    for metric in METRICS.values():
        first, second = record.get(f"{metric.name}_first"), record.get(f"{metric.name}_second")
        sides = shown(first, metric), shown(second, metric)
        if sides != ("–", "–"):
            values.append((metric.label, metric.unit, *sides))
    return Chosen(
        record=record,
        title=label(record),
        pair=pair.label,
        extents=str(record["extents"]),
        match=str(record["match"]),
        first=pair.first,
        second=pair.second,
        values=tuple(values),
    )


def pair_rows(freeze: Freeze, patient: str, *, slug: str, number: int) -> list[Table]:
    """Every compared unit of the patient by table, each leading to its own row of measurements."""
    tables = []
    for name in PAIR_TABLES:
        frame = freeze.table(name)
        mine = frame[(frame["patient"] == patient).to_numpy()]
        if not len(mine):
            continue
        metric = METRICS[
            "total_plaque_volume" if "total_plaque_volume_first" in mine else "diameter_stenosis"
        ]
        rows = []
        for index, record in list(zip(mine.index, records(mine), strict=True))[:MOST_ROWS]:
            link = row_address(slug, number, patient, name, index)
            cells = (
                place(record) or "whole patient",
                PAIRS[record["pair"]].label,
                str(record["extents"]),
                shown(record.get(f"{metric.name}_first"), metric),
                shown(record.get(f"{metric.name}_second"), metric),
            )
            rows.append((link, cells))
        title = f"{words(name.removesuffix('_pairs'))}: compared reads"
        if len(mine) > MOST_ROWS:
            title += f" (first {MOST_ROWS} of {len(mine)})"
        headings = ("Place", "Pair", "Extents", f"First: {metric.heading}", f"Second: {metric.heading}")
        tables.append(_table(title, headings, rows))
    return tables


OTHER_TABLES: tuple[tuple[str, str], ...] = (
    ("markers", "The network's measurements of the whole patient"),
    ("outcomes", "Outcome"),
    ("reads", "Reads"),
    ("segment_grades", "Grades per segment"),
    ("quality", "Analysis and evaluability"),
    ("disagreement", "Discordance and adjudication"),
)


def other_rows(freeze: Freeze, patient: str) -> list[Table]:
    """The patient's rows of every other table; columns without a value are left out."""
    tables = []
    for name, title in OTHER_TABLES:
        frame = freeze.table(name)
        mine = frame[(frame["patient"] == patient).to_numpy()].drop(columns="patient")
        if not len(mine):
            continue
        if name == "markers":
            tables.append(_upright(title, mine.dropna(axis=1, how="all")))
            continue
        if name == "quality":
            mine = mine.assign(vessel=mine["vessel"].astype(object).fillna("whole exam"))
        mine = mine.dropna(axis=1, how="all")
        headings = tuple(_with_unit(name, str(column)) for column in mine.columns)
        rows = [
            ("", tuple(shown(v) for v in record)) for record in mine.head(MOST_ROWS).itertuples(index=False)
        ]
        tables.append(_table(title, headings, rows))
    return tables


def _upright(title: str, mine: pd.DataFrame) -> Table:
    """One row with many columns, turned."""
    rows = []
    for name, value in mine.iloc[0].items():
        metric = METRICS.get(str(name))
        rows.append(
            (
                "",
                (
                    metric.label if metric else words(str(name)),
                    metric.unit if metric else "",
                    shown(value, metric),
                ),
            )
        )
    return _table(title, ("Metric", "Unit", "Value"), rows)


def _table(title: str, headings: tuple[str, ...], rows: Sequence[tuple[str, tuple[str, ...]]]) -> Table:
    """A table whose columns of numbers stand right."""
    right = tuple(all(NUMBER.match(cells[i]) for _, cells in rows) for i in range(len(headings)))
    return Table(
        title, headings, tuple((link, tuple(zip(cells, right, strict=True))) for link, cells in rows), right
    )


def _with_unit(table: str, name: str) -> str:

    column = TABLES[table].column(name)
    unit = f" ({column.unit})" if column is not None and column.unit else ""
    return f"{words(name)}{unit}"
