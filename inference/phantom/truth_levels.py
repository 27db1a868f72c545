"""The truth of a tree phantom as a document: lesions, sections, segments, vessels, territories, patient, findings.

Every number integrates from the vessels' tables: volumes are sums of ``VesselTable.cell_volumes`` and its like (mm³, with
the curvature Jacobian), areas sums over 64 sectors. A lesion's end rows count half, as in ``lesion_truth``, so that
segments, vessels, territories and the patient add up to exactly what their lesions hold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.vocabulary import SEGMENT_SCHEME, SEGMENTS, TERRITORIES, territory_of

from .curve import STEP_MM
from .patient import Findings, Patient
from .table import ANGLES, CALCIFIED_HU, LOW_ATTENUATION_HU, VesselTable
from .truth import lesion_truth

PLAQUE = ("tpv_true", "ncp_true", "cp_true", "lap_true")
VOLUMES = (*PLAQUE, "vessel_true", "lumen_true")
SECTION_ROWS = 4  # one section every millimetre
MATERIAL_UNITS = {
    "*_mg": "mg hydroxyapatite",
    "*_mg_cc": "mg hydroxyapatite per cc of calcium, mean",
    "*_mg_ml": "mg iodine per ml of blood at the aorta",
    "*_lp_mm": "line pairs per mm",
}


def plaque_weights(table: VesselTable) -> NDArray[np.float64]:
    """(n,) what of each row counts as plaque: 1 inside a lesion, ½ at its two end rows, 0 elsewhere."""
    out = np.zeros(len(table.lumen))
    for lesion in table.lesions:
        rows = table.rows(lesion.start_mm, lesion.end_mm)
        out[rows] += 1.0
        out[[rows.start, rows.stop - 1]] -= 0.5
    return out


def row_volumes(table: VesselTable) -> dict[str, NDArray[np.float64]]:
    """(n,) mm³ of each row: plaque by composition, vessel, lumen; the vessel's end rows count half."""
    cell = table.cell_volumes() * table.plaque[..., None] * plaque_weights(table)[:, None, None]
    calcified = (cell * (table.hu >= CALCIFIED_HU)).sum((1, 2))
    total = cell.sum((1, 2))
    ends = np.ones(len(total))
    ends[[0, -1]] = 0.5
    return {
        "tpv_true": total,
        "ncp_true": total - calcified,
        "cp_true": calcified,
        "lap_true": (cell * (table.hu < LOW_ATTENUATION_HU)).sum((1, 2)),
        "vessel_true": table.vessel_volumes().sum(1) * ends,
        "lumen_true": table.lumen_volumes().sum(1) * ends,
    }


def _sums(parts: list[dict[str, NDArray[np.float64]]], length_mm: float) -> dict[str, Any]:
    out: dict[str, Any] = {"length_mm": length_mm}
    for name in VOLUMES:
        out[name] = float(sum(p[name].sum() for p in parts))
    whole = out["vessel_true"]
    for name in PLAQUE:
        out[name.replace("_true", "_burden_percent")] = 100 * out[name] / whole if whole > 0 else None
    return out


def _position(table: VesselTable, mm: float) -> float:
    """Where a position of the vessel lies along its centreline in the image (they differ only across a step)."""
    return float(np.interp(mm, table.curve.arc_length, table.curve.position))


def lesion_rows(table: VesselTable) -> list[dict[str, Any]]:
    """``lesion_truth`` of every lesion, with its segment and what follows from it."""
    out = []
    for lesion in table.lesions:
        row = lesion_truth(table, lesion)
        rows = table.rows(lesion.start_mm, lesion.end_mm)
        row["segment"] = Counter(table.segment[rows]).most_common(1)[0][0]
        row["length_mm"] = lesion.end_mm - lesion.start_mm
        reference = row["reference_diameter_mm"]
        row["mld_mm"] = 2 * float(np.sqrt(row["mla_mm2"] / np.pi))
        row["reference_area_mm2"] = np.pi * reference**2 / 4
        row["area_stenosis_percent"] = (
            float(max(0.0, 100 * (1 - row["mla_mm2"] / row["reference_area_mm2"]))) if reference else None
        )
        for name in PLAQUE:
            row[name.replace("_true", "_burden_percent")] = 100 * row[name] / row["vessel_true"]
        row["start_mm"], row["end_mm"] = (_position(table, x) for x in (lesion.start_mm, lesion.end_mm))
        out.append(row)
    return out


