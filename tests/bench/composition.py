"""Composition profiles against the truth, with the true contours: what is left is the profile's own error.

usage: python tests/bench/composition.py [--scenario tree_validation] [--first-seed 2110] [--patients 8]
A profile may become the default only when it beats ``fixed`` here (definitions). Lesions that reach into a stent are
left out. Writes var/bench/composition.json; prints the part of docs/validation-inference.md.
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
from inference.quantification import quantify  # noqa: E402
from inference.quantification.stents import find_stents  # noqa: E402
from inference.straightening import straighten  # noqa: E402
from inference.training.agreement import measure_with_interval  # noqa: E402

KEPT = ROOT / "var" / "bench" / "composition.json"
COMPARED = ("fixed", "corrected", "adaptive")
METRICS = {
    "calcified_plaque_volume": ("cp_true", "calcified, mm³"),
    "low_attenuation_plaque_volume": ("lap_true", "low-attenuation, mm³"),
}


def compare(scenario: str, first_seed: int, patients: int) -> dict[str, Any]:
    """Agreement of every profile with the truth, per lesion."""
    pairs: dict[tuple[str, str], list[tuple[int, float, float]]] = defaultdict(list)
    for seed in range(first_seed, first_seed + patients):
        phantom = generate(seed, scenario)
        vessels = [straighten(phantom.volume, line) for line in phantom.stored_points(0.5)]
        metal = find_stents(vessels)
        for vessel in vessels:
            table, read = phantom.vessels[vessel.vessel], phantom.truth_read(vessel)
            for name in COMPARED:
                found = {
                    (row.lesion, row.metric): row.value
                    for row in quantify(vessel, read, profile_named(name))
                    if row.level == "lesion"
                }
                for lesion in read.lesions:
                    if any(
                        a < lesion.end_mm and b > lesion.start_mm for a, b in metal.get(vessel.vessel, ())
                    ):
                        continue
                    exact = lesion_truth(table, next(x for x in table.lesions if x.number == lesion.number))
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
        out["profiles"].setdefault(name, {})[metric] = measure_with_interval(truth, value, seeds)
    return out


def section(found: dict[str, Any]) -> list[str]:
    """The part of the page."""
    out = [
        "## Composition profiles, true contours",
        "",
        f"{found['patients']} patients of `{found['scenario']}`, seeds from {found['first_seed']}; contours, marks and extents are "
        "the true ones, so that the rest is the profile's own error. The default is `corrected`, which must beat `fixed` here.",
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
    return [*out, ""]


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
