"""How good a network is on patients that it has never met: Dice, and what the measurements are worth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.contours import label_map
from inference.networks import load_network, segment
from inference.phantom import generate, lesion_truth, soft_targets
from inference.pipeline import Settings, analyse
from inference.quantification import sections_inside
from inference.straightening import straighten

from .scores import STRUCTURES

DICE = (*STRUCTURES, "plaque_anywhere", *(f"{name}_measured" for name in STRUCTURES))
PAIRS = {
    "total_plaque_volume": "tpv_true",
    "noncalcified_plaque_volume": "ncp_true",
    "calcified_plaque_volume": "cp_true",
    "low_attenuation_plaque_volume": "lap_true",
    "vessel_volume": "vessel_true",
    "minimal_luminal_area": "mla_mm2",
    "diameter_stenosis": "diameter_stenosis_percent",
}


@dataclass(frozen=True)
class Task:
    """Which patients, how far the centrelines are off (root mean square, mm), which network and profile."""

    network: str = "served"
    scenario: str = "test"
    first_seed: int = 3000
    patients: int = 6
    displacement_mm: float = 0.5
    profile: str = "corrected"

    def __post_init__(self) -> None:
        if self.patients < 1 or self.displacement_mm < 0:
            raise ValueError("evaluation needs at least one patient and a displacement of 0 mm or more")


def icc_a1(truth: NDArray[np.float64], found: NDArray[np.float64]) -> float | None:
    """ICC(A,1), two-way, absolute agreement, single measurement (McGraw & Wong, Psychol Methods 1996;1:30)."""
    x = np.stack([truth, found], axis=1)
    n, k = x.shape
    if n < 3:
        return None
    grand = x.mean()
    rows = k * ((x.mean(1) - grand) ** 2).sum() / (n - 1)
    columns = n * ((x.mean(0) - grand) ** 2).sum() / (k - 1)
    rest = ((x - x.mean(1, keepdims=True) - x.mean(0, keepdims=True) + grand) ** 2).sum() / (
        (n - 1) * (k - 1)
    )
    bottom = rows + (k - 1) * rest + k * (columns - rest) / n
    return float((rows - rest) / bottom) if bottom > 0 else None


def evaluate(task: Task, *, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Dice of wall (filled), lumen, plaque; per lesion (extents given) bias, mean error and ICC of each measure.

    Centrelines are displaced, lesion extents are the true ones, inside which plaque counts; ``plaque_anywhere`` is
    the Dice without that knowledge. Those are of the network's likeliest class per pixel; ``…_measured`` are of the
    contours and plaque marks that the volumes come from. Dice pools all pixels of all patients.
    """
    network, card = load_network(task.network)
    both, each = np.zeros(len(DICE)), np.zeros(len(DICE))

    def add(n: int, mask: NDArray[np.bool_], true: NDArray[np.bool_]) -> None:
        both[n] += (mask & true).sum()
        each[n] += mask.sum() + true.sum()

    truth: dict[str, list[float]] = {m: [] for m in PAIRS}
    found: dict[str, list[float]] = {m: [] for m in PAIRS}
    seconds, sections, missing = 0.0, 0, 0
    for seed in range(task.first_seed, task.first_seed + task.patients):
        phantom = generate(seed, task.scenario)
        lines = phantom.stored_points(task.displacement_mm)
        lesions, given_sections, truths = {}, {}, {}
        for line in lines:
            vessel = straighten(phantom.volume, line)
            lesions[line.vessel] = phantom.truth_read(vessel).lesions
            began = time.process_time()
            wall, lumen, plaque = segment(vessel, network)
            seconds, sections = seconds + time.process_time() - began, sections + len(vessel.hu)
            inner = lumen + plaque > 0.5
            true = soft_targets(phantom.vessels[line.vessel], vessel) > 127
            given = sections_inside(len(vessel.hu), lesions[line.vessel])[:, None, None]
            given_sections[line.vessel], truths[line.vessel] = given, true
            found_plaque = inner & (plaque >= lumen)
            masks = (wall > 0.5, inner & (lumen > plaque), found_plaque & given, found_plaque)
            for n, mask in enumerate(masks):
                add(n, mask, true[..., min(n, 2)])
        analysis = analyse(
            phantom.volume, lines, settings=Settings(model=card.name, profile=task.profile, lesions=lesions)
        )
        for read in analysis.reads:
            labels, true = label_map(read.contours), truths[read.vessel]
            measured = (labels > 0, labels == 1, (labels == 3) & given_sections[read.vessel])
            for n, mask in enumerate(measured):
                add(n + 4, mask, true[..., n])
        rows = {(r.vessel, r.lesion, r.metric): r.value for r in analysis.measurements if r.level == "lesion"}
        for table in phantom.vessels.values():
            for lesion in table.lesions:
                exact = lesion_truth(table, lesion)
                for metric, key in PAIRS.items():
                    value = rows.get((table.name, lesion.number, metric))
                    if value is None or exact[key] is None:
                        missing += value is None
                        continue
                    truth[metric].append(float(exact[key]))
                    found[metric].append(float(value))
        say(
            f"patient {seed}: Dice so far "
            + " ".join(f"{name} {2 * both[n] / max(each[n], 1):.3f}" for n, name in enumerate(DICE))
        )
    measures = {}
    for metric in PAIRS:
        t, f = np.array(truth[metric]), np.array(found[metric])
        measures[metric] = (
            {
                "n": len(t),
                "truth_mean": float(t.mean()),
                "bias": float((f - t).mean()),
                "mae": float(np.abs(f - t).mean()),
                "icc_a1": icc_a1(t, f),
            }
            if len(t)
            else {"n": 0}
        )
    return {
        "network": card.name,
        "weights_sha256": card.sha256,
        "scenario": task.scenario,
        "first_seed": task.first_seed,
        "patients": task.patients,
        "displacement_mm": task.displacement_mm,
        "profile": task.profile,
        "simulated": True,
        "dice": {name: float(2 * both[n] / max(each[n], 1)) for n, name in enumerate(DICE)},
        "lesion_measures": measures,
        "missing_values": int(missing),
        "core_seconds_per_100_sections": 100 * seconds / max(sections, 1),
        "sections": sections,
    }
