"""The mixing model: blurred borders are neither fat in plaque nor calcium, and true cores are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from inference.composition_profiles import PROFILES
from inference.contours import ANGLES, PIXEL_RADIUS, THETA, VesselContours
from inference.quantification import Imaging, Lesion, VesselRead, composition_map, quantify
from inference.quantification.tissue import lumen_level
from inference.straightening import StraightenedVessel
from tests.inference.quantification.solids import bent, tube, value, with_plaque

CORRECTED, FIXED = PROFILES["corrected"], PROFILES["fixed"]
BLUR = 0.33 / 0.3125
U, V = np.meshgrid((np.arange(64) - 31.5) * 0.3125, (np.arange(64) - 31.5) * 0.3125)


def scanned(section: np.ndarray, noise: float = 0.0) -> StraightenedVessel:
    """A vessel of 120 equal sections, blurred; noise of the grain that a scanner gives."""
    hu = np.broadcast_to(gaussian_filter(section, BLUR), (120, 64, 64)).copy()
    if noise:
        grain = gaussian_filter(np.random.default_rng(1).standard_normal(hu.shape), 1.0)
        hu += noise * grain / grain.std()
    return replace(bent(sections=120, radius=None), hu=hu.astype(np.int16))


def measured(
    section: np.ndarray, wall: float = 3.2, noise: float = 0.0, profile=CORRECTED
) -> dict[str, float]:  # type: ignore[no-untyped-def]
    contours = with_plaque(tube(120, 1.5, 1.9), 20, 100, wall, np.ones(ANGLES, bool))
    rows = quantify(scanned(section, noise), VesselRead("LAD", contours, (Lesion(1, 7.5, 28.5),)), profile)
    total = value(rows, "lesion", "total_plaque_volume")
    return {
        name: value(rows, "lesion", f"{name}_plaque_volume") / total
        for name in ("low_attenuation", "calcified")
    }


def layered(core: float, fibrous: float, fat: float, middle: float = 2.35, half: float = 0.45) -> np.ndarray:
    """Lumen of 400 HU, fibrous plaque with a ring-shaped core in it, fat outside 3.2 mm."""
    tissue = np.where(np.abs(PIXEL_RADIUS - middle) < half, core, fibrous)
    return np.where(PIXEL_RADIUS < 1.5, 400.0, np.where(PIXEL_RADIUS < 3.2, tissue, fat))


@pytest.mark.parametrize("fibrous", [70.0, 90.0, 110.0])
@pytest.mark.parametrize("noise", [0.0, 25.0])
def test_fibrous_plaque_between_lumen_and_fat_has_no_low_attenuation(fibrous: float, noise: float) -> None:
    section = layered(fibrous, fibrous, -95.0)
    assert measured(section, noise=noise, profile=FIXED)["low_attenuation"] > 0.08
    assert measured(section, noise=noise)["low_attenuation"] < 0.03


@pytest.mark.parametrize(("core", "fibrous"), [(0.0, 90.0), (15.0, 80.0), (-20.0, 100.0)])
def test_a_low_attenuation_core_is_found_with_about_its_size(core: float, fibrous: float) -> None:
    """A core over a third of the circumference and half the wall's depth, under a cap of 0.4 mm."""
    in_core = (np.abs(PIXEL_RADIUS - 2.35) < 0.45) & (np.abs(np.arctan2(V, U)) < np.pi / 3)
    section = np.where(in_core, core, layered(fibrous, fibrous, -95.0))
    share = ((2.8**2) - (1.9**2)) / (3.2**2 - 1.5**2) / 3
    found = measured(section, noise=15.0)["low_attenuation"]
    assert 0.6 * share < found < 1.7 * share


def test_calcium_is_judged_on_the_image_in_every_profile() -> None:
    """A thin shell of 750 HU: on the image a part of it falls below 350 HU, and no profile brings that back."""
    dense = (np.abs(PIXEL_RADIUS - 2.3) < 0.25) & (U > 0)
    section = np.where(dense, 750.0, layered(85.0, 85.0, -95.0))
    share = 2.3 * 0.5 / (3.2**2 - 1.5**2)
    seen = [measured(section, profile=p)["calcified"] for p in (FIXED, CORRECTED)]
    assert seen[0] == seen[1] < 0.9 * share


