"""Numbers as people see them."""

from __future__ import annotations

import pytest

from inference.grading import cadrads
from inference.rounding import half_up, printed, written
from inference.vocabulary import CADRADS_LIMITS, METRICS


def test_a_stenosis_is_never_printed_over_a_border_of_its_grade() -> None:
    """49.5 % is CAD-RADS 2 whatever is printed, and what is printed is graded as the value is."""
    stenosis = METRICS["diameter_stenosis"]
    assert cadrads(49.5) == "2"
    assert written(stenosis, 49.5) == "49.5"
    assert written(stenosis, 49.96) == "49.9"
    assert written(stenosis, 50.0) == "50.0"
    assert printed(49.5, 0) == "50"
    assert printed(49.5, 0, CADRADS_LIMITS) == "49"
    for tenth in range(-10, 10_020):
        value = tenth / 100
        assert cadrads(float(printed(value, 1, CADRADS_LIMITS).replace("−", "-"))) == cadrads(value), value


def test_missing_values_categories_and_signs() -> None:
    fat = METRICS["pericoronary_fat_attenuation"]
    assert written(fat, -78.25) == "−78.3"
    assert written(fat, -0.04) == "0.0"
    assert written(fat, None) == "–"
    assert written(fat, float("nan"), missing="n/e") == "n/e"
    assert written(METRICS["cadrads"], "4A") == "4A"
    assert written(METRICS["minimal_luminal_area"], 4.005) == "4.01"
    with pytest.raises(ValueError, match="inf"):
        half_up(float("inf"), 1)
