"""What a table says of the sections of any straightening: where its contours run, and the share of each pixel.

Compiled; a stepped scan is undone point by point, so that truth is exact on both sides of a step.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from inference.section_grid import MIDDLE, PIXELS, SPACING_ACROSS

from .table import ANGLES, locate, nearest_row, radii_at

MARCH_MM = 0.05
LIMIT_MM = 9.5
NO_STEPS = np.zeros((0, 2))


@njit(cache=True, fastmath=True)
def _unstepped(x, y, z, first, slab, shift):  # type: ignore[no-untyped-def]
    """Where a point of a stepped image lies in the patient."""
    k = min(max(int(np.floor((z - first) / slab + 0.5)), 0), shift.shape[0] - 1)
    return x - shift[k, 0], y - shift[k, 1]


@njit(cache=True, fastmath=True)
def _place(u, v, section, centre, axis_u, axis_v, first, slab, shift):  # type: ignore[no-untyped-def]
    """Where (u, v) mm of a section's plane lie in the patient."""
    x = centre[section, 0] + u * axis_u[section, 0] + v * axis_v[section, 0]
    y = centre[section, 1] + u * axis_u[section, 1] + v * axis_v[section, 1]
    z = centre[section, 2] + u * axis_u[section, 2] + v * axis_v[section, 2]
    if shift.shape[0] > 0:
        x, y = _unstepped(x, y, z, first, slab, shift)
    return x, y, z


@njit(cache=True, fastmath=True)
def contours_of(  # type: ignore[no-untyped-def]
    centre, axis_u, axis_v, points, tangent, u, v, lumen, wall, plaque, first=0.0, slab=1.0, shift=NO_STEPS
):
    """March along 64 rays of every section: where the true lumen and outer wall end, and the mark between."""
    n = centre.shape[0]
    lo_out, hi_out = np.zeros((n, ANGLES), np.float32), np.zeros((n, ANGLES), np.float32)
    mark = np.zeros((n, ANGLES), np.bool_)
    inside = np.zeros((n, 2), np.bool_)
    row_of = np.zeros(n)
    rows = points.shape[0]
    steps = int(LIMIT_MM / MARCH_MM)
    for s in range(n):
        cx, cy = centre[s, 0], centre[s, 1]
        if shift.shape[0] > 0:
            cx, cy = _unstepped(cx, cy, centre[s, 2], first, slab, shift)
        near = nearest_row(cx, cy, centre[s, 2], points)
        near, fraction, du, dv = locate(cx, cy, centre[s, 2], points, tangent, u, v, near)
        row_of[s] = fraction
        lo, hi = radii_at(fraction, np.arctan2(dv, du), lumen, wall)
        here = np.sqrt(du * du + dv * dv)
        inside[s, 0], inside[s, 1] = here < lo or lo <= 0.0, here < hi
        for k in range(ANGLES):
            a = 2 * np.pi * k / ANGLES
            ca, sa = np.cos(a), np.sin(a)
            row = near
            last_lo, last_hi, was_lo, was_hi = 0.0, 0.0, 0.0, 0.0
            for step in range(steps):
                r = step * MARCH_MM
                x = centre[s, 0] + r * (ca * axis_u[s, 0] + sa * axis_v[s, 0])
                y = centre[s, 1] + r * (ca * axis_u[s, 1] + sa * axis_v[s, 1])
                z = centre[s, 2] + r * (ca * axis_u[s, 2] + sa * axis_v[s, 2])
                if shift.shape[0] > 0:
                    x, y = _unstepped(x, y, z, first, slab, shift)
                row, fraction, du, dv = locate(x, y, z, points, tangent, u, v, row)
                q = np.sqrt(du * du + dv * dv)
                lo, hi = radii_at(fraction, np.arctan2(dv, du), lumen, wall)
                is_lo, is_hi = lo - q, hi - q
                if step > 0 and was_lo > 0 and is_lo <= 0:
                    last_lo = r - MARCH_MM * (-is_lo) / (was_lo - is_lo)
                if step > 0 and was_hi > 0 and is_hi <= 0:
                    last_hi = r - MARCH_MM * (-is_hi) / (was_hi - is_hi)
                was_lo, was_hi = is_lo, is_hi
                if is_hi < -2.5:
                    break
            lo_out[s, k] = last_lo
            hi_out[s, k] = max(last_hi, last_lo)
            r = 0.5 * (last_lo + hi_out[s, k])
            x = centre[s, 0] + r * (ca * axis_u[s, 0] + sa * axis_v[s, 0])
            y = centre[s, 1] + r * (ca * axis_u[s, 1] + sa * axis_v[s, 1])
            z = centre[s, 2] + r * (ca * axis_u[s, 2] + sa * axis_v[s, 2])
            if shift.shape[0] > 0:
                x, y = _unstepped(x, y, z, first, slab, shift)
            row, fraction, du, dv = locate(x, y, z, points, tangent, u, v, near)
            q = int(np.round(np.arctan2(dv, du) / (2 * np.pi) * ANGLES)) % ANGLES
            mark[s, k] = plaque[min(max(row, 0), rows - 1), q]
    return lo_out, hi_out, mark, inside, row_of


