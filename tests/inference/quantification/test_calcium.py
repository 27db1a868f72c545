"""Calcium without a threshold: what a nodule holds does not hang on its density, nor on how blurred it is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from inference.composition_profiles import PROFILES
from inference.contours import ANGLES, PIXEL_RADIUS, PIXEL_U, PIXEL_V
from inference.quantification import Imaging, Lesion, VesselRead, calibration, quantify
from inference.section_grid import SPACING_ACROSS, SPACING_ALONG
from inference.straightening import StraightenedVessel
from tests.inference.quantification.solids import bent, tube, value, with_plaque

KVP = 120.0
HU_PER_MG_CC = 1.275
SOFT = 90.0


def scanned(mg_cc: float, psf_mm: float, noise: float = 15.0) -> tuple[StraightenedVessel, float]:
    """A vessel with one nodule of 1.2 mm radius in its wall, blurred, and the volume of the nodule (mm³)."""
    section = np.where(PIXEL_RADIUS < 1.5, 380.0, np.where(PIXEL_RADIUS < 3.4, SOFT, -95.0))
    hu = np.broadcast_to(section, (80, 64, 64)).copy()
    along = (np.arange(80) - 40) * SPACING_ALONG
    far = along[:, None, None] ** 2 + (PIXEL_U - 2.5) ** 2 + PIXEL_V**2
    nodule = (far < 1.2**2) & (PIXEL_RADIUS > 1.5) & (PIXEL_RADIUS < 3.4)
    hu[nodule] = SOFT + mg_cc * HU_PER_MG_CC
    sd = psf_mm / 2.3548
    hu = gaussian_filter(hu, (sd / SPACING_ALONG, sd / SPACING_ACROSS, sd / SPACING_ACROSS))
    grain = gaussian_filter(np.random.default_rng(5).standard_normal(hu.shape), 1.0)
    hu += noise * grain / grain.std()
    vessel = bent(sections=80, radius=None)
    return StraightenedVessel(**{**vars(vessel), "hu": hu.astype(np.int16)}), float(
        nodule.sum() * SPACING_ACROSS**2 * SPACING_ALONG
    )


def measured(vessel: StraightenedVessel, imaging: Imaging, profile: str = "corrected") -> dict[str, float]:
    contours = with_plaque(tube(80, 1.5, 1.9), 5, 75, 3.4, np.ones(ANGLES, bool))
    rows = quantify(
        vessel, VesselRead("LAD", contours, (Lesion(1, 1.5, 22.2),)), PROFILES[profile], imaging=imaging
    )
    names = ("calcified_plaque_mass", "calcified_plaque_volume_integrated", "calcified_plaque_volume")
    return {name: value(rows, "lesion", name) for name in names}


@pytest.mark.parametrize("mg_cc", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("psf_mm", [0.7, 1.3])
def test_mass_and_volume_hold_at_every_density_and_blur(mg_cc: float, psf_mm: float) -> None:
    vessel, volume = scanned(mg_cc, psf_mm)
    found = measured(vessel, Imaging(psf_plane_mm=psf_mm, psf_along_mm=psf_mm, kvp=KVP))
    assert found["calcified_plaque_mass"] == pytest.approx(volume * mg_cc / 1000, rel=0.12)
    assert found["calcified_plaque_volume_integrated"] == pytest.approx(volume, rel=0.35)


def test_the_threshold_hangs_on_density_and_the_integral_does_not() -> None:
    seen = []
    for mg_cc in (250.0, 1000.0):
        vessel, volume = scanned(mg_cc, 1.1)
        found = measured(vessel, Imaging(psf_plane_mm=1.1, kvp=KVP))
        seen.append([x / volume for x in found.values()])
    (low_mass, _, low_threshold), (high_mass, _, high_threshold) = seen
    assert high_threshold > 4 * low_threshold
    assert high_mass / 1000 == pytest.approx(low_mass / 250, rel=0.1)


def test_a_profile_changes_neither_mass_nor_volume() -> None:
    vessel, _ = scanned(600.0, 0.8)
    first, second = (measured(vessel, Imaging(kvp=KVP), name) for name in ("fixed", "corrected"))
    assert first == second  # and the volume above 350 HU comes from the image in both


def test_plaque_without_calcium_holds_none() -> None:
    vessel, _ = scanned(0.0, 0.8)
    assert measured(vessel, Imaging())["calcified_plaque_mass"] < 0.1


def test_calibration_follows_the_tube_voltage_and_says_where_it_comes_from() -> None:
    assert calibration(120.0).hu_per_mg_cc == pytest.approx(1 / 0.78, rel=0.01)
    assert calibration(80.0).hu_per_mg_cc > calibration(100.0).hu_per_mg_cc > calibration(140.0).hu_per_mg_cc
    assert calibration(105.0).hu_per_mg_cc == pytest.approx(1.43)
    unknown = calibration(None)
    assert unknown.hu_per_mg_cc == calibration(120.0).hu_per_mg_cc
    assert "not stated" in unknown.source
