"""The same simulated patients scanned twice: how far measurements of one patient lie apart. Keeps var/bench/repeatability.json.

usage: OMP_NUM_THREADS=1 python tests/bench/repeatability.py [--network served] [--patients 6] [--kept var/repeatability]
Each patient is scanned once more on the same scanner (position, artefacts, noise) and once on another (contrast, kernel,
grid, tube voltage, vendor, noise as well). Writes the weights' table into inference/weights/repeatability.json: for every
metric within-subject coefficient of variation and repeatability coefficient (2.77 within-subject SD; Bland and Altman,
BMJ 1996;312:1654). A run that was stopped goes on with the patients that are missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from page import figure  # noqa: E402

from inference.analysis import Settings  # noqa: E402
from inference.networks import load_network  # noqa: E402
from inference.phantom import generate  # noqa: E402
from inference.pipeline import analyse  # noqa: E402
from inference.quantification import value_of  # noqa: E402
from inference.straightening import straighten  # noqa: E402
from inference.training.calibration import DISPLACEMENT_MM, measuring_code  # noqa: E402
from inference.vocabulary import METRICS  # noqa: E402

KEPT = ROOT / "var" / "bench" / "repeatability.json"
TABLE = ROOT / "inference" / "weights" / "repeatability.json"
SETS = (("tree_validation", 2400), ("tree_validation_wide", 2400))
SCANS = {"first": (1, False), "same scanner": (2, False), "another scanner": (2, True)}
OF_LESIONS = (
    "total_plaque_volume",
    "noncalcified_plaque_volume",
    "calcified_plaque_volume",
    "low_attenuation_plaque_volume",
    "total_plaque_burden",
    "minimal_luminal_area",
    "minimal_luminal_diameter",
    "diameter_stenosis",
    "area_stenosis",
    "remodelling_index",
)
OF_PATIENTS = (
    "total_plaque_volume",
    "noncalcified_plaque_volume",
    "calcified_plaque_volume",
    "percent_atheroma_volume",
)
COEFFICIENT = 2.77
"""1.96 √2: 95 % of differences between two measurements of one subject lie within so many within-subject SD."""


def scanned(seed: int, scenario: str, scan: str, network: Any) -> dict[str, Any]:
    """Numbers of one scan: lesions where they were given, the patient with lesions found."""
    number, other = SCANS[scan]
    phantom = generate(seed, scenario, scan_number=number, other_scanner=other)
    lines = phantom.stored_points(DISPLACEMENT_MM)
    lesions = {line.vessel: phantom.truth_read(straighten(phantom.volume, line)).lesions for line in lines}
    given = analyse(phantom.volume, lines, settings=Settings(lesions=lesions), network=network)
    found = analyse(phantom.volume, lines, network=network)
    patient = next(record for record in found.rolled if record.level == "patient")
    return {
        "lesions": {
            f"{lesion.vessel} {lesion.number}": {m: value_of(lesion, m).number for m in OF_LESIONS}
            for record in given.records
            for lesion in record.lesions
        },
        "patient": {m: value_of(patient, m).number for m in OF_PATIENTS},
    }


def apart(pairs: list[tuple[float, float]]) -> dict[str, float]:
    """Return n, mean, within-subject SD, coefficient of variation (%) and repeatability coefficient of pairs."""
    both = np.array(pairs)
    sd = float(np.sqrt((np.diff(both, axis=1) ** 2 / 2).mean()))
    mean = float(both.mean())
    return {
        "pairs": len(both),
        "mean": mean,
        "within_subject_sd": sd,
        "wcv_percent": 100 * sd / mean if mean else 0.0,
        "repeatability_coefficient": COEFFICIENT * sd,
    }


def compare(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return, per way of scanning again and level, every metric's repeatability; rows hold the scans of a patient."""
    out: dict[str, Any] = {}
    for scan in list(SCANS)[1:]:
        out[scan] = {"lesion": {}, "patient": {}}
        for level, metrics in (("lesion", OF_LESIONS), ("patient", OF_PATIENTS)):
            for metric in metrics:
                pairs = [
                    (a[metric], b[metric])
                    for row in rows
                    for a, b in both(row["first"], row[scan], level)
                    if a[metric] is not None and b[metric] is not None
                ]
                out[scan][level][metric] = apart(pairs)
    return out


def both(first: dict[str, Any], again: dict[str, Any], level: str) -> list[tuple[Any, Any]]:
    """Return the same lesions, or the patient, of two scans."""
    if level == "patient":
        return [(first["patient"], again["patient"])]
    return [(row, again["lesions"][key]) for key, row in first["lesions"].items() if key in again["lesions"]]


def section(found: dict[str, Any]) -> list[str]:
    """Its part of docs/validation-inference.md."""
    out = [
        "## Repeatability",
        "",
        f"{found['patients']} simulated patients ({found['sets']}), each scanned once more on the same scanner (position, artefacts, "
        "noise) and once on another (contrast, kernel, grid, tube voltage, vendor as well). Lesions with their extents given, "
        "patients with lesions found. wCV: within-subject coefficient of variation; RC: repeatability coefficient, 2.77 "
        "within-subject SD, in the metric's unit. Targets for total plaque: ≤ 10 % on the same scanner, ≤ 15 % on another.",
        "",
        "| level | metric | mean | wCV, same scanner | RC | wCV, another scanner | RC |",
        "|---|---|---|---|---|---|---|",
    ]
    same, other = (found["repeatability"][scan] for scan in list(SCANS)[1:])
    for level in ("lesion", "patient"):
        for metric, row in same[level].items():
            cells = [
                part
                for one in (row, other[level][metric])
                for part in (
                    f"{figure(one['wcv_percent'], 1)} %",
                    figure(one["repeatability_coefficient"], METRICS[metric].digits),
                )
            ]
            mean = figure(row["mean"], METRICS[metric].digits)
            out.append(f"| {level} | {METRICS[metric].label} | {mean} | {' | '.join(cells)} |")
    return [*out, ""]


def main() -> None:
    """Scan, measure, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="served")
    parser.add_argument("--patients", type=int, default=6, help="of each scenario")
    parser.add_argument("--kept", type=Path, default=ROOT / "var" / "repeatability")
    parser.add_argument("--table", type=Path, default=TABLE)
    options = parser.parse_args()
    network = load_network(options.network)
    sha256, code = network[1].sha256, measuring_code()
    rows = []
    for scenario, first in SETS:
        for seed in range(first, first + options.patients):
            path = options.kept / sha256[:16] / f"{scenario}-{seed}.json"
            told = json.loads(path.read_text()) if path.exists() else {}
            if told.get("code") != code:
                told = {
                    "code": code,
                    "scans": {scan: scanned(seed, scenario, scan, network) for scan in SCANS},
                }
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(told))
            rows.append(told["scans"])
            print(f"repeatability {scenario} {seed}", file=sys.stderr, flush=True)
    found = {
        "weights_sha256": sha256,
        "patients": len(rows),
        "sets": " and ".join(f"{name} {first}–{first + options.patients - 1}" for name, first in SETS),
        "repeatability": compare(rows),
    }
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(found, indent=1) + "\n")
    tables = json.loads(options.table.read_text()) if options.table.exists() else {}
    tables[sha256] = {"sets": found["sets"], **found["repeatability"]}
    options.table.write_text(json.dumps(tables, indent=1, sort_keys=True) + "\n")
    print("\n".join(section(found)))


if __name__ == "__main__":
    main()
