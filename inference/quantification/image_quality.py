"""Blur and noise of a scan, from the scan itself: how soft the borders of large lumens are, how blood in the aorta varies.

Blur. A healthy stretch of vessel is two discs, lumen and wall, in something else. Seen through a Gaussian point spread
its radial profile is a + b·D(lumen radius + δ) + c·D(wall radius + δ), D being a blurred disc (a cumulative non-central
χ² distribution); the width that fits best is the border's. A border can be softer than the point spread (motion, a rough
wall) but not sharper, so that the lower quartile of all borders tells the point spread. Kernels are no Gaussians: the
width is that of the Gaussian whose edge looks alike (half modulation at 0.44 / width), not the width of a wire.

Noise. The quietest boxes of blood near the ostium tell its SD; how alike neighbouring pixels are there, its grain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import map_coordinates, uniform_filter
from scipy.stats import ncx2

from inference.contours import THETA, VesselContours
from inference.quantification.imaging import FWHM_PER_SD, GRID_SD_MM
from inference.quantification.sections import lumen_attenuation
from inference.scan import Volume
from inference.section_grid import MIDDLE, SPACING_ACROSS
from inference.straightening import StraightenedVessel

# What is tried: widths over those of clinical kernels (0.33 to 1.9 mm at half maximum) and contours that lie 0.2 mm off.
WIDTHS_MM = np.arange(0.14, 0.82, 0.03)
OFFSETS_MM = np.arange(-0.2, 0.21, 0.05)
STEP_MM = 0.1  # of a profile
FROM_MM, BEYOND_MM = 0.4, 1.3  # a profile runs from inside the lumen to so far outside its contour
# How a stretch is chosen, by hand; with these the width in plane errs
# by 0.06 mm on average (0.15 at most) over 16 phantoms of 0.5–1.5 mm, that along the table by 0.07 (0.23).
SECTIONS = 10
LEAST_RADIUS_MM = 1.2
MOST_STRETCHES = 48
FEWEST_BORDERS = 12
SECTORS = 8  # each stretch has eight borders
SHARPEST_SHARE = 25  # per cent
IN_PLANE, ALONG = (
    0.25,
    0.6,
)  # a border looks along the table by so much (squared cosine), at most and at least
# A box of blood: within a quarter of the vessels' HU, at most 40 mm from the first ostium. Its width and how many count were
# chosen on 16 phantoms and five scans of other generators: SD 4 % off on average,
# 10 % at most (9 mm and the quietest tenth: 29 %).
BOX_MM = 7.0
SEARCH_MM = 40.0
LEVEL_SHARE = 0.25
QUIETEST_SHARE = 3  # per cent of the boxes of blood
MOST_BOXES = 24
FEWEST_BOXES = 20


@dataclass(frozen=True)
class ImageQuality:
    """Blur (full width at half maximum, mm) and noise in blood (SD, HU; SD of its grain, mm); None where not found.

    borders : how many borders of lumens told the blur.
    """

    psf_plane_mm: float | None = None
    psf_along_mm: float | None = None
    noise_sd_hu: float | None = None
    noise_grain_mm: float | None = None
    borders: int = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know where something could not be estimated."""
        out = []
        if self.psf_plane_mm is None:
            out.append(
                f"The scan's blur could not be estimated: {self.borders} borders of large healthy lumens were found, "
                f"{FEWEST_BORDERS} are needed. The usual blur was taken; low-attenuation plaque and calcium's mass are less certain."
            )
        if self.noise_sd_hu is None:
            out.append(
                "The scan's noise could not be estimated: no even region of blood lies near the ostium."
            )
        return tuple(out)


def image_quality(
    volume: Volume, vessels: Sequence[StraightenedVessel], contours: Sequence[VesselContours]
) -> ImageQuality:
    """Estimate blur and noise of a scan.

    Parameters
    ----------
    volume : the scan. vessels, contours : what was straightened and drawn, in one order.
    """
    plane, along, borders = _blur(volume, vessels, contours)
    sd, grain = _noise(volume, vessels, contours)
    return ImageQuality(plane, along, sd, grain, borders)


