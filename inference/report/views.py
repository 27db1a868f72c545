"""The pictures of a report as grey images, before anything is drawn on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from inference.sampling import at_points
from inference.scan import Volume
from inference.straightening import StraightenedVessel

# What is easy to look at; no number hangs on it.
WINDOW = (300.0, 900.0)  # level and width of the usual coronary window, HU
CURVED_PIXEL_MM = 0.4
CURVED_MARGIN_MM = 14.0
DEPTH_SMOOTHING_MM = 3.0


@dataclass(frozen=True)
class CurvedView:
    """A curved reformation: HU (rows, columns), and where the centreline lies on it, (S, 2) column and row."""

    hu: NDArray[np.float32]
    line: NDArray[np.float64]
    pixel_mm: float


def grey(hu: NDArray[np.generic]) -> NDArray[np.uint8]:
    """HU → 0…255 in the coronary window."""
    level, width = WINDOW
    return np.asarray(
        np.clip((np.asarray(hu, np.float32) - level + width / 2) * (255 / width), 0, 255).astype(np.uint8)
    )


def along(vessel: StraightenedVessel, angle: int) -> NDArray[np.int16]:
    """A cut along the straightened vessel: (64, S), from one side of the centreline to the other.

    ``angle`` 0 cuts along the first in-plane axis, 1 along the second.
    """
    middle = vessel.hu.shape[1] // 2
    cut = (
        vessel.hu[:, middle - 1 : middle + 1].mean(1)
        if angle == 0
        else vessel.hu[:, :, middle - 1 : middle + 1].mean(2)
    )
    return np.ascontiguousarray(cut.T).astype(np.int16)


def curved(volume: Volume, vessel: StraightenedVessel) -> CurvedView:
    """Unroll the scan along the vessel on the plane in which it is seen longest.

    The plane is spanned by the centreline's first two principal axes. Each pixel is sampled at the depth of the
    centreline point that lies nearest on the plane, so that the whole vessel is seen and distances on the plane are
    true while those across it are not (curved planar reformation, Kanitsar et al., IEEE Visualization 2002).
    """
    points = vessel.centre
    middle = points.mean(0)
    _, _, axes = np.linalg.svd(points - middle, full_matrices=False)
    flat = (points - middle) @ axes.T
    if flat[-1, 1] < flat[0, 1]:  # proximal above
        flat[:, 1] *= -1
        axes[1] *= -1
    low = flat[:, :2].min(0) - CURVED_MARGIN_MM
    columns, rows = np.ceil((flat[:, :2].max(0) + CURVED_MARGIN_MM - low) / CURVED_PIXEL_MM).astype(int)
    x = low[0] + np.arange(columns) * CURVED_PIXEL_MM
    y = low[1] + np.arange(rows) * CURVED_PIXEL_MM
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    _, nearest = cKDTree(flat[:, :2]).query(grid.reshape(-1, 2))
    depth = gaussian_filter(flat[nearest, 2].reshape(rows, columns), DEPTH_SMOOTHING_MM / CURVED_PIXEL_MM / 3)
    places = middle + np.concatenate([grid, depth[..., None]], axis=-1) @ axes
    hu = at_points(volume, places.reshape(-1, 3)).reshape(rows, columns)
    return CurvedView(hu=hu, line=(flat[:, :2] - low) / CURVED_PIXEL_MM, pixel_mm=CURVED_PIXEL_MM)
