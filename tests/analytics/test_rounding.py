"""Half-up rounding, once."""

from __future__ import annotations

import pytest

from analytics.rounding import half_up, p_value, percent


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.285, 2, "0.29"),
        (2.5, 0, "3"),
        (-2.5, 0, "-3"),
        (93.54838709677419, 1, "93.5"),
        (-0.04, 1, "0.0"),
        (1e-9, 2, "0.00"),
    ],
)
def test_half_up(value, digits, text):
    assert half_up(value, digits) == text


def test_percent_rounds_from_full_precision():
    assert percent(29 / 31) == "93.5"
    assert percent(0.5) == "50.0"


def test_not_a_number_is_never_printed():
    with pytest.raises(ValueError, match="null and a reason"):
        half_up(float("nan"), 2)


def test_p_values():
    assert p_value(3e-6) == "p < 0.0001"
    assert p_value(0.00042) == "p = 0.0004"
    assert p_value(0.0446) == "p = 0.045"
