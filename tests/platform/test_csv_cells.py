"""No cell that we write runs in a spreadsheet, no formula is taken in, and numbers are numbers both ways."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plaquelab.csv_cells import guarded, is_formula


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_text_that_a_spreadsheet_would_run_is_written_as_text(text: str) -> None:
    assert guarded(text) == "'" + text


@pytest.mark.parametrize(
    ("cell", "written"), [(-1.5, -1.5), (None, ""), ("P-001", "P-001"), ("", ""), (0, 0)]
)
def test_other_cells_are_written_as_they_are(cell: Any, written: Any) -> None:
    assert guarded(cell) == written


@pytest.mark.parametrize("cell", ["=A1", "+A1", "-A1", "@x", "\t=1", "+1+1", "-2+3"])
def test_formulas(cell: str) -> None:
    assert is_formula(cell)


@pytest.mark.parametrize("cell", ["-", "-5", "+.5", "-1e3", "P-1", "", "a=b"])
def test_no_formulas(cell: str) -> None:
    assert not is_formula(cell)


@given(st.floats(-1e11, 1e11).map(repr))
def test_no_number_is_a_formula(text: str) -> None:
    assert not is_formula(text)


@given(st.text(max_size=8))
def test_what_is_written_never_begins_like_a_formula(text: str) -> None:
    assert not str(guarded(text)).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
