"""How good a network is on patients that it has never met: Dice, calibration, and what the measurements are worth."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from inference.composition_profiles import CompositionProfile, profile_named
from inference.contours import label_map
from inference.contours.from_probabilities import contours_from_probabilities
from inference.networks import load_network, segment
from inference.networks.uncertainty import VESSEL, section_uncertainty
from inference.phantom import generate, lesion_truth, soft_targets
from inference.phantom.phantom import Phantom
from inference.quantification import (
    LesionRecord,
    VesselRead,
    find_lesions,
    measure,
    outside,
    sections_inside,
    value_of,
)
from inference.quantification.stents import REASON as STENT
from inference.quantification.stents import find_stents
from inference.straightening import StraightenedVessel, straighten

from .agreement import Reliability, dice, dice_with_interval, measure_with_interval
from .detection import Found, detection
from .scores import STRUCTURES

RING = "ring"
DICE = (*STRUCTURES, RING, "plaque_anywhere", *(f"{name}_measured" for name in STRUCTURES))
PAIRS = {
    "total_plaque_volume": "tpv_true",
    "noncalcified_plaque_volume": "ncp_true",
    "calcified_plaque_volume": "cp_true",
    "low_attenuation_plaque_volume": "lap_true",
    "vessel_volume": "vessel_true",
    "minimal_luminal_area": "mla_mm2",
    "diameter_stenosis": "diameter_stenosis_percent",
}
# Where strata are parted, so that both hold lesions; scores of all lesions do not hang on it.
SOFT_TISSUE_HU = -10.0  # ring about a lesion brighter than this: soft tissue lies there, not fat
NOISY_HU, WIDE_MM, CALCIFIED_MM3 = 28.0, 1.2, 1.0


@dataclass(frozen=True)
class Task:
    """Which patients, how far the centrelines are off (root mean square, mm), which network and profile."""

    network: str = "served"
    scenario: str = "test"
    first_seed: int = 3000
    patients: int = 6
    displacement_mm: float = 0.5
    profile: str = "corrected"
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.patients < 1 or self.displacement_mm < 0:
            raise ValueError("evaluation needs at least one patient and a displacement of 0 mm or more")


@dataclass
class _Tally:
    """What is gathered over patients."""

    counts: list[NDArray[np.float64]] = field(default_factory=list)  # per patient (len(DICE), 2)
    lesions: list[dict[str, Any]] = field(default_factory=list)
    reliability: dict[str, Reliability] = field(
        default_factory=lambda: {name: Reliability() for name in (*STRUCTURES, "section")}
    )
    seconds: float = 0.0
    sections: int = 0
    missing: int = 0
    in_stents: int = 0
    found: list[Found] = field(default_factory=list)


@dataclass(frozen=True)
class _Truth:
    """The true labels of one straightened vessel: (S, 64, 64) masks per structure, shares 0…1, lesion sections."""

    vessel: StraightenedVessel
    read: VesselRead
    masks: tuple[NDArray[np.bool_], ...]
    shares: NDArray[np.float32]
    given: NDArray[np.bool_]


def evaluate(task: Task, *, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Dice, calibration and per-lesion agreement with patient-bootstrap intervals, for all lesions and per stratum.

    Centrelines are displaced, lesion extents are the true ones, inside which plaque counts and which a network that may
    be told is told of; ``plaque_anywhere`` is the Dice of one that is told nothing, as is the calibration; ``ring`` is
    the Dice of the wall without its lumen. Those are of the network's likeliest
    class per pixel; ``…_measured`` are of the contours and plaque marks that the volumes come from. Dice pools all
    pixels of all patients. Lesions that reach into a stent, as found, are counted and not measured.
    """
    network, card = load_network(task.network, device=task.device)
    tally = _Tally()
    for seed in range(task.first_seed, task.first_seed + task.patients):
        _one_patient(generate(seed, task.scenario), network, task, tally)
        pooled = np.array(tally.counts).sum(0)
        say(
            f"patient {seed}: Dice so far "
            + " ".join(f"{name} {2 * b / max(e, 1):.3f}" for name, (b, e) in zip(DICE, pooled, strict=True))
        )
    counts = np.array(tally.counts)
    seeds = np.arange(len(counts))
    scores = {name: dice_with_interval(counts[:, n], seeds) for n, name in enumerate(DICE)}
    return {
        "network": card.name,
        "weights_sha256": card.sha256,
        "parameters": sum(p.numel() for p in network.parameters()),
        "scenario": task.scenario,
        "first_seed": task.first_seed,
        "patients": task.patients,
        "displacement_mm": task.displacement_mm,
        "profile": task.profile,
        "simulated": True,
        "dice": {name: score["dice"] for name, score in scores.items()},
        "dice_by_patient": scores,
        "lesion_measures": _measures(tally.lesions),
        "strata": {name: _stratum(part) for name, part in _strata(tally.lesions)},
        "calibration": {name: r.to_dict() for name, r in tally.reliability.items()},
        "found_alone": detection(tally.found),
        "missing_values": tally.missing,
        "lesions_left_out_for_stents": tally.in_stents,
        "core_seconds_per_100_sections": 100 * tally.seconds / max(tally.sections, 1),
        "peak_memory_mib": _peak_memory_mib(task.device),
        "sections": tally.sections,
        "lesions": tally.lesions,
    }


