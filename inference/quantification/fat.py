"""Attenuation of the fat around a vessel (Antonopoulos et al., Sci Transl Med 2017;9:eaal2658)."""

from __future__ import annotations

import numba
import numpy as np

from inference.contours import ANGLES, PIXEL_ANGLE, PIXEL_RADIUS
from inference.quantification.records import Value
from inference.quantification.types import VesselRead
from inference.straightening import StraightenedVessel

# Definitions: what counts as fat, and the stretch of each vessel in mm. How many pixels and sections a mean needs was
# chosen by hand, and no figure was kept.
FAT_RANGE_HU = (-190, -30)
LEAST_FAT_PIXELS = 100
FAT_STRETCH_MM = {"RCA": (10.0, 50.0), "LAD": (0.0, 40.0), "LCx": (0.0, 40.0)}
FEWEST_SECTIONS = 10


def fat_attenuation(vessel: StraightenedVessel, read: VesselRead) -> Value | None:
    """Return the mean HU of fat within one vessel diameter of the outer wall; None for a vessel that has no stretch for it.

    Its value is None where there is too little of the vessel, or of fat.
    """
    if vessel.vessel not in FAT_STRETCH_MM:
        return None
    start, end = FAT_STRETCH_MM[vessel.vessel]
    rows = np.flatnonzero((vessel.arc_length >= start) & (vessel.arc_length <= end))
    if len(rows) < FEWEST_SECTIONS:
        return Value(None)
    position = PIXEL_ANGLE / (2 * np.pi) * ANGLES
    low = np.floor(position).astype(np.int64)
    total, count = _fat_around(
        vessel.hu[rows[0] : rows[-1] + 1],
        read.contours.wall_radius[rows],
        low % ANGLES,
        (position - low).astype(np.float32),
        PIXEL_RADIUS,
        FAT_RANGE_HU,
    )
    return Value(float(total / count) if count >= LEAST_FAT_PIXELS else None)


@numba.njit(cache=True, nogil=True)
def _fat_around(hu, wall, low, share, distance, fat_range):  # type: ignore[no-untyped-def]
    """Sum and number of fat pixels between the outer wall and one vessel diameter beyond it."""
    total, count = 0, 0
    angles = wall.shape[1]
    pixels = distance.shape[0]
    for s in range(len(hu)):
        square = 0.0
        for k in range(angles):
            square += float(wall[s, k]) ** 2
        diameter = 2 * np.sqrt(square / angles)
        for r in range(pixels):
            for c in range(pixels):
                value = hu[s, r, c]
                if value < fat_range[0] or value > fat_range[1]:
                    continue
                k, t = low[r, c], share[r, c]
                edge = wall[s, k] * (np.float32(1) - t) + wall[s, (k + 1) % angles] * t
                if edge < distance[r, c] < edge + diameter:
                    total += value
                    count += 1
    return total, count
