"""Training data: phantoms straightened on displaced centrelines, with soft labels, cached as memory-mapped arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.networks.unet import SEEN
from inference.phantom.lesions import THICKER_MM
from inference.phantom.phantom import displaced, generate
from inference.phantom.table import VesselTable
from inference.phantom.truth import soft_targets, tissue_targets
from inference.section_grid import PIXELS
from inference.straightening import StraightenedVessel, straighten

from .config import PatientSet

MAX_DISPLACEMENT_MM = 1.2  # of training's centrelines; evaluation's are off by 0.5 mm
KEPT = SEEN + 12  # pixels across that are kept of a section: room to shift it, and to see it smaller
# A vessel that is seen ``f`` times as large has its plaque from 0.25/f mm beyond normal wall, not from 0.25 mm (definitions):
# plaque is kept by these three rules, for vessels seen as they are, much larger and much smaller.
PLAQUE_FROM_MM = (THICKER_MM, 0.15, 0.40)
_MIDDLE = slice((PIXELS - KEPT) // 2, (PIXELS + KEPT) // 2)


@dataclass(frozen=True)
class CachedVessel:
    """One straightened vessel of the cache.

    hu : (S, n, n) int16; soft : (S, 3 or 5, n, n) uint8, 255 × share inside outer wall, lumen, plaque, and of simulated
    patients plaque by the other two rules of ``PLAQUE_FROM_MM``. n pixels about the centre: 60 of simulated patients
    (what networks look at, and room to shift and to scale it), 64 of a lab's own reads.
    tissue : (S, 2, n, n) uint8, 255 × share of low-attenuation and of calcified plaque; None where it is not known.
    """

    patient: int
    name: str
    hu: NDArray[np.int16]
    soft: NDArray[np.uint8]
    tissue: NDArray[np.uint8] | None = None


def make_patient(*, seed: int, scenario: str, folder: Path, versions: int = 2) -> Path:
    """Generate one patient and store its vessels; each version has other centreline displacements (0–1.2 mm).

    Writing is atomic: the description appears last, under its final name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{scenario}-{seed}"
    if stem.with_suffix(".json").exists():
        return stem
    phantom = generate(seed, scenario)
    rng = np.random.default_rng([seed, 31])
    hu: list[NDArray[np.int16]] = []
    soft: list[NDArray[np.uint8]] = []
    tissue: list[NDArray[np.uint8]] = []
    rows, at = [], 0
    for _ in range(versions):
        for name, table in phantom.vessels.items():
            size = float(rng.uniform(0.0, MAX_DISPLACEMENT_MM))
            vessel = straighten(phantom.volume, displaced(rng, table, size))
            hu.append(vessel.hu[:, _MIDDLE, _MIDDLE])
            for kept, made in ((soft, _shares(table, vessel)), (tissue, tissue_targets(table, vessel))):
                kept.append(made[:, _MIDDLE, _MIDDLE].transpose(0, 3, 1, 2))
            rows.append({"name": name, "first": at, "count": len(vessel.hu), "displacement_mm": size})
            at += len(vessel.hu)
    np.save(f"{stem}-hu.npy", np.concatenate(hu))
    np.save(f"{stem}-soft.npy", np.concatenate(soft))
    np.save(f"{stem}-tissue.npy", np.concatenate(tissue))
    part = stem.with_suffix(".part")
    part.write_text(json.dumps({"seed": seed, "scenario": scenario, "vessels": rows}))
    os.replace(part, stem.with_suffix(".json"))
    return stem


def _shares(table: VesselTable, vessel: StraightenedVessel) -> NDArray[np.uint8]:
    """(S, 64, 64, 5) uint8: shares inside outer wall, lumen, and plaque by each rule of ``PLAQUE_FROM_MM``."""
    beyond = table.wall - table.lumen - table.normal_wall_mm[:, None]
    inside = table.plaque.any(1, keepdims=True)
    others = [
        soft_targets(replace(table, plaque=inside & (beyond > limit)), vessel)[..., 2:]
        for limit in PLAQUE_FROM_MM[1:]
    ]
    return np.concatenate([soft_targets(table, vessel), *others], axis=-1)


def load_patient(stem: Path) -> list[CachedVessel]:
    """The vessels of one cached patient, memory-mapped."""
    about = json.loads(stem.with_suffix(".json").read_text())
    hu = np.load(f"{stem}-hu.npy", mmap_mode="c")
    soft = np.load(f"{stem}-soft.npy", mmap_mode="c")
    tissue = np.load(f"{stem}-tissue.npy", mmap_mode="c")
    return [
        CachedVessel(
            patient=about["seed"],
            name=r["name"],
            hu=hu[r["first"] : r["first"] + r["count"]],
            soft=soft[r["first"] : r["first"] + r["count"]],
            tissue=tissue[r["first"] : r["first"] + r["count"]],
        )
        for r in about["vessels"]
    ]


def patients(
    *, folder: Path, sets: Sequence[PatientSet], versions: int = 2, workers: int = 1
) -> list[CachedVessel]:
    """All vessels of these sets of patients; what is not cached yet is generated, by several processes if asked."""
    wanted = [(scenario, seed) for scenario, first, count in sets for seed in range(first, first + count)]
    absent = [(s, n) for s, n in wanted if not (folder / f"{s}-{n}.json").exists()]
    if workers > 1 and len(absent) > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for done in [
                pool.submit(make_patient, seed=n, scenario=s, folder=folder, versions=versions)
                for s, n in absent
            ]:
                done.result()
    return [
        vessel
        for s, n in wanted
        for vessel in load_patient(make_patient(seed=n, scenario=s, folder=folder, versions=versions))
    ]
