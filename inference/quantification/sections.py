"""What every section contributes: areas, and areas weighted by the curvature Jacobian dV = (1 − κ·u) dA ds.

A stack of parallel sections counts the outside of a bend too little and its inside too much; the Jacobian puts that
right (the theorem of Pappus for a torus).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np
from scipy.ndimage import gaussian_filter1d

from inference.contours import (
    ANGLES,
    LARGEST_RADIUS_MM,
    PIXEL_RADIUS,
    PIXEL_U,
    PIXEL_V,
    THETA,
    VesselContours,
)
from inference.section_grid import PIXELS, SPACING_ACROSS, SPACING_ALONG
from inference.straightening import StraightenedVessel

STEP_ANGLE = 2 * np.pi / ANGLES
COS, SIN = np.cos(THETA), np.sin(THETA)
PIXEL_AREA = SPACING_ACROSS**2
MLA_SIGMA_MM = 0.3  # definitions
TURNS = np.arange(0, np.pi, np.pi / 36)


@dataclass(frozen=True)
class Sections:
    """Per section (S,): plain areas (mm²) and volumes per mm of path (mm³/mm, with the Jacobian)."""

    lumen_area: np.ndarray
    wall_area: np.ndarray
    plaque_area: np.ndarray
    lumen_volume: np.ndarray
    wall_volume: np.ndarray
    plaque_volume: np.ndarray
    minimum_feret: np.ndarray

    @cached_property
    def smooth_lumen_area(self) -> np.ndarray:
        """Lumen area smoothed along the vessel with σ 0.3 mm; a closed section stays closed."""
        smooth = gaussian_filter1d(self.lumen_area, MLA_SIGMA_MM / SPACING_ALONG, mode="nearest")
        return np.where(self.lumen_area <= 0, 0.0, smooth)

    @cached_property
    def lumen_diameter(self) -> np.ndarray:
        """Area-derived lumen diameter, 2√(A/π), mm."""
        return 2 * np.sqrt(self.smooth_lumen_area / np.pi)


def shifted(contours: VesselContours, by_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return lumen and wall radii with both contours moved by ``by_mm``; a closed lumen stays closed."""
    lumen = contours.lumen_radius.astype(float)
    wall = contours.wall_radius.astype(float)
    if by_mm:
        lumen = np.where(lumen > 0, np.maximum(lumen + by_mm, 0.0), 0.0)
        wall = np.where(wall > 0, np.clip(wall + by_mm, lumen, LARGEST_RADIUS_MM + 0.1), 0.0)
    return lumen, wall


def measure_sections(vessel: StraightenedVessel, contours: VesselContours, by_mm: float = 0.0) -> Sections:
    """Measure every section, with both contours moved by ``by_mm``."""
    lumen, wall = shifted(contours, by_mm)
    bend = vessel.curvature[:, :1] * COS + vessel.curvature[:, 1:] * SIN
    # ∫₀^R (1 − κ·u) r dr = R²/2 − κ R³/3 along each ray.
    lumen_ray = lumen**2 / 2 - bend * lumen**3 / 3
    wall_ray = wall**2 / 2 - bend * wall**3 / 3
    out = {
        "lumen_area": (lumen**2 / 2).sum(1) * STEP_ANGLE,
        "wall_area": (wall**2 / 2).sum(1) * STEP_ANGLE,
        "plaque_area": ((wall**2 - lumen**2) / 2 * contours.plaque).sum(1) * STEP_ANGLE,
        "lumen_volume": lumen_ray.sum(1) * STEP_ANGLE,
        "wall_volume": wall_ray.sum(1) * STEP_ANGLE,
        "plaque_volume": ((wall_ray - lumen_ray) * contours.plaque).sum(1) * STEP_ANGLE,
        "minimum_feret": _minimum_feret(
            gaussian_filter1d(lumen, MLA_SIGMA_MM / SPACING_ALONG, axis=0, mode="nearest"),
            COS,
            SIN,
            np.cos(TURNS),
            np.sin(TURNS),
        ),
    }
    for section, mask in contours.masks.items():
        jacobian = 1 - (vessel.curvature[section, 0] * PIXEL_U + vessel.curvature[section, 1] * PIXEL_V)
        for name, region in (("lumen", mask == 1), ("wall", mask > 0), ("plaque", mask == 3)):
            area = region.sum() * PIXEL_AREA
            grow = 1.0
            if by_mm and area > 0:
                grow = max(1 + by_mm / np.sqrt(area / np.pi), 0.0) ** 2 if name != "plaque" else 1.0
            out[f"{name}_area"][section] = area * grow
            out[f"{name}_volume"][section] = (jacobian * region).sum() * PIXEL_AREA * grow
        out["minimum_feret"][section] = 2 * np.sqrt(out["lumen_area"][section] / np.pi)
    return Sections(**out)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _minimum_feret(lumen, cos, sin, turn_cos, turn_sin):  # type: ignore[no-untyped-def]
    """Smallest distance between two parallel tangents of each section's lumen (S, 64), mm (S,), over all turns."""
    sections, angles = lumen.shape
    turns = len(turn_cos)
    width = np.empty(sections)
    low, high = np.empty(turns), np.empty(turns)
    for s in range(sections):
        low[:], high[:] = np.inf, -np.inf
        for k in range(angles):
            x, y = lumen[s, k] * cos[k], lumen[s, k] * sin[k]
            for turn in range(turns):
                projection = x * turn_cos[turn] + y * turn_sin[turn]
                low[turn] = projection if projection < low[turn] else low[turn]
                high[turn] = projection if projection > high[turn] else high[turn]
        width[s] = (high - low).min()
    return width


def spans(vessel: StraightenedVessel, start_mm: float, end_mm: float) -> np.ndarray:
    """Return the path (S, 2), mm, that each section stands for inside [start, end]; it may be empty (end < start)."""
    at = vessel.arc_length
    half = SPACING_ALONG / 2
    low, high = np.maximum(at - half, 0.0), np.minimum(at + half, at[-1])
    return np.stack([np.maximum(low, start_mm), np.minimum(high, end_mm)], axis=1)


def weights(vessel: StraightenedVessel, start_mm: float, end_mm: float) -> np.ndarray:
    """Return mm of path (S,) that each section stands for inside [start, end]: whole sections and cut ends."""
    low, high = spans(vessel, start_mm, end_mm).T
    return np.asarray(np.clip(high - low, 0.0, None))


def lumen_attenuation(vessel: StraightenedVessel, contours: VesselContours) -> np.ndarray:
    """Mean HU of each section's lumen core (0.3 mm inside the contour; NaN where there is none) (S,)."""
    equivalent = np.sqrt((contours.lumen_radius.astype(float) ** 2).mean(1))
    half = 12  # 3.75 mm: no lumen core reaches further
    crop = slice(PIXELS // 2 - half, PIXELS // 2 + half)
    inside = np.maximum(equivalent - 0.3, 0.32)[:, None, None] > PIXEL_RADIUS[crop, crop]
    inside &= (equivalent > 0)[:, None, None]
    count = inside.sum((1, 2))
    total = (vessel.hu[:, crop, crop] * inside).sum((1, 2), dtype=np.int64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
