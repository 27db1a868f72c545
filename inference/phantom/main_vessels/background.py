"""Everything but the arteries: heart, chambers, aorta, veins, painted onto a grid."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, fastmath=True)
def paint_heart(out, origin, spacing, frame, axes, waves, fat_mm, base_mm, hu_fat, hu_muscle, hu_lung, field):  # type: ignore[no-untyped-def]
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
                        grow *= 1.0 + waves[w, 2] * np.cos(waves[w, 0] * lon + waves[w, 3]) * np.cos(
                            waves[w, 1] * lat
                        )
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
def paint_body(out, origin, spacing, centre, matrix, hu, mixing, reach, field):  # type: ignore[no-untyped-def]
    """One ellipsoid of unevenly mixed blood."""
    nk, nj, ni = out.shape
    k0, k1 = (
        max(0, int((centre[2] - reach - origin[2]) / spacing[2])),
        min(nk, int((centre[2] + reach - origin[2]) / spacing[2]) + 2),
    )
    j0, j1 = (
        max(0, int((centre[1] - reach - origin[1]) / spacing[1])),
        min(nj, int((centre[1] + reach - origin[1]) / spacing[1]) + 2),
    )
    i0, i1 = (
        max(0, int((centre[0] - reach - origin[0]) / spacing[0])),
        min(ni, int((centre[0] + reach - origin[0]) / spacing[0]) + 2),
    )
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
def paint_tube(out, origin, spacing, start, end, radius, hu, open_start):  # type: ignore[no-untyped-def]
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
def paint_vein(out, points, origin, spacing, radius, hu):  # type: ignore[no-untyped-def]
    """A vein of even blood around its points."""
    nk, nj, ni = out.shape
    reach = radius + 0.6
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
                    if d < radius * radius:
                        out[k, j, i] = hu
