"""Starting contours for a reader who must not see the network: half-maximum of the straightened HU.

They are a place to begin, not a segmentation: the lumen is where HU falls half-way from the contrast inside to
the tissue outside, angle by angle, and the outer wall lies a healthy wall's thickness further out. Plaque is for
the person to find.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, median_filter

from inference.contours.polar import LARGEST_RADIUS_MM, THETA, VesselContours
from inference.sampling import at_index
from inference.section_grid import MIDDLE, SPACING_ACROSS, SPACING_ALONG
from inference.straightening import StraightenedVessel

# A place to begin, which a person corrects (decision 5): chosen by eye, no figure was kept.
NORMAL_WALL_MM = 0.4
_STEP_MM = 0.1
_REACH_MM = 4.5
_SMALLEST_MM = 0.4
_BLOOM_HU = 200.0  # a ray that rises so far above the lumen has entered calcium, which is not lumen


def polar_rays(hu: np.ndarray) -> np.ndarray:
    """Sample sections along rays from their centre.

    Parameters
    ----------
    hu : (S, 64, 64) HU.

    Returns
    -------
    (S, 64, R) float32 HU at angle 2πk/64 and radius 0, 0.1 … mm, linear between pixels.
    """
    radius = np.arange(0.0, _REACH_MM + _STEP_MM / 2, _STEP_MM)
    column = MIDDLE + np.outer(np.cos(THETA), radius) / SPACING_ACROSS
    row = MIDDLE + np.outer(np.sin(THETA), radius) / SPACING_ACROSS
    place = np.stack([row.ravel(), column.ravel()])
    rays = np.empty((len(hu), place.shape[1]), np.float32)
    for section, picture in enumerate(hu):
        rays[section] = at_index(picture, place)
    return rays.reshape(len(hu), *column.shape)


def contours_from_threshold(vessel: StraightenedVessel) -> VesselContours:
    """Draw starting contours from HU alone.

    Per section the lumen's level is the median HU within 0.8 mm of the centre, smoothed over ±1.5 mm along the
    vessel. On each ray the outside is the lowest HU within 4.5 mm; the lumen ends where HU first crosses half-way
    between the two, or rises 200 HU above the level (calcium). The radii are smoothed by a median and a Gaussian
    in angle and along the vessel; the wall lies 0.4 mm outside. No angle is marked as plaque.

    Parameters
    ----------
    vessel : any straightened vessel.

    Returns
    -------
    VesselContours of as many sections; provenance ``{"start": "threshold"}``.
    """
    rays = polar_rays(vessel.hu)
    inner = rays[:, :, : int(0.8 / _STEP_MM) + 1]
    level = np.median(inner.reshape(len(rays), -1), axis=1)
    level = median_filter(level, size=2 * round(1.5 / SPACING_ALONG) + 1, mode="nearest")
    outside = rays.min(axis=2)
    half = (level[:, None] + outside) / 2
    left = (rays < half[:, :, None]) | (rays > (level + _BLOOM_HU)[:, None, None])
    left[:, :, -1] = True
    radius = left.argmax(axis=2) * _STEP_MM
    # The median filter knows one mode for all axes: the turn is closed by hand.
    around = np.concatenate([radius[:, -2:], radius, radius[:, :2]], axis=1)
    radius = median_filter(around, size=(5, 5), mode="nearest")[:, 2:-2]
    radius = gaussian_filter(radius, sigma=(1.5, 1.5), mode=("nearest", "wrap"))
    lumen = np.clip(radius, _SMALLEST_MM, LARGEST_RADIUS_MM - NORMAL_WALL_MM).astype(np.float32)
    wall = (lumen + np.float32(NORMAL_WALL_MM)).astype(np.float32)
    return VesselContours(
        lumen_radius=lumen,
        wall_radius=wall,
        plaque=np.zeros(lumen.shape, bool),
        provenance={"start": "threshold"},
    )
