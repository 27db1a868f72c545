"""Score automatic centrelines against simulated patients: the Rotterdam measures, names, segments, dominance, seconds.

usage: python tests/bench/centrelines.py [--scenario tree_validation] [--first-seed 0] [--patients 20] [--out FILE]
       python tests/bench/centrelines.py --fit [--patients 30]

Every tracked vessel of every patient counts; one that was not found under its name has overlap 0. Choices are made on
tree_train and tree_validation; tree_test is opened by the final measurement. With ../shared/data/phantom at hand the
phantoms of another generator stand beside. ``--fit`` trains the perceptron of inference/centreline/artery_points.py
on tree_train, writes its weights and prints how often it errs on tree_validation.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from networks import commit  # noqa: E402
from page import figure  # noqa: E402
from run import machine  # noqa: E402

from inference.centreline.automatic import Found, find_centrelines  # noqa: E402
from inference.centreline.evaluation import NOTHING, evaluate, from_ostium  # noqa: E402
from inference.centreline.lines import Centreline, read_centrelines  # noqa: E402
from inference.errors import RefusedScan  # noqa: E402
from inference.phantom import generate  # noqa: E402
from inference.scan import Volume, read_series  # noqa: E402

OTHER = ROOT.parent / "shared" / "data" / "phantom"
SAMPLING_MM = 0.06
FITTED, CHECKED = "tree_train", 6
LEAST_RADIUS_MM = 0.75
"""A point is found within its vessel's radius, at least this: the finest vessels are as wide as a voxel."""
WRONG_MM, BESIDE_MM = 15.0, 0.5  # of a vessel that counts as lost or misnamed; beyond its radius, still found
POOR, LOST = 0.85, 0.5  # overlap OV of a vessel, of a patient
NOWHERE = Found((), {}, "unknown", 0.0)


def truth_of(seed: int, scenario: str) -> tuple[Volume, list[Centreline], str]:
    """A simulated scan, its true centrelines with radii, and its dominance."""
    phantom = generate(seed, scenario)
    lines = [
        Centreline(t.name, t.curve.points, t.segment, np.sqrt(t.lumen_area() / np.pi))
        for t in phantom.vessels.values()
    ]
    return phantom.volume, lines, phantom.patient.findings.dominance if phantom.patient else "unknown"


def other_truth(case: Path) -> tuple[Volume, list[Centreline], str]:
    """A phantom of the other generator; it tells no radii, so that 1 mm stands for them, and no segments."""
    lines = read_centrelines(case / "centrelines.csv")
    lines = [Centreline(x.vessel, x.points, radius_mm=np.ones(len(x.points))) for x in lines]
    return read_series(case / "dicom"), lines, "right"


def score(volume: Volume, truth: Sequence[Centreline], dominance: str) -> dict[str, Any]:
    """Find and compare one patient."""
    begin = time.perf_counter()
    refused = ""
    try:
        found = find_centrelines(volume)
    except RefusedScan as error:
        found, refused = NOWHERE, error.code
    seconds = time.perf_counter() - begin
    rows = {}
    for reference in truth:
        own = next((x for x in found.lines if x.vessel == reference.vessel), None)
        stored = evaluate(own, reference, sampling_mm=SAMPLING_MM) if own else NOTHING
        path = from_ostium(found.lines, reference.vessel)
        whole = from_ostium(truth, reference.vessel)
        whole_scores = evaluate(path, whole, sampling_mm=SAMPLING_MM) if path and whole else NOTHING
        rows[reference.vessel] = {
            "stored": vars(stored),
            "from_ostium": vars(whole_scores),
            "quality": found.quality.get(reference.vessel),
        }
    return {
        "seconds": seconds,
        "steps_s": found.timings_s,
        "refused": refused,
        "dominance": [dominance, found.dominance],
        "vessels": rows,
        **_names(truth, found.lines),
        "doubts": [[d.vessel, d.code] for d in found.doubts],
        "wrong": wrong_vessels(truth, found),
        "extra": [x.vessel for x in found.lines if x.vessel not in rows],
    }


