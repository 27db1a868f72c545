"""The truth of a phantom in the forms that others ask for: contours, soft labels, lesion tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from inference.contours import VesselContours
from inference.quantification import Lesion, VesselRead
from inference.straightening import StraightenedVessel

from .curve import STEP_MM
from .table import (
    CALCIFIED_HU,
    LOW_ATTENUATION_HU,
    TrueLesion,
    VesselTable,
)
from .truth_kernels import LIMIT_MM, contours_of, fractions, tissues


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
    return np.asarray(fractions(*_arguments(table, vessel), table.wall.max(1), subsamples, *_stepped(table)))  # type: ignore[call-arg]


def tissue_targets(table: VesselTable, vessel: StraightenedVessel) -> NDArray[np.uint8]:
    """(S, 64, 64, 2) uint8: 255 × the share of each pixel that is low-attenuation plaque and calcified plaque."""
    low = table.plaque[..., None] & (table.hu < LOW_ATTENUATION_HU)
    dense = table.plaque[..., None] & (table.hu >= CALCIFIED_HU)
    arguments = _arguments(table, vessel)[:-1]
    return np.asarray(tissues(*arguments, low, dense, table.wall.max(1), 3, *_stepped(table)))  # type: ignore[call-arg]


def truth_read(table: VesselTable, vessel: StraightenedVessel) -> VesselRead:
    """The true read of one vessel, expressed on any straightening of it.

    Where the section's centre lies outside the lumen the contour is not star-shaped about it, and the section
    carries a label mask.
    """
    lumen, wall, mark, inside, row_of = contours_of(*_arguments(table, vessel), *_stepped(table))
    off = np.flatnonzero(~inside.all(axis=1))
    masks: dict[int, NDArray[np.uint8]] = {}
    if len(off):
        part = (vessel.centre[off], vessel.axis_u[off], vessel.axis_v[off], *_arguments(table, vessel)[3:])
        share = fractions(*part, table.wall.max(1), 3, *_stepped(table))  # type: ignore[call-arg]
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
        **_calcium_by_material(table, rows, cell),
    }


def _calcium_by_material(
    table: VesselTable, rows: slice, cell: NDArray[np.float64]
) -> dict[str, float | None]:
    """Volume (mm³), mass (mg) and mean density (mg/cc) of a lesion's calcium, where its image is made of materials.

    ``cp_true`` is by profile: what reads 350 HU or more at the scan's voltage before any blur.
    """
    if table.calcium is None:
        return {}
    density = table.calcium[rows]
    volume, mass = float(cell[density > 0].sum()), float((cell * density).sum() / 1000)
    return {
        "calcium_volume_true": volume,
        "calcium_mg": mass,
        "calcium_mg_cc": 1000 * mass / volume if volume > 0 else None,
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