def section_rows(table: VesselTable) -> list[dict[str, Any]]:
    """Areas mm² every millimetre of vessel."""
    lumen, wall = table.lumen_area(), table.wall_area()
    ring = (table.wall.astype(float) ** 2 - table.lumen.astype(float) ** 2) * np.pi / ANGLES
    plaque = (ring * table.plaque).sum(1)
    return [
        {
            "position_mm": round(float(table.curve.position[n]), 4),
            "segment": table.segment[n],
            "lumen_area_mm2": round(float(lumen[n]), 5),
            "wall_area_mm2": round(float(wall[n]), 5),
            "plaque_area_mm2": round(float(plaque[n]), 5),
        }
        for n in range(0, len(lumen), SECTION_ROWS)
    ]


def _findings(found: Findings, tables: dict[str, VesselTable]) -> dict[str, Any]:
    def placed(row: Any) -> dict[str, Any]:
        out = asdict(row)
        table = tables[out["vessel"]]
        return out | {k: _position(table, out[k]) for k in ("start_mm", "end_mm")}

    return {
        "dominance": found.dominance,
        "acute_margin_mm": _position(tables["RCA"], found.acute_margin_mm),
        "bridges": [placed(x) for x in found.bridges],
        "stents": [placed(x) for x in found.stents],
        "artefacts": {
            "motion": [placed(x) | {"length_mm": x.length_mm} for x in found.motions],
            "step": [asdict(x) for x in found.steps],
        },
    }


def tree_truth_document(
    tables: dict[str, VesselTable], patient: Patient, *, seed: int, scenario: str
) -> dict[str, Any]:
    """What ``truth.json`` of a tree phantom holds; ``tables`` are the tracked vessels."""
    volumes = {name: row_volumes(t) for name, t in tables.items()}
    lesions = [row for t in tables.values() for row in lesion_rows(t)]
    order = {s.short: s.number for s in SEGMENTS}
    parts: dict[str, list[tuple[str, NDArray[np.int_]]]] = {}
    for name, table in tables.items():
        labels = np.array(table.segment)
        for label in dict.fromkeys(table.segment):
            parts.setdefault(label, []).append((name, np.flatnonzero(labels == label)))

    def worst(rows: list[dict[str, Any]]) -> float | None:
        found = [r["diameter_stenosis_percent"] for r in rows if r["diameter_stenosis_percent"] is not None]
        return max(found, default=None)

    def total(names: list[str]) -> dict[str, Any]:
        rows = [r for r in lesions if r["vessel"] in names]
        return {
            **_sums([volumes[n] for n in names], sum(tables[n].curve.length_mm for n in names)),
            "lesions": len(rows),
            "worst_diameter_stenosis_percent": worst(rows),
        }

    segments = []
    for label in sorted((x for x in parts if x), key=order.__getitem__):
        chosen = [{k: v[rows] for k, v in volumes[name].items()} for name, rows in parts[label]]
        length = sum(len(rows) for _, rows in parts[label]) * STEP_MM
        segments.append({"segment": label, "number": order[label], **_sums(chosen, length)})
    return {
        "seed": seed,
        "scenario": scenario,
        "simulated": True,
        "settings": patient.settings,
        "units": {
            "*_mm": "mm (positions: along the vessel's centreline in centrelines.csv)",
            "*_mm2": "mm2",
            "*_true": "mm3, with the curvature Jacobian",
            "*_percent": "%",
            "*_hu": "HU",
            "*_z_mm, shift_mm, path_mm": "mm, DICOM patient LPS",
            **(MATERIAL_UNITS if any(t.calcium is not None for t in tables.values()) else {}),
        },
        "segment_scheme": SEGMENT_SCHEME,
        "lumen_hu": patient.settings["contrast_hu"],
        "noise_hu": patient.settings["noise_hu"],
        "header_style": patient.header.style.name,
        **_findings(patient.findings, tables),
        "lesions": lesions,
        "segments": segments,
        "vessels": [{"vessel": name, **total([name])} for name in tables],
        "territories": [
            {"territory": t, **total([n for n in tables if territory_of(n) == t])} for t in TERRITORIES
        ],
        "patient": total(list(tables)),
        "sections": {name: section_rows(t) for name, t in tables.items()},
    }
