"""A real scan of the QRM calcification insert: mass is within ±20 % where the threshold's volume errs by half and more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.errors import VolumeError
from inference.qualification import qualify
from inference.scan import read_series

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
# Row and column of the cylinders of 5 and 3 mm, read off the pictures.
PLACES = {
    (800.0, 5.0): (220, 180),
    (800.0, 3.0): (221, 206),
    (400.0, 5.0): (151, 292),
    (400.0, 3.0): (173, 280),
    (200.0, 5.0): (281, 299),
    (200.0, 3.0): (260, 285),
}
SEEN_ABOVE_350 = {800.0: 48, 400.0: -34, 200.0: -95}  # error of the volume of the cylinders of 5 mm, %


def test_mass_is_within_a_fifth_calibrated_on_the_rod_alone() -> None:
    volume = read_series(REAL / "qrm_cci_aquilion_one" / "dicom")
    found = qualify(volume)
    judged = {(c.cylinder.mg_cc, c.cylinder.diameter_mm): c for c in found.cylinders}
    for key, (row, column) in PLACES.items():
        at = volume.to_index(np.array(judged[key].cylinder.centre))
        assert np.hypot(at[0] - column, at[1] - row) < 2.0, key
        assert 4 <= at[2] <= 6
        assert abs(judged[key].mass_error) <= 20.0, key
    for mg_cc, error in SEEN_ABOVE_350.items():
        assert judged[mg_cc, 5.0].volume_350_error == pytest.approx(error, abs=2)
    assert "within the limits" in found.verdict
    assert "distance of slices" in found.verdict  # 3 mm: too thick for plaque


@pytest.mark.parametrize("name", ["ge_ctpa_rider_pilot", "toshiba_abdomen_tcga_ov", "philips_neck_tcga_thca"])
def test_patients_are_no_insert(name: str) -> None:
    with pytest.raises(VolumeError) as refused:
        qualify(read_series(REAL / name / "dicom"))
    assert refused.value.code in {"no-rod", "no-cylinders"}
