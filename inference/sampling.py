"""Values between voxels and between pixels: what interpolates an image does it here.

Compiled samplers take continuous indices and are written for use inside compiled loops; ``at_index`` and ``at_points``
sample many places at once. What lies at the image's border is decided by the caller: ``held`` keeps an index inside,
so that the border continues; a caller that has a value for outside tests for it before it samples.

Numba's cache does not notice that a function called from another file has changed: after a change here remove the
``__pycache__`` folders.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy.ndimage import map_coordinates

from inference.scan import Volume

JUST_INSIDE = 1.001
"""How far inside the last voxel ``held`` stops, in voxels from the end: a thousandth before it, so that one follows."""


@numba.njit(cache=True, nogil=True)
def held(index: float, size: int) -> float:
    """Return a continuous index moved into an axis of so many voxels: the border continues outside."""
    return min(max(index, 0.0), size - JUST_INSIDE)


@numba.njit(cache=True, nogil=True)
def trilinear(image: np.ndarray, i: float, j: float, k: float) -> float:
    """Return the value of ``image`` [k, j, i] at a continuous index that lies inside it; exact at every voxel."""
    depth, rows, columns = image.shape
    a, b, c = min(int(i), columns - 2), min(int(j), rows - 2), min(int(k), depth - 2)
    f, g, h = i - a, j - b, k - c
    low = (image[c, b, a] * (1 - f) + image[c, b, a + 1] * f) * (1 - g) + (
        image[c, b + 1, a] * (1 - f) + image[c, b + 1, a + 1] * f
    ) * g
    high = (image[c + 1, b, a] * (1 - f) + image[c + 1, b, a + 1] * f) * (1 - g) + (
        image[c + 1, b + 1, a] * (1 - f) + image[c + 1, b + 1, a + 1] * f
    ) * g
    return low * (1 - h) + high * h  # type: ignore[no-any-return]


trilinear_fast = numba.njit(cache=True, nogil=True, fastmath=True)(trilinear.py_func)
"""``trilinear`` with sums in whatever order is fastest, for loops that are compiled so themselves."""


@numba.njit(cache=True, nogil=True)
def bilinear(image: np.ndarray, x: float, y: float) -> float:
    """Return the value of ``image`` [row, column] at column ``x`` and row ``y`` before the last of either."""
    c, r = int(x), int(y)
    f, g = x - c, y - r
    return (image[r, c] * (1 - f) + image[r, c + 1] * f) * (1 - g) + (  # type: ignore[no-any-return]
        image[r + 1, c] * (1 - f) + image[r + 1, c + 1] * f
    ) * g


@numba.njit(cache=True, nogil=True)
def bilinear_flat(image: np.ndarray, x: float, y: float) -> float:
    """Return the value of a square image at column ``x`` and row ``y``, the edge beyond its edges.

    Exact where the image is flat, as ``bilinear`` is not within rounding: tissue of one HU on either side of a limit
    must not cross it.
    """
    last = image.shape[0] - 1
    x, y = min(max(x, 0.0), float(last)), min(max(y, 0.0), float(last))
    c, r = min(int(x), last - 1), min(int(y), last - 1)
    f, g = x - c, y - r
    a, b = float(image[r, c]), float(image[r, c + 1])
    upper = a + f * (b - a)
    a, b = float(image[r + 1, c]), float(image[r + 1, c + 1])
    return upper + g * (a + f * (b - a) - upper)  # type: ignore[no-any-return]


def at_index(image: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return float32 values at continuous indices, linear between voxels; the border continues outside.

    Parameters
    ----------
    image : of any number of dimensions d. place : (d, ...) indices in the order of the image's axes.
    """
    return np.asarray(
        map_coordinates(image, place, output=np.float32, order=1, mode="nearest", prefilter=False)
    )


def at_points(volume: Volume, points: np.ndarray) -> np.ndarray:
    """Return a scan's HU (...) float32 at LPS points (..., 3) in mm, trilinear; the border continues outside."""
    return at_index(volume.hu, np.moveaxis(volume.to_index(points), -1, 0)[::-1])
