"""2×2 accuracy against the paper's printed digits, zero cells and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.accuracy.two_by_two import two_by_two_at, two_by_two_of
from analytics.result import Dropped
from analytics.rounding import percent


def printed(value):
    return f"{percent(value.estimate)} ({percent(value.interval.low)}-{percent(value.interval.high)})"


@pytest.mark.parametrize(
    ("cells", "digits"),
    [
        (
            {"tp": 37, "fp": 874, "fn": 4, "tn": 696},
            {
                "sensitivity": "90.2 (76.9-97.3)",
                "specificity": "44.3 (41.9-46.8)",
                "ppv": "4.1 (3.7-4.5)",
                "npv": "99.4 (98.6-99.8)",
            },
        ),
        (
            {"tp": 27, "fp": 573, "fn": 14, "tn": 997},
            {
                "sensitivity": "65.9 (49.4-79.9)",
                "specificity": "63.5 (61.1-65.9)",
                "ppv": "4.5 (3.6-5.6)",
                "npv": "98.6 (97.9-99.1)",
            },
        ),
        (
            {"tp": 10, "fp": 1, "fn": 0, "tn": 39},
            {"sensitivity": "100.0 (69.2-100.0)", "specificity": "97.5 (86.8-99.9)"},
        ),
    ],
)
def test_printed_digits_of_the_paper(cells, digits):
    result = two_by_two_of(**cells)
    for name, text in digits.items():
        assert printed(getattr(result, name)) == text


def test_29_of_31_is_rounded_once():
    assert percent(two_by_two_of(tp=18, fp=1, fn=2, tn=29).npv.estimate) == "93.5"


def test_perfect_predictive_value_keeps_the_exact_interval():
    npv = two_by_two_of(tp=10, fp=1, fn=0, tn=39).npv
    assert npv.interval.method == "Clopper–Pearson"
    assert tuple(npv.interval) == pytest.approx((0.9097488990396657, 1.0))


def test_nobody_diseased_is_null_with_a_reason():
    result = two_by_two_of(tp=0, fp=2, fn=0, tn=8)
    assert result.sensitivity.estimate is None
    assert "positive by the reference" in result.sensitivity.reason
    assert result.specificity.estimate == 0.8
    assert result.ratios()["lr_pos"] is None
    assert result.to_dict()["ratio_reasons"]["lr_pos"].startswith("everybody is positive, or negative")
    assert "nan" not in result.sentence()


def test_counts_stand_in_the_sentence_and_missing_ratios_have_a_reason():
    dropped = (Dropped(2, "a value is missing"),)
    result = two_by_two_of(tp=4, fp=0, fn=1, tn=8, unit="territory", clusters=9, dropped=dropped)
    assert result.sentence().endswith("; 13 territories in 9 patients (2 dropped: a value is missing).")
    content = result.to_dict()
    assert content["cells"] == {"tp": 4, "fp": 0, "fn": 1, "tn": 8}
    assert (content["n"], content["dropped"]) == (13, [{"count": 2, "reason": "a value is missing"}])
    assert content["ratio_reasons"] == dict.fromkeys(
        ("lr_pos", "lr_pos_ci", "dor", "dor_ci"), "a cell is zero"
    )
    assert two_by_two_of(tp=0, fp=0, fn=0, tn=0).reason == "there is no unit"


def test_threshold_is_reached_by_equality_and_missing_is_dropped():
    result = two_by_two_at(
        np.array([70.0, 69.99, np.nan, 80]),
        np.array([70, 70, 90, 10.0]),
        threshold=70,
        names=("network", "expert"),
    )
    assert (result.tp, result.fn, result.fp, result.tn) == (1, 1, 1, 0)
    assert result.dropped[0].count == 1
    assert result.question == "network ≥ 70 % for expert ≥ 70 %"


def test_recommended_profile_takes_score_intervals_and_exact_ones_at_the_ends():
    """Score limits as printed by Newcombe (Stat Med 1998;17:857): 81/263, 15/148."""
    found = two_by_two_of(tp=81, fp=15, fn=182, tn=133, profile="recommended")
    assert tuple(found.sensitivity.interval) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert 1 - found.specificity.interval.high == pytest.approx(0.0624, abs=5e-5)
    assert 1 - found.specificity.interval.low == pytest.approx(0.1605, abs=5e-5)
    full = two_by_two_of(tp=10, fp=1, fn=0, tn=39, profile="recommended")
    assert full.sensitivity.interval.method == "Clopper–Pearson"
    assert full.sensitivity.interval.low == pytest.approx(0.6915029, abs=1e-6)
