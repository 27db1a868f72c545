"""Composition profiles against the truth, with the true contours: what is left is the profile's own error.

usage: python tests/bench/composition.py [--scenario tree_validation] [--first-seed 2110] [--patients 8]
A profile may become the default only when it beats ``fixed`` (definitions); calcium above 350 HU is the same in all. Blur and
noise are estimated from each scan, as ``analyse`` does. Lesions that reach into a stent are left out. Writes var/bench/composition.json; prints the part of docs/validation-inference.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from page import figure, with_interval  # noqa: E402

from inference.composition_profiles import profile_named  # noqa: E402
from inference.phantom import generate, lesion_truth  # noqa: E402
from inference.phantom.table import TrueLesion, VesselTable  # noqa: E402
from inference.quantification import Imaging, calibration, quantify  # noqa: E402
from inference.quantification.image_quality import image_quality  # noqa: E402
from inference.quantification.stents import find_stents  # noqa: E402
from inference.straightening import straighten  # noqa: E402
from inference.training.agreement import measure_with_interval  # noqa: E402

KEPT = ROOT / "var" / "bench" / "composition.json"
COMPARED = ("fixed", "corrected", "adaptive")
METRICS = {
    "calcified_plaque_volume": ("cp_true", "calcified, mm³"),
    "calcified_plaque_volume_integrated": ("cp_true", "calcified, integrated, mm³"),
    "calcified_plaque_mass": ("mass", "calcium, mg"),
    "low_attenuation_plaque_volume": ("lap_true", "low-attenuation, mm³"),
}
KVP = 120.0  # phantoms hold calcium in HU: any calibration would do, the same for both
CALCIUM_HU = 200.0  # no cell of these phantoms lies between soft plaque (130) and calcium (380)
LEAST_MM3 = 1.0  # of low attenuation, for sensitivity and specificity: what counts as a high-risk feature


def true_mass(table: VesselTable, lesion: TrueLesion) -> float:
    """Calcium of one lesion in mg: HU above the lesion's own soft plaque, summed over its cells, by the calibration."""
    rows = table.rows(lesion.start_mm, lesion.end_mm)
    weight = np.ones(rows.stop - rows.start)
    weight[[0, -1]] = 0.5
    cells = table.cell_volumes()[rows] * table.plaque[rows][..., None] * weight[:, None, None]
    hu = table.hu[rows]
    soft = hu[(cells > 0) & (hu < CALCIUM_HU)]
    above = (hu - (np.median(soft) if len(soft) else 80.0)) * (hu >= CALCIUM_HU)
    return float((cells * above).sum()) / calibration(KVP).hu_per_mg_cc / 1000


def compare(scenario: str, first_seed: int, patients: int) -> dict[str, Any]:
    """Agreement of every profile with the truth, per lesion."""
    pairs: dict[tuple[str, str], list[tuple[int, float, float]]] = defaultdict(list)
    for seed in range(first_seed, first_seed + patients):
        phantom = generate(seed, scenario)
        vessels = [straighten(phantom.volume, line) for line in phantom.stored_points(0.5)]
        metal = find_stents(vessels)
        reads = {vessel.vessel: phantom.truth_read(vessel) for vessel in vessels}
        quality = image_quality(phantom.volume, vessels, [reads[v.vessel].contours for v in vessels])
        imaging = Imaging(psf_plane_mm=quality.psf_plane_mm, psf_along_mm=quality.psf_along_mm, kvp=KVP)
        for vessel in vessels:
            table, read = phantom.vessels[vessel.vessel], reads[vessel.vessel]
            for name in COMPARED:
                found = {
                    (row.lesion, row.metric): row.value
                    for row in quantify(vessel, read, profile_named(name), imaging=imaging)
                    if row.level == "lesion"
                }
                for lesion in read.lesions:
                    if any(
                        a < lesion.end_mm and b > lesion.start_mm for a, b in metal.get(vessel.vessel, ())
                    ):
                        continue
                    true = next(x for x in table.lesions if x.number == lesion.number)
                    exact = {**lesion_truth(table, true), "mass": true_mass(table, true)}
                    for metric, (key, _) in METRICS.items():
                        pairs[name, metric].append((seed, exact[key], float(found[lesion.number, metric])))  # type: ignore[arg-type]
        print(f"composition {scenario} {seed}", file=sys.stderr, flush=True)
    out: dict[str, Any] = {
        "scenario": scenario,
        "first_seed": first_seed,
        "patients": patients,
        "profiles": {},
    }
    for (name, metric), rows in pairs.items():
        seeds, truth, value = (np.array(x) for x in zip(*rows, strict=True))
        told = measure_with_interval(truth, value, seeds)
        if metric == "low_attenuation_plaque_volume":
            there, seen = truth >= LEAST_MM3, value >= LEAST_MM3
            told["sensitivity"] = float(seen[there].mean()) if there.any() else None
            told["specificity"] = float(1 - seen[~there].mean()) if (~there).any() else None
        out["profiles"].setdefault(name, {})[metric] = told
    return out


def section(found: dict[str, Any]) -> list[str]:
    """The part of the page."""
    out = [
        "## Composition profiles, true contours",
        "",
        f"{found['patients']} patients of `{found['scenario']}`, seeds from {found['first_seed']}; contours, marks and extents are "
        "the true ones, so that the rest is the profile's own error; blur is estimated from each scan. The default is `corrected`, "
        "which must beat `fixed`. Calcium of 350 HU and more is seen on the image in every profile (decision “Calcium is judged on the "
        "image”); mass and integrated volume need no threshold.",
        "",
        "| profile | metric | n | truth | bias | mean absolute error | ICC(A,1) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, metrics in found["profiles"].items():
        for metric, m in metrics.items():
            out.append(
                f"| `{name}` | {METRICS[metric][1]} | {m['n']} | {figure(m['truth_mean'], 1)} "
                f"| {with_interval(m['bias'], m['bias_interval'], 2)} | {with_interval(m['mae'], m['mae_interval'], 2)} "
                f"| {with_interval(m['icc_a1'], m['icc_a1_interval'])} |"
            )
    found_at = ", ".join(
        f"`{name}` {figure(m['low_attenuation_plaque_volume']['sensitivity'])} and "
        f"{figure(m['low_attenuation_plaque_volume']['specificity'])}"
        for name, m in found["profiles"].items()
    )
    return [
        *out,
        "",
        f"Sensitivity and specificity for low attenuation of {LEAST_MM3:.0f} mm³: {found_at}.",
        "",
    ]


def main() -> None:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scenario", default="tree_validation")
    parser.add_argument("--first-seed", type=int, default=2110)
    parser.add_argument("--patients", type=int, default=8)
    options = parser.parse_args()
    found = compare(options.scenario, options.first_seed, options.patients)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(found, indent=1))
    print("\n".join(section(found)))


if __name__ == "__main__":
    main()
