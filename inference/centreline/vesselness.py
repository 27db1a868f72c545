"""How much each voxel looks like the axis of a bright tube: multi-scale vesselness, and what lies around the tube.

At scale σ the second derivatives of the smoothed image, times σ², have the eigenvalues λ1 ≤ λ2 ≤ λ3; on the axis of a
bright tube λ1 and λ2 are strongly negative, λ3 is near zero and its eigenvector runs along the tube. The response is
V = −λ2 − max(0, −λ3)/2, in HU, largest over the scales (after Sato Y. et al., Med Image Anal 1998;2:143): edges and
plates have λ2 near zero. On the axis of a Gaussian tube of height A and of the scale's width V = A/4.

Ridges of chambers respond too, but from them blood goes on in half of all directions, and in half of those across the
supposed tube; from a vessel it goes on along it and into branches. The speed of a voxel is V, scaled, less the more
directions stay in blood for 3.5 mm.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np
from scipy.ndimage import correlate1d

from inference.centreline.isotropic import halved
from inference.sampling import held, trilinear_fast

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
FINE_SCALES_MM = (0.7, 1.0)  # σ, at full resolution
COARSE_SCALES_MM = (1.5, 2.2)  # σ, at half of it
LEAST_HU = -40.0
"""A vessel of 1 mm in fat is no brighter than this once it is smoothed."""
FULL_RESPONSE = 0.18
"""V over the blood's HU at which a voxel is surely a vessel."""
LEAST_RESPONSE = 0.02  # V over the blood's HU below which a voxel is no vessel
RING_MM = 3.5  # how far directions are followed
VALLEY_SHARE = 0.66
"""A neighbour is another vessel or a chamber where HU between falls below this share of the voxel's own."""
CIRCLE_POINTS, SPHERE_POINTS = 24, 72  # directions that are looked at
CIRCLE_SHARES = (0.32, 0.52)
SPHERE_SHARES = (0.32, 0.46)
"""Share of directions that stay in blood: a vessel up to the first, a chamber from the second."""


@dataclass(frozen=True)
class Response:
    """Vesselness.

    Parameters
    ----------
    value : (nk, nj, ni) float32, HU. direction : (nk, nj, ni, 3) int8, the tube's direction × 127 in the order k, j, i.
    """

    value: np.ndarray
    direction: np.ndarray


def vesselness(hu: np.ndarray, *, step_mm: float, floor_hu: float, ceiling_hu: float) -> Response:
    """Return the vesselness of a volume of cubes.

    Parameters
    ----------
    hu : (nk, nj, ni) float32. step_mm : edge of a cube.
    floor_hu : responses below are left out. ceiling_hu : calcium and metal above count as this.
    """
    clipped = _folded(hu, ceiling_hu)
    value = np.zeros(hu.shape, np.float32)
    direction = np.zeros((*hu.shape, 3), np.int8)
    for sigma in FINE_SCALES_MM:
        smooth = _smooth(clipped, sigma / step_mm)
        _respond(value, direction, smooth, (sigma / step_mm) ** 2, LEAST_HU, floor_hu)
    half = halved(clipped)
    coarse, along = np.zeros(half.shape, np.float32), np.zeros((*half.shape, 3), np.int8)
    for sigma in COARSE_SCALES_MM:
        smooth = _smooth(half, np.sqrt(sigma**2 - (0.5 * step_mm) ** 2) / (2 * step_mm))
        _respond(coarse, along, smooth, (sigma / (2 * step_mm)) ** 2, LEAST_HU, floor_hu)
    _merge(value, direction, coarse, along)
    return Response(value=value, direction=direction)


FOLD = 1.0  # calcium that is so much brighter than the ceiling counts as so much darker than it …
FLOOR = 0.6  # … but never as less than this share of the ceiling; by hand, no figure was kept


def _folded(hu: np.ndarray, most: float) -> np.ndarray:
    """Calcium counts as less than blood, so that a path keeps to the lumen beside it; air counts as fat."""
    over = np.maximum(hu - most, 0)
    return np.clip(np.where(over > 0, np.maximum(most - FOLD * over, FLOOR * most), hu), -100.0, most).astype(
        np.float32
    )


def speed(
    response: Response, hu: np.ndarray, state: np.ndarray, *, step_mm: float, blood_hu: float
) -> np.ndarray:
    """Return how surely each voxel is a vessel's axis, 0…1.

    Parameters
    ----------
    hu : (nk, nj, ni) float32. state : same shape, uint8: 1 in the aorta (its blood is not held against a vessel),
        2 where no vessel is (other chambers).
    """
    out = np.zeros(hu.shape, np.float32)
    angle = 2 * np.pi * np.arange(CIRCLE_POINTS) / CIRCLE_POINTS
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    reach = round(RING_MM / step_mm)
    _speed(
        out, response.value, response.direction, hu, state, blood_hu, circle, _sphere(SPHERE_POINTS), reach
    )
    return out


