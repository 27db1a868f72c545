"""How the served network measures plaque that is not from home: other generators, CT physics, and large plaque, in bins of size.

usage: python tests/bench/stranger.py [--network served] [--patients 6] [--scenario tree_validation_wide] [--first-seed 2110]
    [--physics 4]
Lesions and centrelines are given. Columns: ../shared/data/phantom (another generator), ../shared/data/physics (images by
CT physics), and the own generator's plaque of any size behind clinical kernels. An ICC hides a wall that is drawn at a
fifth of its area where few are large: bias and ratios stand in bins of radius and of thickness. Choices are made on validation
scenarios and on these; never is anything trained on them. ``--physics N`` adds N own patients imaged by CT physics and the same
patients filtered by the kernel alone (a minute and a half of a core each), and tables by density of calcium and by the share
of a lesion's border that can be seen. Keeps var/bench/stranger.json; prints the part of the page.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from page import WORDS, figure, with_interval  # noqa: E402

from inference.analysis import Settings  # noqa: E402
from inference.centreline import read_centrelines  # noqa: E402
from inference.certainty.signs import signs_of  # noqa: E402
from inference.commands.analyse import read_lesions  # noqa: E402
from inference.networks import load_network  # noqa: E402
from inference.phantom import generate, lesion_truth  # noqa: E402
from inference.pipeline import analyse  # noqa: E402
from inference.quantification import Lesion, value_of  # noqa: E402
from inference.quantification.stents import find_stents  # noqa: E402
from inference.scan import read_series  # noqa: E402
from inference.straightening import straighten  # noqa: E402
from inference.training.agreement import measure_with_interval  # noqa: E402
from inference.training.evaluation import PAIRS  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
KEPT = ROOT / "var" / "bench" / "stranger.json"
PAGE = ROOT / "docs" / "validation-inference.md"
BEGIN, END = "<!-- not from home -->", "<!-- end of not from home -->"
RADII = (0.0, 2.0, 2.5, 3.0, 3.5, 4.5)
THICKNESSES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.5)
NAMES = {"phantom": "other generator", "physics": "CT physics"}
PHYSICS = ("tree_physics_validation", "tree_physics_validation_blur")
NAMES_OF_OWN = {PHYSICS[0]: "own, by CT physics", PHYSICS[1]: "the same, by blur"}
DENSITIES = (1.0, 500.0, 800.0, 2000.0)  # mean mg hydroxyapatite per cc, in classes of the target
SEEN_SHARE = 0.7  # of a lesion's border, from which the target holds


@dataclass(frozen=True)
class Measured:
    """One lesion: what is true of it and what was found; metrics by the names of the measurements."""

    group: str
    patient: str
    vessel: str
    lesion: int
    length_mm: float
    truth: dict[str, float | None]
    found: dict[str, float | None]
    calcium_mg_cc: float | None = None
    seen_border: float | None = None


def _found(record: Any) -> dict[str, float | None]:
    out: dict[str, float | None] = {}
    for metric in PAIRS:
        value = value_of(record, metric)
        out[metric] = None if value.value is None else float(value.value)
    return out


def strangers(group: str, model: tuple[Any, Any]) -> Iterator[Measured]:
    """Every lesion of the cases in ../shared/data/GROUP."""
    for case in sorted(p for p in (SHARED / group).iterdir() if p.is_dir()):
        lesions = read_lesions(case / "lesions.csv")
        truth = {
            (x["vessel"], x["lesion"]): x for x in json.loads((case / "truth.json").read_text())["lesions"]
        }
        done = analyse(
            read_series(case / "dicom"),
            read_centrelines(case / "centrelines.csv"),
            settings=Settings(lesions=lesions),
            network=model,
        )
        for record in (x for vessel in done.records for x in vessel.lesions):
            exact = truth[record.vessel, record.number]
            yield Measured(
                group,
                case.name,
                record.vessel,
                record.number,
                exact["end_mm"] - exact["start_mm"],
                {metric: exact[key] for metric, key in PAIRS.items()},
                _found(record),
                exact.get("calcium_mg_cc"),
            )
        print(f"{group} {case.name}", file=sys.stderr, flush=True)


def own(
    scenario: str, first_seed: int, patients: int, model: tuple[Any, Any]
) -> tuple[list[Measured], list[tuple[float, float, float]]]:
    """Every lesion of own patients, stents left out; and of their sections true radius, thickness and area ratio."""
    rows, sections = [], []
    for seed in range(first_seed, first_seed + patients):
        phantom = generate(seed, scenario)
        lines = phantom.stored_points(0.5)
        vessels = [straighten(phantom.volume, line) for line in lines]
        reads = {v.vessel: phantom.truth_read(v) for v in vessels}
        given: dict[str, tuple[Lesion, ...]] = {name: read.lesions for name, read in reads.items()}
        done = analyse(phantom.volume, lines, settings=Settings(lesions=given), network=model)
        metal = find_stents(vessels)
        for vessel, record, drawn in zip(done.vessels, done.records, done.reads, strict=True):
            table, read = phantom.vessels[vessel.vessel], reads[vessel.vessel]
            bad = metal.get(vessel.vessel, ())
            for lesion in record.lesions:
                true = next(x for x in table.lesions if x.number == lesion.number)
                extent = next(x for x in read.lesions if x.number == lesion.number)
                if any(a < extent.end_mm and b > extent.start_mm for a, b in bad):
                    continue
                exact = lesion_truth(table, true)
                rows.append(
                    Measured(
                        scenario,
                        str(seed),
                        vessel.vessel,
                        lesion.number,
                        true.end_mm - true.start_mm,
                        {metric: exact[key] for metric, key in PAIRS.items()},
                        _found(lesion),
                        exact.get("calcium_mg_cc"),
                        _seen_border(vessel, read, extent),
                    )
                )
                part = slice(int(extent.start_mm / 0.3), int(extent.end_mm / 0.3) + 1)
                sections += _sections(read.contours, drawn.contours, part)
        print(f"{scenario} {seed}", file=sys.stderr, flush=True)
    return rows, sections


def _seen_border(vessel: Any, read: Any, extent: Lesion) -> float:
    """Share of the true outer border of a lesion's plaque that differs by 40 HU from what lies behind."""
    none = np.zeros(len(read.contours.wall_radius))
    return (
        1.0
        - signs_of(
            vessel, read, extent, uncertainty=none, assumed=none > 0, scales=None, branches=(), noise_hu=0.0
        ).unseen_border
    )