def _one_patient(phantom: Phantom, network: torch.nn.Module, task: Task, tally: _Tally) -> None:
    lines = phantom.stored_points(task.displacement_mm)
    counts = np.zeros((len(DICE), 2))
    profile = profile_named(task.profile)
    truths, measured, records = {}, {}, {}
    straight = {line.vessel: straighten(phantom.volume, line) for line in lines}
    stents = find_stents(list(straight.values()))
    own = Found(phantom.seed)
    for line in lines:
        vessel = straight[line.vessel]
        read = phantom.truth_read(vessel)
        lesions = read.lesions
        shares = soft_targets(phantom.vessels[line.vessel], vessel).astype(np.float32) / np.float32(255)
        inside = sections_inside(len(vessel.hu), lesions)
        masks = tuple(np.ascontiguousarray(shares[..., n] > 0.5) for n in range(3))
        truth = truths[line.vessel] = _Truth(vessel, read, masks, shares, inside[:, None, None])
        began = time.process_time()
        alone = segment(vessel, network)
        tally.seconds += time.process_time() - began
        tally.sections += len(vessel.hu)
        extents = [(x.start_mm, x.end_mm) for x in lesions]
        found = segment(vessel, network, extents=extents) if getattr(network, "told", 0) else alone
        _add_pixels(counts, found, alone, truth)
        _add_calibration(tally, alone, truth)
        contours = contours_from_probabilities(*found, {}, given_lesions=inside)
        labels = label_map(contours)
        drawn = measured[line.vessel] = (labels > 0, labels == 1, (labels == 3) & truth.given)
        for n, mask in enumerate(drawn):
            _count(counts, n + DICE.index("wall_measured"), mask, truth.masks[n])
        for record in measure(vessel, VesselRead(line.vessel, contours, lesions), profile).lesions:
            records[record.vessel, record.number] = record
        metal = tuple((a, b, STENT) for a, b in stents.get(line.vessel, ()))
        _add_own(own, alone, truth, metal, profile)
    tally.found.append(own)
    tally.counts.append(counts)
    for table in phantom.vessels.values():
        for lesion in table.lesions:
            exact, truth = lesion_truth(table, lesion), truths[table.name]
            extent = [x for x in truth.read.lesions if x.number == lesion.number]
            if any(a < x.end_mm and b > x.start_mm for x in extent for a, b in stents.get(table.name, ())):
                tally.in_stents += 1
                continue
            inside = sections_inside(len(truth.vessel.hu), extent)
            values = {
                metric: (exact[key], _value(records.get((table.name, lesion.number)), metric))
                for metric, key in PAIRS.items()
            }
            tally.missing += sum(value is None for _, value in values.values())
            tally.lesions.append(
                {
                    "patient": phantom.seed,
                    "vessel": table.name,
                    "lesion": lesion.number,
                    "noise_hu": phantom.settings["noise_hu"],
                    "radius_mm": float(np.sqrt(np.median(table.lumen_area()) / np.pi)),
                    "around_hu": _around_hu(truth, inside),
                    "counts": [
                        [int((f & t)[inside].sum()), int(f[inside].sum() + t[inside].sum())]
                        for f, t in zip(measured[table.name], truth.masks, strict=True)
                    ],
                    **{m: list(v) for m, v in values.items()},
                }
            )


def _value(record: LesionRecord | None, metric: str) -> float | None:
    return value_of(record, metric).number if record else None


def _add_own(
    own: Found,
    alone: tuple[NDArray[np.float32], ...],
    truth: _Truth,
    metal: tuple[tuple[float, float, str], ...],
    profile: CompositionProfile,
) -> None:
    """What the network finds in one vessel with nobody's marks; stents are left out on both sides."""
    vessel = truth.vessel
    wall, lumen, plaque = alone
    contours = contours_from_probabilities(wall, lumen, plaque)
    read = VesselRead(vessel.vessel, contours, outside(find_lesions(vessel, contours), metal), metal)
    true = replace(truth.read, excluded=metal)
    own.add(outside(true.lesions, metal), read.lesions)

    def total(of: VesselRead) -> float:
        whole = measure(vessel, of, profile).whole
        return (whole and value_of(whole, "total_plaque_volume").number) or 0.0

    own.volume_true += total(true)
    own.volume_found += total(read)


