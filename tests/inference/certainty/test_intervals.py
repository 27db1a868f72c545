"""Intervals hold what they promise on errors whose law is known, follow the size, and are kept per file of weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from inference.certainty import intervals
from inference.certainty.intervals import (
    CALIBRATED,
    Calibration,
    Conformal,
    Scale,
    calibrate,
    calibration_of,
    judged,
)
from inference.certainty.signs import Signs
from inference.quantification import LesionRecord, Value

SIGNS = Signs(10.0, 0.15, None, 0.1, 0.0, 2.0, 1.0, 0.0, 0.0, False, None, 20.0)


def lesions(rng: np.random.Generator, patients: int, each: int = 8):
    """Lesions whose error is a tenth of their size, doubled where the border is unseen."""
    out = []
    for patient in range(patients):
        for n in range(each):
            true = float(np.exp(rng.normal(4, 0.8)))
            unseen = float(rng.uniform() < 0.3)
            number = max(0.0, true * (1 + (0.1 + 0.1 * unseen) * rng.normal()))
            values = {metric: Value(number) for metric in CALIBRATED}
            record = LesionRecord(vessel="LAD", segment="", number=n + 1, **values)
            signs = replace(SIGNS, unseen_border=unseen, length_mm=5 + true / 20)
            out.append(
                (
                    record,
                    signs,
                    judged(f"p{patient}", "given", record, signs, dict.fromkeys(CALIBRATED, true)),
                )
            )
    return out


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return calibrate("a law", "corrected", [row[2] for row in lesions(np.random.default_rng(1), 50)])


def around(calibration: Calibration, row) -> Value:
    return calibration.with_intervals(row[0], row[1], how="given", profile="corrected").total_plaque_volume


def test_nine_in_ten_new_lesions_are_held_and_wider_is_where_errors_are_larger(
    calibration: Calibration,
) -> None:
    new = lesions(np.random.default_rng(2), 60)
    found = [around(calibration, row) for row in new]
    truth = np.array([row[2].truth["total_plaque_volume"] for row in new])
    low, high = (np.array([getattr(v, end) for v in found]) for end in ("interval_low", "interval_high"))
    assert 0.86 <= ((low <= truth) & (truth <= high)).mean() <= 0.94
    width = (high - low) / np.array([v.value for v in found])
    unseen = np.array([row[1].unseen_border for row in new]) > 0
    assert np.median(width[unseen]) > 1.4 * np.median(width[~unseen])
    assert all(v.interval_low <= v.value <= v.interval_high for v in found)


def test_an_interval_stays_within_what_the_metric_can_be(calibration: Calibration) -> None:
    record = LesionRecord(
        vessel="LAD", segment="", number=1, total_plaque_volume=Value(0.4), diameter_stenosis=Value(98.0)
    )
    found = calibration.with_intervals(record, SIGNS, how="given", profile="corrected")
    assert found.total_plaque_volume.interval_low == 0
    assert found.diameter_stenosis.interval_high <= 100
    assert found.calcified_plaque_volume is None


def test_what_was_not_measured_has_no_interval(calibration: Calibration) -> None:
    record = LesionRecord(vessel="LAD", segment="", number=1, diameter_stenosis=Value(None))
    found = calibration.with_intervals(record, SIGNS, how="given", profile="corrected")
    assert found.diameter_stenosis == Value(None)


def test_another_profile_keeps_the_intervals_that_no_profile_changes(calibration: Calibration) -> None:
    record = LesionRecord(
        vessel="LAD", segment="", number=1, **{metric: Value(30.0) for metric in CALIBRATED}
    )
    found = calibration.with_intervals(record, SIGNS, how="given", profile="fixed")
    assert found.total_plaque_volume.interval_high > 30
    assert found.low_attenuation_plaque_volume == Value(30.0)


def test_the_tails_are_those_of_split_conformal_prediction() -> None:
    x, error = np.zeros((99, 3)), np.arange(-49.0, 50.0)
    flat = Scale(np.zeros(3), np.ones(3), np.zeros(4))
    assert flat.of(x[0]) == 1
    names = [f"p{n}" for n in range(99)]
    found = Conformal.fit(x, error, names, 0.5)
    # rank ⌈100 · 0.95⌉ = 95 of 99 errors of one scale is 45; the scale differs a little between folds.
    assert found.high * found.scale.of(x[0]) == pytest.approx(45, rel=0.12)
    assert found.low * found.scale.of(x[0]) == pytest.approx(-45, rel=0.12)


def test_a_table_is_kept_per_file_of_weights_and_forgotten_with_its_predictors(
    calibration: Calibration, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(json.dumps({"a" * 64: calibration.to_dict()}))
    (tmp_path / "intervals.json").write_text(json.dumps(told))
    monkeypatch.setattr(intervals, "TABLE", tmp_path / "intervals.json")
    calibration_of.cache_clear()
    again = calibration_of("a" * 64)
    row = lesions(np.random.default_rng(3), 1)[0]
    assert around(again, row) == around(calibration, row)
    assert again.reach == calibration.reach
    assert calibration_of("b" * 64) is None
    told["a" * 64]["predictors"][0] = "another"
    assert Calibration.from_dict(told["a" * 64]) is None
    calibration_of.cache_clear()
