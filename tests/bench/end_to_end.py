"""From a DICOM folder to a patient's totals, centrelines found and given: agreement with the truth, seconds, memory.

usage: python tests/bench/end_to_end.py [--scenario tree_validation] [--first-seed 500] [--patients 20] [--out FILE]
       python tests/bench/end_to_end.py --memory VESSELS FOLDER      (one run in a process of its own)

Every patient is written as DICOM and analysed twice as a user's is: with the centrelines that are found in the scan, and
with given ones (the true ones, 0.5 mm off). Patient totals of both stand against the truth, which counts all tracked
vessels, found or not. Choices are made on tree_validation; tree_test is opened by the final measurement.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from networks import commit  # noqa: E402
from page import WORDS, figure, with_interval  # noqa: E402
from run import machine  # noqa: E402

from inference.analysis import Analysis, Settings  # noqa: E402
from inference.centreline.automatic import find_centrelines  # noqa: E402
from inference.centreline.lines import read_centrelines, write_centrelines  # noqa: E402
from inference.errors import RefusedScan  # noqa: E402
from inference.networks import load_network  # noqa: E402
from inference.phantom import generate, write_dicom  # noqa: E402
from inference.phantom.phantom import Phantom  # noqa: E402
from inference.phantom.truth_levels import row_volumes  # noqa: E402
from inference.pipeline import analyse  # noqa: E402
from inference.scan import read_series  # noqa: E402
from inference.training.agreement import by_patient, icc_a1  # noqa: E402
from inference.vocabulary import VESSELS  # noqa: E402

KEPT = ROOT / "var" / "bench" / "end_to_end.json"
TRUTH = {
    "total_plaque_volume": "tpv_true",
    "noncalcified_plaque_volume": "ncp_true",
    "calcified_plaque_volume": "cp_true",
    "low_attenuation_plaque_volume": "lap_true",
}
ROUTES = ("automatic", "given")
DISPLACEMENT_MM = 0.5
VESSEL_COUNTS = (3, 8, 14)
STAGES = ("read", "centrelines", "straighten", "segment", "contours", "quantify")


def truth_of(phantom: Phantom) -> dict[str, float]:
    """The patient's true totals, mm³."""
    rows = [row_volumes(t) for t in phantom.vessels.values()]
    return {metric: float(sum(r[name].sum() for r in rows)) for metric, name in TRUTH.items()}


def totals(analysis: Analysis) -> dict[str, float]:
    """The patient's totals, mm³."""
    rows = {r.metric: r.value for r in analysis.measurements if r.level == "patient" and r.metric in TRUTH}
    return {metric: float(rows.get(metric) or 0.0) for metric in TRUTH}


def one_patient(seed: int, scenario: str, network: Any) -> dict[str, Any]:
    """Analyse one patient both ways."""
    phantom = generate(seed, scenario)
    out: dict[str, Any] = {"seed": seed, "truth": truth_of(phantom), "refused": ""}
    given = phantom.stored_points(DISPLACEMENT_MM)
    with tempfile.TemporaryDirectory() as folder:
        write_dicom(phantom, Path(folder))
        del phantom
        clock = [(time.perf_counter(), time.process_time())]
        volume = read_series(folder)
        clock.append((time.perf_counter(), time.process_time()))
    try:
        lines = list(find_centrelines(volume).lines)
    except RefusedScan as error:
        lines, out["refused"] = [], error.code
    clock.append((time.perf_counter(), time.process_time()))
    seconds = {"read": clock[1][0] - clock[0][0], "centrelines": clock[2][0] - clock[1][0]}
    if lines:
        automatic = analyse(volume, lines, settings=Settings(), network=network)
        clock.append((time.perf_counter(), time.process_time()))
        out["automatic"] = totals(automatic)
        seconds |= {s: automatic.timings[s] for s in STAGES if s in automatic.timings}
        out["sections"] = sum(v.sections for v in automatic.vessels)
    else:
        out["automatic"] = dict.fromkeys(TRUTH, 0.0)
    out["given"] = totals(analyse(volume, given, settings=Settings(), network=network))
    out["seconds"] = {k: round(v, 3) for k, v in seconds.items()}
    out["whole_s"] = round(clock[-1][0] - clock[0][0], 3)
    out["whole_core_s"] = round(clock[-1][1] - clock[0][1], 3)
    return out


