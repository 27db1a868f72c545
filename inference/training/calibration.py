"""How a network errs on simulated patients whose truth is known: what intervals are calibrated on, and checked by.

Every patient is analysed twice, with lesions given and with lesions found, exactly as a scan would be. Patients of
calibration, of the check, and of training have different seeds; phantoms of other generators are never used here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from inference.analysis import Analysis, Settings
from inference.certainty.intervals import CALIBRATED, Calibration, Judged, judged
from inference.code_version import DATA, NUMBERS, PACKAGE, WITHOUT_NUMBERS, version_of
from inference.composition_profiles import profile_named
from inference.phantom import generate, lesion_truth
from inference.phantom.phantom import Phantom
from inference.phantom.truth_levels import row_volumes
from inference.pipeline import analyse
from inference.quantification import VesselRead, measure, value_of
from inference.straightening import straighten

from .config import PatientSet

# Half of usual plaque and sharp kernels, half of large plaque and clinical kernels, some soft ones: twenty minutes of one
# core. Seeds that neither training nor any choice has used.
CALIBRATION: tuple[PatientSet, ...] = (
    ("tree_validation", 2200, 20),
    ("tree_validation_wide", 2200, 24),
    ("soft_kernel", 2200, 8),
)
HELD_OUT: tuple[PatientSet, ...] = (
    ("tree_validation", 2300, 8),
    ("tree_validation_wide", 2300, 8),
)
DISPLACEMENT_MM = 0.5
"""Of the centrelines, as in every evaluation."""
PROFILE = "corrected"
TRUTH = {
    "total_plaque_volume": "tpv_true",
    "noncalcified_plaque_volume": "ncp_true",
    "calcified_plaque_volume": "cp_true",
    "low_attenuation_plaque_volume": "lap_true",
    "diameter_stenosis": "diameter_stenosis_percent",
}
READ_FIRST = 0.2
"""The fifth of the lesions that is read first."""


def measuring_code() -> str:
    """Version of the code that a kept patient was measured by; the table of intervals itself does not count."""
    data = [name for name in DATA if not name.endswith("intervals.json")]
    return version_of(PACKAGE, modules=NUMBERS, without=WITHOUT_NUMBERS, data=data)


def lesions_of(
    sets: Iterable[PatientSet], network: Any, *, kept: Path, say: Callable[[str], None]
) -> list[Judged]:
    """Return the judged lesions of every patient of these sets.

    Parameters
    ----------
    network : a loaded network with its card. kept : folder of patients that are done; one that the same weights and the
        same code made is read from there, so that a run that was stopped goes on where it was.
    """
    _, card = network
    code = measuring_code()
    out: list[Judged] = []
    for scenario, first, count in sets:
        for seed in range(first, first + count):
            path = kept / card.sha256[:16] / f"{scenario}-{seed}.json"
            told = json.loads(path.read_text()) if path.exists() else {}
            if told.get("code") != code:
                rows = judge(generate(seed, scenario), network)
                told = {"code": code, "lesions": [asdict(row) for row in rows]}
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_suffix(".part")
                part.write_text(json.dumps(told))
                part.replace(path)
            out += [Judged(**row) for row in told["lesions"]]
            say(f"{scenario} {seed}: {len(out)} lesions")
    return out


def judge(phantom: Phantom, network: Any) -> list[Judged]:
    """Analyse a patient with lesions given and with lesions found; lesions that reach into a stent are left out."""
    lines = phantom.stored_points(DISPLACEMENT_MM)
    true = {x.vessel: phantom.truth_read(x) for x in (straighten(phantom.volume, line) for line in lines)}
    given = {name: read.lesions for name, read in true.items()}
    out = []
    for how, lesions in (("given", given), ("found", None)):
        settings = Settings(profile=PROFILE, lesions=lesions)
        analysis = analyse(phantom.volume, lines, settings=settings, network=network)
        truth = _truth_of_given(phantom) if lesions else _truth_of_found(phantom, analysis, true)
        for read, record in zip(analysis.reads, analysis.records, strict=True):
            extents = {lesion.number: lesion for lesion in read.lesions}
            for lesion in record.lesions:
                place = extents[lesion.number]
                if any(a < place.end_mm and b > place.start_mm for a, b, _ in read.excluded):
                    continue
                codes = [
                    doubt.code
                    for doubt in analysis.doubts
                    if doubt.vessel == read.vessel and doubt.lesion == lesion.number
                ]
                signs = analysis.signs[read.vessel][lesion.number]
                patient = f"{phantom.scenario} {phantom.seed}"
                out.append(judged(patient, how, lesion, signs, truth[read.vessel, lesion.number], codes))
    return out


def _truth_of_given(phantom: Phantom) -> dict[tuple[str, int], dict[str, float | None]]:
    out = {}
    for table in phantom.vessels.values():
        for lesion in table.lesions:
            exact = lesion_truth(table, lesion)
            out[table.name, lesion.number] = {metric: exact[key] for metric, key in TRUTH.items()}
    return out


def _truth_of_found(
    phantom: Phantom, analysis: Analysis, true: dict[str, VesselRead]
) -> dict[tuple[str, int], dict[str, float | None]]:
    """What truly lies in the extents that were found: the table's rows there, and the stenosis of the true contours."""
    out = {}
    for vessel, read in zip(analysis.vessels, analysis.reads, strict=True):
        table = phantom.vessels[vessel.vessel]
        row_of = cKDTree(table.curve.points).query(vessel.centre)[1]
        volumes = row_volumes(table)
        within = measure(vessel, _read_of(true[vessel.vessel], read), profile_named("fixed"))
        for lesion, record in zip(read.lesions, within.lesions, strict=True):
            ends = np.interp((lesion.start_mm, lesion.end_mm), vessel.arc_length, row_of)
            first, last = np.rint(ends).astype(int)
            rows = slice(int(first), int(last) + 1)
            values: dict[str, float | None] = {
                metric: float(volumes[key][rows].sum()) for metric, key in TRUTH.items() if key in volumes
            }
            values["diameter_stenosis"] = value_of(record, "diameter_stenosis").number
            out[vessel.vessel, lesion.number] = values
    return out


