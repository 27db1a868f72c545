"""Where slices lie is where their HU are found: positions summed up, shear, coarse writing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from inference.errors import VolumeError
from inference.scan import Volume, read_series, read_source
from inference.scan.likeness import same_spacing
from inference.scan.values import read_number

from .images import COLUMNS, ROWS, images


def _at(z: np.ndarray, decimals: int = 4) -> Callable[[FileDataset, int], None]:
    """Slices at z mm, whose HU is ten times their place: a straight ramp is interpolated without error."""

    def change(ds: FileDataset, k: int) -> None:
        ds.ImagePositionPatient = ["-20.5", "-30.25", f"{z[k]:.{decimals}f}"]
        ds.PixelData = np.full((ROWS, COLUMNS), round(1024 + 10 * z[k]), "<u2").tobytes()

    return change


def _ramp_error(volume: Volume) -> float:
    """How far (mm) the ramp's HU lie from where the geometry puts them."""
    k = np.arange(len(volume.hu))
    z = volume.to_patient(np.outer(k, [0, 0, 1]))[:, 2]
    return float(np.abs(volume.hu[:, 12, 16] / 10 - z).max())


def test_drifting_spacing_is_resampled_and_told() -> None:
    """Gaps of 0.50 … 0.70 mm, none odd beside its neighbour, put slices 1.2 mm beside an even grid."""
    gaps = np.linspace(0.5, 0.7, 47)
    series = images(_at(np.concatenate([[0], np.cumsum(gaps)])), slices=48)
    volume = read_series(series)
    assert _ramp_error(volume) < 0.11  # HU are whole numbers
    (told,) = [w for w in volume.warnings if "resampled" in w]
    assert "0.50 to 0.70 mm apart, up to 1.2 mm beside an even grid" in told
    source = read_source(series, volume)
    np.testing.assert_allclose(np.diff(source.positions[:, 2]), volume.spacing_mm[2], atol=1e-9)
    z = np.array([float(ds.ImagePositionPatient[2]) for ds in series])
    np.testing.assert_allclose(z[list(source.nearest)], source.positions[:, 2], atol=0.36)


def test_one_step_too_far_is_resampled() -> None:
    z = 0.6 * np.arange(12) + 0.28 * (np.arange(12) >= 6)
    volume = read_series(images(_at(z)))
    assert _ramp_error(volume) < 0.11
    assert any("resampled" in w for w in volume.warnings)


@pytest.mark.parametrize("decimals", [1, 2, 4])
def test_positions_rounded_in_writing_are_an_even_grid(decimals: int) -> None:
    volume = read_series(images(_at(0.625 * np.arange(12), decimals)))
    assert not any("resampled" in w for w in volume.warnings)
    assert volume.spacing_mm[2] == pytest.approx(0.625, abs=0.01)


def test_positions_in_whole_millimetres_are_told() -> None:
    volume = read_series(images(_at(2.5 * np.arange(12) + 0.01, 0)))
    assert any("written so coarsely" in w for w in volume.warnings)


def test_a_shear_below_a_millimetre_stays_in_the_geometry() -> None:
    def tilt(ds: FileDataset, k: int) -> None:
        ds.ImagePositionPatient = ["-20.5", f"{-30.25 + 0.07 * k:.4f}", f"{100 + 0.6 * k:.4f}"]

    series = images(tilt)
    volume = read_series(series)
    for k, ds in enumerate(series):
        np.testing.assert_allclose(
            volume.to_patient(np.array([0, 0, k])),
            [float(x) for x in ds.ImagePositionPatient],
            atol=1e-6,
        )
    assert any("sheared against each other by 0.8 mm" in w for w in volume.warnings)
    np.testing.assert_allclose(read_source(series, volume).positions[3], [-20.5, -30.04, 101.8])


@pytest.mark.parametrize(
    ("spellings", "taken"),
    [
        ((["0.4296875", "0.4296875"], ["0.42968750", "0.42968750"]), 0.4296875),
        ((["0.43", "0.43"], ["0.4296875", "0.4296875"]), 0.4296875),
        ((["4.3e-1", "4.3e-1"], ["0.430", "0.43"]), 0.43),
    ],
)
def test_one_spacing_in_two_spellings_is_one(spellings: tuple[list[str], list[str]], taken: float) -> None:
    def spell(ds: FileDataset, k: int) -> None:
        ds.PixelSpacing = spellings[k % 2]

    volume = read_series(images(spell))
    assert volume.spacing_mm[:2] == pytest.approx((taken, taken), abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        ("0.4296875", "0.42968750", True),
        ("0.43", "0.4296875", True),  # cut, and 0.16 mm at the last pixel
        ("0.5", "0.5001", True),  # 0.05 mm at the last pixel
        ("0.5", "0.504", False),  # may be cut, but is 2 mm at the last pixel
        ("0.50000", "0.50050", False),  # not cut, 0.26 mm
        ("0.4", "0.41", False),
    ],
)
def test_spacings_are_one_by_how_they_are_written_and_by_what_it_moves(a: str, b: str, alike: bool) -> None:
    x, y = read_number(a), read_number(b)
    assert x is not None
    assert y is not None
    assert same_spacing((x, x), (y, y), (512, 512)) is alike
    assert same_spacing((y, y), (x, x), (512, 512)) is alike


@pytest.mark.parametrize("other", [["0.51", "0.51"], ["0.4", "0.5"]])
def test_another_spacing_is_refused_by_file(other: list[str]) -> None:
    def spell(ds: FileDataset, k: int) -> None:
        if k == 5:
            ds.PixelSpacing = other

    with pytest.raises(VolumeError, match="image 6: PixelSpacing"):
        read_series(images(spell))


def test_an_orientation_with_a_cut_digit_is_the_same() -> None:
    def turn(ds: FileDataset, k: int) -> None:
        ds.ImageOrientationPatient = (
            ["0.999999", "0", "0.001234", "0", "1", "0"] if k % 2 else ["1", "0", "0.0012", "0", "1", "0"]
        )

    assert read_series(images(turn)).hu.shape[0] == 12


def test_a_slice_twice_at_almost_one_place_is_refused() -> None:
    z = 0.6 * np.arange(12)
    z[7] = z[6] + 0.05
    z[8:] -= 0.6
    with pytest.raises(VolumeError, match="same position"):
        read_series(images(_at(z)))
