"""Compare the stored networks on patients none of them has met, and write docs/validation-inference.md.

usage: python tests/bench/networks.py [--patients 6] [--scenario tree_validation] [--first-seed 2110]
Each network scores the same patients in one run; speed and memory are each network's own process. The networks of
inference/weights/comparison (equal presentations, matched parameters) are compared with one another, those of
inference/weights are what users get. With ../shared/data/phantom at hand the phantoms of another generator stand
beside. Choices are made on validation scenarios alone; a test scenario is opened by `make bench`, which names the commit.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import wilcoxon

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from run import machine  # noqa: E402

from inference.networks import WEIGHTS, load_network, served_name  # noqa: E402
from inference.training.agreement import measure_with_interval  # noqa: E402
from inference.training.evaluation import PAIRS, Task, evaluate  # noqa: E402

OTHER = ROOT.parent / "shared" / "data" / "phantom"
SPEED = """
import json, resource, sys, time, torch, numpy as np
torch.set_num_threads(int(sys.argv[2]))
from inference.networks import load_network, probabilities
network, _ = load_network(sys.argv[1])
arithmetic = sys.argv[3]
hu = torch.from_numpy(np.random.default_rng(1).normal(100, 200, (600, 64, 64)).astype("float32"))
probabilities(network, hu[:80], arithmetic=arithmetic)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.perf_counter()
probabilities(network, hu, arithmetic=arithmetic)
seconds = time.perf_counter() - begin
print(json.dumps([seconds * 5, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
WORDS = {
    "total_plaque_volume": "total plaque volume, mm³",
    "noncalcified_plaque_volume": "non-calcified, mm³",
    "calcified_plaque_volume": "calcified, mm³",
    "low_attenuation_plaque_volume": "low-attenuation, mm³",
    "vessel_volume": "vessel volume, mm³",
    "minimal_luminal_area": "minimal luminal area, mm²",
    "diameter_stenosis": "diameter stenosis, points",
}


def commit() -> str:
    """The commit that is measured, and whether the tree differs from it."""
    name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True)
    return (name.stdout.strip() or "unknown") + (" with changes" if changed.stdout.strip() else "")


def speed(name: str, threads: int, arithmetic: str = "auto") -> tuple[float, float]:
    """Seconds per 3,000 sections in one view, and the process's peak memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", SPEED, name, str(threads), arithmetic],
        cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    seconds, memory = json.loads(done.stdout)
    return seconds, memory


def other_generator() -> tuple[dict[str, Any], list[float]]:
    """Agreement of the served network with the phantoms of another generator, by the command line, and seconds."""
    rows: dict[str, list[tuple[int, float, float]]] = {m: [] for m in PAIRS}
    seconds = []
    for number, case in enumerate(sorted(p for p in OTHER.iterdir() if p.is_dir())):
        with tempfile.TemporaryDirectory() as folder:
            options = ["--centrelines", str(case / "centrelines.csv"), "--lesions", str(case / "lesions.csv")]
            done = subprocess.run(
                [sys.executable, "-m", "inference", "analyse", str(case / "dicom"), "--out", folder, *options],
                cwd=ROOT, capture_output=True, text=True,
            )  # fmt: skip
            if done.returncode:
                raise RuntimeError(f"{case.name}: {done.stderr[-400:]}")
            with (Path(folder) / "measurements.csv").open() as file:
                found = {
                    (r["vessel"], r["lesion"], r["metric"]): r["value"]
                    for r in csv.DictReader(file)
                    if r["level"] == "lesion"
                }
            seconds.append(json.loads((Path(folder) / "analysis.json").read_text())["timings_s"]["total"])
        for lesion in json.loads((case / "truth.json").read_text())["lesions"]:
            for metric, key in PAIRS.items():
                value = found.get((lesion["vessel"], str(lesion["lesion"]), metric))
                if value and lesion[key] is not None:
                    rows[metric].append((number, float(lesion[key]), float(value)))
    out = {}
    for metric, triples in rows.items():
        patient, truth, value = (np.array(x) for x in zip(*triples, strict=True))
        out[metric] = measure_with_interval(truth, value, patient)
    return out, seconds


def _figure(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def _with(value: float | None, interval: Any, digits: int = 3) -> str:
    if value is None or interval is None:
        return _figure(value, digits)
    return f"{_figure(value, digits)} ({_figure(interval[0], digits)} to {_figure(interval[1], digits)})"


def _paired(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    a = np.array(ours["dice_by_patient"]["plaque"]["per_patient"], float)
    b = np.array(theirs["dice_by_patient"]["plaque"]["per_patient"], float)
    return _figure(float(wilcoxon(a, b).pvalue), 3) if len(a) >= 5 and (a != b).any() else "–"


def _network_rows(
    results: dict[str, Any], fast: dict[str, tuple[float, float]], best: str, word: str
) -> list[str]:
    """A table of networks on the same patients; ``p`` against ``best``."""
    out = [
        "| network | parameters | presentations | Dice wall | lumen | plaque | ring | p | total plaque volume ICC(A,1) "
        "| MLA error, mm² | stenosis error, points | s per 3,000 sections | peak memory, MiB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, r in results.items():
        dice = [
            _with(r["dice_by_patient"][k]["dice"], r["dice_by_patient"][k]["interval"])
            for k in ("wall", "lumen", "plaque", "ring")
        ]
        m = r["lesion_measures"]
        cells = [
            f"{r['parameters']:,}",
            f"{r['presentations']:,}",
            *dice,
            word if name == best else _paired(results[best], r),
            _with(m["total_plaque_volume"]["icc_a1"], m["total_plaque_volume"]["icc_a1_interval"]),
            _with(m["minimal_luminal_area"]["mae"], m["minimal_luminal_area"]["mae_interval"], 2),
            _with(m["diameter_stenosis"]["mae"], m["diameter_stenosis"]["mae_interval"], 1),
            f"{fast[name][0]:.1f}",
            f"{fast[name][1]:.0f}",
        ]
        out.append(f"| `{name}` | {' | '.join(cells)} |")
    return out


def _compared(results: dict[str, Any], fast: dict[str, tuple[float, float]]) -> list[str]:
    """The part on networks that were trained alike; empty where none is stored."""
    if not results:
        return []
    best = max(results, key=lambda name: results[name]["dice_by_patient"]["plaque"]["dice"])
    return [
        "## Architectures at equal presentations",
        "",
        "One recipe, one order of patients, the same number of presentations, about as many parameters "
        "(`inference/training/configs/comparison`). `p`: Wilcoxon signed-rank test of per-patient plaque Dice against the "
        "highest. One seed each, so differences between trainings of one network are not in the intervals.",
        "",
        *_network_rows(results, fast, best, "highest"),
        "",
    ]


def document(
    results: dict[str, Any],
    compared: dict[str, Any],
    fast: dict[str, dict[str, tuple[float, float]]],
    other: dict[str, Any] | None,
) -> str:
    """The page's text; ``fast`` holds seconds and memory of the ``stored`` and the ``compared`` networks."""
    served = results[served_name()]
    task = (
        f"{served['patients']} patients, scenario `{served['scenario']}`, seeds from {served['first_seed']}"
    )
    out = [
        "# How good the networks are on simulated scans",
        "",
        f"Measured by `make bench` on {dt.date.today().isoformat()} at commit {commit()}: {machine()}.",
        "",
        f"All data is simulated; research use only. {task}, {served['sections']} sections, centrelines "
        f"{served['displacement_mm']} mm off, lesion extents given, profile `{served['profile']}`. Intervals are 95 %, "
        "patients drawn with replacement 2,000 times. Dice on phantoms says nothing about Dice on scans of people.",
        "",
        *_compared(compared, fast["compared"]),
        "## Stored networks",
        "",
        "What users get, each trained for as long as it was (the model card says how). `p`: as above, against the served "
        "network. Seconds and memory: one view, one process each.",
        "",
        *_network_rows(results, fast["stored"], served_name(), "served"),
    ]
    out += [
        "",
        "## Lesions, measured with the served network",
        "",
        "Beside: the same on phantoms of another generator." if other else "",
        "",
        "| per lesion | n | truth | bias | mean absolute error | ICC(A,1) | other generator: n | bias | ICC(A,1) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for metric, words in WORDS.items():
        m, o = served["lesion_measures"][metric], (other or {}).get(metric)
        out.append(
            f"| {words} | {m['n']} | {_figure(m['truth_mean'], 1)} | {_with(m['bias'], m['bias_interval'], 2)} "
            f"| {_with(m['mae'], m['mae_interval'], 2)} | {_with(m['icc_a1'], m['icc_a1_interval'])} "
            + (f"| {o['n']} | {_figure(o['bias'], 2)} | {_figure(o['icc_a1'])} |" if o else "| – | – | – |")
        )
    out += [
        "",
        "## Strata, served network, as measured from contours",
        "",
        "| lesions | n | Dice wall | lumen | plaque | total plaque volume ICC(A,1) | stenosis error, points |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, s in served["strata"].items():
        v = s["total_plaque_volume"]
        out.append(
            f"| {name} | {s['n']} | {_figure(s['dice']['wall'])} | {_figure(s['dice']['lumen'])} | {_figure(s['dice']['plaque'])} "
            f"| {_with(v.get('icc_a1'), v.get('icc_a1_interval'))} | {_figure(s['diameter_stenosis'].get('mae'), 1)} |"
        )
    calibration = served["calibration"]
    out += [
        "",
        "## Calibration, served network",
        "",
        "Expected calibration error over ten bins, of pixels that may be vessel, and of the share of wrong labels per section "
        "that is stored as a section's uncertainty.",
        "",
        "| wall | lumen | plaque | share of wrong labels per section |",
        "|---|---|---|---|",
        "| "
        + " | ".join(_figure(calibration[k]["ece"]) for k in ("wall", "lumen", "plaque", "section"))
        + " |",
        "",
        "![Truth against what was found, lesion by lesion, and calibration](pictures/validation-inference.png)",
        "",
    ]
    return "\n".join(out)


def picture(result: dict[str, Any], path: Path) -> None:
    """The evaluation page of one result as a picture."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]
    import servers
    import walk
    from playwright.sync_api import sync_playwright

    from inference.training.evaluation_page import page

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        html = Path(folder) / "page.html"
        html.write_text(page(result), encoding="utf-8")
        browser = playwright.chromium.launch(
            executable_path=servers.ensure(["chromium"])["chromium"], args=walk.CHROMIUM_FLAGS
        )
        tab = browser.new_page(viewport={"width": 1180, "height": 900})
        tab.goto(html.as_uri())
        tab.locator(".js-plotly-plot .main-svg").last.wait_for()
        tab.locator(".figures").screenshot(path=path)
        browser.close()


def scored(network: str, options: argparse.Namespace) -> dict[str, Any]:
    """Evaluation of one network (a name or a weights file) on the chosen patients."""
    print(f"{Path(network).stem}:", flush=True)
    task = Task(
        network=network, scenario=options.scenario, first_seed=options.first_seed, patients=options.patients
    )
    about = load_network(network)[1].about
    shown = int(about["presentations"]) + int(about.get("presentations_before", 0))
    return {**evaluate(task), "presentations": shown}


def main() -> None:
    """Evaluate every stored network and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scenario", default="tree_test")
    parser.add_argument("--first-seed", type=int, default=3000)
    parser.add_argument("--patients", type=int, default=6)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "validation-inference.md")
    options = parser.parse_args()
    stored = {p.stem: p.stem for p in sorted(WEIGHTS.glob("*.safetensors"))}
    compared = {p.stem: str(p) for p in sorted((WEIGHTS / "comparison").glob("*.safetensors"))}
    scores = {
        part: {name: scored(which, options) for name, which in names.items()}
        for part, names in (("stored", stored), ("compared", compared))
    }
    cores = len(os.sched_getaffinity(0))
    fast = {
        part: {name: speed(which, cores) for name, which in names.items()}
        for part, names in (("stored", stored), ("compared", compared))
    }
    results = scores["stored"]
    other = other_generator()[0] if OTHER.exists() else None
    if other is None:
        print("no phantoms of another generator at hand: their columns stay empty")
    options.out.write_text(document(results, scores["compared"], fast, other))
    pictures = options.out.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    picture(results[served_name()], pictures / "validation-inference.png")
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
