"""Curved cross-sections → shares of the CT's voxels.

Each cell of a cross-section is cut into pieces smaller than a voxel; the volume of each piece, dV = (1 − κ·u) dA ds as
in the measurements, is laid into the voxel that holds its middle. What a voxel then holds of a label, over the voxel's
own volume, is its share. No volume is lost or invented, so that shares add up to the measured volumes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from inference.contours import ANGLES
from inference.scan import Volume
from inference.section_grid import PIXELS, SPACING_ACROSS, SPACING_ALONG
from inference.straightening import StraightenedVessel

# Pieces of a quarter of a voxel: the voxels' volume then differs from the contours' by 0.02 % in the median
# (docs/validation-inference.md).
CHANNELS = 4
PIECES_PER_VOXEL = 4.0
_MOST_TURNS = 16
_turn = [
    2 * np.pi * (np.arange(ANGLES * n) / n - (n - 1) / (2 * n)) / ANGLES for n in range(1, _MOST_TURNS + 1)
]
_COS = np.concatenate([np.cos(x) for x in _turn])
_SIN = np.concatenate([np.sin(x) for x in _turn])
_FIRST = np.cumsum([0, *(len(x) for x in _turn)])


@dataclass(frozen=True)
class Grid:
    """The CT's voxel grid.

    Parameters
    ----------
    to_index : (3, 4) float64, LPS mm (x, y, z, 1) → continuous voxel index (i, j, k).
    columns, rows, slices : size along i, j, k. voxel_mm3 : volume of one voxel.
    """

    to_index: np.ndarray
    columns: int
    rows: int
    slices: int
    voxel_mm3: float

    @classmethod
    def of(cls, volume: Volume) -> Grid:
        """Return a volume's grid."""
        slices, rows, columns = volume.hu.shape
        voxel = abs(float(np.linalg.det(volume.affine[:3, :3])))
        return cls(np.linalg.inv(volume.affine)[:3], columns, rows, slices, voxel)

    @property
    def step_mm(self) -> float:
        """Size of the pieces that cells are cut into: a quarter of the voxel's smallest edge."""
        return float(1 / np.linalg.norm(self.to_index[:, :3], axis=1).max() / PIECES_PER_VOXEL)


@dataclass(frozen=True)
class Cells:
    """Labelled cells of one vessel's sections; label 0 is left out.

    Parameters
    ----------
    rows : (R,) sections in polar form. edges : (R, 64, D + 1) mm, radii that part the cells of each ray.
    labels : (R, 64, D) uint8, 1 … 3, of each cell.
    mask_rows : (M,) sections in pixels. masks : (M, 64, 64) uint8, labels of their pixels.
    """

    rows: np.ndarray
    edges: np.ndarray
    labels: np.ndarray
    mask_rows: np.ndarray
    masks: np.ndarray


@dataclass(frozen=True)
class Shares:
    """What voxels hold of each label.

    Parameters
    ----------
    keys : (N,) int64, (k · rows + j) · columns + i of each voxel, rising.
    mm3 : (N, 4) volume of each label in each voxel; column 0 is empty.
    outside : (4,) volume of each label outside the grid.
    """

    keys: np.ndarray
    mm3: np.ndarray
    outside: np.ndarray


def share_voxels(vessel: StraightenedVessel, cells: Cells, spans: np.ndarray, grid: Grid) -> Shares:
    """Lay labelled cells into the voxels that hold them.

    Parameters
    ----------
    vessel : the sections' centres, axes and curvature. cells : what is labelled.
    spans : (S, 2) mm along the path that each section stands for; an empty span leaves the section out.
    grid : the CT's voxels.
    """
    place = (vessel.centre, vessel.axis_u, vessel.axis_v, vessel.curvature)
    target = (grid.to_index, np.array([grid.columns, grid.rows, grid.slices]))
    largest = cells.edges[:, :, -1].max(1) if len(cells.rows) else np.zeros(0)
    lengths = np.clip(spans[:, 1] - spans[:, 0], 0, None)
    room = (np.pi * (largest + 1) ** 2 * lengths[cells.rows]).sum() + 40 * lengths[cells.mask_rows].sum()
    size = 1 << int(np.ceil(np.log2(max(4 * room / grid.voxel_mm3, 1024))))
    while True:
        table = np.full(size, -1, np.int64), np.zeros((size, CHANNELS))
        outside = np.zeros(CHANNELS)
        step = grid.step_mm
        full = _lay_polar(
            cells.rows,
            cells.edges,
            cells.labels,
            spans,
            *place,
            *target,
            step,
            *table,
            outside,
            _COS,
            _SIN,
            _FIRST,
        ) or _lay_pixels(cells.mask_rows, cells.masks, spans, *place, *target, step, *table, outside)
        if not full:
            break
        size *= 2
    slots = np.flatnonzero(table[0] >= 0)
    slots = slots[np.argsort(table[0][slots])]
    return Shares(table[0][slots], table[1][slots], outside)


@numba.njit(cache=True, nogil=True)
def _slot(keys, key):  # type: ignore[no-untyped-def]
    """Return the key's slot of an open-addressing table; an empty one is claimed."""
    mask = len(keys) - 1
    slot = (key * 2654435761 >> 7) & mask
    while keys[slot] != key:
        if keys[slot] == -1:
            keys[slot] = key
            return slot, True
        slot = (slot + 1) & mask
    return slot, False