@njit(cache=True, fastmath=True)
def fractions(  # type: ignore[no-untyped-def]  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
    centre,
    axis_u,
    axis_v,
    points,
    tangent,
    u,
    v,
    lumen,
    wall,
    plaque,
    wall_max,
    sub,
    first=0.0,
    slab=1.0,
    shift=NO_STEPS,
):
    """Share of every pixel inside the outer wall, the lumen, and plaque, times 255."""
    n = centre.shape[0]
    out = np.zeros((n, PIXELS, PIXELS, 3), np.uint8)
    whole = sub * sub
    for s in range(n):
        cx, cy = centre[s, 0], centre[s, 1]
        if shift.shape[0] > 0:
            cx, cy = _unstepped(cx, cy, centre[s, 2], first, slab, shift)
        near = nearest_row(cx, cy, centre[s, 2], points)
        near, fraction, du, dv = locate(cx, cy, centre[s, 2], points, tangent, u, v, near)
        u0, v0 = 0.0, 0.0
        own = (cx, cy, centre[s, 2])
        for c in range(3):
            u0 -= (own[c] - points[near, c]) * axis_u[s, c]
            v0 -= (own[c] - points[near, c]) * axis_v[s, c]
        reach = wall_max[near] * 1.3 + 0.8
        if shift.shape[0] > 0:
            reach += 4.0  # beyond a step the vessel may lie elsewhere
        for r in range(PIXELS):
            pv = (r - MIDDLE) * SPACING_ACROSS
            if abs(pv - v0) > reach:
                continue
            for c in range(PIXELS):
                pu = (c - MIDDLE) * SPACING_ACROSS
                if (pu - u0) ** 2 + (pv - v0) ** 2 > reach * reach:
                    continue
                inside, blood, marked = 0, 0, 0
                row = near
                for a in range(sub):
                    y = pv + ((a + 0.5) / sub - 0.5) * SPACING_ACROSS
                    for b in range(sub):
                        x = pu + ((b + 0.5) / sub - 0.5) * SPACING_ACROSS
                        px, py, pz = _place(x, y, s, centre, axis_u, axis_v, first, slab, shift)
                        row, fraction, du, dv = locate(px, py, pz, points, tangent, u, v, row)
                        q = np.sqrt(du * du + dv * dv)
                        angle = np.arctan2(dv, du)
                        lo, hi = radii_at(fraction, angle, lumen, wall)
                        if q < hi:
                            inside += 1
                            if q < lo:
                                blood += 1
                            elif plaque[row, int(np.round(angle / (2 * np.pi) * ANGLES)) % ANGLES]:
                                marked += 1
                if inside:
                    out[s, r, c, 0] = inside * 255 // whole
                    out[s, r, c, 1] = blood * 255 // whole
                    out[s, r, c, 2] = marked * 255 // whole
    return out


@njit(cache=True, fastmath=True)
def tissues(  # type: ignore[no-untyped-def]  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
    centre,
    axis_u,
    axis_v,
    points,
    tangent,
    u,
    v,
    lumen,
    wall,
    low,
    dense,
    wall_max,
    sub,
    first=0.0,
    slab=1.0,
    shift=NO_STEPS,
):
    """Share of every pixel in two kinds of a table's cells, times 255; as ``fractions``, by depth too."""
    n = centre.shape[0]
    layers = low.shape[2]
    out = np.zeros((n, PIXELS, PIXELS, 2), np.uint8)
    for s in range(n):
        cx, cy = centre[s, 0], centre[s, 1]
        if shift.shape[0] > 0:
            cx, cy = _unstepped(cx, cy, centre[s, 2], first, slab, shift)
        near = nearest_row(cx, cy, centre[s, 2], points)
        if not low[max(0, near - 16) : near + 17].any() and not dense[max(0, near - 16) : near + 17].any():
            continue
        near, fraction, du, dv = locate(cx, cy, centre[s, 2], points, tangent, u, v, near)
        reach = wall_max[near] * 1.3 + 0.8 + np.sqrt(du * du + dv * dv)
        if shift.shape[0] > 0:
            reach += 4.0
        for r in range(PIXELS):
            pv = (r - MIDDLE) * SPACING_ACROSS
            for c in range(PIXELS):
                pu = (c - MIDDLE) * SPACING_ACROSS
                if pu * pu + pv * pv > reach * reach:
                    continue
                soft, hard = 0, 0
                row = near
                for a in range(sub):
                    y = pv + ((a + 0.5) / sub - 0.5) * SPACING_ACROSS
                    for b in range(sub):
                        x = pu + ((b + 0.5) / sub - 0.5) * SPACING_ACROSS
                        px, py, pz = _place(x, y, s, centre, axis_u, axis_v, first, slab, shift)
                        row, fraction, du, dv = locate(px, py, pz, points, tangent, u, v, row)
                        q = np.sqrt(du * du + dv * dv)
                        angle = np.arctan2(dv, du)
                        lo, hi = radii_at(fraction, angle, lumen, wall)
                        if q >= hi or q < lo:
                            continue
                        k = int(np.round(angle / (2 * np.pi) * ANGLES)) % ANGLES
                        d = min(int((q - lo) / max(hi - lo, 1e-9) * layers), layers - 1)
                        soft += low[row, k, d]
                        hard += dense[row, k, d]
                out[s, r, c, 0] = soft * 255 // (sub * sub)
                out[s, r, c, 1] = hard * 255 // (sub * sub)
    return out
