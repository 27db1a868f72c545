"""A part of the scan on a grid of cubes along the patient's axes, where the search for vessels works.

Index order is [k, j, i] for z, y, x; ``origin`` is the LPS position of voxel (0, 0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from inference.sampling import trilinear
from inference.scan import Volume

OUTSIDE_HU = -1024.0  # air


@dataclass(frozen=True)
class Grid:
    """HU on cubes.

    Parameters
    ----------
    hu : (nk, nj, ni) float32. origin : (3,) LPS mm of voxel (0, 0, 0). step_mm : edge of a cube.
    """

    hu: np.ndarray
    origin: np.ndarray
    step_mm: float

    def to_patient(self, kji: np.ndarray) -> np.ndarray:
        """Map indices (..., 3) in the order k, j, i to LPS mm."""
        return np.asarray(np.asarray(kji, float)[..., ::-1] * self.step_mm + self.origin)

    def to_index(self, points: np.ndarray) -> np.ndarray:
        """Map LPS mm (..., 3) to continuous indices in the order k, j, i."""
        return np.asarray(((np.asarray(points, float) - self.origin) / self.step_mm)[..., ::-1])


def extent(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest LPS corner of the scan's voxel centres, mm."""
    size = np.array(volume.hu.shape[::-1]) - 1
    corners = np.array([[i, j, k] for i in (0, size[0]) for j in (0, size[1]) for k in (0, size[2])])
    points = volume.to_patient(corners)
    return points.min(0), points.max(0)


def resample(volume: Volume, *, step_mm: float, low: np.ndarray, high: np.ndarray) -> Grid:
    """Resample a box to cubes, trilinear; a voxel stands for the mean over the cube where cubes are coarser.

    Parameters
    ----------
    low, high : (3,) corners of the box, LPS mm. Outside the scan HU is −1024.
    """
    low = np.asarray(low, float)
    counts = np.maximum(np.floor((np.asarray(high, float) - low) / step_mm).astype(int) + 1, 2)
    into = np.linalg.inv(volume.affine)
    taps = (
        np.maximum(1, np.rint(step_mm / np.array(volume.spacing_mm)).astype(int)) if step_mm > 1 else [1] * 3
    )
    out = np.empty(tuple(counts[::-1]), np.float32)
    first = into[:3, :3] @ low + into[:3, 3]
    _resample(out, volume.hu, first, into[:3, :3] * step_mm, np.asarray(taps, np.int64))
    return Grid(hu=out, origin=low, step_mm=step_mm)


def halved(a: np.ndarray) -> np.ndarray:
    """Return the mean of 2 × 2 × 2 cubes, float32; a last odd cube is left out."""
    nk, nj, ni = (n // 2 for n in a.shape)
    part = a[: 2 * nk, : 2 * nj, : 2 * ni].reshape(nk, 2, nj, 2, ni, 2)
    return np.asarray(part.mean(axis=(1, 3, 5), dtype=np.float32))


@numba.njit(cache=True, nogil=True, parallel=True)
def _resample(out: np.ndarray, hu: np.ndarray, first: np.ndarray, way: np.ndarray, taps: np.ndarray) -> None:
    nk, nj, ni = hu.shape
    half = (taps - 1) * 0.5
    count = taps[0] * taps[1] * taps[2]
    for c in numba.prange(out.shape[0]):
        for b in range(out.shape[1]):
            for a in range(out.shape[2]):
                x0 = first[0] + way[0, 0] * a + way[0, 1] * b + way[0, 2] * c - half[0]
                y0 = first[1] + way[1, 0] * a + way[1, 1] * b + way[1, 2] * c - half[1]
                z0 = first[2] + way[2, 0] * a + way[2, 1] * b + way[2, 2] * c - half[2]
                total = 0.0
                for tz in range(taps[2]):
                    for ty in range(taps[1]):
                        for tx in range(taps[0]):
                            x, y, z = x0 + tx, y0 + ty, z0 + tz
                            if x < 0 or y < 0 or z < 0 or x > ni - 1 or y > nj - 1 or z > nk - 1:
                                total += OUTSIDE_HU
                                continue
                            total += trilinear(hu, x, y, z)
                out[c, b, a] = total / count