def _names(truth: Sequence[Centreline], lines: Sequence[Centreline]) -> dict[str, float]:
    """Length of the true vessels, how much of it any line covers, and how much of that is named right, mm."""
    total = found = named = labelled = 0.0
    whole = np.concatenate([x.points for x in lines]) if lines else np.full((1, 3), 1e6)
    segments = np.concatenate([np.array(x.segments) for x in lines]) if lines else np.array([""])
    everywhere = cKDTree(whole)
    trees = {x.vessel: cKDTree(x.points) for x in lines}
    for line in truth:
        assert line.radius_mm is not None
        step = line.length_mm / len(line.points)
        near = np.maximum(line.radius_mm, LEAST_RADIUS_MM)
        off, nearest = everywhere.query(line.points)
        hit = off <= near
        own = (
            trees[line.vessel].query(line.points)[0] <= near
            if line.vessel in trees
            else np.zeros(len(hit), bool)
        )
        total += step * len(hit)
        found += step * hit.sum()
        named += step * (own & hit).sum()
        labelled += step * (hit & (segments[nearest] == np.array(line.segments))).sum()
    return {"length_mm": total, "found_mm": found, "vessel_right_mm": named, "segment_right_mm": labelled}


def wrong_vessels(truth: Sequence[Centreline], found: Found) -> list[dict[str, Any]]:
    """True vessels of which 15 mm or more have no line, or a line of another name, and whether a doubt tells of it.

    A doubt tells of it if it is of this vessel, or of the one whose name it bears; of a branch without a name that covers
    half of what is missing; or of an unexplained piece that lies on it.
    """
    doubted = {d.vessel for d in found.doubts if d.vessel and d.code != "unnamed_branch"}
    places = [d.place for d in found.doubts if d.code == "unexplained_vessel" and d.place]
    trees = {x.vessel: cKDTree(x.points) for x in found.lines}
    out = []
    for line in truth:
        assert line.radius_mm is not None
        step = line.length_mm / len(line.points)
        near = np.maximum(line.radius_mm, LEAST_RADIUS_MM) + BESIDE_MM

        def on(tree: cKDTree, line: Centreline = line, near: np.ndarray = near) -> np.ndarray:
            return np.asarray(tree.query(line.points)[0] <= near)

        missing = ~on(trees[line.vessel]) if line.vessel in trees else np.ones(len(line.points), bool)
        if step * missing.sum() < WRONG_MM:
            continue
        others = {v: step * float((on(t) & missing).sum()) for v, t in trees.items() if v != line.vessel}
        others = {v: round(mm, 1) for v, mm in others.items() if mm >= WRONG_MM}
        branches = [cKDTree(u.points) for u in found.unnamed]
        told = line.vessel in doubted or bool(doubted & set(others))
        if not told and not others:
            told = any((on(b) & missing).sum() >= 0.5 * missing.sum() for b in branches)
            told |= any(
                float(np.linalg.norm(line.points[missing] - p, axis=1).min()) < BESIDE_MM + 2 for p in places
            )
        out.append(
            {"vessel": line.vessel, "mm": round(step * float(missing.sum()), 1), "as": others, "told": told}
        )
    return out


