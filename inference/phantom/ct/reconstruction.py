"""Filtered back-projection of an arc of cells, and how much of each signal's noise reaches the image.

Kak and Slaney, Principles of Computerized Tomographic Imaging (1988), 3.4.1: equiangular rays, weight cos γ, ramp (γ/sin γ)²,
1/L² on the way back. What is known (the chest's ellipse, 0 HU) is taken away before, so that rays beside the grid
hold nothing and no projection is cut.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numba import njit
from numpy.typing import NDArray

from .gantry import SOURCE_MM, UP, Gantry

Image = NDArray[np.float32]
Array = NDArray[np.float64]
TOGETHER = 64  # slices taken at once, as in projection


def response(gantry: Gantry) -> tuple[int, Array]:
    """Length of the transform, and the filter's spectrum over it (with the angle between cells)."""
    n = scipy.fft.next_fast_len(2 * gantry.cells + 64, real=True)
    alpha = gantry.cell_rad
    at = np.minimum(np.arange(n), n - np.arange(n))
    ramp = np.zeros(n)
    odd = at % 2 == 1
    ramp[odd] = -0.5 / (np.pi * np.sin(at[odd] * alpha)) ** 2
    ramp[0] = 0.125 / alpha**2
    f = np.arange(n // 2 + 1) / (n * alpha * SOURCE_MM)
    return n, np.fft.rfft(ramp).real * alpha * gantry.window(f)


@njit(cache=True, fastmath=True)
def _back(out, filtered, angles, first, step, pixel, source):  # type: ignore[no-untyped-def]
    """Add all views to ``out`` (J, I, K); ``filtered`` (views, samples, K) from angle ``first`` every ``step``."""
    nj, ni, slices = out.shape
    cx, cy = 0.5 * (ni - 1), 0.5 * (nj - 1)
    turn = 2 * np.pi / angles.shape[0]
    last = filtered.shape[1] - 2
    for v in range(angles.shape[0]):
        c, s = np.cos(angles[v]), np.sin(angles[v])
        for j in range(nj):
            y = (j - cy) * pixel - source * s
            for i in range(ni):
                x = (i - cx) * pixel - source * c
                at = (np.arctan2(x * s - y * c, -x * c - y * s) - first) / step
                t = min(max(int(at), 0), last)
                f, w = at - t, turn / (x * x + y * y)
                a, b = np.float32((1 - f) * w), np.float32(f * w)
                for k in range(slices):
                    out[j, i, k] += a * filtered[v, t, k] + b * filtered[v, t + 1, k]


def reconstruct(path_mm: Image, *, gantry: Gantry) -> Image:
    """(slices, rows, columns) of what lies along rays, per mm: from (views, cells, slices) mm of water, the chest's taken away."""
    n, spectrum = response(gantry)
    weight = (SOURCE_MM * np.cos(gantry.fan)).astype(np.float32)[:, None]
    slices = path_mm.shape[2]
    out = np.empty((slices, *gantry.shape), np.float32)
    for first in range(0, slices, TOGETHER):
        part = slice(first, min(first + TOGETHER, slices))
        samples = UP * gantry.cells
        filtered = np.empty((gantry.views, samples, part.stop - part.start), np.float32)
        for v in range(gantry.views):
            spread = scipy.fft.rfft(path_mm[v, :, part] * weight, n, axis=0)
            spread *= (UP * spectrum).astype(np.float32)[:, None]
            filtered[v] = scipy.fft.irfft(spread, UP * n, axis=0)[:samples]
        image = np.zeros((*gantry.shape, part.stop - part.start), np.float32)
        _back(
            image,
            filtered,
            gantry.angles,
            float(gantry.fan[0]),
            gantry.cell_rad / UP,
            gantry.pixel_mm,
            SOURCE_MM,
        )
        out[part] = np.moveaxis(image, 2, 0)
    return out


def variance_at(points_mm: Array, variance: Image, *, gantry: Gantry) -> Array:
    """(points,) variance of the image at points (x, y from the isocentre) where each cell's mm of water has ``variance`` (views, cells)."""
    n, spectrum = response(gantry)
    impulse = np.fft.irfft(UP * spectrum, UP * n)
    share = variance * (SOURCE_MM * np.cos(gantry.fan)) ** 2
    turn = 2 * np.pi / gantry.views
    c, s = np.cos(gantry.angles), np.sin(gantry.angles)
    cells = UP * np.arange(gantry.cells)
    out = []
    for px, py in points_mm:
        x, y = px - SOURCE_MM * c, py - SOURCE_MM * s
        at = (np.arctan2(x * s - y * c, -x * c - y * s) - gantry.fan[0]) / (gantry.cell_rad / UP)
        t = at.astype(int)
        f = (at - t)[:, None]
        off = t[:, None] - cells[None, :]
        gain = (1 - f) * impulse[off % (UP * n)] + f * impulse[(off + 1) % (UP * n)]
        out.append(float(((turn / (x * x + y * y))[:, None] ** 2 * share * gain**2).sum()))
    return np.array(out)
