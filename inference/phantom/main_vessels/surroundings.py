"""Which voxels lie near which vessel, and what surrounds it: fat, or soft tissue against one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inference.phantom.grid import Grid
from inference.phantom.table import VesselTable
from inference.phantom.tissue import Reach, paint_reach

FAR_MM = 7.0  # how far around a vessel its surroundings are decided


@njit(cache=True, fastmath=True)
def _claim(owner, distance, slot_of, points, origin, spacing, reach, vessel):  # type: ignore[no-untyped-def]
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
def _touch(slot_of, points, origin, spacing, reach, first):  # type: ignore[no-untyped-def]
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
def surround(  # type: ignore[no-untyped-def]
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
    margin = 0.7 * (grid.pixel_mm + grid.slice_mm)
    reach = np.full(near.owner.shape, -1.0)
    for w, table in enumerate(tables):
        claimed = near.owner[:, w] >= 0
        reach[claimed, w] = table.wall.max(1)[near.owner[claimed, w]] + margin
    touched = (near.owner >= 0) & (near.distance <= reach**2)
    kept = touched.any(1)
    # each voxel's vessels first, in their order, as the painter wants them
    order = np.argsort(~touched[kept], axis=1, kind="stable")
    there = np.take_along_axis(touched[kept], order, 1)
    paint_reach(
        out,
        grid=grid,
        tables=tables,
        reach=Reach(
            voxels=near.slots[kept],
            vessel=np.where(there, order, -1).astype(np.int16),
            row=np.take_along_axis(near.owner[kept], order, 1),
            distance=np.take_along_axis(near.distance[kept], order, 1),
        ),
        margin_mm=margin,
        whole_lumen=False,
    )
