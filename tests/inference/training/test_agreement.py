"""What evaluation counts: ICC, intervals by patient, reliability, and the page that shows it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.networks.uncertainty import section_uncertainty
from inference.training.agreement import (
    Reliability,
    by_patient,
    dice,
    dice_with_interval,
    icc_a1,
    measure_with_interval,
)
from inference.training.evaluation import PAIRS, Task, evaluate
from inference.training.evaluation_page import page


def test_dice_of_counts():
    assert dice(np.array([[2.0, 4.0], [1.0, 6.0]])) == pytest.approx(0.6)
    assert dice(np.zeros((2, 2))) is None


def test_an_interval_draws_patients_not_rows():
    """Rows of one patient are alike: drawing patients gives a wide interval where drawing rows would not."""
    patients = np.repeat(np.arange(4), 100)
    values = patients.astype(float)
    low, high = by_patient(patients, lambda rows: float(values[rows].mean()))
    assert low < 0.8
    assert high > 2.2
    again = by_patient(patients, lambda rows: float(values[rows].mean()))
    assert again == (low, high)
    assert by_patient(np.array([1, 1, 2]), lambda rows: 1.0) is None


def test_scores_carry_estimate_and_interval():
    counts = np.array([[9.0, 20.0], [8.0, 20.0], [7.0, 20.0], [6.0, 20.0]])
    score = dice_with_interval(counts, np.arange(4))
    assert score["dice"] == pytest.approx(0.75)
    assert score["per_patient"] == [0.9, 0.8, 0.7, 0.6]
    assert score["interval"][0] < 0.75 < score["interval"][1]


def test_a_constant_error_is_bias_and_costs_agreement():
    rng = np.random.default_rng(1)
    truth, patients = rng.uniform(0, 100, 60), np.repeat(np.arange(12), 5)
    found = measure_with_interval(truth, truth + 5, patients)
    assert found["bias"] == pytest.approx(5)
    assert found["bias_interval"] == pytest.approx((5, 5))
    assert found["mae"] == pytest.approx(5)
    assert found["icc_a1"] == pytest.approx(icc_a1(truth, truth + 5))
    assert 0.9 < found["icc_a1"] < 1
    assert measure_with_interval(np.zeros(0), np.zeros(0), np.zeros(0, int)) == {"n": 0}


def test_probabilities_that_come_true_are_calibrated_and_others_are_not():
    rng = np.random.default_rng(2)
    p = rng.random(200_000)
    happened = rng.random(p.shape) < p
    good, bad = Reliability(), Reliability()
    for part in np.array_split(np.arange(p.size), 3):
        good.add(p[part], happened[part])
        bad.add(np.sqrt(p[part]), happened[part])
    assert good.to_dict()["ece"] < 0.01
    assert bad.to_dict()["ece"] == pytest.approx(1 / 6, abs=0.01)  # ∫ √p − p dp
    assert sum(good.to_dict()["count"]) == p.size
    Reliability().add(np.array([1.0]), np.array([1.0]))  # a probability of one has its bin


@given(st.floats(0, 1), st.floats(0, 1))
def test_uncertainty_is_the_expected_share_of_wrong_labels(a, b):
    lumen = np.full((2, 64, 64), min(a, b), np.float32)
    plaque = np.full((2, 64, 64), max(a, b) - min(a, b), np.float32)
    wall = np.zeros((2, 64, 64), np.float32)
    wall[0, 10:20, 10:20] = 1
    found = section_uncertainty(wall, lumen, plaque)
    largest = max(min(a, b), max(a, b) - min(a, b), 1 - max(a, b))
    assert found[0] == pytest.approx(1 - largest, abs=1e-5)
    assert found[1] == 0


def test_an_evaluation_and_its_page():
    said: list[str] = []
    found = evaluate(Task(scenario="tiny", first_seed=4, patients=1, device="cpu"), say=said.append)
    assert said[0].startswith("patient 4: Dice so far wall 0.9")
    assert found["simulated"]
    assert set(found["lesion_measures"]) == set(PAIRS)
    assert 0.9 < found["dice"]["wall"] < 1
    assert found["dice_by_patient"]["wall"]["interval"] is None  # one patient has no spread
    n = len(found["lesions"])
    assert n == found["strata"]["fat around"]["n"] + found["strata"]["soft tissue around"]["n"] > 0
    assert 0 < found["calibration"]["section"]["ece"] < 0.2
    text = page(found)
    assert text.startswith("<!doctype html>")
    assert "Simulated scans; research use only" in text
    assert "https://cdn" not in text.split("</script>")[-1]
    assert text.count("plotly-graph-div") >= len(PAIRS) + 4