def agreement(patients: list[dict[str, Any]]) -> dict[str, Any]:
    """ICC(A,1) of both routes with the truth per metric, and their difference, with 95 % intervals over patients."""
    number = np.arange(len(patients))
    out: dict[str, Any] = {}
    for metric in TRUTH:
        truth = np.array([p["truth"][metric] for p in patients])
        found = {route: np.array([p[route][metric] for p in patients]) for route in ROUTES}

        def icc(rows: np.ndarray, route: str, truth: Any = truth, found: Any = found) -> float | None:
            return icc_a1(truth[rows], found[route][rows])

        def less(rows: np.ndarray, icc: Any = icc) -> float | None:
            given, automatic = icc(rows, "given"), icc(rows, "automatic")
            return None if given is None or automatic is None else given - automatic

        out[metric] = {
            "truth_mean": float(truth.mean()),
            **{
                route: {
                    "icc_a1": icc(number, route),
                    "icc_a1_interval": by_patient(number, lambda rows, route=route: icc(rows, route)),  # type: ignore[misc]
                    "bias": float((found[route] - truth).mean()),
                    "mae": float(np.abs(found[route] - truth).mean()),
                }
                for route in ROUTES
            },
            "given_less_automatic": less(number),
            "given_less_automatic_interval": by_patient(number, less),
        }
    return out


