"""The form of a file: every way in which people's files are wrong, named with row and column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plaquelab.references import reading_csv
from plaquelab.references.reading_csv import CsvRow, number_of, read_rows
from plaquelab.references.report import Report


def problems(data: bytes, kind: str = "covariates") -> list[str]:
    report = Report()
    read_rows(data, kind=kind, report=report)
    return [str(problem) for problem in report.problems]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty: its first row must be subject,name,value,unit."),
        (b"subject,name,value,unit\n", "the file has a heading and no rows: there is nothing to import."),
        (b"subject;name;value;unit\nP;age;60;years\n", "row 1: the columns are separated by semicolons or tabs: save the file with commas."),
        (b"subject,name,value\nP,age,60\n", "row 1, column unit: the column is missing: the first row must be subject,name,value,unit."),
        (b"subject,name,value,units\nP,age,60,years\n", "row 1, column units: there is no column “units” in this kind of file: did you mean “unit”?"),
        (b"subject,name,value,unit,unit\nP,age,60,years,years\n", "row 1, column unit: the column comes twice."),
        (b"subject,name,value,unit\nP,age,60\n", "row 2: 3 cells under 4 headings: a comma too many or too few."),
        (b"subject,name,value,unit\nP,age,6\xe9,years\n", "row 2: this is no UTF-8 text: save the file as “CSV UTF-8”."),
        (b"subject,name,value,unit\nP,age,=1+1,years\n", "row 2, column value: the cell begins like a spreadsheet formula: give the value itself."),
        (b"subject,name,value,unit\n@SUM(A1),age,1,years\n", "row 2, column subject: the cell begins like a spreadsheet formula: give the value itself."),
        (b"PK\x03\x04\0\0\0", "this is no text file: save the table as CSV."),
        (b"subject,name,value,unit\nP,age," + b"9" * 300 + b",years\n", "row 2, column value: the cell has 300 characters, at most 200 are allowed."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(data, said):
    assert said in problems(data)


def test_a_byte_order_mark_blank_rows_and_spaces_are_no_fault():
    report = Report()
    rows = read_rows(
        "﻿subject, name,value,unit\r\n\r\n P-1 ,age, 60,years\r\n,,,\r\nP-2,age,61,years\r\n".encode(),
        kind="covariates",
        report=report,
    )
    assert not report.problems
    assert [(row.number, row["subject"], row["value"]) for row in rows] == [
        (3, "P-1", "60"),
        (5, "P-2", "61"),
    ]


def test_columns_may_stand_in_any_order():
    report = Report()
    (row,) = read_rows(b"unit,value,name,subject\nyears,60,age,P\n", kind="covariates", report=report)
    assert (row["subject"], row["unit"]) == ("P", "years")


def test_too_many_rows(monkeypatch):
    monkeypatch.setattr(reading_csv, "MOST_ROWS", 2)
    data = b"subject,name,value,unit\n" + b"P,age,60,years\n" * 3
    assert problems(data) == ["row 4: the file has more than 2 rows: split it."]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("", "a number is missing"),
        ("12,5", "decimal comma"),
        ("NaN", "leave the row out"),
        ("inf", "leave the row out"),
        ("50%", "% sign"),
        ("<3", "a limit, not a number"),
        ("about 3", "is no number"),
        ("1e300", "too large"),
        ("0x10", "is no number"),
        ("1_000", "is no number"),
    ],
)
def test_text_in_numbers(cell, said):
    report = Report()
    assert number_of(CsvRow(7, {"value": cell}), "value", report) is None
    assert said in str(report.problems[0])
    assert str(report.problems[0]).startswith("row 7, column value: ")


@given(st.floats(-1e11, 1e11).map(lambda x: repr(x)))
def test_every_number_is_read_exactly(text):
    report = Report()
    assert number_of(CsvRow(2, {"v": text}), "v", report) == float(text)


def test_problems_are_counted_beyond_those_kept():
    report = Report()
    for row in range(600):
        report.refuse("x", row)
    assert (report.problem_count, len(report.problems)) == (600, 500)
