"""Half-up rounding, once."""

from __future__ import annotations

import pytest

from analytics.rounding import half_up, minus, p_value, percent, typeset


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


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("bias -4.90 mm³ (-10.44 to 0.63)", "Bias −4.90 mm³ (−10.44 to 0.63)"),
        ("Simulated data. expert median 25.4 min", "Simulated data. Expert median 25.4 min"),
        ("DEMO-004 and 0.95-0.97, p-value, 2026-01-31", "DEMO-004 and 0.95-0.97, p-value, 2026-01-31"),
        ("κ 0.5", "κ 0.5"),
        ("", ""),
    ],
)
def test_texts_as_pages_show_them(raw, shown):
    assert typeset(raw) == shown
    assert minus(raw).lower() == shown.lower()


def test_a_number_of_any_size_is_printed():
    assert half_up(1e30, 2) == "1" + 30 * "0" + ".00"
    assert len(half_up(1.5e300, 8)) == 301 + 9