def memory(seed: int, scenario: str) -> list[dict[str, float]]:
    """Peak memory of whole runs with more and more vessels, each in a process of its own, MiB beyond the volume."""
    out = []
    with tempfile.TemporaryDirectory() as folder:
        phantom = generate(seed, scenario)
        write_dicom(phantom, Path(folder) / "dicom")
        lines = phantom.centrelines
        names = [v for v in VESSELS if v not in {x.vessel for x in lines}]
        lines = [*lines, *(replace(lines[n % len(lines)], vessel=v) for n, v in enumerate(names))]
        longest = sorted(lines, key=lambda x: -x.length_mm)
        for count in VESSEL_COUNTS:
            write_centrelines(Path(folder) / f"{count}.csv", longest[:count])
            done = subprocess.run(
                [sys.executable, __file__, "--memory", str(count), folder],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            out.append(json.loads(done.stdout.splitlines()[-1]))
    return out


def one_memory(count: int, folder: Path) -> dict[str, float]:
    """Read, find the centrelines, and analyse the first vessels of a list; what this process took at most, MiB."""

    def peak() -> float:
        """The kernel's mark of this program alone: ru_maxrss would begin with what the starting program held."""
        status = Path("/proc/self/status").read_text()
        return float(next(x.split()[1] for x in status.splitlines() if x.startswith("VmHWM:"))) / 1024

    network = load_network()
    start = peak()
    volume = read_series(folder / "dicom")
    size = volume.hu.nbytes / 2**20
    found = find_centrelines(volume)
    after_lines = peak()
    analysis = analyse(
        volume, read_centrelines(folder / f"{count}.csv"), settings=Settings(), network=network
    )
    return {
        "vessels": len(analysis.vessels),
        "sections": sum(v.sections for v in analysis.vessels),
        "volume_mib": round(size, 1),
        "libraries_mib": round(start, 1),
        "to_centrelines_mib": round(after_lines - start - size, 1),
        "beyond_volume_mib": round(peak() - start - size, 1),
        "found": len(found.lines),
    }


def section(found: dict[str, Any], lost: Sequence[int]) -> list[str]:
    """Its part of docs/validation-inference.md; ``lost``: seeds of patients whose tree centrelines.py says was not found."""
    agreed, patients = found["agreement"], found["patients"]
    rest = [p for p in patients if p["seed"] not in lost]
    middle = {s: float(np.median([p["seconds"][s] for p in patients if s in p["seconds"]])) for s in STAGES}
    whole = [p["whole_s"] for p in patients]
    gap = agreed["total_plaque_volume"]["given_less_automatic"]
    out = [
        "## From a DICOM folder to a patient's totals",
        "",
        f"{len(patients)} patients, scenario `{found['scenario']}`, seeds from {found['first_seed']}, nobody's marks: lesions are "
        "found, and centrelines are found in the scan or given (0.5 mm off). Target: automatic centrelines cost at most 0.02 of "
        f"the ICC(A,1) of total plaque volume; they cost {figure(gap)}.",
        "",
        "| patient total | truth | centrelines given: bias | ICC(A,1) | automatic: bias | ICC(A,1) | given less automatic |",
        "|---|---|---|---|---|---|---|",
    ]
    for metric, a in agreed.items():
        cells = [WORDS[metric], figure(a["truth_mean"], 1)]
        for route in ("given", "automatic"):
            cells += [
                figure(a[route]["bias"], 1),
                with_interval(a[route]["icc_a1"], a[route]["icc_a1_interval"]),
            ]
        cells.append(with_interval(a["given_less_automatic"], a["given_less_automatic_interval"]))
        out.append(f"| {' | '.join(cells)} |")
    refused = sum(bool(p["refused"]) for p in patients)
    if len(rest) < len(patients):
        left = agreement(rest)["total_plaque_volume"]
        cost = with_interval(left["given_less_automatic"], left["given_less_automatic_interval"])
        out += [
            "",
            f"Without what centrelines lost (seeds {', '.join(str(s) for s in lost)}, above) they cost {cost} in {len(rest)} patients.",
        ]
    out += [
        "",
        f"Seconds on {found['machine']}, median of {len(patients)} patients ({float(np.median([p.get('sections', 0) for p in patients])):.0f} "
        f"sections), the network loaded; {found['load']} Refused: {refused}. Target: 8 s.",
        "",
        "| " + " | ".join((*STAGES, "whole", "core-seconds")) + " |",
        "|" + "---|" * (len(STAGES) + 2),
        "| "
        + " | ".join(f"{middle[s]:.2f}" for s in STAGES)
        + f" | {np.median(whole):.2f} | {np.median([p['whole_core_s'] for p in patients]):.1f} |",
        "",
        "Peak memory of a whole run beyond the int16 volume and the loaded libraries, each in a process of its own. Target: 2 GiB, "
        "independent of the number of vessels.",
        "",
        "| scan | vessels | sections | volume, MiB | to the centrelines, MiB | whole run, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for scan, rows in found["memory"].items():
        out += [
            f"| `{scan}` | {m['vessels']} | {m['sections']} | {m['volume_mib']:.0f} | {m['to_centrelines_mib']:.0f} | {m['beyond_volume_mib']:.0f} |"
            for m in rows
        ]
    return [*out, ""]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="tree_validation")
    parser.add_argument("--first-seed", type=int, default=500)
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--out", type=Path, default=KEPT)
    parser.add_argument("--memory", nargs=2, metavar=("VESSELS", "FOLDER"))
    options = parser.parse_args()
    if options.memory:
        print(json.dumps(one_memory(int(options.memory[0]), Path(options.memory[1]))))
        return
    network = load_network()
    one_patient(3, "tree_tiny", network)  # the first one compiles
    patients = []
    for seed in range(options.first_seed, options.first_seed + options.patients):
        patients.append(one_patient(seed, options.scenario, network))
        print(f"{options.scenario} {seed}: {patients[-1]['whole_s']:.1f} s", file=sys.stderr, flush=True)
    load = os.getloadavg()[1]
    result = {
        "commit": commit(),
        "machine": machine(),
        "date": dt.date.today().isoformat(),
        "load": "the machine was otherwise idle."
        if load < 3.0
        else f"other programs ran beside (load {load:.1f}).",
        "simulated": True,
        "scenario": options.scenario,
        "first_seed": options.first_seed,
        "network": network[1].name,
        "agreement": agreement(patients),
        "patients": patients,
        "memory": {s: memory(options.first_seed, s) for s in (options.scenario, "full_chest")},
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1))
    print("\n".join(section(result, ())))


if __name__ == "__main__":
    main()
