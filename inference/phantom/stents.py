"""Stents: struts of metal on a vessel's table, painted by the mass they bring to each voxel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from .curve import STEP_MM
from .grid import Grid
from .lesions import THICKER_MM
from .table import TrueLesion, VesselTable

Array = NDArray[np.float64]
SAMPLE_MM = 0.05
SMALLEST_MM = 1.1  # lumen radius below which nobody implants a stent


@dataclass(frozen=True)
class Stent:
    """Where a stent lies along its vessel (mm), its radius, the metal's effective HU, and its struts' cross-section (mm²).

    It also says whether a lesion lies in it.
    """

    vessel: str
    start_mm: float
    end_mm: float
    radius_mm: float
    metal_hu: float
    strut_mm2: float
    in_lesion: bool
    restenosis_percent: float

    def __post_init__(self) -> None:
        if not (self.end_mm > self.start_mm >= 0 and self.radius_mm > 0):
            raise ValueError("a stent needs an extent and a radius")


def place_stent(
    rng: np.random.Generator, table: VesselTable, *, free: tuple[tuple[float, float], ...] = ()
) -> tuple[VesselTable, Stent] | None:
    """Implant one stent: the lumen becomes round and wide, plaque is pressed outwards and keeps most of its area.

    Seven of ten cover a lesion, three of those with tissue grown into them (restenosis). ``free`` are extents (mm)
    where no stent may lie. None where the vessel has no room: too narrow, or too short.
    """
    n, s = len(table.lumen), table.curve.arc_length
    size = float(rng.uniform(12.0, 28.0))
    radius = np.sqrt(table.lumen_area() / np.pi)
    healthy = np.ones(n, bool)
    for lesion in table.lesions:
        healthy[table.rows(lesion.start_mm, lesion.end_mm)] = False
    if healthy.sum() < 20 or size > s[-1] - 8.0:
        return None
    reference = np.interp(s, s[healthy], gaussian_filter1d(radius[healthy], 8.0))
    over_lesion = bool(rng.random() < 0.7 and table.lesions)
    for _ in range(20):
        if over_lesion:
            lesion = table.lesions[int(rng.integers(len(table.lesions)))]
            start = 0.5 * (lesion.start_mm + lesion.end_mm) - 0.5 * size + rng.normal(0, 2.0)
        else:
            start = rng.uniform(3.0, s[-1] - size - 3.0)
        start = float(np.clip(round(start / STEP_MM) * STEP_MM, 3.0, s[-1] - size - 3.0))
        rows = table.rows(start, start + size)
        blocked = any(start < b and start + size > a for a, b in free)
        if not blocked and reference[rows].min() > SMALLEST_MM:
            break
    else:
        return None
    end = s[rows.stop - 1]
    wide = float(np.median(reference[rows]) * rng.uniform(1.0, 1.08))
    covers = any(x.start_mm < end and x.end_mm > start for x in table.lesions)
    neointima = np.full(n, rng.uniform(0.02, 0.10))
    grown = float(rng.uniform(0.15, 0.6)) if covers and rng.random() < 0.3 else 0.0
    if grown:
        t = (s - start) / size
        centre = rng.uniform(0.3, 0.7)
        neointima += grown * wide * np.exp(-(((t - centre) / rng.uniform(0.15, 0.4)) ** 2))
    q = np.clip(np.minimum(s - start + 1.5, end + 1.5 - s) / 1.5, 0, 1)[:, None]
    q = q * q * (3 - 2 * q)
    old_lumen, old_wall = table.lumen.astype(float), table.wall.astype(float)
    lumen = old_lumen * (1 - q) + q * np.maximum(wide - neointima, 0.25)[:, None]
    pressed = np.sqrt(old_wall**2 + 0.85 * np.maximum(lumen**2 - old_lumen**2, 0))
    least = np.maximum(lumen, wide) + 0.85 * table.normal_wall_mm[:, None]
    wall = old_wall * (1 - q) + q * np.maximum(pressed, least)
    wall = np.maximum(wall, lumen + 0.05)
    thick = wall - lumen > table.normal_wall_mm[:, None] + THICKER_MM
    plaque = np.zeros_like(table.plaque)
    lesions: list[TrueLesion] = []
    for lesion in table.lesions:
        here = table.rows(lesion.start_mm, lesion.end_mm)
        found = np.flatnonzero(thick[here].any(axis=1)) + here.start
        if len(found) == 0 or (found[-1] - found[0]) * STEP_MM < 1.5:
            continue
        part = slice(int(found[0]), int(found[-1]) + 1)
        plaque[part] = thick[part]
        lesions.append(
            TrueLesion(len(lesions) + 1, part.start * STEP_MM, (part.stop - 1) * STEP_MM, lesion.composition)
        )
    changed = replace(
        table,
        lumen=lumen.astype(np.float32),
        wall=wall.astype(np.float32),
        plaque=plaque,
        lesions=tuple(lesions),
    )
    stent = Stent(
        vessel=table.name,
        start_mm=start,
        end_mm=float(end),
        radius_mm=wide,
        metal_hu=float(rng.uniform(25000, 45000)),
        strut_mm2=float(rng.uniform(0.006, 0.011)),
        in_lesion=any(x.start_mm < end and x.end_mm > start for x in lesions),
        restenosis_percent=100 * grown,
    )
    return changed, stent


def strut_points(rng: np.random.Generator, table: VesselTable, stent: Stent) -> Array:
    """(n, 3) LPS mm every 0.05 mm of metal: zigzag rings joined by straight links."""
    pitch, crowns = rng.uniform(1.2, 1.7), int(rng.integers(5, 9))
    rings = max(2, int((stent.end_mm - stent.start_mm) / pitch))
    pitch = (stent.end_mm - stent.start_mm) / rings
    theta = np.linspace(0, 2 * np.pi, 2400, endpoint=False)
    zigzag = 0.36 * pitch * (2 / np.pi) * np.arcsin(np.sin(crowns * theta))
    s_all, a_all = [], []
    for ring in range(rings):
        turn = rng.uniform(0, 2 * np.pi / crowns)
        s_all.append(stent.start_mm + (ring + 0.5) * pitch + zigzag)
        a_all.append(theta + turn)
        if ring + 1 < rings:
            for link in range(3):
                share = np.linspace(0.0, 1.0, 40)
                s_all.append(stent.start_mm + (ring + 0.5 + share) * pitch)
                a_all.append(np.full(40, turn + 2 * np.pi * (link + 0.5 * (ring % 2)) / 3))
    curve = table.curve
    dense = []
    for s, a in zip(s_all, a_all, strict=True):
        row = np.clip(s / STEP_MM, 0, len(curve.points) - 1.001)
        i, f = row.astype(int), (row % 1.0)[:, None]

        def along(x: Array, i: NDArray[np.int_] = i, f: Array = f) -> Array:
            return np.asarray(x[i] * (1 - f) + x[i + 1] * f)

        p = along(curve.points) + stent.radius_mm * (
            np.cos(a)[:, None] * along(curve.u) + np.sin(a)[:, None] * along(curve.v)
        )
        way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
        at = np.arange(0.5 * SAMPLE_MM, way[-1], SAMPLE_MM)
        dense.append(np.stack([np.interp(at, way, p[:, m]) for m in range(3)], axis=1))
    return np.concatenate(dense)


@njit(cache=True)
def _splat(out, points, origin, spacing, amount):  # type: ignore[no-untyped-def]
    nk, nj, ni = out.shape
    touched = np.empty((8 * points.shape[0], 3), np.int32)
    count = 0
    for n in range(points.shape[0]):
        c = (points[n, 2] - origin[2]) / spacing[2]
        b = (points[n, 1] - origin[1]) / spacing[1]
        a = (points[n, 0] - origin[0]) / spacing[0]
        k, j, i = int(np.floor(c)), int(np.floor(b)), int(np.floor(a))
        if k < 0 or j < 0 or i < 0 or k + 1 >= nk or j + 1 >= nj or i + 1 >= ni:
            continue
        fk, fj, fi = c - k, b - j, a - i
        for p in range(2):
            for q in range(2):
                for r in range(2):
                    w = (fk if p else 1 - fk) * (fj if q else 1 - fj) * (fi if r else 1 - fi)
                    out[k + p, j + q, i + r] += amount * w
                    touched[count, 0], touched[count, 1], touched[count, 2] = k + p, j + q, i + r
                    count += 1
    return touched[:count]


def paint_stent(out: NDArray[np.float32], *, grid: Grid, points: Array, stent: Stent) -> NDArray[np.int32]:
    """Add the metal to ``out``, in place: HU × strut volume is kept, whatever the voxels. Returns voxels (n, 3)."""
    spacing = np.array([grid.pixel_mm, grid.pixel_mm, grid.slice_mm])
    amount = stent.metal_hu * stent.strut_mm2 * SAMPLE_MM / float(spacing.prod())
    touched = _splat(out, points, np.asarray(grid.origin, float), spacing, amount)
    return np.unique(touched, axis=0)
