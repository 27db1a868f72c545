"""A CSV file as rows of text under exactly the columns that its kind has."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from plaquelab.csv_cells import NUMBER, is_formula
from plaquelab.references.report import Report
from plaquelab.references.vocabulary import COLUMNS, suggestion

MOST_ROWS = 1_000_000
LONGEST_CELL = 200


@dataclass(frozen=True)
class CsvRow:
    """One row: its number as a spreadsheet counts (the heading is 1) and its cells, stripped."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


def read_rows(data: bytes, *, kind: str, report: Report) -> list[CsvRow]:
    """Return the rows of a file; what is wrong with its form goes into ``report``."""
    columns = COLUMNS[kind]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        report.refuse("this is no UTF-8 text: save the file as “CSV UTF-8”.", row=line)
        return []
    if "\0" in text:
        report.refuse("this is no text file: save the table as CSV.")
        return []
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        heading = [cell.strip() for cell in next(lines, [])]
        if not _heading_is_right(heading, columns, report):
            return []
        return _rows(lines, heading, report)
    except csv.Error as error:
        report.refuse(
            f"the file is no valid CSV ({error}): look for an unclosed quotation mark.", row=lines.line_num
        )
        return []


def _heading_is_right(heading: Sequence[str], columns: Sequence[str], report: Report) -> bool:
    wanted = ",".join(columns)
    if not any(heading):
        report.refuse(f"the file is empty: its first row must be {wanted}.")
        return False
    if len(heading) == 1 and len(columns) > 1 and (";" in heading[0] or "\t" in heading[0]):
        report.refuse("the columns are separated by semicolons or tabs: save the file with commas.", row=1)
        return False
    before = report.problem_count
    known = dict.fromkeys(columns)
    for name in heading:
        if name not in known:
            shown = name[:40] or "(without a name)"
            report.refuse(
                f"there is no column “{shown}” in this kind of file: {suggestion(name, known)}",
                row=1,
                column=shown,
            )
    for name in columns:
        if name not in heading:
            report.refuse(f"the column is missing: the first row must be {wanted}.", row=1, column=name)
        elif heading.count(name) > 1:
            report.refuse("the column comes twice.", row=1, column=name)
    return report.problem_count == before


def _rows(lines: object, heading: Sequence[str], report: Report) -> list[CsvRow]:
    rows: list[CsvRow] = []
    for number, cells in enumerate(lines, start=2):  # type: ignore[arg-type, var-annotated]
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) >= MOST_ROWS:
            report.refuse(f"the file has more than {MOST_ROWS:,} rows: split it.", row=number)
            return rows
        if len(cells) != len(heading):
            report.refuse(
                f"{len(cells)} cells under {len(heading)} headings: a comma too many or too few.", row=number
            )
            continue
        row = CsvRow(number, {name: cell.strip() for name, cell in zip(heading, cells, strict=True)})
        if _cells_are_harmless(row, report):
            rows.append(row)
    if not rows and not report.problem_count:
        report.refuse("the file has a heading and no rows: there is nothing to import.")
    return rows


def _cells_are_harmless(row: CsvRow, report: Report) -> bool:
    good = True
    for column, cell in row.cells.items():
        if len(cell) > LONGEST_CELL:
            report.refuse(
                f"the cell has {len(cell)} characters, at most {LONGEST_CELL} are allowed.",
                row.number,
                column,
            )
            good = False
        elif is_formula(cell):
            report.refuse(
                "the cell begins like a spreadsheet formula: give the value itself.", row.number, column
            )
            good = False
    return good


def number_of(row: CsvRow, column: str, report: Report) -> float | None:
    """Return a cell's number, or None after saying what is wrong with it."""
    text = row[column]
    if NUMBER.fullmatch(text):
        value = float(text)
        if abs(value) < 1e12:
            return value
        report.refuse(f"“{text[:20]}” is too large to be true.", row.number, column)
        return None
    if not text:
        report.refuse("a number is missing: give it, or leave the row out.", row.number, column)
    elif re.fullmatch(r"[+-]?\d+,\d+", text):
        report.refuse(f"“{text}” has a decimal comma: write a point.", row.number, column)
    elif text.lower() in {"nan", "na", "n/a", "inf", "-inf", "null", "none", "."}:
        report.refuse(
            f"“{text}” is no number: leave the row out where nothing was measured.", row.number, column
        )
    elif text.endswith("%"):
        report.refuse(f"“{text[:20]}” holds a % sign: give the number alone.", row.number, column)
    elif text.startswith(("<", ">")):
        report.refuse(f"“{text[:20]}” is a limit, not a number.", row.number, column)
    else:
        report.refuse(f"“{text[:20]}” is no number.", row.number, column)
    return None