def _read_of(true: VesselRead, found: VesselRead) -> VesselRead:
    """The true contours of a vessel with the lesions that were found, and what was left out there."""
    return replace(true, lesions=found.lesions, excluded=found.excluded)


def checked(calibration: Calibration, lesions: Sequence[Judged]) -> dict[str, Any]:
    """Return, per way and metric, how often the interval holds the truth, how wide it is, and what reading by it recovers.

    ``first_fifth`` : share of all error that lies in the fifth of the lesions with the widest intervals; ``at_best`` : in
    the fifth with the largest errors, which no order can exceed. ``doubts`` : per code, the share of the lesions that
    have it and the mean error of total plaque with and without it.
    """
    out: dict[str, Any] = {}
    for how in sorted({row.how for row in lesions}):
        mine = [row for row in lesions if row.how == how]
        found = [calibration.intervals(np.array(row.predictors), row.numbers, how) for row in mine]
        out[how] = {
            "lesions": len(mine),
            "patients": len({row.patient for row in mine}),
            "metrics": {metric: _checked(metric, mine, found) for metric in CALIBRATED},
            "doubts": _by_doubt(mine),
        }
    return out


def _checked(
    metric: str, lesions: Sequence[Judged], found: Sequence[dict[str, tuple[float, float]]]
) -> dict[str, float]:
    rows = [
        (*interval[metric], number, true)
        for row, interval in zip(lesions, found, strict=True)
        if (true := row.truth[metric]) is not None and (number := row.numbers[metric]) is not None
    ]
    low, high, number, true = np.array(rows).T
    error, width = np.abs(number - true), high - low
    first = max(1, round(READ_FIRST * len(error)))
    return {
        "coverage": float(((low <= true) & (true <= high)).mean()),
        "median_width": float(np.median(width)),
        "mean_error": float(error.mean()),
        "first_fifth": float(error[np.argsort(-width)[:first]].sum() / max(error.sum(), 1e-9)),
        "at_best": float(np.sort(error)[::-1][:first].sum() / max(error.sum(), 1e-9)),
    }


def _by_doubt(lesions: Sequence[Judged]) -> dict[str, dict[str, float | None]]:
    error = np.array(
        [
            abs((row.numbers["total_plaque_volume"] or 0.0) - (row.truth["total_plaque_volume"] or 0.0))
            for row in lesions
        ]
    )
    out: dict[str, dict[str, float | None]] = {}
    for code in sorted({code for row in lesions for code in row.doubts}):
        has = np.array([code in row.doubts for row in lesions])
        out[code] = {
            "share": float(has.mean()),
            "mean_error_with": float(error[has].mean()),
            "mean_error_without": float(error[~has].mean()) if (~has).any() else None,
        }
    return out
