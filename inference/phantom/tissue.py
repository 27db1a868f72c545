"""Arterial tissue on a grid, for trees of many vessels: each voxel remembers only the vessels that reach it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .curve import Curve
from .grid import Grid
from .table import LAYERS, VesselTable, locate, radii_at

SUB = 3  # subsamples per voxel and axis at borders
MOST = 4  # vessels that one voxel can belong to


@dataclass(frozen=True)
class Reach:
    """Voxels that vessels reach: index (n, 3); vessel and nearest row (n, m), −1 where there are fewer; mm²."""

    voxels: NDArray[np.int32]
    vessel: NDArray[np.int16]
    row: NDArray[np.int32]
    distance: NDArray[np.float32]


@njit(cache=True, fastmath=True)
def _count(slot_of, points, radius, origin, spacing, first, voxels, write):  # type: ignore[no-untyped-def]
    """Number the voxels within ``radius`` of the points; with ``write`` also list them."""
    nk, nj, ni = slot_of.shape
    for n in range(points.shape[0]):
        ck = (points[n, 2] - origin[2]) / spacing[2]
        cj = (points[n, 1] - origin[1]) / spacing[1]
        ci = (points[n, 0] - origin[0]) / spacing[0]
        reach = radius[n]
        hk, hj = reach / spacing[2], reach / spacing[1]
        for k in range(max(0, int(ck - hk)), min(nk, int(ck + hk) + 2)):
            dk = ((k - ck) * spacing[2]) ** 2
            for j in range(max(0, int(cj - hj)), min(nj, int(cj + hj) + 2)):
                left = reach * reach - dk - ((j - cj) * spacing[1]) ** 2
                if left <= 0:
                    continue
                hi = np.sqrt(left) / spacing[0]
                for i in range(max(0, int(np.ceil(ci - hi))), min(ni, int(np.floor(ci + hi)) + 1)):
                    if slot_of[k, j, i] < 0:
                        slot_of[k, j, i] = first
                        if write:
                            voxels[first, 0], voxels[first, 1], voxels[first, 2] = k, j, i
                        first += 1
    return first


@njit(cache=True, fastmath=True)
def _claim(vessel, row, distance, slot_of, points, radius, origin, spacing, name):  # type: ignore[no-untyped-def]
    nk, nj, ni = slot_of.shape
    most = vessel.shape[1]
    for n in range(points.shape[0]):
        ck = (points[n, 2] - origin[2]) / spacing[2]
        cj = (points[n, 1] - origin[1]) / spacing[1]
        ci = (points[n, 0] - origin[0]) / spacing[0]
        reach = radius[n]
        hk, hj = reach / spacing[2], reach / spacing[1]
        for k in range(max(0, int(ck - hk)), min(nk, int(ck + hk) + 2)):
            dk = ((k - ck) * spacing[2]) ** 2
            for j in range(max(0, int(cj - hj)), min(nj, int(cj + hj) + 2)):
                dj = dk + ((j - cj) * spacing[1]) ** 2
                left = reach * reach - dj
                if left <= 0:
                    continue
                hi = np.sqrt(left) / spacing[0]
                for i in range(max(0, int(np.ceil(ci - hi))), min(ni, int(np.floor(ci + hi)) + 1)):
                    s = slot_of[k, j, i]
                    d = dj + ((i - ci) * spacing[0]) ** 2
                    for m in range(most):
                        if vessel[s, m] == name:
                            if d < distance[s, m]:
                                distance[s, m], row[s, m] = d, n
                            break
                        if vessel[s, m] < 0:
                            vessel[s, m], distance[s, m], row[s, m] = name, d, n
                            break


def reach_of(grid: Grid, curves: Sequence[Curve], radii: Sequence[NDArray[np.floating]]) -> Reach:
    """Voxels within these radii (mm, one per point) and a voxel's diagonal of these curves."""
    spacing = np.array([grid.pixel_mm, grid.pixel_mm, grid.slice_mm])
    origin = np.asarray(grid.origin, float)
    diagonal = float(np.linalg.norm(spacing))
    reaches = [np.asarray(r, float) + 0.75 * diagonal for r in radii]
    bound = sum(int((r * r).sum() * np.pi * 0.25 / spacing.prod() * 1.6) + 4000 for r in reaches)
    slot_of = np.full(grid.shape, -1, np.int32)
    voxels, total = np.empty((bound, 3), np.int32), 0
    for curve, r in zip(curves, reaches, strict=True):
        total = _count(slot_of, curve.points, r, origin, spacing, total, voxels, True)
    vessel = np.full((total, MOST), -1, np.int16)
    row = np.full((total, MOST), -1, np.int32)
    distance = np.full((total, MOST), 1e9, np.float32)
    for n, (curve, r) in enumerate(zip(curves, reaches, strict=True)):
        _claim(vessel, row, distance, slot_of, curve.points, r, origin, spacing, n)
    return Reach(voxels=voxels[:total], vessel=vessel, row=row, distance=distance)


