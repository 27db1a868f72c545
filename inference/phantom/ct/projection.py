"""Signals of a turn: rays through the three materials on a grid, inside an ellipse of soft tissue that is known exactly.

Rays step from row to row (or column to column) of pixels and interpolate along it (Joseph, IEEE Trans Med Imaging 1982;1:192);
all slices are taken together, so that the processor works on many at once. The intensities of a cell's rays are
averaged before the logarithm, so that edges of calcium behave as they do in a scanner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .attenuation import Beam
from .gantry import RAYS, SOURCE_MM, Gantry
from .materials import Materials

Image = NDArray[np.float32]
Array = NDArray[np.float64]
TOGETHER = 64  # slices taken at once: a ray's way through them fits the processor's second cache


@dataclass(frozen=True)
class Chest:
    """An ellipse of water about the heart: half axes and middle (from the isocentre), mm."""

    across_mm: float
    deep_mm: float
    middle_mm: tuple[float, float] = (0.0, 0.0)

    def path_mm(self, gantry: Gantry, fan: Array) -> Array:
        """(views, rays) mm of each ray inside it."""
        beta = gantry.angles[:, None]
        scale = 1 / np.array([self.across_mm, self.deep_mm])
        start = np.stack([SOURCE_MM * np.cos(beta), SOURCE_MM * np.sin(beta)]) - np.reshape(
            self.middle_mm, (2, 1, 1)
        )
        way = -np.stack([np.cos(beta + fan), np.sin(beta + fan)]) * scale[:, None, None]
        start = start * scale[:, None, None]
        a, b, c = (way**2).sum(0), (way * start).sum(0), (start**2).sum(0) - 1
        return np.asarray(2 * np.sqrt(np.maximum(b * b - a * c, 0.0)) / a)


@njit(cache=True, fastmath=True)
def _add(total, first, second, f, step):  # type: ignore[no-untyped-def]
    a, b = np.float32((1 - f) * step), np.float32(f * step)
    for k in range(total.shape[0]):
        total[k] += a * first[k] + b * second[k]


@njit(cache=True, fastmath=True)
def _march(total, images, held, x, y, dx, dy):  # type: ignore[no-untyped-def]
    """Add each material's mean along a ray, in pixels' lengths; ``images`` (3, J, I, K) have an empty border."""
    nj, ni = images.shape[1], images.shape[2]
    along = abs(dx) >= abs(dy)
    if along:
        slope, n, m, x0, y0 = dy / dx, ni, nj, x, y
    else:
        slope, n, m, x0, y0 = dx / dy, nj, ni, y, x
    step = np.sqrt(1 + slope * slope)
    low, high = 0, n - 1
    if abs(slope) > 1e-9:
        p, q = x0 - y0 / slope, x0 + (m - 1 - y0) / slope
        low = max(low, int(np.ceil(min(p, q))))
        high = min(high, int(np.floor(max(p, q))))
    elif y0 < 0 or y0 > m - 1:
        return
    for i in range(low, high + 1):
        at = y0 + (i - x0) * slope
        j = min(max(int(at), 0), m - 2)
        f = at - j
        for w in range(3):
            if along:
                if held[w, j, i] or held[w, j + 1, i]:
                    _add(total[w], images[w, j, i], images[w, j + 1, i], f, step)
            elif held[w, i, j] or held[w, i, j + 1]:
                _add(total[w], images[w, i, j], images[w, i, j + 1], f, step)


@njit(cache=True, fastmath=True)
def _signals(out, images, held, angles, fan, chest, weights, source, share, mu):  # type: ignore[no-untyped-def]
    """Fill ``out`` (views, cells, K) with signals; lengths in pixels, ``mu`` (3, bins) per pixel's length."""
    rays, slices, bins = fan.shape[0], images.shape[3], share.shape[0]
    total = np.zeros((3, slices), np.float32)
    fine = np.zeros((rays, slices), np.float32)
    cx, cy = 0.5 * (images.shape[2] - 1), 0.5 * (images.shape[1] - 1)
    for v in range(angles.shape[0]):
        beta = angles[v]
        x, y = cx + source * np.cos(beta), cy + source * np.sin(beta)
        for r in range(rays):
            total[:] = 0
            _march(total, images, held, x, y, -np.cos(beta + fan[r]), -np.sin(beta + fan[r]))
            for k in range(slices):
                total[0, k] += chest[v, r]
                fine[r, k] = 0
            for e in range(bins):
                a, b, c, s = mu[0, e], mu[1, e], mu[2, e], share[e]
                for k in range(slices):
                    fine[r, k] += s * np.exp(-(a * total[0, k] + b * total[1, k] + c * total[2, k]))
        for n in range(out.shape[1]):
            for k in range(slices):
                out[v, n, k] = 0
            for t in range(weights.shape[0]):
                f = weights[t]
                for k in range(slices):
                    out[v, n, k] += f * fine[n * RAYS + t, k]


def signals(materials: Materials, *, gantry: Gantry, chest: Chest, beam: Beam) -> Image:
    """(views, cells, slices) signal of each cell, 1 where nothing lies in the way."""
    slices, rows, columns = materials.tissue.shape
    out = np.empty((gantry.views, gantry.cells, slices), np.float32)
    pixel = gantry.pixel_mm
    path = chest.path_mm(gantry, gantry.fine_fan) / pixel
    mu = np.stack([beam.water, beam.iodine, beam.calcium]) * pixel
    for first in range(0, slices, TOGETHER):
        part = slice(first, min(first + TOGETHER, slices))
        images = np.zeros((3, rows + 2, columns + 2, part.stop - part.start), np.float32)
        for n, image in enumerate((materials.tissue, materials.iodine, materials.calcium)):
            images[n, 1:-1, 1:-1] = np.moveaxis(image[part], 0, 2)
        images[0] /= 1000
        block = np.empty((gantry.views, gantry.cells, part.stop - part.start), np.float32)
        _signals(
            block,
            images,
            images.any(axis=3),
            gantry.angles,
            gantry.fine_fan,
            path.astype(np.float32),
            gantry.ray_weights.astype(np.float32),
            SOURCE_MM / pixel,
            beam.share.astype(np.float32),
            mu.astype(np.float32),
        )
        out[:, :, part] = block
    return out
