"""Whether what is told of certainty holds on another generator: the second look, intervals, and which lesions to read first.

usage: python tests/bench/certainty.py [--cases ../shared/data/phantom] [--network served] [CASE ...]
Lesions and centrelines are given, as score.py of these cases gives them. Keeps var/bench/certainty.json and prints the
part of docs/validation-inference.md; coverage on held-out patients of the own generators comes from
var/bench/calibration.json (``python -m inference calibrate --out var/bench/calibration.json``). Choosing happens here too:
``LARGER`` of ``inference/certainty/second_look.py`` is the limit with the smallest error in the first table.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from page import WORDS, figure  # noqa: E402

from inference.analysis import Settings  # noqa: E402
from inference.centreline import read_centrelines  # noqa: E402
from inference.certainty.intervals import CALIBRATED, Judged, calibration_of, judged  # noqa: E402
from inference.certainty.second_look import LARGER  # noqa: E402
from inference.commands.analyse import read_lesions  # noqa: E402
from inference.networks import load_network  # noqa: E402
from inference.pipeline import analyse  # noqa: E402
from inference.scan import read_series  # noqa: E402
from inference.training.agreement import icc_a1  # noqa: E402
from inference.training.calibration import TRUTH, checked  # noqa: E402

OTHER = ROOT.parent / "shared" / "data" / "phantom"
KEPT = ROOT / "var" / "bench" / "certainty.json"
LIMITS = (1.1, 1.15, 1.25, 1.4, 1.6, 2.0)


def lesions_of(case: Path, network: Any) -> tuple[list[Judged], list[tuple[float, float, float]]]:
    """Return a case's judged lesions, and true total plaque with that of the first and of the second drawing, mm³."""
    truth = {(x["vessel"], x["lesion"]): x for x in json.loads((case / "truth.json").read_text())["lesions"]}
    analysis = analyse(
        read_series(case / "dicom"),
        read_centrelines(case / "centrelines.csv"),
        settings=Settings(lesions=read_lesions(case / "lesions.csv")),
        network=network,
    )
    rows, looks = [], []
    for record in analysis.records:
        for lesion in record.lesions:
            exact = truth[lesion.vessel, lesion.number]
            signs = analysis.signs[lesion.vessel][lesion.number]
            codes = [
                d.code for d in analysis.doubts if (d.vessel, d.lesion) == (lesion.vessel, lesion.number)
            ]
            values = {metric: exact[key] for metric, key in TRUTH.items()}
            rows.append(judged(case.name, "given", lesion, signs, values, codes))
            if signs.scales is not None:
                looks.append((exact["tpv_true"], signs.scales.first_mm3, signs.scales.second_mm3))
    return rows, looks


def second_look(looks: Sequence[tuple[float, float, float]]) -> list[dict[str, float | None]]:
    """Return error and ICC of total plaque without a second look, and with it from each limit."""
    true, first, second = np.array(looks).T
    out: list[dict[str, float | None]] = []
    for limit in (None, *LIMITS):
        taken = np.zeros(len(true), bool) if limit is None else second > limit * first
        number = np.where(taken, second, first)
        out.append(
            {
                "limit": limit,
                "taken": int(taken.sum()),
                "bias": float((number - true).mean()),
                "error": float(np.abs(number - true).mean()),
                "icc": icc_a1(true, number),
            }
        )
    return out


def section(found: dict[str, Any], held_out: dict[str, Any] | None) -> list[str]:
    """Its part of the page."""
    out = [
        "## Knowing when it does not know",
        "",
        f"Total plaque of {found['lesions']} lesions of another generator ({', '.join(found['cases'])}; extents given) without and with "
        f"the second look; the limit in use is {LARGER}.",
        "",
        "| second drawing counts from (times the first) | lesions | bias, mm³ | mean error, mm³ | ICC(A,1) |",
        "|---|---|---|---|---|",
        *(
            f"| {row['limit'] or 'never'} | {row['taken']} | {figure(row['bias'], 1)} | "
            f"{figure(row['error'], 1)} | {figure(row['icc'])} |"
            for row in found["second_look"]
        ),
        "",
    ]
    sets = [("another generator, lesions given", found["checked"].get("given"))] if found["checked"] else []
    if held_out is not None:
        sets += [(f"own generators, held out, lesions {how}", row) for how, row in held_out.items()]
    if sets:
        out += [
            "90 % intervals, and how much of all error lies in the fifth of the lesions that is read first, by the width of the "
            "interval; in brackets the fifth with the largest errors, which no order can exceed.",
            "",
            "| patients | metric | lesions | interval holds the truth | median width | mean error | first fifth |",
            "|---|---|---|---|---|---|---|",
        ]
    for name, one in sets:
        for metric, row in one["metrics"].items():
            out.append(
                f"| {name} | {WORDS[metric]} | {one['lesions']} | {figure(100 * row['coverage'], 0)} % | {figure(row['median_width'], 1)} | "
                f"{figure(row['mean_error'], 1)} | {figure(100 * row['first_fifth'], 0)} % ({figure(100 * row['at_best'], 0)} %) |"
            )
    if sets:
        out += [
            "",
            "Error of total plaque, mm³ a lesion, with and without each doubt.",
            "",
            "| patients | doubt | lesions with it | error with | error without |",
            "|---|---|---|---|---|",
        ]
    for name, one in sets:
        for code, row in one["doubts"].items():
            out.append(
                f"| {name} | `{code}` | {figure(100 * row['share'], 0)} % | {figure(row['mean_error_with'], 1)} | "
                f"{figure(row['mean_error_without'], 1)} |"
            )
    return [*out, ""]


def main() -> None:
    """Analyse, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=OTHER)
    parser.add_argument("--network", default="served")
    parser.add_argument("names", nargs="*", metavar="CASE")
    options = parser.parse_args()
    network = load_network(options.network)
    rows: list[Judged] = []
    looks: list[tuple[float, float, float]] = []
    cases = [path for path in sorted(options.cases.iterdir()) if path.is_dir()]
    cases = [path for path in cases if not options.names or path.name in options.names]
    for case in cases:
        some, more = lesions_of(case, network)
        rows, looks = rows + some, looks + more
        print(f"certainty {case.name}", file=sys.stderr, flush=True)
    calibration = calibration_of(network[1].sha256)
    found = {
        "weights_sha256": network[1].sha256,
        "cases": [path.name for path in cases],
        "lesions": len(rows),
        "second_look": second_look(looks),
        "checked": checked(calibration, rows) if calibration else {},
        "metrics": list(CALIBRATED),
    }
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(found, indent=1) + "\n")
    kept = ROOT / "var" / "bench" / "calibration.json"
    held_out = json.loads(kept.read_text())["held_out"] if kept.exists() else None
    print("\n".join(section(found, held_out)))


if __name__ == "__main__":
    main()
