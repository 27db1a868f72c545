"""Move a path to the middle of its lumen, measure the radius there, and smooth it.

Across the path HU is sampled on rays in the scan itself and averaged over neighbouring sections. On a ray the lumen ends
where HU falls half-way from the lumen's level to what follows, or in the valley before a neighbour. The centre is
the centroid of the closed outline, the radius that of a circle of the same area. Sections without a clear outline (a
closed lumen, a fork, calcium all around) follow their neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from inference.centreline.lines import resample
from inference.sampling import held, trilinear
from inference.scan import Volume

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
STEP_MM = 0.5
RAYS = 16
RAY_STEP_MM = 0.25  # about half a voxel
REACH_MM = 4.5  # a coronary artery and what lies around it
SMOOTH_MM = 1.25  # SD along the line
ROUNDS = 3  # of moving, smoothing and sampling again
MOST_SHIFT_MM = 0.6  # in one round
ACROSS_SECTIONS = 1.2
"""HU is averaged over neighbouring sections with this standard deviation."""
CALCIUM_SHARE, FOLD = 1.2, 1.5
"""What is brighter than this share of the blood is calcium or metal."""
VALLEY_SHARE = (
    0.08  # of the blood's HU: so much must HU rise again behind a valley for a neighbour to lie there
)
LEAST_STEP_HU = 40.0  # between core and surroundings; with less there is no outline
LEAST_SHARE = 0.62
"""The border lies behind the first sample below this share of the core's HU, where HU has fallen half-way to what
follows within 1.25 mm: half-way to fat, all around, would take in muscle at one side."""
BEHIND_SAMPLES = 5  # 1.25 mm behind the border


@dataclass(frozen=True)
class Outlines:
    """Per point: the way to the outline's centroid (n, 3) mm, radius (n,) mm, core's HU (n,), how clear it is (n,) 0…1."""

    shift: np.ndarray
    radius_mm: np.ndarray
    hu: np.ndarray
    clear: np.ndarray


def centred(
    volume: Volume, points: np.ndarray, *, blood_hu: float, fixed_start: bool = False
) -> tuple[np.ndarray, Outlines]:
    """Centre a path.

    Parameters
    ----------
    points : (m, 3) LPS mm, within about 1.5 mm of the lumen's centre.
    blood_hu : HU of the aorta. fixed_start : leave the first point where it is (a branch's origin).

    Returns
    -------
    (n, 3) LPS mm every 0.5 mm, and the outlines there; radii are smoothed along the path.
    """
    sigma = SMOOTH_MM / STEP_MM
    first = points[0]
    line = smoothed(resample(points, STEP_MM), sigma)
    for _ in range(ROUNDS):
        line = _pinned(resample(line, STEP_MM), first, fixed_start)
        found = outlines(volume, line, blood_hu)
        trust = found.clear * _usual(found.radius_mm)
        if fixed_start:
            trust = trust * np.clip(np.arange(len(line)) / 6.0, 0, 1)
        size = np.linalg.norm(found.shift, axis=1, keepdims=True)
        shift = found.shift * np.minimum(1.0, MOST_SHIFT_MM / np.maximum(size, 1e-9))
        # neighbours fill in where there is no clear outline
        weight = gaussian_filter1d(trust, sigma, mode="nearest") + 0.02
        moved = gaussian_filter1d(shift * trust[:, None], sigma, axis=0, mode="nearest") / weight[:, None]
        line = smoothed(line + moved, 0.6 * sigma)
    line = _pinned(resample(line, STEP_MM), first, fixed_start)
    found = outlines(volume, line, blood_hu)
    radius = gaussian_filter1d(median_filter(found.radius_mm, 5, mode="nearest"), 1.0, mode="nearest")
    return line, Outlines(found.shift, radius, found.hu, found.clear)


def smoothed(line: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth a line (n, 3) along itself; it goes on straight beyond its ends, so that they stay where they are."""
    reach = min(int(np.ceil(4 * sigma)), len(line) - 1)
    longer = np.pad(line, [(reach, reach), (0, 0)], mode="reflect", reflect_type="odd")
    return np.asarray(gaussian_filter1d(longer, sigma, axis=0, mode="nearest")[reach : reach + len(line)])


def _pinned(line: np.ndarray, first: np.ndarray, fixed: bool) -> np.ndarray:
    """Bring the first point back to a branch's origin, the next three millimetres with it."""
    if not fixed:
        return line
    fade = np.clip(1 - np.arange(len(line)) / 6.0, 0, 1)[:, None]
    return np.asarray(line + fade**2 * (first - line[0]))


def _usual(radius: np.ndarray) -> np.ndarray:
    """1 where the radius is like that of its neighbourhood (12 mm), towards 0 where it is not."""
    usual = median_filter(radius, 25, mode="nearest")
    ratio = radius / np.maximum(usual, 0.3)
    return np.asarray(np.clip(2.2 - ratio, 0.05, 1.0) * np.clip(ratio / 0.5, 0.05, 1.0))


def outlines(volume: Volume, line: np.ndarray, blood_hu: float) -> Outlines:
    """Outline the lumen around each point of a line (LPS mm, every 0.5 mm)."""
    u, w = _axes(_tangents(line))
    values = gaussian_filter1d(
        _rays(volume, line, u, w, CALCIUM_SHARE * blood_hu), ACROSS_SECTIONS, axis=0, mode="nearest"
    )
    shift = np.zeros((len(line), 2))
    radius, level, clear = (np.zeros(len(line)) for _ in range(3))
    _outline(values, _circle(), blood_hu, shift, radius, level, clear)
    return Outlines(shift[:, :1] * u + shift[:, 1:] * w, radius, level, clear)


def rays(volume: Volume, line: np.ndarray, *, most_hu: float) -> np.ndarray:
    """Return HU on rays across a line, (n, 16, 19): 16 directions, every 0.25 mm up to 4.5 mm.

    Parameters
    ----------
    line : (n, 3) LPS mm, every 0.5 mm. most_hu : what is brighter is folded down, as calcium and metal.
    """
    return _rays(volume, line, *_axes(_tangents(line)), most_hu)


def _rays(volume: Volume, line: np.ndarray, u: np.ndarray, w: np.ndarray, most_hu: float) -> np.ndarray:
    values = np.empty((len(line), RAYS, round(REACH_MM / RAY_STEP_MM) + 1), np.float32)
    into = np.ascontiguousarray(np.linalg.inv(volume.affine)[:3])
    _sample(volume.hu, into, np.ascontiguousarray(line), u, w, _circle(), most_hu, values)
    return values


def _circle() -> np.ndarray:
    angle = 2 * np.pi * np.arange(RAYS) / RAYS
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _tangents(line: np.ndarray) -> np.ndarray:
    tangent = np.gradient(gaussian_filter1d(line, 1.5, axis=0, mode="nearest"), axis=0)
    return np.asarray(tangent / np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9))