def _count(counts: NDArray[np.float64], n: int, mask: NDArray[np.bool_], true: NDArray[np.bool_]) -> None:
    counts[n] += (mask & true).sum(), mask.sum() + true.sum()


def _likeliest(found: tuple[NDArray[np.float32], ...]) -> tuple[NDArray[np.bool_], ...]:
    """Inside the outer wall; lumen; plaque: the likeliest class of every pixel."""
    wall, lumen, plaque = found
    inner = lumen + plaque > 0.5
    return wall > 0.5, inner & (lumen > plaque), inner & (plaque >= lumen)


def _add_pixels(
    counts: NDArray[np.float64],
    found: tuple[NDArray[np.float32], ...],
    alone: tuple[NDArray[np.float32], ...],
    truth: _Truth,
) -> None:
    true_wall, true_lumen, true_plaque = truth.masks
    disc, hole, plaque = _likeliest(found)
    pairs = (
        (disc, true_wall),
        (hole, true_lumen),
        (plaque & truth.given, true_plaque),
        (disc & ~hole, true_wall & ~true_lumen),
        (_likeliest(alone)[2], true_plaque),
    )
    for n, (mask, true) in enumerate(pairs):
        _count(counts, n, mask, true)


def _add_calibration(tally: _Tally, found: tuple[NDArray[np.float32], ...], truth: _Truth) -> None:
    wall, lumen, plaque = found
    judged = (wall > VESSEL) | truth.masks[0]
    for n, (name, probability) in enumerate(zip(STRUCTURES, found, strict=True)):
        tally.reliability[name].add(probability[judged], truth.shares[..., n][judged])
    vessel = wall > VESSEL
    said = np.stack([1 - lumen - plaque, lumen, plaque]).argmax(0)
    true = np.where(truth.masks[2], 2, np.where(truth.masks[1], 1, 0))
    wrong = ((said != true) & vessel).sum((1, 2)) / np.maximum(vessel.sum((1, 2)), 1)
    tally.reliability["section"].add(section_uncertainty(wall, lumen, plaque), wrong)


def _around_hu(truth: _Truth, inside: NDArray[np.bool_]) -> float:
    """Mean HU from about 0.6 to 1.6 mm outside the true outer wall."""
    disc = truth.masks[0][inside]
    cross = np.zeros((3, 3, 3), bool)
    cross[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    ring = binary_dilation(disc, cross, 5) & ~binary_dilation(disc, cross, 2)
    return float(truth.vessel.hu[inside][ring].mean()) if ring.any() else float("nan")


def _measures(lesions: list[dict[str, Any]], metrics: Iterable[str] = PAIRS) -> dict[str, Any]:
    out = {}
    for metric in metrics:
        kept = [x for x in lesions if None not in x[metric]]
        pairs = np.array([x[metric] for x in kept], float).reshape(-1, 2)
        out[metric] = measure_with_interval(
            pairs[:, 0], pairs[:, 1], np.array([x["patient"] for x in kept], np.int64)
        )
    return out


def _strata(lesions: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Named parts of the lesions; each pair of neighbours together is all of them."""
    tests: dict[str, Callable[[dict[str, Any]], bool]] = {
        "soft tissue around": lambda x: x["around_hu"] > SOFT_TISSUE_HU,
        "fat around": lambda x: not x["around_hu"] > SOFT_TISSUE_HU,
        "calcified": lambda x: x["calcified_plaque_volume"][0] >= CALCIFIED_MM3,
        "not calcified": lambda x: x["calcified_plaque_volume"][0] < CALCIFIED_MM3,
        f"noise at least {NOISY_HU:.0f} HU": lambda x: x["noise_hu"] >= NOISY_HU,
        f"noise below {NOISY_HU:.0f} HU": lambda x: x["noise_hu"] < NOISY_HU,
        f"lumen radius at least {WIDE_MM} mm": lambda x: x["radius_mm"] >= WIDE_MM,
        f"lumen radius below {WIDE_MM} mm": lambda x: x["radius_mm"] < WIDE_MM,
    }
    for name, test in tests.items():
        yield name, [x for x in lesions if test(x)]


def _stratum(lesions: list[dict[str, Any]]) -> dict[str, Any]:
    """Dice inside these lesions as measured, and agreement of their volumes and stenosis."""
    counts = np.array([x["counts"] for x in lesions], float).reshape(-1, len(STRUCTURES), 2)
    return {
        "n": len(lesions),
        "dice": {name: dice(counts[:, n]) for n, name in enumerate(STRUCTURES)},
        **_measures(lesions, ("total_plaque_volume", "minimal_luminal_area", "diameter_stenosis")),
    }


def _peak_memory_mib(device: str) -> float:
    """The process's largest resident memory, or on an accelerator the largest that tensors took there, MiB."""
    if device != "cpu" and torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