@lru_cache(maxsize=1)
def _discs() -> tuple[np.ndarray, np.ndarray]:
    """Radii (R,) and profiles (widths, R, r) of blurred discs of height 1, every 0.1 mm from the centre."""
    radii = np.arange(0.6, 7.0, 0.05)
    at = np.arange(0.0, 8.0, STEP_MM)
    width = WIDTHS_MM[:, None, None]
    return radii, np.asarray(ncx2.cdf((radii[:, None] / width) ** 2, 2, (at / width) ** 2 + 1e-9))


def _disc(radius: float, points: int) -> np.ndarray:
    """Profiles (widths, points) of a disc of one radius."""
    radii, profiles = _discs()
    place = np.clip((radius - radii[0]) / (radii[1] - radii[0]), 0, len(radii) - 1.001)
    low, share = int(place), place - int(place)
    return np.asarray(
        (1 - share) * profiles[:, low, :points] + share * profiles[:, low + 1, :points], np.float64
    )


def _widths(profiles: np.ndarray, radius: float, thickness: float) -> np.ndarray:
    """SD (mm) of the blur that fits each profile (n, r) best; NaN where the best is the widest or narrowest tried."""
    points = profiles.shape[1]
    first = round(FROM_MM / STEP_MM)
    pairs = [
        np.stack([np.ones_like(lumen), lumen, wall], axis=2)[:, first:]
        for offset in OFFSETS_MM
        for lumen, wall in [(_disc(radius + offset, points), _disc(radius + offset + thickness, points))]
    ]
    base, _ = np.linalg.qr(np.stack(pairs))  # (offsets, widths, r, 3)
    seen = profiles[:, first:]
    explained = np.einsum("owrk,nr->nowk", base, seen, optimize=True)
    left = (seen**2).sum(1)[:, None] - (explained**2).sum(3).max(1)  # (n, widths), the best offset
    best = left.argmin(1)
    inner = (best > 0) & (best < len(WIDTHS_MM) - 1)
    middle = np.clip(best, 1, len(WIDTHS_MM) - 2)
    rows = np.arange(len(left))
    before, here, after = (left[rows, middle + n] for n in (-1, 0, 1))
    bend = np.maximum(before - 2 * here + after, 1e-9)
    step = WIDTHS_MM[1] - WIDTHS_MM[0]
    return np.where(inner, WIDTHS_MM[middle] + 0.5 * step * (before - after) / bend, np.nan)


def _stretches(
    vessels: Sequence[StraightenedVessel], contours: Sequence[VesselContours]
) -> list[tuple[float, int, int]]:
    """(radius, vessel, first section) of healthy stretches, the widest first."""
    found = []
    for number, (vessel, drawn) in enumerate(zip(vessels, contours, strict=True)):
        radius = np.sqrt((drawn.lumen_radius.astype(float) ** 2).mean(1))
        usable = (drawn.lumen_radius > 0).all(1) & ~drawn.plaque.any(1) & (radius >= LEAST_RADIUS_MM)
        usable[list(drawn.masks)] = False
        for first in range(0, vessel.sections - SECTIONS + 1, SECTIONS):
            part = slice(first, first + SECTIONS)
            if usable[part].all():
                found.append((float(radius[part].mean()), number, first))
    return sorted(found, reverse=True)[:MOST_STRETCHES]


