"""The truth of a phantom in the forms that others ask for: contours, soft labels, lesion tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from inference.contours import VesselContours
from inference.quantification import Lesion, VesselRead
from inference.straightening import MIDDLE, PIXELS, SPACING_ACROSS, StraightenedVessel

from .curve import STEP_MM
from .table import (
    ANGLES,
    CALCIFIED_HU,
    LOW_ATTENUATION_HU,
    TrueLesion,
    VesselTable,
    locate,
    nearest_row,
    radii_at,
)

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
def _contours(  # type: ignore[no-untyped-def]
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
def _fractions(  # type: ignore[no-untyped-def]  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
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
def _tissues(  # type: ignore[no-untyped-def]  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
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
    """Share of every pixel in two kinds of a table's cells, times 255; as ``_fractions``, by depth too."""
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


def _arguments(table: VesselTable, vessel: StraightenedVessel) -> tuple[NDArray[Any], ...]:
    c = table.curve
    return (
        vessel.centre,
        vessel.axis_u,
        vessel.axis_v,
        c.own_points,
        c.tangent,
        c.u,
        c.v,
        table.lumen,
        table.wall,
        table.plaque,
    )


def _stepped(table: VesselTable) -> tuple[Any, ...]:
    """What the two kernels need to know of a stepped scan; nothing for any other."""
    slabs = table.curve.slabs
    return () if slabs is None else (slabs.first_mm, slabs.slice_mm, slabs.shift_mm)


def soft_targets(table: VesselTable, vessel: StraightenedVessel, *, subsamples: int = 3) -> NDArray[np.uint8]:
    """(S, 64, 64, 3) uint8: 255 × the share of each pixel inside outer wall, lumen and plaque."""
    return np.asarray(_fractions(*_arguments(table, vessel), table.wall.max(1), subsamples, *_stepped(table)))  # type: ignore[call-arg]


def tissue_targets(table: VesselTable, vessel: StraightenedVessel) -> NDArray[np.uint8]:
    """(S, 64, 64, 2) uint8: 255 × the share of each pixel that is low-attenuation plaque and calcified plaque."""
    low = table.plaque[..., None] & (table.hu < LOW_ATTENUATION_HU)
    dense = table.plaque[..., None] & (table.hu >= CALCIFIED_HU)
    arguments = _arguments(table, vessel)[:-1]
    return np.asarray(_tissues(*arguments, low, dense, table.wall.max(1), 3, *_stepped(table)))  # type: ignore[call-arg]


def truth_read(table: VesselTable, vessel: StraightenedVessel) -> VesselRead:
    """The true read of one vessel, expressed on any straightening of it.

    Where the section's centre lies outside the lumen the contour is not star-shaped about it, and the section
    carries a label mask.
    """
    lumen, wall, mark, inside, row_of = _contours(*_arguments(table, vessel), *_stepped(table))
    off = np.flatnonzero(~inside.all(axis=1))
    masks: dict[int, NDArray[np.uint8]] = {}
    if len(off):
        part = (vessel.centre[off], vessel.axis_u[off], vessel.axis_v[off], *_arguments(table, vessel)[3:])
        share = _fractions(*part, table.wall.max(1), 3, *_stepped(table))  # type: ignore[call-arg]
        for n, section in enumerate(off):
            wall_label = np.where(
                2.0 * share[n, ..., 2] > share[n, ..., 0].astype(float) - share[n, ..., 1], 3, 2
            )
            label = np.where(share[n, ..., 1] > 127, 1, np.where(share[n, ..., 0] > 127, wall_label, 0))
            masks[int(section)] = label.astype(np.uint8)
    contours = VesselContours(
        lumen_radius=lumen,
        wall_radius=np.minimum(wall, np.float32(LIMIT_MM)),
        plaque=mark,
        masks=masks,
        provenance={"source": "phantom truth"},
    )
    position = np.maximum.accumulate(row_of) * STEP_MM
    lesions = []
    for lesion in table.lesions:
        if lesion.end_mm <= position[0] or lesion.start_mm >= position[-1]:
            continue
        start, end = np.interp([lesion.start_mm, lesion.end_mm], position, vessel.arc_length)
        if end > start:
            lesions.append(Lesion(number=lesion.number, start_mm=float(start), end_mm=float(end)))
    return VesselRead(vessel=vessel.vessel, contours=contours, lesions=tuple(lesions))


