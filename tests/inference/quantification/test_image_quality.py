"""Blur and noise of a scan are found from its own pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from inference.centreline import Centreline
from inference.contours import ANGLES, VesselContours
from inference.quantification import Imaging
from inference.quantification.image_quality import ImageQuality, image_quality
from inference.scan import Volume
from inference.straightening import StraightenedVessel, straighten

PIXEL, SLICE = 0.4, 0.5
SHAPE = (84, 105, 105)  # 42 mm each way
NOISE, GRAIN_MM = 24.0, 0.36
RADIUS, WALL = 1.8, 2.4
FWHM_PER_SD = 2.3548


@lru_cache(maxsize=1)
def scene() -> np.ndarray:
    """A ball of blood, one vessel along the table and one across it, in fat."""
    k, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    z, y, x = k * SLICE, j * PIXEL, i * PIXEL
    out = np.full(SHAPE, -95.0, np.float32)
    for far in (np.hypot(x - 34, y - 8), np.hypot(y - 34, z - 10)):
        # A voxel at the border holds a share of both.
        for radius, low, high in ((WALL, -95.0, 70.0), (RADIUS, 70.0, 400.0)):
            inside = np.clip((radius - far) / PIXEL + 0.5, 0, 1)
            out += ((high - low) * inside).astype(np.float32)
    ball = np.sqrt((x - 14) ** 2 + (y - 14) ** 2 + (z - 26) ** 2)
    return np.where(ball < 11, np.float32(400.0), out)


def scanned(
    plane_mm: float, along_mm: float
) -> tuple[Volume, list[StraightenedVessel], list[VesselContours]]:
    sd = [along_mm / FWHM_PER_SD / SLICE, *[plane_mm / FWHM_PER_SD / PIXEL] * 2]
    hu = gaussian_filter(scene(), sd)
    grain = gaussian_filter(
        np.random.default_rng(3).standard_normal(SHAPE, np.float32), (0.4, GRAIN_MM / PIXEL, GRAIN_MM / PIXEL)
    )
    hu += NOISE * grain / grain.std()
    volume = Volume(hu.astype(np.int16), np.diag([PIXEL, PIXEL, SLICE, 1.0]))
    t = np.linspace(11.0, 31.0, 60)
    lines = [
        Centreline("RCA", np.stack([np.full(60, 34.0), np.full(60, 8.0), t], 1)),
        Centreline("LAD", np.stack([t, np.full(60, 34.0), np.full(60, 10.0)], 1)),
    ]
    vessels = [straighten(volume, line) for line in lines]
    drawn = [
        VesselContours(
            np.full((v.sections, ANGLES), RADIUS),
            np.full((v.sections, ANGLES), WALL),
            np.zeros((v.sections, ANGLES), bool),
        )
        for v in vessels
    ]
    return volume, vessels, drawn


@pytest.mark.parametrize(("plane", "along"), [(0.6, 0.9), (1.0, 0.7), (1.4, 1.2)])
def test_point_spread_and_noise_are_found(plane: float, along: float) -> None:
    found = image_quality(*scanned(plane, along))
    voxel = FWHM_PER_SD / np.sqrt(12)
    assert found.psf_plane_mm == pytest.approx(np.hypot(plane, voxel * PIXEL), abs=0.12)
    assert found.psf_along_mm == pytest.approx(np.hypot(along, voxel * SLICE), abs=0.15)
    assert found.noise_sd_hu == pytest.approx(NOISE, rel=0.1)
    assert found.noise_grain_mm == pytest.approx(GRAIN_MM, rel=0.12)
    assert not found.warnings


def test_where_nothing_tells_the_blur_a_warning_says_so() -> None:
    volume, vessels, drawn = scanned(0.6, 0.9)
    narrow = [VesselContours(c.lumen_radius * np.float32(0.5), c.wall_radius, c.plaque) for c in drawn]
    empty = Volume(np.where(volume.hu > 250, 60, volume.hu).astype(np.int16), volume.affine)
    found = image_quality(empty, vessels, narrow)
    assert found == ImageQuality()
    blur, noise = found.warnings
    assert "0 borders" in blur
    assert "usual blur" in blur
    assert "ostium" in noise


def test_imaging_is_stored_as_text_and_read_again() -> None:
    known = Imaging(aortic_sd_hu=21.5, psf_plane_mm=1.05, kvp=100.0)
    stored = {"model": "served", **known.as_versions()}
    assert stored["psf_plane_mm"] == "1.050"
    assert Imaging.of(stored) == known
    assert Imaging.of({"model": "served"}) == Imaging()
    assert Imaging(psf_plane_mm=1.05, psf_along_mm=0.6).blur_mm < known.blur_mm