def interval(
    patients: Sequence[dict[str, Any]], figure: Callable[[Sequence[dict[str, Any]]], float]
) -> dict[str, Any]:
    """A figure with the 95 % interval of 1,000 bootstrap samples of patients."""
    rng = np.random.default_rng(7)
    draws = [
        figure([patients[i] for i in rng.integers(0, len(patients), len(patients))]) for _ in range(1000)
    ]
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return {"value": round(figure(patients), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def _mean(measure: str, kind: str) -> Callable[[Sequence[dict[str, Any]]], float]:
    def figure(patients: Sequence[dict[str, Any]]) -> float:
        return float(np.nanmean([v[kind][measure] for p in patients for v in p["vessels"].values()]))

    return figure


def _ratio(part: str, whole: str) -> Callable[[Sequence[dict[str, Any]]], float]:
    def figure(patients: Sequence[dict[str, Any]]) -> float:
        return float(sum(p[part] for p in patients) / max(sum(p[whole] for p in patients), 1e-9))

    return figure


def summary(patients: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All figures with their intervals."""
    out: dict[str, Any] = {
        f"{measure}_{kind}": interval(patients, _mean(measure, kind))
        for kind in ("stored", "from_ostium")
        for measure in ("ov", "of", "ot", "ai")
    }
    out["found_share"] = interval(patients, _ratio("found_mm", "length_mm"))
    out["vessel_names_right"] = interval(patients, _ratio("vessel_right_mm", "found_mm"))
    if any(p["segment_right_mm"] for p in patients):
        out["segments_right"] = interval(patients, _ratio("segment_right_mm", "found_mm"))
    out["dominance_right"] = float(np.mean([p["dominance"][0] == p["dominance"][1] for p in patients]))
    wrong = [w for p in patients for w in p["wrong"]]
    out["wrong_told"], out["wrong_untold"] = (sum(w["told"] is told for w in wrong) for told in (True, False))
    out["seconds"] = round(float(np.median([p["seconds"] for p in patients[1:] or patients])), 2)
    vessels = {v for p in patients for v in p["vessels"]}
    out["ov_by_vessel"] = {
        v: round(float(np.mean([p["vessels"][v]["stored"]["ov"] for p in patients if v in p["vessels"]])), 3)
        for v in sorted(vessels)
    }
    return out


def fit(seeds: Sequence[int]) -> list[str]:
    """Train the perceptron that tells arteries, write its weights, and say how often it errs on other patients."""
    from inference.centreline.artery_points import WEIGHTS
    from inference.centreline.artery_training import Examples, examples, train
    from inference.centreline.automatic import arteries_of
    from inference.centreline.tree import centred_tree, find_tree

    def of(seed: int, scenario: str) -> Examples:
        phantom = generate(seed, scenario)
        arteries = [(t.curve.points, np.sqrt(t.lumen_area() / np.pi)) for t in phantom.tables]
        first = find_tree(phantom.volume)
        second, _ = arteries_of(phantom.volume, first)
        branches = [*centred_tree(phantom.volume, first), *centred_tree(phantom.volume, second)]
        print(f"{scenario} {seed}", file=sys.stderr, flush=True)
        return examples(phantom.volume, branches, arteries, first.tube.hu)

    net = train([of(seed, FITTED) for seed in seeds])
    net.save(WEIGHTS)
    out = []
    for seed in range(CHECKED):
        case = of(seed, "tree_validation")
        arterial = net.log_odds(case.seen) > 0
        out.append(
            f"tree_validation {seed}: {100 * (~arterial[case.artery]).mean():.1f} % of arteries lost, "
            f"{100 * arterial[~case.artery].mean():.1f} % of all else taken for arteries"
        )
    return out


def _with_interval(part: dict[str, Any] | None, digits: int = 3, scale: float = 1.0) -> str:
    if part is None:
        return "–"
    value, low, high = (figure(scale * part[k], digits) for k in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _overlap(patient: dict[str, Any]) -> float:
    return float(np.mean([v["stored"]["ov"] for v in patient["vessels"].values()]))


def lost_patients(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of whose tree hardly anything was found."""
    return [p for p in found["patients"] if _overlap(p) < LOST]


def section(found: dict[str, Any]) -> list[str]:
    """Its part of docs/validation-inference.md."""
    ours, other = found["summary"], found.get("other_generator", {}).get("summary", {})
    wanted = (
        ("overlap OV, stored vessels", "ov_stored", "≥ 0.93", 3, 1.0),
        ("overlap until first error OF", "of_stored", "", 3, 1.0),
        ("overlap of clinically relevant part OT", "ot_stored", "", 3, 1.0),
        ("inside accuracy AI, mm", "ai_stored", "≤ 0.25", 3, 1.0),
        ("OV, each vessel from its ostium", "ov_from_ostium", "", 3, 1.0),
        ("OF, each vessel from its ostium", "of_from_ostium", "", 3, 1.0),
        ("OT, each vessel from its ostium", "ot_from_ostium", "", 3, 1.0),
        ("AI, each vessel from its ostium, mm", "ai_from_ostium", "", 3, 1.0),
        ("length found, %", "found_share", "", 1, 100.0),
        ("vessel named right, % of the found length", "vessel_names_right", "", 1, 100.0),
        ("segment named right, % of the found length", "segments_right", "≥ 95", 1, 100.0),
    )
    refused = sum(bool(p["refused"]) for p in found["patients"])
    out = [
        "## Automatic centrelines",
        "",
        f"{len(found['patients'])} patients, scenario `{found['scenario']}`, seeds from {found['first_seed']}; measures of the Rotterdam "
        f"framework (CAT08). Every tracked vessel counts; one not found under its name has overlap 0. Refused: {refused}. "
        f"Dominance right: {100 * ours['dominance_right']:.0f} %. Beside: {len(found.get('other_generator', {}).get('patients', []))} phantoms of another "
        "generator, which tell no radii (1 mm is taken) and no segments.",
        "",
        "| | target | reached | other generator |",
        "|---|---|---|---|",
    ]
    for words, name, target, digits, scale in wanted:
        beside = None if name == "segments_right" else other.get(name)
        out.append(
            f"| {words} | {target} | {_with_interval(ours.get(name), digits, scale)} | {_with_interval(beside, digits, scale)} |"
        )
    told, untold = (
        [str(part[k]) if part else "–" for part in (ours, other)] for k in ("wrong_told", "wrong_untold")
    )
    out += [
        f"| vessels of which 15 mm are lost or misnamed, with a doubt | | {told[0]} | {told[1]} |",
        f"| the same, without a doubt | 0 | {untold[0]} | {untold[1]} |",
    ]
    by_vessel = ours["ov_by_vessel"]

    for lost in lost_patients(found):
        missing = ", ".join(name for name, code in lost["doubts"] if code == "not_found")
        rest = interval([p for p in found["patients"] if p is not lost], _mean("ov", "stored"))
        out += [
            "",
            f"Patient {lost['seed']} was largely lost (OV {figure(_overlap(lost), 2)}); the analysis names what is missing: {missing or 'nothing'}. "
            f"Without that patient OV is {_with_interval(rest)}.",
        ]
    poor = [
        f"{name} ({figure(row['stored']['ov'], 2)})"
        for patient in found.get("other_generator", {}).get("patients", [])
        for name, row in patient["vessels"].items()
        if row["stored"]["ov"] < POOR
    ]
    if poor:
        out += [
            "",
            f"Vessels of the other generator with OV below {POOR}: {', '.join(poor)}; what it falls short by is theirs.",
        ]
    return [
        *out,
        "",
        "OV by vessel:",
        "",
        f"| {' | '.join(by_vessel)} |",
        "|" + "---|" * len(by_vessel),
        f"| {' | '.join(figure(v) for v in by_vessel.values())} |",
        "",
    ]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="tree_validation")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench" / "centrelines.json")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.patients)
    if options.fit:
        print("\n".join(fit(seeds)))
        return
    patients = []
    for seed in seeds:
        patients.append({"seed": seed, **score(*truth_of(seed, options.scenario))})
        print(f"{options.scenario} {seed}: {patients[-1]['seconds']:.1f} s", file=sys.stderr, flush=True)
    result = {"commit": commit(), "machine": machine(), "scenario": options.scenario, "simulated": True}
    result["first_seed"] = options.first_seed
    result |= {"summary": summary(patients), "patients": patients}
    if OTHER.is_dir():
        cases = [score(*other_truth(case)) for case in sorted(OTHER.glob("case*"))]
        result["other_generator"] = {"summary": summary(cases), "patients": cases}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1))
    print("\n".join(section(result)))


if __name__ == "__main__":
    main()
