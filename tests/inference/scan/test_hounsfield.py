"""Values that are not HU are told from those that are, by air, fat and muscle."""

from __future__ import annotations

import numpy as np
import pytest

from inference.phantom import generate
from inference.scan.hounsfield import check_hounsfield


@pytest.fixture(scope="module")
def hu() -> np.ndarray:
    """Air, lung, fat, muscle and blood in the shares of a scan around the heart, with noise of 25 HU."""
    rng = np.random.default_rng(0)
    kinds = rng.choice([-1000.0, -860.0, -95.0, 60.0, 380.0], (40, 120, 120), p=[0.1, 0.3, 0.15, 0.3, 0.15])
    return np.clip(kinds + rng.normal(0, 25, kinds.shape), -1024, None).astype(np.int16)


def test_a_phantom_is_not_doubted() -> None:
    assert check_hounsfield(generate(5, "tree_tiny").volume.hu) == []


def test_a_calibrated_scan_is_not_doubted(hu: np.ndarray) -> None:
    assert check_hounsfield(hu) == []


@pytest.mark.parametrize(
    ("slope", "offset", "said"),
    [
        (2.0, 0.0, "fat lies at -1"),
        (0.5, 0.0, "fat lies at -4"),
        (1.0, 60.0, "fat lies at -3"),
        (1.0, 250.0, "there is no air (lowest values -7"),
        (1.0, 1024.0, "there is no air"),
        (1.0, 500.0, "there is no air"),
    ],
)
def test_wrong_rescaling_is_told_with_what_looks_odd(
    hu: np.ndarray, slope: float, offset: float, said: str
) -> None:
    changed = np.clip(hu * slope + offset, -32768, 32767).astype(np.int16)
    warnings = check_hounsfield(changed)
    assert any("do not look like HU" in w and said in w for w in warnings)
    assert all("RescaleSlope" in w for w in warnings)


@pytest.mark.parametrize("shift", [-70, 70, 100])
def test_a_phantom_of_shifted_values_is_doubted(shift: int) -> None:
    for seed in (3, 5, 7):
        phantom = generate(seed, "tree_tiny").volume.hu
        assert check_hounsfield(np.clip(phantom + shift, -1024, 3071).astype(np.int16)), seed


def test_a_scan_without_fat_is_doubted(hu: np.ndarray) -> None:
    (warning,) = check_hounsfield(np.where((hu > -250) & (hu < 0), np.int16(60), hu).astype(np.int16))
    assert "No fat is found" in warning


def test_values_cut_off_by_a_window_are_told(hu: np.ndarray) -> None:
    warnings = check_hounsfield(np.clip(hu, -160, 240).astype(np.int16))
    assert any("hold the highest value, 240" in w for w in warnings)
    assert any("there is no air (lowest values -160)" in w for w in warnings)


def test_too_few_voxels_are_not_judged() -> None:
    assert check_hounsfield(np.zeros((10, 12, 16), np.int16)) == []
