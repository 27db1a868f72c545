"""Compare the stored networks on patients none of them has met; keeps var/bench/networks.json.

usage: python tests/bench/networks.py [--patients 6] [--scenario tree_validation] [--first-seed 2110]
Each network scores the same patients in one run; speed and memory are each network's own process. The networks of
inference/weights/comparison (equal presentations, matched parameters) are compared with one another, those of
inference/weights are what users get. With ../shared/data/phantom at hand the phantoms of another generator stand
beside. Choices are made on validation scenarios alone; a test scenario is opened by `make bench`, which names the commit.
tests/bench/validation.py writes the page.
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

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from run import machine  # noqa: E402

from inference.networks import WEIGHTS, load_network, served_name  # noqa: E402
from inference.training.agreement import measure_with_interval  # noqa: E402
from inference.training.evaluation import PAIRS, Task, evaluate  # noqa: E402

OTHER = ROOT.parent / "shared" / "data" / "phantom"
KEPT = ROOT / "var" / "bench" / "networks.json"
LARGELY_LIPID = 0.25  # of a lesion's plaque
SPEED = """
import json, sys, time, torch, numpy as np
torch.set_num_threads(int(sys.argv[2]))
from inference.networks import load_network, probabilities
network, _ = load_network(sys.argv[1])
arithmetic = sys.argv[3]
hu = torch.from_numpy(np.random.default_rng(1).normal(100, 200, (600, 64, 64)).astype("float32"))
probabilities(network, hu[:80], arithmetic=arithmetic)
begin = time.perf_counter()
probabilities(network, hu, arithmetic=arithmetic)
seconds = time.perf_counter() - begin
peak = next(x.split()[1] for x in open("/proc/self/status") if x.startswith("VmHWM:"))  # of this program alone
print(json.dumps([seconds * 5, int(peak) / 1024]))
"""
PEAK = """
import json, sys, time, torch
from torch import nn
torch.set_num_threads(int(sys.argv[2]))
from inference.networks import arithmetic_of, load_network, probabilities
network, _ = load_network(sys.argv[1])
arithmetic = arithmetic_of(sys.argv[3], "cpu")
done = [0]
def count(layer, given, out):
    done[0] += 2 * out.numel() * layer.weight[0].numel()
for layer in network.modules():
    if isinstance(layer, nn.Conv2d | nn.Conv3d):
        layer.register_forward_hook(count)
hu = torch.randn(256, 64, 64) * 200 + 100
probabilities(network, hu[:70], arithmetic=arithmetic)
done[0], begin = 0, time.perf_counter()
probabilities(network, hu, arithmetic=arithmetic)
reached = done[0] / (time.perf_counter() - begin)
a = torch.randn(2048, 2048).to(getattr(torch, arithmetic))
best = 1e9
for _ in range(6):
    begin = time.perf_counter()
    a @ a
    best = min(best, time.perf_counter() - begin)
print(json.dumps([reached / 1e9, 2 * 2048**3 / best / 1e9, arithmetic]))
"""


def peak_share(name: str, threads: int, arithmetic: str = "auto") -> float:
    """Say and return which share of what this processor does in a large matrix product a network reaches in one view.

    Both are timed in one process, one after the other; on a machine that is busy the share is uncertain.
    """
    done = subprocess.run(
        [sys.executable, "-c", PEAK, name, str(threads), arithmetic],
        cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    reached, peak, computed_in = json.loads(done.stdout)
    print(
        f"{name} in {computed_in}, {threads} threads: {reached:.0f} of {peak:.0f} GFLOP/s, {100 * reached / peak:.0f} % of the peak"
    )
    return float(reached / peak)


def commit() -> str:
    """The commit that is measured, and whether the tree differs from it."""
    name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True)
    return (name.stdout.strip() or "unknown") + (" with changes" if changed.stdout.strip() else "")


def program() -> str:
    """Name what decides an evaluation: the folder ``inference`` as committed, or, changed, the present moment."""
    tree = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD:inference"], cwd=ROOT, capture_output=True, text=True
    )
    changed = subprocess.run(
        ["git", "status", "--porcelain", "inference"], cwd=ROOT, capture_output=True, text=True
    )
    now = f"-{dt.datetime.now():%Y%m%d%H%M%S}" if changed.stdout.strip() else ""
    return (tree.stdout.strip() or "unknown") + now


def speed(name: str, threads: int, arithmetic: str = "auto") -> tuple[float, float]:
    """Seconds per 3,000 sections in one view, and the process's peak memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", SPEED, name, str(threads), arithmetic],
        cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    seconds, memory = json.loads(done.stdout)
    return seconds, memory


def other_generator(*, largely_lipid: bool = True) -> tuple[dict[str, Any], list[float]]:
    """Agreement of the served network with the phantoms of another generator, by the command line, and seconds.

    ``largely_lipid`` False leaves out lesions more than a quarter of whose plaque is of low attenuation.
    """
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
            if not largely_lipid and lesion["lap_true"] > LARGELY_LIPID * lesion["tpv_true"]:
                continue
            for metric, key in PAIRS.items():
                value = found.get((lesion["vessel"], str(lesion["lesion"]), metric))
                if value and lesion[key] is not None:
                    rows[metric].append((number, float(lesion[key]), float(value)))
    out = {}
    for metric, triples in rows.items():
        patient, truth, value = (np.array(x) for x in zip(*triples, strict=True))
        out[metric] = measure_with_interval(truth, value, patient)
    return out, seconds


def scored(network: str, options: argparse.Namespace) -> dict[str, Any]:
    """Evaluation of one network (a name or a weights file) on the chosen patients.

    Kept by weights and program: the same weights are not scored twice, and a run that was ended goes on where it was.
    """
    print(f"{Path(network).stem}:", flush=True)
    task = Task(
        network=network, scenario=options.scenario, first_seed=options.first_seed, patients=options.patients
    )
    card = load_network(network)[1]
    shown = int(card.about["presentations"]) + int(card.about.get("presentations_before", 0))
    name = f"{card.sha256[:16]}-{task.scenario}-{task.first_seed}-{task.patients}-{program()}.json"
    path = KEPT.parent / "evaluations" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps({**evaluate(task), "presentations": shown}))
        part.replace(path)
    return dict(json.loads(path.read_text()))


def main() -> None:
    """Evaluate every stored network and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scenario", default="tree_test")
    parser.add_argument("--first-seed", type=int, default=3000)
    parser.add_argument("--patients", type=int, default=8)
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
    share = {arithmetic: peak_share("served", cores, arithmetic) for arithmetic in ("auto", "float32")}
    other = {"all": None, "not largely lipid": None}
    if OTHER.exists():
        other = {"all": other_generator()[0], "not largely lipid": other_generator(largely_lipid=False)[0]}
    else:
        print("no phantoms of another generator at hand: their columns stay empty")
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "commit": commit(),
        "machine": machine(),
        "date": dt.date.today().isoformat(),
        "served": served_name(),
    }
    KEPT.write_text(
        json.dumps(
            {**about, **scores, "fast": fast, "share_of_peak": share, "other_generator": other}, indent=1
        )
    )
    print(f"written: {KEPT}")


if __name__ == "__main__":
    main()
