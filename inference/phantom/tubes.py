"""Vessels on a grid: which voxels lie near which vessel, what surrounds it, and its tissue by supersampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .grid import Grid
from .table import LAYERS, VesselTable, locate, radii_at

SUB = 3  # subsamples per voxel and axis inside vessels
FAR_MM = 7.0  # how far around a vessel its surroundings are decided


@njit(cache=True, fastmath=True)
def _claim(owner, distance, slot_of, points, origin, spacing, reach, vessel):
    """Remember for every voxel near this vessel its nearest row; voxels get a running number on first touch."""
    nk, nj, ni = slot_of.shape
    count = 0
    for n in range(points.shape[0]):
        ck, cj, ci = (
            (points[n, 2] - origin[2]) / spacing[2],
            (points[n, 1] - origin[1]) / spacing[1],
            (points[n, 0] - origin[0]) / spacing[0],
        )
        hk, hj = reach / spacing[2], reach / spacing[1]
        for k in range(max(0, int(ck - hk)), min(nk, int(ck + hk) + 2)):
            for j in range(max(0, int(cj - hj)), min(nj, int(cj + hj) + 2)):
                for i in range(max(0, int(ci - hj)), min(ni, int(ci + hj) + 2)):
                    d = (
                        ((k - ck) * spacing[2]) ** 2
                        + ((j - cj) * spacing[1]) ** 2
                        + ((i - ci) * spacing[0]) ** 2
                    )
                    if d > reach * reach:
                        continue
                    s = slot_of[k, j, i]
                    if s < 0:
                        continue
                    if d < distance[s, vessel]:
                        distance[s, vessel] = d
                        owner[s, vessel] = n
                        count += 1
    return count


@njit(cache=True, fastmath=True)
def _touch(slot_of, points, origin, spacing, reach, first):
    nk, nj, ni = slot_of.shape
    for n in range(0, points.shape[0], 2):
        ck, cj, ci = (
            (points[n, 2] - origin[2]) / spacing[2],
            (points[n, 1] - origin[1]) / spacing[1],
            (points[n, 0] - origin[0]) / spacing[0],
        )
        hk, hj = reach / spacing[2], reach / spacing[1]
        for k in range(max(0, int(ck - hk)), min(nk, int(ck + hk) + 2)):
            for j in range(max(0, int(cj - hj)), min(nj, int(cj + hj) + 2)):
                for i in range(max(0, int(ci - hj)), min(ni, int(ci + hj) + 2)):
                    if slot_of[k, j, i] < 0:
                        d = (
                            ((k - ck) * spacing[2]) ** 2
                            + ((j - cj) * spacing[1]) ** 2
                            + ((i - ci) * spacing[0]) ** 2
                        )
                        if d <= reach * reach:
                            slot_of[k, j, i] = first
                            first += 1
    return first


@njit(cache=True, fastmath=True)
def surround(
    out, slots, owner, distance, origin, spacing, vessel, points, wall_max, sheath_mm, sheath_hu, side
):
    """Replace what lies close to one vessel: contrast-filled chambers always; soft tissue on one side where asked.

    ``side`` (n, 3) points towards the soft tissue and is zero where there is none; a shell of even thickness
    would look like a thick wall, so the tissue's border is a plane that passes near the vessel.
    """
    for n in range(slots.shape[0]):
        row = owner[n, vessel]
        if row < 0 or distance[n, vessel] > (wall_max[row] + sheath_mm[row]) ** 2:
            continue
        k, j, i = slots[n, 0], slots[n, 1], slots[n, 2]
        if out[k, j, i] > 165.0:
            out[k, j, i] = sheath_hu[row]
            continue
        sx, sy, sz = side[row, 0], side[row, 1], side[row, 2]
        if sx == 0.0 and sy == 0.0 and sz == 0.0:
            continue
        x = origin[0] + i * spacing[0] - points[row, 0]
        y = origin[1] + j * spacing[1] - points[row, 1]
        z = origin[2] + k * spacing[2] - points[row, 2]
        size = np.sqrt(sx * sx + sy * sy + sz * sz)
        if (x * sx + y * sy + z * sz) / size > -3.0 + size:
            out[k, j, i] = sheath_hu[row]


@njit(cache=True, fastmath=True)
def _paint_vessels(  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
    out,
    slots,
    owner,
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
    wall_max,
    hu,
    lumen_hu,
    sub,
):
    """Mix vessel tissue into voxels by supersampling; of several vessels the lumen wins, then the denser wall."""
    vessels = starts.shape[0] - 1
    for n in range(slots.shape[0]):
        near = False
        for w in range(vessels):
            row = owner[n, w]
            if (
                row >= 0
                and distance[n, w] < (wall_max[starts[w] + row] + 0.7 * (spacing[0] + spacing[2])) ** 2
            ):
                near = True
        if not near:
            continue
        k, j, i = slots[n, 0], slots[n, 1], slots[n, 2]
        total, count = 0.0, 0
        for a in range(sub):
            z = origin[2] + (k + (a + 0.5) / sub - 0.5) * spacing[2]
            for b in range(sub):
                y = origin[1] + (j + (b + 0.5) / sub - 0.5) * spacing[1]
                for c in range(sub):
                    x = origin[0] + (i + (c + 0.5) / sub - 0.5) * spacing[0]
                    value, kind = 0.0, 0
                    for w in range(vessels):
                        row = owner[n, w]
                        if row < 0:
                            continue
                        s0, s1 = starts[w], starts[w + 1]
                        if distance[n, w] > (wall_max[s0 + row] + 0.7 * (spacing[0] + spacing[2])) ** 2:
                            continue
                        at, fraction, du, dv = locate(
                            x, y, z, points[s0:s1], tangent[s0:s1], u[s0:s1], v[s0:s1], row
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
            m = sub * sub * sub
            out[k, j, i] = out[k, j, i] * (m - count) / m + total / m


@dataclass(frozen=True)
class Claims:
    """Voxels near vessels: index (n, 3), per vessel the nearest row (−1: none) and its squared distance mm²."""

    slots: NDArray[np.int32]
    owner: NDArray[np.int32]
    distance: NDArray[np.float32]


def claims(grid: Grid, tables: tuple[VesselTable, ...]) -> Claims:
    """Which voxels lie within 7 mm of which vessel."""
    spacing = np.array([grid.pixel_mm, grid.pixel_mm, grid.slice_mm])
    slot_of = np.full(grid.shape, -1, np.int32)
    total = 0
    for table in tables:
        total = _touch(slot_of, table.curve.points, grid.origin, spacing, FAR_MM, total)
    where = np.flatnonzero(slot_of.ravel() >= 0)
    order = np.empty(total, np.int64)
    order[slot_of.ravel()[where]] = where
    slots = np.stack(np.unravel_index(order, grid.shape), axis=1).astype(np.int32)
    owner = np.full((total, len(tables)), -1, np.int32)
    distance = np.full((total, len(tables)), 1e9, np.float32)
    for w, table in enumerate(tables):
        _claim(owner, distance, slot_of, table.curve.points, grid.origin, spacing, FAR_MM, w)
    return Claims(slots=slots, owner=owner, distance=distance)


def fill_vessels(
    out: NDArray[np.float32], *, grid: Grid, tables: tuple[VesselTable, ...], near: Claims
) -> None:
    """Paint lumen and wall of all vessels into ``out`` by supersampling, in place."""
    spacing = np.array([grid.pixel_mm, grid.pixel_mm, grid.slice_mm])
    counts = np.concatenate([[0], np.cumsum([len(t.curve.points) for t in tables])])

    def joined(part: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(t.curve, part) for t in tables])

    wall = np.concatenate([t.wall for t in tables])
    _paint_vessels(
        out,
        near.slots,
        near.owner,
        near.distance,
        grid.origin,
        spacing,
        counts,
        joined("points"),
        joined("tangent"),
        joined("u"),
        joined("v"),
        np.concatenate([t.lumen for t in tables]),
        wall,
        wall.max(1),
        np.concatenate([t.hu for t in tables]),
        np.concatenate([t.lumen_hu for t in tables]),
        SUB,
    )