def _sections(true: Any, drawn: Any, part: slice) -> list[tuple[float, float, float]]:
    """Outer radius (mm), greatest thickness (mm) and drawn over true area of the outer wall, of each polar section."""
    out = []
    for s in range(*part.indices(len(true.wall_radius))):
        if s in true.masks or s in drawn.masks:
            continue
        wall, area = true.wall_radius[s].astype(float), float((true.wall_radius[s].astype(float) ** 2).mean())
        found = float((drawn.wall_radius[s].astype(float) ** 2).mean())
        out.append((float(np.sqrt(area)), float((wall - true.lumen_radius[s]).max()), found / area))
    return out


def _mean_radius(row: Measured) -> float:
    return float(np.sqrt((row.truth["vessel_volume"] or 0.0) / (np.pi * row.length_mm)))


def _pairs(rows: list[Measured], metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    kept = [r for r in rows if r.truth[metric] is not None and r.found[metric] is not None]
    names = sorted({r.patient for r in kept})
    return (
        np.array([r.truth[metric] for r in kept], float),
        np.array([r.found[metric] for r in kept], float),
        np.array([names.index(r.patient) for r in kept], int),
    )


def agreement(rows: list[Measured]) -> dict[str, Any]:
    """Per metric: n, bias, error and ICC with intervals over patients; MLA's slope; low attenuation at 1 mm³."""
    out = {metric: measure_with_interval(*_pairs(rows, metric)) for metric in PAIRS}
    truth, found, _ = _pairs(rows, "minimal_luminal_area")
    if len(truth) > 2:
        out["minimal_luminal_area"]["slope"] = float(np.polyfit(truth, found, 1)[0])
    truth, found, _ = _pairs(rows, "low_attenuation_plaque_volume")
    there = truth >= 1.0
    out["low_attenuation_plaque_volume"] |= {
        "sensitivity": float((found[there] >= 1.0).mean()) if there.any() else None,
        "specificity": float((found[~there] < 1.0).mean()) if (~there).any() else None,
    }
    return out


def binned(rows: list[Measured]) -> list[dict[str, Any]]:
    """By the lesions' mean true outer radius: total found over true, of outer wall, plaque and calcium."""
    radius = np.array([_mean_radius(r) for r in rows])
    out = []
    for low, high in itertools.pairwise(RADII):
        part = [r for r, at in zip(rows, radius, strict=True) if low <= at < high]
        if part:
            ratio = {}
            for metric in ("vessel_volume", "total_plaque_volume", "calcified_plaque_volume"):
                truth, found, _ = _pairs(part, metric)
                ratio[metric] = float(found.sum() / truth.sum()) if truth.sum() > 0 else None
            out.append({"low": low, "high": high, "n": len(part), **ratio})
    return out


def walls(sections: list[tuple[float, float, float]]) -> dict[str, list[dict[str, Any]]]:
    """Drawn over true area of the outer wall, by true radius and by true greatest thickness of the section."""
    if not sections:
        return {}
    radius, thickness, ratio = np.array(sections).T
    out: dict[str, list[dict[str, Any]]] = {}
    for name, values, edges in (("radius", radius, RADII), ("thickness", thickness, THICKNESSES)):
        out[name] = []
        for low, high in itertools.pairwise(edges):
            part = (values >= low) & (values < high)
            if part.any():
                out[name].append(
                    {"low": low, "high": high, "n": int(part.sum()), "ratio": float(ratio[part].mean())}
                )
    return out


def by_density(rows: list[Measured]) -> list[dict[str, Any]]:
    """Calcified volume found over true, by the mean density of each lesion's calcium."""
    out = []
    for low, high in itertools.pairwise(DENSITIES):
        part = [r for r in rows if r.calcium_mg_cc is not None and low <= r.calcium_mg_cc < high]
        truth, found, _ = _pairs(part, "calcified_plaque_volume")
        ratio = float(found.sum() / truth.sum()) if truth.sum() > 0 else None
        out.append({"low": low, "high": high, "n": len(part), "ratio": ratio})
    return out


def by_border(rows: list[Measured]) -> dict[str, Any]:
    """Total plaque of lesions whose border can be seen along at least ``SEEN_SHARE`` of it, and of the others."""
    known = [r for r in rows if r.seen_border is not None]
    seen = [r for r in known if (r.seen_border or 0.0) >= SEEN_SHARE]
    unseen = [r for r in known if (r.seen_border or 0.0) < SEEN_SHARE]
    parts = {"seen": seen, "unseen": unseen}
    return {k: measure_with_interval(*_pairs(v, "total_plaque_volume")) for k, v in parts.items() if v}


def _physics_part(groups: dict[str, Any], heads: list[str]) -> list[str]:
    """Tables that only images of materials have."""
    out = ["", "Calcified volume found over true, by the lesion's mean density of calcium:", ""]
    out += ["| mg/cc | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for n, (low, high) in enumerate(itertools.pairwise(DENSITIES)):
        cells = [f"{figure(g['density'][n]['ratio'], 2)} (n {g['density'][n]['n']})" for g in groups.values()]
        out.append(f"| {low:g}–{high:g} | " + " | ".join(cells) + " |")
    out += [
        "",
        f"Total plaque where at least {SEEN_SHARE:.0%} of the border differs by 40 HU from what lies behind, and elsewhere "
        "(n, bias, MAE, ICC(A,1)):",
        "",
        "| border | " + " | ".join(heads) + " |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for which in ("seen", "unseen"):
        cells = []
        for g in groups.values():
            m = g["border"].get(which)
            cells.append(
                f"{m['n']}, {figure(m.get('bias'), 2)}, {figure(m.get('mae'), 2)}, {figure(m.get('icc_a1'), 3)}"
                if m
                else "–"
            )
        out.append(f"| {which} | " + " | ".join(cells) + " |")
    return out


def section(found: dict[str, Any]) -> list[str]:
    """The part of the page."""
    groups = found["groups"]
    heads = [
        f"{(NAMES | NAMES_OF_OWN).get(g, f'`{g}`')} ({len({r['patient'] for r in found['lesions'] if r['group'] == g})} patients)"
        for g in groups
    ]
    out = [
        "## Plaque that is not from home",
        "",
        f"Lesions and centrelines given, network `{found['network']}` ({found['weights_sha256'][:12]}). Bias and mean absolute error "
        "(MAE); ICC with 95 % intervals over patients where there are three or more. An ICC alone proves nothing, so sizes stand below.",
        "",
        "| per lesion | " + " | ".join(f"{h}: n, bias, MAE, ICC(A,1)" for h in heads) + " |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for metric in PAIRS:
        cells = []
        for g in groups:
            m = groups[g]["agreement"][metric]
            icc = with_interval(m.get("icc_a1"), m.get("icc_a1_interval"))
            cells.append(f"{m['n']}, {figure(m.get('bias'), 2)}, {figure(m.get('mae'), 2)}, {icc}")
        out.append(f"| {WORDS[metric]} | " + " | ".join(cells) + " |")
    out += ["", "By mean true outer radius of a lesion, found over true (outer wall, plaque, calcium):", ""]
    out += ["| radius, mm | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for low, high in itertools.pairwise(RADII):
        cells = []
        for g in groups:
            b = next((x for x in groups[g]["bins"] if x["low"] == low), None)
            cells.append(
                f"{figure(b['vessel_volume'], 2)}, {figure(b['total_plaque_volume'], 2)}, "
                f"{figure(b['calcified_plaque_volume'], 2)} (n {b['n']})"
                if b
                else "–"
            )
        out.append(f"| {low:g}–{high:g} | " + " | ".join(cells) + " |")
    out += _physics_part(groups, heads)
    for name, rows in found["walls"].items():
        out += [
            "",
            f"Own sections inside lesions, drawn over true area of the outer wall, by true {name}:",
            "",
        ]
        out += ["| mm | sections | ratio |", "|---|---|---|"]
        out += [f"| {r['low']:g}–{r['high']:g} | {r['n']} | {figure(r['ratio'], 3)} |" for r in rows]
    return [*out, ""]


def placed(page: str, part: list[str]) -> str:
    """The page with this part between its marks."""
    before, rest = page.split(BEGIN)
    return before + "\n".join([BEGIN, *part, END]) + rest.split(END)[1]


def main() -> None:
    """Measure, keep, print; with --write put the part into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--network", default="served")
    parser.add_argument("--scenario", default="tree_validation_wide")
    parser.add_argument("--first-seed", type=int, default=2110)
    parser.add_argument("--patients", type=int, default=6)
    parser.add_argument(
        "--physics", type=int, default=0, help="own patients imaged by CT physics, and by blur"
    )
    parser.add_argument("--out", type=Path, default=KEPT)
    parser.add_argument("--write", action="store_true", help="renew the part of docs/validation-inference.md")
    options = parser.parse_args()
    model = load_network(options.network)
    rows = [row for group in NAMES if (SHARED / group).exists() for row in strangers(group, model)]
    sections: list[tuple[float, float, float]] = []
    if options.patients:
        mine, sections = own(options.scenario, options.first_seed, options.patients, model)
        rows += mine
    for scenario in PHYSICS if options.physics else ():
        rows += own(scenario, options.first_seed, options.physics, model)[0]
    groups = {}
    for group in dict.fromkeys(r.group for r in rows):
        part = [r for r in rows if r.group == group]
        groups[group] = {
            "agreement": agreement(part),
            "bins": binned(part),
            "density": by_density(part),
            "border": by_border(part),
        }
    found = {
        "network": model[1].name,
        "weights_sha256": model[1].sha256,
        "groups": groups,
        "walls": walls(sections),
        "lesions": [asdict(r) for r in rows],
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1))
    if options.write:
        PAGE.write_text(placed(PAGE.read_text(), section(found)))
    print("\n".join(section(found)))


if __name__ == "__main__":
    main()
