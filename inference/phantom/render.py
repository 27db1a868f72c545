"""From tables and bodies to a CT volume: paint, blur with the scanner's point spread, add correlated noise."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from .anatomy import LUNG_HU, Heart
from .curve import Curve
from .scenario import Scenario
from .table import LAYERS, VesselTable, locate, radii_at

SUB = 3          # subsamples per voxel and axis inside vessels
FAR_MM = 7.0     # how far around a vessel its surroundings are decided


@dataclass(frozen=True)
class Grid:
    """Axis-aligned grid in LPS: voxel (i, j, k) lies at origin + (i·pixel, j·pixel, k·slice)."""

    shape: tuple[int, int, int]     # slices, rows, columns
    origin: NDArray[np.float64]
    pixel_mm: float
    slice_mm: float

    @property
    def affine(self) -> NDArray[np.float64]:
        a = np.diag([self.pixel_mm, self.pixel_mm, self.slice_mm, 1.0])
        a[:3, 3] = self.origin
        return a


def grid_around(curves: list[Curve], *, margin_mm: float, pixel_mm: float, slice_mm: float) -> Grid:
    """The grid that holds all curves and a margin."""
    points = np.concatenate([c.points for c in curves])
    low, high = points.min(0) - margin_mm, points.max(0) + margin_mm
    size = np.ceil((high - low) / [pixel_mm, pixel_mm, slice_mm]).astype(int) + 1
    return Grid(shape=(int(size[2]), int(size[1]), int(size[0])), origin=np.round(low, 3), pixel_mm=pixel_mm,
                slice_mm=slice_mm)


@njit(cache=True, fastmath=True)
def _paint_heart(out, origin, spacing, frame, axes, waves, fat_mm, base_mm, hu_fat, hu_muscle, hu_lung, field):
    """Lung, chest wall, diaphragm, pericardial fat, muscle."""
    nk, nj, ni = out.shape
    for k in range(nk):
        z = origin[2] + k * spacing[2]
        for j in range(nj):
            y = origin[1] + j * spacing[1]
            for i in range(ni):
                x = origin[0] + i * spacing[0]
                a = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z
                b = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z
                c = frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z
                r = np.sqrt(a * a + b * b + c * c) + 1e-6
                value = hu_lung
                if y < -62.0:
                    value = 40.0 if y < -68.0 else hu_fat
                elif z < -50.0 - 0.004 * (x - 25) * (x - 25) - 0.004 * y * y:
                    value = 85.0
                if r < 75.0:
                    q = np.sqrt((a / axes[0]) ** 2 + (b / axes[1]) ** 2 + (c / axes[2]) ** 2)
                    surface = r / max(q, 1e-6)
                    lat, lon = np.arcsin(c / r), np.arctan2(b, a)
                    grow = 1.0
                    for w in range(waves.shape[0]):
                        grow *= 1.0 + waves[w, 2] * np.cos(waves[w, 0] * lon + waves[w, 3]) * np.cos(waves[w, 1] * lat)
                    surface *= grow
                    around = fat_mm * (1.0 + 0.35 * np.cos(3 * lon + waves[0, 3]) * np.cos(2 * lat))
                    if c > 0.0:
                        around *= 1.0 + 0.5 * c / axes[2]
                    f = min(max((surface + around - r) / spacing[0] + 0.5, 0.0), 1.0)
                    value = value * (1 - f) + hu_fat * f
                    g = min(max((surface - r) / spacing[0] + 0.5, 0.0), 1.0)
                    g *= min(max((base_mm - c) / spacing[0] + 0.5, 0.0), 1.0)
                    value = value * (1 - g) + hu_muscle * g
                p = field[(k // 8) % field.shape[0], (j // 8) % field.shape[1], (i // 8) % field.shape[2]]
                out[k, j, i] = value + 5.0 * p


@njit(cache=True, fastmath=True)
def _paint_body(out, origin, spacing, centre, matrix, hu, mixing, reach, field):
    nk, nj, ni = out.shape
    k0, k1 = max(0, int((centre[2] - reach - origin[2]) / spacing[2])), min(nk, int((centre[2] + reach - origin[2]) / spacing[2]) + 2)
    j0, j1 = max(0, int((centre[1] - reach - origin[1]) / spacing[1])), min(nj, int((centre[1] + reach - origin[1]) / spacing[1]) + 2)
    i0, i1 = max(0, int((centre[0] - reach - origin[0]) / spacing[0])), min(ni, int((centre[0] + reach - origin[0]) / spacing[0]) + 2)
    for k in range(k0, k1):
        z = origin[2] + k * spacing[2] - centre[2]
        for j in range(j0, j1):
            y = origin[1] + j * spacing[1] - centre[1]
            for i in range(i0, i1):
                x = origin[0] + i * spacing[0] - centre[0]
                a = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z
                b = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z
                c = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z
                q = np.sqrt(a * a + b * b + c * c)
                if q > 1.2:
                    continue
                f = min(max((1.0 - q) * 12.0 / spacing[0] + 0.5, 0.0), 1.0)
                if f > 0.0:
                    p = field[(k // 6) % field.shape[0], (j // 6) % field.shape[1], (i // 6) % field.shape[2]]
                    out[k, j, i] = out[k, j, i] * (1 - f) + (hu + mixing * p) * f


@njit(cache=True, fastmath=True)
def _paint_tube(out, origin, spacing, start, end, radius, hu, open_start):
    """A straight tube (the aorta); rounded off below its start."""
    nk, nj, ni = out.shape
    dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
    length = np.sqrt(dx * dx + dy * dy + dz * dz)
    dx, dy, dz = dx / length, dy / length, dz / length
    for k in range(nk):
        z = origin[2] + k * spacing[2] - start[2]
        for j in range(nj):
            y = origin[1] + j * spacing[1] - start[1]
            for i in range(ni):
                x = origin[0] + i * spacing[0] - start[0]
                t = x * dx + y * dy + z * dz
                if t < -open_start:
                    continue
                d2 = x * x + y * y + z * z - t * t
                if d2 > (radius + 2) ** 2:
                    continue
                if t < 0:
                    d2 += t * t
                f = min(max((radius - np.sqrt(max(d2, 0.0))) / spacing[0] + 0.5, 0.0), 1.0)
                out[k, j, i] = out[k, j, i] * (1 - f) + hu * f


@njit(cache=True, fastmath=True)
def _claim(owner, distance, slot_of, points, origin, spacing, reach, vessel):
    """Remember for every voxel near this vessel its nearest row; voxels get a running number on first touch."""
    nk, nj, ni = slot_of.shape
    count = 0
    for n in range(points.shape[0]):
        ck, cj, ci = (points[n, 2] - origin[2]) / spacing[2], (points[n, 1] - origin[1]) / spacing[1], (points[n, 0] - origin[0]) / spacing[0]
        hk, hj = reach / spacing[2], reach / spacing[1]
        for k in range(max(0, int(ck - hk)), min(nk, int(ck + hk) + 2)):
            for j in range(max(0, int(cj - hj)), min(nj, int(cj + hj) + 2)):
                for i in range(max(0, int(ci - hj)), min(ni, int(ci + hj) + 2)):
                    d = ((k - ck) * spacing[2]) ** 2 + ((j - cj) * spacing[1]) ** 2 + ((i - ci) * spacing[0]) ** 2
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
        ck, cj, ci = (points[n, 2] - origin[2]) / spacing[2], (points[n, 1] - origin[1]) / spacing[1], (points[n, 0] - origin[0]) / spacing[0]
        hk, hj = reach / spacing[2], reach / spacing[1]
        for k in range(max(0, int(ck - hk)), min(nk, int(ck + hk) + 2)):
            for j in range(max(0, int(cj - hj)), min(nj, int(cj + hj) + 2)):
                for i in range(max(0, int(ci - hj)), min(ni, int(ci + hj) + 2)):
                    if slot_of[k, j, i] < 0:
                        d = ((k - ck) * spacing[2]) ** 2 + ((j - cj) * spacing[1]) ** 2 + ((i - ci) * spacing[0]) ** 2
                        if d <= reach * reach:
                            slot_of[k, j, i] = first
                            first += 1
    return first


@njit(cache=True, fastmath=True)
def _surround(out, slots, owner, distance, origin, spacing, vessel, points, wall_max, sheath_mm, sheath_hu, side):
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
def _paint_vessels(out, slots, owner, distance, origin, spacing, starts, points, tangent, u, v, lumen, wall, wall_max,
                   hu, lumen_hu, sub):
    """Mix vessel tissue into voxels by supersampling; of several vessels the lumen wins, then the denser wall."""
    vessels = starts.shape[0] - 1
    for n in range(slots.shape[0]):
        near = False
        for w in range(vessels):
            row = owner[n, w]
            if row >= 0 and distance[n, w] < (wall_max[starts[w] + row] + 0.7 * (spacing[0] + spacing[2])) ** 2:
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
                        at, fraction, du, dv = locate(x, y, z, points[s0:s1], tangent[s0:s1], u[s0:s1], v[s0:s1], row)
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


def _sheaths(rng: np.random.Generator, table: VesselTable, chosen: Scenario, heart: Heart,
             ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """What surrounds a vessel along its length: reach mm, HU, and the side of soft tissue (see ``_surround``)."""
    n = len(table.curve.points)
    reach, hu, side = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros((n, 3), np.float32)
    at = 0
    while at < n:
        stop = min(n, at + int(rng.uniform(40, 200)))
        soft = rng.choice(3, p=chosen.surroundings) == 2
        reach[at:stop] = rng.uniform(3.0, 5.0) if soft else rng.uniform(0.8, 3.0)
        hu[at:stop] = rng.uniform(30.0, heart.muscle_hu) if soft else heart.fat_hu
        if soft:
            angle = rng.uniform(0, 6.28) + np.linspace(0, rng.normal(0, 0.7), stop - at)
            way = np.cos(angle)[:, None] * table.curve.u[at:stop] + np.sin(angle)[:, None] * table.curve.v[at:stop]
            side[at:stop] = way * rng.uniform(0.2, 4.5)     # 3 = the border passes through the centreline
        at = stop
    return reach, hu, side


def paint(rng: np.random.Generator, *, grid: Grid, heart: Heart, tables: tuple[VesselTable, ...],
          veins: tuple[Curve, ...], chosen: Scenario) -> NDArray[np.float32]:
    """The noise-free, unblurred scene on the grid, HU."""
    spacing = np.array([grid.pixel_mm, grid.pixel_mm, grid.slice_mm])
    out = np.empty(grid.shape, np.float32)
    field = gaussian_filter(rng.standard_normal((24, 48, 48)), 1.0, mode="wrap").astype(np.float32)
    field /= field.std()
    _paint_heart(out, grid.origin, spacing, heart.frame, heart.axes, heart.waves, heart.fat_mm, heart.base_mm,
                 heart.fat_hu, heart.muscle_hu, LUNG_HU, field)
    for body in heart.bodies:
        _paint_body(out, grid.origin, spacing, body.centre, body.matrix, body.hu, body.mixing_hu, body.reach_mm, field)
    _paint_tube(out, grid.origin, spacing, heart.aorta_from, heart.aorta_to, heart.aorta_mm + 1.4, 60.0, 12.0)
    _paint_tube(out, grid.origin, spacing, heart.aorta_from, heart.aorta_to, heart.aorta_mm, heart.blood_hu, 12.0)

    near = claims(grid, tables)
    for w, table in enumerate(tables):
        reach, hu, side = _sheaths(rng, table, chosen, heart)
        _surround(out, near.slots, near.owner, near.distance, grid.origin, spacing, w, table.curve.points,
                  table.wall.max(1), reach, hu, side)
    for vein in veins:
        radius = rng.uniform(0.8, 1.7)
        _vein(out, vein.points, grid.origin, spacing, radius, heart.blood_hu * rng.uniform(0.25, 0.75))
    fill_vessels(out, grid=grid, tables=tables, near=near)
    return out


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


def fill_vessels(out: NDArray[np.float32], *, grid: Grid, tables: tuple[VesselTable, ...], near: Claims) -> None:
    """Paint lumen and wall of all vessels into ``out`` by supersampling, in place."""
    spacing = np.array([grid.pixel_mm, grid.pixel_mm, grid.slice_mm])
    counts = np.concatenate([[0], np.cumsum([len(t.curve.points) for t in tables])])

    def joined(part: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(t.curve, part) for t in tables])

    wall = np.concatenate([t.wall for t in tables])
    _paint_vessels(out, near.slots, near.owner, near.distance, grid.origin, spacing, counts, joined("points"),
                   joined("tangent"), joined("u"), joined("v"), np.concatenate([t.lumen for t in tables]), wall,
                   wall.max(1), np.concatenate([t.hu for t in tables]), np.concatenate([t.lumen_hu for t in tables]),
                   SUB)


@njit(cache=True, fastmath=True)
def _vein(out, points, origin, spacing, radius, hu):
    nk, nj, ni = out.shape
    reach = radius + 0.6
    for n in range(points.shape[0]):
        ck, cj, ci = (points[n, 2] - origin[2]) / spacing[2], (points[n, 1] - origin[1]) / spacing[1], (points[n, 0] - origin[0]) / spacing[0]
        hk, hj = reach / spacing[2], reach / spacing[1]
        for k in range(max(0, int(ck - hk)), min(nk, int(ck + hk) + 2)):
            for j in range(max(0, int(cj - hj)), min(nj, int(cj + hj) + 2)):
                for i in range(max(0, int(ci - hj)), min(ni, int(ci + hj) + 2)):
                    d = ((k - ck) * spacing[2]) ** 2 + ((j - cj) * spacing[1]) ** 2 + ((i - ci) * spacing[0]) ** 2
                    if d < radius * radius:
                        out[k, j, i] = hu


def scan(rng: np.random.Generator, scene: NDArray[np.float32], *, grid: Grid, psf_plane_mm: float,
         psf_along_mm: float, noise_hu: float, grain_mm: float, overshoot: float) -> NDArray[np.int16]:
    """What the scanner makes of a scene: point spread, kernel overshoot, correlated noise, whole HU."""
    sigma = (psf_along_mm / grid.slice_mm, psf_plane_mm / grid.pixel_mm, psf_plane_mm / grid.pixel_mm)
    image = gaussian_filter(scene, sigma, truncate=3.0)
    if overshoot > 0.02:
        image += overshoot * (image - gaussian_filter(image, (0, sigma[1] * 1.2, sigma[2] * 1.2), truncate=2.5))
    noise = rng.standard_normal(scene.shape, dtype=np.float32)
    noise = gaussian_filter(noise, (0.6 * grain_mm / grid.slice_mm, grain_mm / grid.pixel_mm, grain_mm / grid.pixel_mm),
                            truncate=2.5)
    image += noise * np.float32(noise_hu / noise[::7, ::5, ::5].std())
    return np.clip(np.rint(image), -1024, 3071).astype(np.int16)