def test_moving_the_contours_outwards_into_fat_is_felt_less_than_on_the_image() -> None:
    vessel = scanned(layered(90.0, 90.0, -95.0))
    contours = with_plaque(tube(120, 1.5, 1.9), 20, 100, 3.2, np.ones(ANGLES, bool))
    read = VesselRead("LAD", contours, (Lesion(1, 7.5, 28.5),))
    spans = []
    for profile in (FIXED, CORRECTED):
        rows = quantify(vessel, read, profile)
        (row,) = [r for r in rows if r.level == "lesion" and r.metric == "low_attenuation_plaque_volume"]
        assert row.high is not None
        spans.append(row.high)
    assert spans[1] < 0.5 * spans[0]


def test_map_agrees_with_the_volumes() -> None:
    vessel = scanned(layered(0.0, 90.0, -95.0))
    contours = with_plaque(tube(120, 1.5, 1.9), 20, 100, 3.2, np.ones(ANGLES, bool))
    read = VesselRead("LAD", contours, (Lesion(1, 7.5, 28.5),))
    painted = composition_map(vessel, read, CORRECTED)[25:96]
    share = measured(layered(0.0, 90.0, -95.0))["low_attenuation"]
    assert (painted == 1).sum() / (painted > 0).sum() == pytest.approx(share, rel=0.06)
    assert not composition_map(vessel, read, CORRECTED)[:20].any()


def test_sections_with_a_mask_are_corrected_as_well() -> None:
    vessel = scanned(layered(90.0, 90.0, -95.0))
    mask = np.where(PIXEL_RADIUS < 1.5, 1, np.where(PIXEL_RADIUS < 3.2, 3, 0)).astype(np.uint8)
    contours = replace(tube(120, 1.5, 1.9), masks=dict.fromkeys(range(20, 101), mask))
    read = VesselRead("LAD", contours, (Lesion(1, 7.5, 28.5),))
    shares = []
    for profile in (FIXED, CORRECTED):
        rows = quantify(vessel, read, profile)
        total = value(rows, "lesion", "total_plaque_volume")
        shares.append(value(rows, "lesion", "low_attenuation_plaque_volume") / total)
    assert shares[0] > 0.1
    assert shares[1] < 0.04


def test_blood_level_comes_from_wide_lumens() -> None:
    lumen = np.full((100, ANGLES), 2.0, np.float32)
    lumen[40:60] = 0.6
    seen = np.full(100, 400.0)
    seen[40:60] = 250.0
    assert lumen_level(seen, lumen) == pytest.approx(400.0, abs=8.0)
    assert (lumen_level(np.full(100, np.nan), lumen) == 350.0).all()


def test_napkin_ring_needs_a_core_and_a_moderate_rim() -> None:
    def features(rim: float, core: float) -> float:
        vessel = scanned(np.where(PIXEL_RADIUS < 1.5, 400.0, np.where(PIXEL_RADIUS < 2.7, core, rim)))
        contours = with_plaque(tube(120, 1.5, 1.9), 20, 100, 3.4, np.ones(ANGLES, bool))
        read = VesselRead("LAD", contours, (Lesion(1, 6.0, 30.0),))
        return value(quantify(vessel, read, CORRECTED), "lesion", "high_risk_features")

    # Remodelling and low attenuation are there in all; the rim alone makes the difference.
    assert features(100.0, 0.0) - features(100.0, 100.0) == 2.0
    assert features(180.0, 0.0) - features(100.0, 100.0) == 1.0


def test_adaptive_limit_rises_with_lumen_and_aortic_noise() -> None:
    section = np.where(PIXEL_RADIUS < 1.5, 500.0, 560.0)
    vessel = replace(
        bent(sections=120, radius=None), hu=np.broadcast_to(section, (120, 64, 64)).astype(np.int16)
    )
    contours = VesselContours(
        np.full((120, ANGLES), 1.5), np.full((120, ANGLES), 3.0), np.ones((120, ANGLES), bool) & (THETA < 9)
    )
    read = VesselRead("LAD", contours, (Lesion(1, 6.0, 30.0),))
    for sd, share in ((5.0, 1.0), (60.0, 0.0)):
        rows = quantify(vessel, read, PROFILES["adaptive"], imaging=Imaging(aortic_sd_hu=sd))
        total = value(rows, "lesion", "total_plaque_volume")
        assert value(rows, "lesion", "calcified_plaque_volume") / total == pytest.approx(share, abs=0.2)