def _sphere(n: int) -> np.ndarray:
    """Unit vectors spread evenly over the sphere (a Fibonacci lattice)."""
    m = np.arange(n) + 0.5
    z, turn = 1 - 2 * m / n, np.pi * (1 + 5**0.5) * m
    flat = np.sqrt(1 - z * z)
    return np.stack([z, flat * np.sin(turn), flat * np.cos(turn)], axis=1)


def _smooth(a: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian of a volume, in as many threads as the compiled functions have; SciPy lets go of the interpreter."""
    reach = max(1, int(np.ceil(2.7 * sigma)))
    x = np.arange(-reach, reach + 1)
    weight = np.exp(-0.5 * (x / sigma) ** 2)
    weight = (weight / weight.sum()).astype(np.float32)
    threads = numba.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        for axis in range(3):
            across = 1 if axis == 0 else 0  # cut where the filter does not reach across
            bounds = np.linspace(0, a.shape[across], threads + 1).astype(int)
            parts = [
                (slice(None),) * across + (slice(low, high),) for low, high in pairwise(bounds) if high > low
            ]
            out = np.empty(a.shape, np.float32)

            def one(
                part: tuple[slice, ...], a: np.ndarray = a, out: np.ndarray = out, axis: int = axis
            ) -> None:
                correlate1d(a[part], weight, axis=axis, mode="nearest", output=out[part])

            list(pool.map(one, parts))
            a = out
    return a


@numba.njit(cache=True, nogil=True, parallel=True, fastmath=True)
def _respond(
    out: np.ndarray, direction: np.ndarray, g: np.ndarray, scale: float, least: float, floor: float
) -> None:
    """Raise ``out`` to the response of one scale; eigenvalues of symmetric 3 × 3 matrices in closed form."""
    nk, nj, ni = g.shape
    for k in numba.prange(1, nk - 1):
        for j in range(1, nj - 1):
            for i in range(1, ni - 1):
                c = g[k, j, i]
                if c < least:
                    continue
                a = g[k, j, i + 1] + g[k, j, i - 1] - 2 * c
                b = g[k, j + 1, i] + g[k, j - 1, i] - 2 * c
                d = g[k + 1, j, i] + g[k - 1, j, i] - 2 * c
                if (a + b + d) * scale >= -2 * floor:
                    continue
                e = 0.25 * (g[k, j + 1, i + 1] - g[k, j + 1, i - 1] - g[k, j - 1, i + 1] + g[k, j - 1, i - 1])
                f = 0.25 * (g[k + 1, j, i + 1] - g[k + 1, j, i - 1] - g[k - 1, j, i + 1] + g[k - 1, j, i - 1])
                h = 0.25 * (g[k + 1, j + 1, i] - g[k + 1, j - 1, i] - g[k - 1, j + 1, i] + g[k - 1, j - 1, i])
                m = (a + b + d) / 3
                p = np.sqrt(
                    max(((a - m) ** 2 + (b - m) ** 2 + (d - m) ** 2 + 2 * (e * e + f * f + h * h)) / 6, 1e-12)
                )
                det = (
                    (a - m) * ((b - m) * (d - m) - h * h)
                    - e * (e * (d - m) - h * f)
                    + f * (e * h - (b - m) * f)
                )
                angle = np.arccos(min(max(0.5 * det / (p * p * p), -1.0), 1.0)) / 3
                high = m + 2 * p * np.cos(angle)
                low = m + 2 * p * np.cos(angle + 2.0943951)
                middle = 3 * m - high - low
                value = scale * (-middle - 0.5 * max(0.0, -high))
                if value < floor or value <= out[k, j, i]:
                    continue
                out[k, j, i] = value
                # the eigenvector of ``high``: the longest cross product of two rows of H − high
                x1, y1, z1 = e * h - f * (b - high), f * e - h * (a - high), (a - high) * (b - high) - e * e
                x2, y2, z2 = (
                    e * (d - high) - f * h,
                    f * f - (a - high) * (d - high),
                    (a - high) * h - e * f,
                )
                x3, y3, z3 = (
                    (b - high) * (d - high) - h * h,
                    h * f - e * (d - high),
                    e * h - (b - high) * f,
                )
                n1, n2, n3 = (
                    x1 * x1 + y1 * y1 + z1 * z1,
                    x2 * x2 + y2 * y2 + z2 * z2,
                    x3 * x3 + y3 * y3 + z3 * z3,
                )
                if n2 > n1 and n2 >= n3:
                    x1, y1, z1, n1 = x2, y2, z2, n2
                elif n3 > n1:
                    x1, y1, z1, n1 = x3, y3, z3, n3
                size = 127.0 / max(np.sqrt(n1), 1e-12)
                direction[k, j, i, 0] = np.int8(z1 * size)
                direction[k, j, i, 1] = np.int8(y1 * size)
                direction[k, j, i, 2] = np.int8(x1 * size)


@numba.njit(cache=True, nogil=True, parallel=True, fastmath=True)
def _merge(out: np.ndarray, direction: np.ndarray, coarse: np.ndarray, along: np.ndarray) -> None:
    """Raise ``out`` to the trilinear value of a volume of half its resolution."""
    nk, nj, ni = coarse.shape
    for k in numba.prange(out.shape[0]):
        z = held(0.5 * k - 0.25, nk)
        for j in range(out.shape[1]):
            y = held(0.5 * j - 0.25, nj)
            for i in range(out.shape[2]):
                x = held(0.5 * i - 0.25, ni)
                value = trilinear_fast(coarse, x, y, z)
                if value > out[k, j, i]:
                    out[k, j, i] = value
                    cc, bb, aa = int(z + 0.5), int(y + 0.5), int(x + 0.5)
                    direction[k, j, i, 0] = along[cc, bb, aa, 0]
                    direction[k, j, i, 1] = along[cc, bb, aa, 1]
                    direction[k, j, i, 2] = along[cc, bb, aa, 2]


@numba.njit(cache=True, nogil=True, parallel=True, fastmath=True)
def _speed(  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
    out: np.ndarray,
    value: np.ndarray,
    direction: np.ndarray,
    hu: np.ndarray,
    state: np.ndarray,
    blood: float,
    circle: np.ndarray,
    sphere: np.ndarray,
    reach: int,
) -> None:
    nk, nj, ni = out.shape
    least = LEAST_RESPONSE * blood
    most_circle, most_sphere = CIRCLE_SHARES[1] * len(circle), SPHERE_SHARES[1] * len(sphere)
    for k in numba.prange(nk):
        for j in range(nj):
            for i in range(ni):
                if value[k, j, i] < least or state[k, j, i] == 2:
                    continue
                dk, dj, di = (
                    float(direction[k, j, i, 0]),
                    float(direction[k, j, i, 1]),
                    float(direction[k, j, i, 2]),
                )
                # two axes across the tube
                if abs(dk) > abs(di):
                    uk, uj, ui = -dj, dk, 0.0
                else:
                    uk, uj, ui = 0.0, -di, dj
                    if abs(dj) < 1e-6 and abs(di) < 1e-6:
                        uk, uj, ui = 0.0, 1.0, 0.0
                size = 1.0 / max(np.sqrt(uk * uk + uj * uj + ui * ui), 1e-6)
                uk, uj, ui = uk * size, uj * size, ui * size
                wk, wj, wi = dj * ui - di * uj, di * uk - dk * ui, dk * uj - dj * uk
                size = 1.0 / max(np.sqrt(wk * wk + wj * wj + wi * wi), 1e-6)
                wk, wj, wi = wk * size, wj * size, wi * size
                limit = VALLEY_SHARE * min(hu[k, j, i], 1.2 * blood)
                filled = 0
                for n in range(len(circle)):
                    x, y = circle[n, 0], circle[n, 1]
                    filled += _open(
                        hu, k, j, i, x * uk + y * wk, x * uj + y * wj, x * ui + y * wi, limit, reach
                    )
                    if filled > most_circle:
                        break
                free = (CIRCLE_SHARES[1] - filled / len(circle)) / (CIRCLE_SHARES[1] - CIRCLE_SHARES[0])
                if free <= 0:
                    continue
                filled = 0
                for n in range(len(sphere)):
                    filled += _open(hu, k, j, i, sphere[n, 0], sphere[n, 1], sphere[n, 2], limit, reach)
                    if filled > most_sphere:
                        break
                around = (SPHERE_SHARES[1] - filled / len(sphere)) / (SPHERE_SHARES[1] - SPHERE_SHARES[0])
                if around <= 0:
                    continue
                surely = min(value[k, j, i] / (FULL_RESPONSE * blood), 1.0)
                out[k, j, i] = surely * min(free, 1.0) * min(around, 1.0)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _open(
    hu: np.ndarray,
    k: int,
    j: int,
    i: int,
    dk: float,
    dj: float,
    di: float,
    limit: float,
    reach: int,
) -> int:
    """1 where blood goes on without a valley from a voxel outwards, over ``reach`` steps; the aorta is not counted."""
    nk, nj, ni = hu.shape
    for s in range(1, reach + 1):
        c, b, a = round(k + s * dk), round(j + s * dj), round(i + s * di)
        if c < 0 or b < 0 or a < 0 or c >= nk or b >= nj or a >= ni:
            return 0
        if hu[c, b, a] < limit:
            return 0
    return 1