@numba.njit(cache=True, nogil=True)
def _axes(tangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two axes across each tangent that turn as little as possible from point to point."""
    u, w = np.empty_like(tangent), np.empty_like(tangent)
    axis = np.zeros(3)
    axis[np.abs(tangent[0]).argmin()] = 1.0
    for n in range(len(tangent)):
        t = tangent[n]
        along = axis[0] * t[0] + axis[1] * t[1] + axis[2] * t[2]
        axis = axis - along * t
        axis = axis / max(np.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2), 1e-9)
        u[n] = axis
        w[n, 0] = t[1] * axis[2] - t[2] * axis[1]
        w[n, 1] = t[2] * axis[0] - t[0] * axis[2]
        w[n, 2] = t[0] * axis[1] - t[1] * axis[0]
    return u, w


@numba.njit(cache=True, nogil=True, parallel=True)
def _sample(
    hu: np.ndarray,
    into: np.ndarray,
    line: np.ndarray,
    u: np.ndarray,
    w: np.ndarray,
    circle: np.ndarray,
    most: float,
    values: np.ndarray,
) -> None:
    """Trilinear HU on the rays; the scan's border continues outside."""
    nk, nj, ni = hu.shape
    for n in numba.prange(len(line)):
        for r in range(len(circle)):
            d = circle[r, 0] * u[n] + circle[r, 1] * w[n]
            for s in range(values.shape[2]):
                x = line[n, 0] + d[0] * s * RAY_STEP_MM
                y = line[n, 1] + d[1] * s * RAY_STEP_MM
                z = line[n, 2] + d[2] * s * RAY_STEP_MM
                i = into[0, 0] * x + into[0, 1] * y + into[0, 2] * z + into[0, 3]
                j = into[1, 0] * x + into[1, 1] * y + into[1, 2] * z + into[1, 3]
                k = into[2, 0] * x + into[2, 1] * y + into[2, 2] * z + into[2, 3]
                v = trilinear(hu, held(i, ni), held(j, nj), held(k, nk))
                # calcium and metal are folded down: they are not lumen
                values[n, r, s] = v if v <= most else max(most - FOLD * (v - most), -100.0)


@numba.njit(cache=True, nogil=True)
def _border(ray: np.ndarray, first: int, core: float, limit: float) -> float:
    """Where a ray falls half-way to what lies just behind the border; ``first`` is its first sample below ``limit``."""
    behind = ray[first]
    for s in range(first, min(first + BEHIND_SAMPLES, len(ray))):
        behind = min(behind, ray[s])
    half = min(limit, 0.5 * (core + behind))
    for s in range(first, min(first + BEHIND_SAMPLES, len(ray))):
        if ray[s] <= half:
            before = ray[s - 1]
            part = (before - half) / (before - ray[s]) if before > half else 0.0
            return (s - 1 + part) * RAY_STEP_MM
    return first * RAY_STEP_MM


@numba.njit(cache=True, nogil=True)
def _outline(
    values: np.ndarray,
    circle: np.ndarray,
    blood: float,
    shift: np.ndarray,
    radius: np.ndarray,
    level: np.ndarray,
    clear: np.ndarray,
) -> None:
    rays, steps = values.shape[1], values.shape[2]
    for n in range(len(values)):
        inner = np.sort(values[n, :, 0:4].copy().ravel())
        core = inner[int(0.7 * len(inner))]
        level[n] = core
        around = np.sort(values[n, :, 10:].copy().ravel())
        back = max(around[int(0.3 * len(around))], -120.0)
        if core - back < LEAST_STEP_HU:
            continue
        limit = max(0.5 * (core + back), LEAST_SHARE * core)
        reach = np.empty(rays)
        for r in range(rays):
            reach[r] = (steps - 1) * RAY_STEP_MM
            lowest, at = values[n, r, 0], 0
            for s in range(1, steps):
                v = values[n, r, s]
                if v < limit:
                    reach[r] = _border(values[n, r], s, core, limit)
                    break
                if v < lowest:
                    lowest, at = v, s
                elif v > lowest + VALLEY_SHARE * blood and lowest < 0.85 * core and s > 4:
                    reach[r] = at * RAY_STEP_MM
                    break
        # a ray that runs out into a branch or a chamber is no longer than the others allow
        middle = np.sort(reach)[rays // 2]
        most = 1.4 * middle + 0.3
        area, cx, cy, cut = 0.0, 0.0, 0.0, 0
        for r in range(rays):
            a, b = min(reach[r], most), min(reach[(r + 1) % rays], most)
            cut += reach[r] > most
            x1, y1 = a * circle[r, 0], a * circle[r, 1]
            x2, y2 = b * circle[(r + 1) % rays, 0], b * circle[(r + 1) % rays, 1]
            cross = x1 * y2 - x2 * y1
            area += 0.5 * cross
            cx += (x1 + x2) * cross / 6
            cy += (y1 + y2) * cross / 6
        if area < 1e-6:
            continue
        shift[n, 0], shift[n, 1] = cx / area, cy / area
        radius[n] = np.sqrt(area / np.pi)
        free = max(0.0, 1.0 - 2.5 * cut / rays)
        clear[n] = free * min(max((core - back) / (0.5 * blood), 0.0), 1.0)