def _blur(
    volume: Volume, vessels: Sequence[StraightenedVessel], contours: Sequence[VesselContours]
) -> tuple[float | None, float | None, int]:
    """Full widths at half maximum in plane and along the table (mm), and how many borders told them."""
    table = volume.affine[:3, 2] / np.linalg.norm(volume.affine[:3, 2])
    widths, towards = [], []
    for radius, number, first in _stretches(vessels, contours):
        vessel, drawn = vessels[number], contours[number]
        part = slice(first, first + SECTIONS)
        lumen = drawn.lumen_radius[part].astype(float)
        at = np.arange(0.0, radius + BEYOND_MM + STEP_MM / 2, STEP_MM) + (lumen - radius)[..., None]
        place = np.stack(
            [
                np.broadcast_to(np.arange(SECTIONS)[:, None, None], at.shape),
                at * np.sin(THETA)[:, None] / SPACING_ACROSS + MIDDLE,
                at * np.cos(THETA)[:, None] / SPACING_ACROSS + MIDDLE,
            ]
        )
        seen = map_coordinates(vessel.hu[part].astype(np.float32), place, order=1)
        sectors = seen.reshape(SECTIONS, SECTORS, -1, at.shape[2]).mean((0, 2))
        widths.append(_widths(sectors, radius, float((drawn.wall_radius[part] - lumen).mean())))
        middle = THETA.reshape(SECTORS, -1).mean(1)
        centre = first + SECTIONS // 2
        looks = (
            np.cos(middle)[:, None] * vessel.axis_u[centre] + np.sin(middle)[:, None] * vessel.axis_v[centre]
        )
        towards.append((looks @ table) ** 2)
    if not widths:
        return None, None, 0
    width, cosine = np.concatenate(widths), np.concatenate(towards)
    known = np.isfinite(width)
    width, cosine = width[known], cosine[known]
    return _full_width(width[cosine <= IN_PLANE]), _full_width(width[cosine >= ALONG]), len(width)


def _full_width(sd: np.ndarray) -> float | None:
    """Full width at half maximum of the scanner's own blur, from SDs that sampling has widened."""
    if len(sd) < FEWEST_BORDERS:
        return None
    sharpest = float(np.percentile(sd, SHARPEST_SHARE))
    return FWHM_PER_SD * float(np.sqrt(max(sharpest**2 - GRID_SD_MM**2, 0.0)))


def _noise(
    volume: Volume, vessels: Sequence[StraightenedVessel], contours: Sequence[VesselContours]
) -> tuple[float | None, float | None]:
    """SD (HU) of blood near the first vessel's ostium, and SD (mm) of the Gaussian that its grain looks like."""
    levels = [lumen_attenuation(v, c)[:40] for v, c in zip(vessels, contours, strict=True)]
    known = np.concatenate(levels)
    if not np.isfinite(known).any():
        return None, None
    level = float(np.nanmedian(known))
    spacing = np.array(volume.spacing_mm)
    middle = volume.to_index(vessels[0].centre[0])
    size = np.array(volume.hu.shape[::-1])
    low = np.clip(np.floor(middle - SEARCH_MM / spacing), 0, size - 2).astype(int)
    high = np.clip(np.ceil(middle + SEARCH_MM / spacing), low + 2, size).astype(int)
    part = volume.hu[low[2] : high[2], low[1] : high[1], low[0] : high[0]].astype(np.float32)
    box = np.maximum(np.rint(BOX_MM / spacing[::-1]).astype(int), 3)
    coarse = part[::2, ::2, ::2] - np.float32(level)
    mean = uniform_filter(coarse, np.maximum(box // 2, 1), mode="reflect")
    square = uniform_filter(coarse**2, np.maximum(box // 2, 1), mode="reflect")
    sd = np.sqrt(np.maximum(square - mean**2, 0))
    blood = np.abs(mean) < LEVEL_SHARE * level
    half = box // 2
    edge = [slice(h // 2 + 1, n - h // 2 - 1) for h, n in zip(half, coarse.shape, strict=True)]
    inside = np.zeros_like(blood)
    inside[tuple(edge)] = True
    blood &= inside
    if blood.sum() < FEWEST_BOXES:
        return None, None
    quiet = float(np.percentile(sd[blood], QUIETEST_SHARE))
    places = np.argwhere(blood & (sd <= quiet)) * 2
    places = places[:: max(1, len(places) // MOST_BOXES)][:MOST_BOXES]
    variances, alike = [], []
    for k, j, i in places:
        block = part[k - half[0] : k + half[0], j - half[1] : j + half[1], i - half[2] : i + half[2]]
        block = block - block.mean((1, 2), keepdims=True)
        variances.append(float((block**2).mean()))
        across = (block[:, 1:] * block[:, :-1]).mean() + (block[:, :, 1:] * block[:, :, :-1]).mean()
        alike.append(float(across) / 2)
    variance = float(np.median(variances))
    likeness = float(np.clip(np.median(alike) / max(variance, 1e-9), 0.01, 0.99))
    pixel = float(spacing[:2].mean())
    return float(np.sqrt(variance)), pixel / (2 * float(np.sqrt(-np.log(likeness))))
