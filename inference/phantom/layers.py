"""Painting smooth bodies fast: signed distances on a coarse grid, interpolated block by block onto the voxels.

A body is a signed distance (mm, positive inside) at every fourth voxel. Linear interpolation of a distance with
curvature c over h mm errs by at most c·h²/8: 0.01 mm for a heart, so that only the coarse points ever see trigonometry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .grid import Grid

COARSE = 4
Field = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """One body: signed distance and HU at the coarse points, (K, J, I) each; later layers lie on top."""

    distance: Field
    hu: Field | float
    bone: bool = False


def coarse_points(grid: Grid) -> NDArray[np.float64]:
    """(K, J, I, 3) LPS mm of every fourth voxel, one row beyond the last."""
    k, j, i = (np.arange(-(-n // COARSE) + 1) * COARSE for n in grid.shape)
    out = np.empty((len(k), len(j), len(i), 3))
    out[..., 0] = grid.origin[0] + i[None, None, :] * grid.pixel_mm
    out[..., 1] = grid.origin[1] + j[None, :, None] * grid.pixel_mm
    out[..., 2] = grid.origin[2] + k[:, None, None] * grid.slice_mm
    return out


@njit(cache=True, fastmath=True)
def _blocks(out, distance, hu, whole, soft):  # type: ignore[no-untyped-def]  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
    """Mix one layer into ``out``; ``soft`` mm is the width over which its border fades (about one voxel)."""
    nk, nj, ni = out.shape
    ck, cj, ci = distance.shape
    step = 4
    for a in range(ck - 1):
        for b in range(cj - 1):
            for c in range(ci - 1):
                top = distance[a, b, c]
                low = top
                for p in range(2):
                    for q in range(2):
                        for r in range(2):
                            d = distance[a + p, b + q, c + r]
                            top = max(top, d)
                            low = min(low, d)
                if top < -0.5 * soft:
                    continue
                full = low > 0.5 * soft
                for k in range(a * step, min(nk, (a + 1) * step)):
                    fk = (k - a * step) * 0.25
                    for j in range(b * step, min(nj, (b + 1) * step)):
                        fj = (j - b * step) * 0.25
                        d0 = (1 - fk) * ((1 - fj) * distance[a, b, c] + fj * distance[a, b + 1, c]) + fk * (
                            (1 - fj) * distance[a + 1, b, c] + fj * distance[a + 1, b + 1, c]
                        )
                        d1 = (1 - fk) * (
                            (1 - fj) * distance[a, b, c + 1] + fj * distance[a, b + 1, c + 1]
                        ) + fk * ((1 - fj) * distance[a + 1, b, c + 1] + fj * distance[a + 1, b + 1, c + 1])
                        h0, h1 = whole, whole
                        if hu.shape[0] > 1:
                            h0 = (1 - fk) * ((1 - fj) * hu[a, b, c] + fj * hu[a, b + 1, c]) + fk * (
                                (1 - fj) * hu[a + 1, b, c] + fj * hu[a + 1, b + 1, c]
                            )
                            h1 = (1 - fk) * ((1 - fj) * hu[a, b, c + 1] + fj * hu[a, b + 1, c + 1]) + fk * (
                                (1 - fj) * hu[a + 1, b, c + 1] + fj * hu[a + 1, b + 1, c + 1]
                            )
                        for i in range(c * step, min(ni, (c + 1) * step)):
                            fi = (i - c * step) * 0.25
                            h = h0 + fi * (h1 - h0)
                            if full:
                                out[k, j, i] = h
                            else:
                                f = (d0 + fi * (d1 - d0)) / soft + 0.5
                                if f > 0.0:
                                    f = min(f, 1.0)
                                    out[k, j, i] += (h - out[k, j, i]) * f


def paint_layers(out: NDArray[np.float32], *, grid: Grid, layers: list[Layer]) -> None:
    """Paint bodies in order into ``out``, in place."""
    soft = np.float32(0.5 * (grid.pixel_mm + grid.slice_mm))
    nothing = np.zeros((1, 1, 1), np.float32)
    for layer in layers:
        distance = np.ascontiguousarray(layer.distance, dtype=np.float32)
        if isinstance(layer.hu, np.ndarray):
            _blocks(out, distance, np.ascontiguousarray(layer.hu, dtype=np.float32), np.float32(0), soft)
        else:
            _blocks(out, distance, nothing, np.float32(layer.hu), soft)


@njit(cache=True, fastmath=True)
def _nearest(distance, row, points, radius, origin, spacing, reach):  # type: ignore[no-untyped-def]
    """Distance to the nearest vessel wall, and which point that was, at coarse points within ``reach`` mm."""
    nk, nj, ni = distance.shape
    for n in range(points.shape[0]):
        far = reach + radius[n]
        c = (points[n, 2] - origin[2]) / spacing[2]
        b = (points[n, 1] - origin[1]) / spacing[1]
        a = (points[n, 0] - origin[0]) / spacing[0]
        hk, hj, hi = far / spacing[2], far / spacing[1], far / spacing[0]
        for k in range(max(0, int(c - hk)), min(nk, int(c + hk) + 2)):
            for j in range(max(0, int(b - hj)), min(nj, int(b + hj) + 2)):
                for i in range(max(0, int(a - hi)), min(ni, int(a + hi) + 2)):
                    d = (
                        np.sqrt(
                            ((k - c) * spacing[2]) ** 2
                            + ((j - b) * spacing[1]) ** 2
                            + ((i - a) * spacing[0]) ** 2
                        )
                        - radius[n]
                    )
                    if d < distance[k, j, i]:
                        distance[k, j, i] = d
                        row[k, j, i] = n


def near_vessels(
    grid: Grid, points: NDArray[np.float64], radius: NDArray[np.float64], *, reach_mm: float
) -> tuple[Field, NDArray[np.int32]]:
    """At the coarse points: mm to the nearest wall (``reach_mm`` where farther) and the index of its point (−1)."""
    shape = tuple(-(-n // COARSE) + 1 for n in grid.shape)
    distance, row = np.full(shape, reach_mm, np.float32), np.full(shape, -1, np.int32)
    spacing = COARSE * np.array([grid.pixel_mm, grid.pixel_mm, grid.slice_mm])
    _nearest(distance, row, points, radius, np.asarray(grid.origin, float), spacing, reach_mm)
    return distance, row
