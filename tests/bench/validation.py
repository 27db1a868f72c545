"""Write docs/validation-inference.md and the README's table from what the benchmarks of inference kept in var/bench.

usage: python tests/bench/validation.py
`make bench` runs the benchmarks first: networks.py, composition.py, centrelines.py, end_to_end.py, certainty.py,
repeatability.py, quantify.py,
dicom_out.py, phantoms.py. A part that was not measured stops the page, for a page with holes would be read as complete.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import wilcoxon

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import centrelines  # noqa: E402
import certainty  # noqa: E402
import composition  # noqa: E402
import dicom_out  # noqa: E402
import end_to_end  # noqa: E402
import phantoms  # noqa: E402
import quantify  # noqa: E402
import repeatability  # noqa: E402
import stranger  # noqa: E402
from page import WORDS, figure, with_interval  # noqa: E402
from targets import Target, quote, table, targets  # noqa: E402

KEPT = ROOT / "var" / "bench"
PAGE = ROOT / "docs" / "validation-inference.md"


def kept(name: str) -> Any:
    """What a benchmark kept; a message where it did not run."""
    path = KEPT / f"{name}.json"
    if not path.exists():
        raise SystemExit(f"{path.relative_to(ROOT)} is missing: run tests/bench/{name}.py, or `make bench`.")
    return json.loads(path.read_text())


def _per_patient(result: dict[str, Any]) -> np.ndarray:
    return np.array(result["dice_by_patient"]["plaque"]["per_patient"], float)


def _paired(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    a, b = _per_patient(ours), _per_patient(theirs)
    return figure(float(wilcoxon(a, b).pvalue), 3) if len(a) >= 5 and (a != b).any() else "–"


def network_rows(results: dict[str, Any], fast: dict[str, Any], best: str, word: str) -> list[str]:
    """A table of networks on the same patients; ``p`` against ``best``."""
    out = [
        "| network | parameters | presentations | Dice wall | lumen | plaque | ring | p | total plaque volume ICC(A,1) "
        "| MLA error, mm² | stenosis error, points | s per 3,000 sections | peak memory, MiB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, r in results.items():
        dice = [
            with_interval(r["dice_by_patient"][k]["dice"], r["dice_by_patient"][k]["interval"])
            for k in ("wall", "lumen", "plaque", "ring")
        ]
        m = r["lesion_measures"]
        cells = [
            f"{r['parameters']:,}",
            f"{r['presentations']:,}",
            *dice,
            word if name == best else _paired(results[best], r),
            with_interval(m["total_plaque_volume"]["icc_a1"], m["total_plaque_volume"]["icc_a1_interval"]),
            with_interval(m["minimal_luminal_area"]["mae"], m["minimal_luminal_area"]["mae_interval"], 2),
            with_interval(m["diameter_stenosis"]["mae"], m["diameter_stenosis"]["mae_interval"], 1),
            f"{fast[name][0]:.1f}",
            f"{fast[name][1]:.0f}",
        ]
        out.append(f"| `{name}` | {' | '.join(cells)} |")
    return [*out, ""]


def architectures(found: dict[str, Any]) -> list[str]:
    """Networks that were trained alike."""
    results = found["compared"]
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
        *network_rows(results, found["fast"]["compared"], best, "highest"),
        "## Stored networks",
        "",
        "What users get, each trained for as long as it was (the model card says how). `p`: as above, against the served "
        "network. Seconds and memory: one view, one process each.",
        "",
        *network_rows(found["stored"], found["fast"]["stored"], found["served"], "served"),
    ]


def lesions(found: dict[str, Any]) -> list[str]:
    """Measurements of the served network beside those on the other generator's phantoms."""
    served, both = found["stored"][found["served"]], found["other_generator"]
    out = [
        "## Lesions, measured with the served network",
        "",
        f"Lesions that reach into a stent are left out, as users' are ({served['lesions_left_out_for_stents']} here). Beside: phantoms of "
        "another generator, all their lesions, and those of which at most a quarter is low-attenuation plaque.",
        "",
        "| per lesion | n | truth | bias | mean absolute error | ICC(A,1) | other generator: n | bias | ICC(A,1) "
        "| not largely lipid: n | ICC(A,1) |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for metric, words in WORDS.items():
        m, o, p = (
            served["lesion_measures"][metric],
            (both["all"] or {}).get(metric),
            (both["not largely lipid"] or {}).get(metric),
        )
        out.append(
            f"| {words} | {m['n']} | {figure(m['truth_mean'], 1)} | {with_interval(m['bias'], m['bias_interval'], 2)} "
            f"| {with_interval(m['mae'], m['mae_interval'], 2)} | {with_interval(m['icc_a1'], m['icc_a1_interval'])} "
            + (f"| {o['n']} | {figure(o['bias'], 2)} | {figure(o['icc_a1'])} " if o else "| – | – | – ")
            + (f"| {p['n']} | {figure(p['icc_a1'])} |" if p else "| – | – |")
        )
    return [
        *out,
        "",
        'Why the other generator\'s figures are lower stands under "Plaque that is not from home", in bins of size.',
        "",
    ]


def found_alone(found: dict[str, Any]) -> list[str]:
    """Lesions and totals without anybody's marks."""
    served = found["stored"][found["served"]]
    alone = served["found_alone"]
    volume = alone["patient_total_plaque_volume"]

    def percent(part: dict[str, Any]) -> str:
        interval = None if part["interval"] is None else [100 * x for x in part["interval"]]
        return with_interval(None if part["value"] is None else 100 * part["value"], interval, 0)

    return [
        "## What the served network finds by itself",
        "",
        "No extents given. A lesion is found where one that was drawn shares at least 1.5 mm with it.",
        "",
        "| lesions found, % | drawn lesions that are true, % | extra lesions a patient | patients' total plaque volume: bias, mm³ | ICC(A,1) |",
        "|---|---|---|---|---|",
        f"| {percent(alone['sensitivity'])} | {percent(alone['positive_predictive_value'])} | {figure(alone['extra_lesions_a_patient'], 1)} "
        f"| {with_interval(volume['bias'], volume['bias_interval'], 1)} | {with_interval(volume['icc_a1'], volume['icc_a1_interval'])} |",
        "",
    ]


def strata(found: dict[str, Any]) -> list[str]:
    """The served network in parts of the lesions, and its calibration."""
    served = found["stored"][found["served"]]
    out = [
        "## Strata, served network, as measured from contours",
        "",
        "| lesions | n | Dice wall | lumen | plaque | total plaque volume ICC(A,1) | stenosis error, points |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, s in served["strata"].items():
        v = s["total_plaque_volume"]
        out.append(
            f"| {name} | {s['n']} | {figure(s['dice']['wall'])} | {figure(s['dice']['lumen'])} | {figure(s['dice']['plaque'])} "
            f"| {with_interval(v.get('icc_a1'), v.get('icc_a1_interval'))} | {figure(s['diameter_stenosis'].get('mae'), 1)} |"
        )
    errors = (figure(served["calibration"][k]["ece"]) for k in ("wall", "lumen", "plaque", "section"))
    return [
        *out,
        "",
        "## Calibration, served network",
        "",
        "Expected calibration error over ten bins, of pixels that may be vessel, and of the share of wrong labels per section "
        "that is stored as a section's uncertainty.",
        "",
        "| wall | lumen | plaque | share of wrong labels per section |",
        "|---|---|---|---|",
        "| " + " | ".join(errors) + " |",
        "",
        "![Truth against what was found, lesion by lesion, and calibration](pictures/validation-inference.png)",
        "",
    ]


def document(rows: Sequence[Target]) -> str:
    """The page's text."""
    found = kept("networks")
    served = found["stored"][found["served"]]
    return "\n".join(
        [
            "# How good inference is on simulated scans",
            "",
            f"Measured by `make bench` on {found['date']} at commit {found['commit']}: {found['machine']}.",
            "",
            f"All data is simulated; research use only. {served['patients']} patients, scenario `{served['scenario']}`, seeds from "
            f"{served['first_seed']}, {served['sections']} sections, centrelines {served['displacement_mm']} mm off, lesion extents "
            f"given, profile `{served['profile']}`. Intervals are 95 %, patients drawn with replacement 2,000 times. Dice on phantoms "
            "says nothing about Dice on scans of people.",
            "",
            "## Against the targets",
            "",
            f"The served network, `{found['served']}`. On the right the same on phantoms of another generator, where it can be measured.",
            "",
            *table(rows),
            "",
            stranger.BEGIN,
            *stranger.section(kept("stranger")),
            stranger.END,
            "",
            *architectures(found),
            *lesions(found),
            *found_alone(found),
            *strata(found),
            *composition.section(kept("composition")),
            *centrelines.section(kept("centrelines")),
            *end_to_end.section(
                kept("end_to_end"), [p["seed"] for p in centrelines.lost_patients(kept("centrelines"))]
            ),
            *certainty.section(kept("certainty"), kept("calibration")["held_out"]),
            *repeatability.section(kept("repeatability")),
            *quantify.section(kept("quantify")),
            *dicom_out.section(kept("dicom_out")),
            *phantoms.section(kept("phantoms")),
        ]
    )


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


def main() -> None:
    """Write the page and its picture."""
    found = kept("networks")
    rows = targets(found, kept("centrelines"), kept("end_to_end"))
    text = document(rows)
    (PAGE.parent / "pictures").mkdir(exist_ok=True)
    picture(found["stored"][found["served"]], PAGE.parent / "pictures" / "validation-inference.png")
    PAGE.write_text(text)
    quote(rows, ROOT / "README.md")
    print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