@numba.njit(cache=True, nogil=True)
def _plane(at, centre, axis_u, axis_v, to_index):  # type: ignore[no-untyped-def]
    """Return a section's centre and axes at ``at`` mm along the path, as voxel indices (3, 3)."""
    position = at / SPACING_ALONG
    low = min(max(int(np.floor(position)), 0), len(centre) - 2)
    t = position - low
    out = np.zeros((3, 3))
    for axis in range(3):
        for n in range(3):
            scale = to_index[axis, n]
            out[0, axis] += scale * (centre[low, n] * (1 - t) + centre[low + 1, n] * t)
            out[1, axis] += scale * (axis_u[low, n] * (1 - t) + axis_u[low + 1, n] * t)
            out[2, axis] += scale * (axis_v[low, n] * (1 - t) + axis_v[low + 1, n] * t)
        out[0, axis] += to_index[axis, 3]
    return out


@numba.njit(cache=True, nogil=True)
def _key(plane, u, v, size):  # type: ignore[no-untyped-def]
    """Return the key of the voxel that holds (u, v) mm of a plane, −1 outside the grid."""
    i = int(np.floor(plane[0, 0] + u * plane[1, 0] + v * plane[2, 0] + 0.5))
    j = int(np.floor(plane[0, 1] + u * plane[1, 1] + v * plane[2, 1] + 0.5))
    k = int(np.floor(plane[0, 2] + u * plane[1, 2] + v * plane[2, 2] + 0.5))
    if i < 0 or j < 0 or k < 0 or i >= size[0] or j >= size[1] or k >= size[2]:
        return -1
    return (k * size[1] + j) * size[0] + i


@numba.njit(cache=True, nogil=True)
def _lay_polar(  # type: ignore[no-untyped-def]  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
    rows,
    edges,
    labels,
    spans,
    centre,
    axis_u,
    axis_v,
    curvature,
    to_index,
    size,
    step,
    keys,
    mm3,
    outside,
    cos,
    sin,
    first,
):
    """Lay polar cells; return whether the table ran full."""
    used, last, slot = 0, -1, 0
    angles, depths = labels.shape[1], labels.shape[2]
    wide = 2 * np.pi / angles
    for n in range(len(rows)):
        s = rows[n]
        length = spans[s, 1] - spans[s, 0]
        if length <= 0:
            continue
        slabs = int(np.ceil(length / step))
        for slab in range(slabs):
            plane = _plane(spans[s, 0] + (slab + 0.5) * length / slabs, centre, axis_u, axis_v, to_index)
            for ray in range(angles):
                bend = curvature[s, 0] * cos[ray] + curvature[s, 1] * sin[ray]
                for depth in range(depths):
                    label, inner = labels[n, ray, depth], edges[n, ray, depth]
                    thick = edges[n, ray, depth + 1] - inner
                    if label == 0 or thick <= 0:
                        continue
                    shells = int(np.ceil(thick / step))
                    for shell in range(shells):
                        r = inner + thick * (shell + 0.5) / shells
                        turns = min(int(np.ceil(r * wide / step)), _MOST_TURNS)
                        piece = (1 - bend * r) * r * wide / turns * thick / shells * length / slabs
                        if piece <= 0:
                            continue
                        for turn in range(turns):
                            angle = first[turns - 1] + ray * turns + turn
                            key = _key(plane, r * cos[angle], r * sin[angle], size)
                            if key < 0:
                                outside[label] += piece
                                continue
                            if key != last:
                                slot, fresh = _slot(keys, key)
                                last = key
                                used += fresh
                                if 2 * used > len(keys):
                                    return True
                            mm3[slot, label] += piece
    return False


@numba.njit(cache=True, nogil=True)
def _lay_pixels(  # type: ignore[no-untyped-def]  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
    rows, masks, spans, centre, axis_u, axis_v, curvature, to_index, size, step, keys, mm3, outside
):
    """Lay the pixels of masked sections; return whether the table ran full."""
    used = (keys >= 0).sum()
    parts = int(np.ceil(SPACING_ACROSS / step))
    for n in range(len(rows)):
        s = rows[n]
        length = spans[s, 1] - spans[s, 0]
        if length <= 0:
            continue
        slabs = int(np.ceil(length / step))
        for slab in range(slabs):
            plane = _plane(spans[s, 0] + (slab + 0.5) * length / slabs, centre, axis_u, axis_v, to_index)
            for row in range(PIXELS):
                for column in range(PIXELS):
                    label = masks[n, row, column]
                    if label == 0:
                        continue
                    u0, v0 = (column - PIXELS / 2) * SPACING_ACROSS, (row - PIXELS / 2) * SPACING_ACROSS
                    for part in range(parts * parts):
                        u = u0 + (part % parts + 0.5) * SPACING_ACROSS / parts
                        v = v0 + (part // parts + 0.5) * SPACING_ACROSS / parts
                        piece = 1 - curvature[s, 0] * u - curvature[s, 1] * v
                        piece *= (SPACING_ACROSS / parts) ** 2 * length / slabs
                        if piece <= 0:
                            continue
                        key = _key(plane, u, v, size)
                        if key < 0:
                            outside[label] += piece
                            continue
                        slot, fresh = _slot(keys, key)
                        used += fresh
                        if 2 * used > len(keys):
                            return True
                        mm3[slot, label] += piece
    return False