@njit(cache=True, fastmath=True)
def _paint(  # type: ignore[no-untyped-def]  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
    out,
    voxels,
    vessel,
    near_row,
    distance,
    origin,
    spacing,
    starts,
    points,
    tangent,
    u,
    v,
    lumen,
    wall,
    lumen_min,
    wall_max,
    hu,
    lumen_hu,
    sub,
    margin,
):
    """Mix tissue into voxels; of several vessels the lumen wins, then the denser wall."""
    half = 0.5 * np.sqrt(spacing[0] ** 2 + spacing[1] ** 2 + spacing[2] ** 2)
    most = vessel.shape[1]
    for n in range(voxels.shape[0]):
        k, j, i = voxels[n, 0], voxels[n, 1], voxels[n, 2]
        done, near = False, False
        for m in range(most):
            w = vessel[n, m]
            if w < 0:
                break
            row, length = near_row[n, m], starts[w + 1] - starts[w]
            d = np.sqrt(distance[n, m])
            if d < wall_max[starts[w] + row] + margin:
                near = True
            if 4 < row < length - 5 and d + half + 0.15 < lumen_min[starts[w] + row]:
                out[k, j, i] = lumen_hu[starts[w] + row]
                done = True
                break
        if done or not near:
            continue
        total, count = 0.0, 0
        for a in range(sub):
            z = origin[2] + (k + (a + 0.5) / sub - 0.5) * spacing[2]
            for b in range(sub):
                y = origin[1] + (j + (b + 0.5) / sub - 0.5) * spacing[1]
                for c in range(sub):
                    x = origin[0] + (i + (c + 0.5) / sub - 0.5) * spacing[0]
                    value, kind = 0.0, 0
                    for m in range(most):
                        w = vessel[n, m]
                        if w < 0:
                            break
                        s0, s1 = starts[w], starts[w + 1]
                        at, fraction, du, dv = locate(
                            x, y, z, points[s0:s1], tangent[s0:s1], u[s0:s1], v[s0:s1], near_row[n, m]
                        )
                        if fraction < -0.6 or fraction > s1 - s0 - 0.4:
                            continue
                        r = np.sqrt(du * du + dv * dv)
                        if r > wall_max[s0 + at] + 0.1:
                            continue
                        angle = np.arctan2(dv, du)
                        lo, hi = radii_at(fraction, angle, lumen[s0:s1], wall[s0:s1])
                        if r < lo:
                            value, kind = lumen_hu[s0 + at], 2
                            break
                        if r < hi:
                            q = int(np.round(angle / (2 * np.pi) * 64)) % 64
                            layer = min(LAYERS - 1, int((r - lo) / (hi - lo) * LAYERS))
                            h = hu[s0 + at, q, layer]
                            if kind == 0 or h > value:
                                value, kind = h, 1
                    if kind > 0:
                        total += value
                        count += 1
        if count > 0:
            m3 = sub * sub * sub
            out[k, j, i] = out[k, j, i] * (m3 - count) / m3 + total / m3


def fill_tissue(out: NDArray[np.float32], *, grid: Grid, tables: Sequence[VesselTable]) -> Reach:
    """Paint lumen and wall of all vessels into ``out`` by supersampling, in place; returns which voxels they reach."""
    reach = reach_of(grid, [t.curve for t in tables], [t.wall.max(1) for t in tables])
    half = 0.5 * float(np.linalg.norm([grid.pixel_mm, grid.pixel_mm, grid.slice_mm]))
    paint_reach(out, grid=grid, tables=tables, reach=reach, margin_mm=half + 0.13, whole_lumen=True)
    return reach


def paint_reach(
    out: NDArray[np.float32],
    *,
    grid: Grid,
    tables: Sequence[VesselTable],
    reach: Reach,
    margin_mm: float,
    whole_lumen: bool,
) -> None:
    """Paint lumen and wall into the voxels that vessels reach, in place.

    Parameters
    ----------
    margin_mm : a voxel farther from every wall than this holds none of it.
    whole_lumen : take a voxel that lies well inside a lumen for blood without sampling it.
    """
    starts = np.concatenate([[0], np.cumsum([len(t.curve.points) for t in tables])])

    def joined(part: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(t.curve, part) for t in tables])

    lumen, wall = np.concatenate([t.lumen for t in tables]), np.concatenate([t.wall for t in tables])
    _paint(
        out,
        reach.voxels,
        reach.vessel,
        reach.row,
        reach.distance,
        np.asarray(grid.origin, float),
        np.array([grid.pixel_mm, grid.pixel_mm, grid.slice_mm]),
        starts,
        joined("points"),
        joined("tangent"),
        joined("u"),
        joined("v"),
        lumen,
        wall,
        lumen.min(1) if whole_lumen else np.zeros(len(lumen), np.float32),
        wall.max(1),
        np.concatenate([t.hu for t in tables]),
        np.concatenate([t.lumen_hu for t in tables]),
        SUB,
        margin_mm,
    )


@njit(cache=True, fastmath=True)
def _vein(out, voxels, distance, vessel, radius, hu, soft):  # type: ignore[no-untyped-def]
    for n in range(voxels.shape[0]):
        for m in range(vessel.shape[1]):
            w = vessel[n, m]
            if w < 0:
                break
            f = min(max((radius[w] - np.sqrt(distance[n, m])) / soft + 0.5, 0.0), 1.0)
            k, j, i = voxels[n, 0], voxels[n, 1], voxels[n, 2]
            out[k, j, i] += (hu[w] - out[k, j, i]) * f


def fill_veins(
    out: NDArray[np.float32],
    *,
    grid: Grid,
    curves: Sequence[Curve],
    radius_mm: NDArray[np.float64],
    hu: NDArray[np.float64],
) -> None:
    """Paint round veins of even blood, in place."""
    reach = reach_of(
        grid, curves, [np.full(len(c.points), r) for c, r in zip(curves, radius_mm, strict=True)]
    )
    _vein(
        out, reach.voxels, reach.distance, reach.vessel, radius_mm, hu, 0.5 * (grid.pixel_mm + grid.slice_mm)
    )