def lesion_truth(table: VesselTable, lesion: TrueLesion) -> dict[str, Any]:
    """Exact numbers of one lesion: volumes mm³ with the curvature Jacobian, areas mm², stenosis %, extents mm.

    The reference rule is that of definitions.md: per side the median area-derived diameter over 3 mm that starts
    0.6 mm outside the lesion; a side that lies in another lesion or off the vessel doesn't count; where neither
    counts, a straight line through the healthy diameters of the vessel.
    """
    rows = table.rows(lesion.start_mm, lesion.end_mm)
    weight = np.ones(rows.stop - rows.start)
    weight[[0, -1]] = 0.5
    mark = table.plaque[rows][..., None] * weight[:, None, None]
    cell = table.cell_volumes()[rows] * mark
    hu = table.hu[rows]
    area = table.lumen_area()
    smooth = gaussian_filter1d(area, 0.3 / STEP_MM, mode="nearest")
    mla = float(max(0.0, smooth[rows].min()))
    diameter = 2 * np.sqrt(area / np.pi)
    reference = _reference(table, lesion, diameter)
    mld = 2 * np.sqrt(mla / np.pi)
    total = float(cell.sum())
    calcified = float(cell[hu >= CALCIFIED_HU].sum())
    return {
        "vessel": table.name,
        "lesion": lesion.number,
        "start_mm": lesion.start_mm,
        "end_mm": lesion.end_mm,
        "composition": lesion.composition,
        "mla_mm2": mla,
        "reference_diameter_mm": reference,
        "diameter_stenosis_percent": float(max(0.0, 100 * (1 - mld / reference))) if reference else None,
        "tpv_true": total,
        "ncp_true": total - calcified,
        "cp_true": calcified,
        "lap_true": float(cell[hu < LOW_ATTENUATION_HU].sum()),
        "vessel_true": float((table.vessel_volumes()[rows] * weight[:, None]).sum()),
        "lumen_true": float((table.lumen_volumes()[rows] * weight[:, None]).sum()),
    }


def _reference(table: VesselTable, lesion: TrueLesion, diameter: NDArray[np.float64]) -> float:
    n = len(diameter)
    inside = np.zeros(n, bool)
    for other in table.lesions:
        inside[table.rows(other.start_mm, other.end_mm)] = True
    sides = []
    for low, high in (
        (lesion.start_mm - 3.6, lesion.start_mm - 0.6),
        (lesion.end_mm + 0.6, lesion.end_mm + 3.6),
    ):
        a, b = round(low / STEP_MM), round(high / STEP_MM) + 1
        if a >= 0 and b <= n and not inside[a:b].any():
            sides.append(float(np.median(diameter[a:b])))
    if sides:
        return float(np.mean(sides))
    free = np.flatnonzero(~inside)
    if len(free) < 8:
        return float(diameter.max())
    line = np.polyfit(free * STEP_MM, diameter[free], 1)
    return float(np.polyval(line, 0.5 * (lesion.start_mm + lesion.end_mm)))


def truth_document(
    tables: dict[str, VesselTable],
    *,
    seed: int,
    scenario: str,
    settings: dict[str, float],
) -> dict[str, Any]:
    """What ``truth.json`` holds."""
    return {
        "seed": seed,
        "scenario": scenario,
        "simulated": True,
        "settings": settings,
        "units": {
            "*_mm": "mm",
            "*_mm2": "mm2",
            "*_true": "mm3, with the curvature Jacobian",
            "*_percent": "%",
            "*_hu": "HU",
        },
        "lumen_hu": settings["contrast_hu"],
        "noise_hu": settings["noise_hu"],
        "lesions": [lesion_truth(t, lesion) for t in tables.values() for lesion in t.lesions],
    }
