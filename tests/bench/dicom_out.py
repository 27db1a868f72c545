"""Measure DICOM output: seconds of one core, file sizes, and how far voxel volumes are from the contours'.

usage: OMP_NUM_THREADS=1 python tests/bench/dicom_out.py [--patients 3] [--scenario tree_validation] [--first-seed 3100]
Vessels and lesions are drawn as the phantoms' truth has them. Keeps
var/bench/dicom_out.json; tests/bench/validation.py puts it on the page.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from inference.analysis import Analysis  # noqa: E402
from inference.composition_profiles import PROFILES  # noqa: E402
from inference.dicom import Agreement, export, lesion_agreement, read_report  # noqa: E402
from inference.phantom import generate, write_dicom  # noqa: E402
from inference.phantom.phantom import Phantom  # noqa: E402
from inference.quantification import measure, roll_up_records  # noqa: E402
from inference.scan import read_source  # noqa: E402
from inference.straightening import straighten  # noqa: E402

PROFILE = PROFILES["corrected"]
KEPT = ROOT / "var" / "bench" / "dicom_out.json"


def drawn(phantom: Phantom) -> Analysis:
    """The phantom's true contours and lesions, measured."""
    vessels = [straighten(phantom.volume, line) for line in phantom.centrelines]
    reads = [phantom.truth_read(vessel) for vessel in vessels]
    records = tuple(measure(vessel, read, PROFILE) for vessel, read in zip(vessels, reads, strict=True))
    versions = {"model": "truth", "weights_sha256": "0" * 64, "profile": f"{PROFILE.name}/{PROFILE.version}"}
    versions |= {"volume_sha256": phantom.volume.content_sha256, "settings_sha256": ""}
    return Analysis(tuple(vessels), tuple(reads), records, tuple(roll_up_records(records)), {}, versions)


def write_one(seed: int, scenario: str) -> tuple[dict[str, float], list[Agreement]]:
    """Seconds of each step and megabytes of each file of one patient, and its lesions' volumes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        phantom = generate(seed, scenario)
        write_dicom(phantom, folder / "dicom")
        analysis = drawn(phantom)
        marks = [time.process_time()]
        source = read_source(folder / "dicom", phantom.volume)
        marks.append(time.process_time())
        objects = export(analysis, phantom.volume, source)
        marks.append(time.process_time())
        objects.save(folder)
        marks.append(time.process_time())
        report = read_report(folder / "report.dcm")
        if set(report.measurements) != set(analysis.measurements):
            raise RuntimeError(f"seed {seed}: the report does not read back to the same numbers")
        took = [after - before for before, after in pairwise(marks)]
        figures = dict(zip(("read headers", "make both objects", "write both files"), took, strict=True))
        figures["whole"] = sum(took)
        for file in ("segmentation.dcm", "report.dcm"):
            figures[file] = (folder / file).stat().st_size / 1e6
        figures["vessels"] = len(analysis.vessels)
        figures["rows"] = len(report.measurements)
        return figures, lesion_agreement(folder / "segmentation.dcm", folder / "report.dcm")


def measured(patients: int, scenario: str, first_seed: int) -> dict[str, Any]:
    """Medians over patients, and the error of every lesion's voxel volume."""
    write_one(first_seed - 1, "tiny")  # compiles and imports; a worker does that once
    done = [write_one(first_seed + n, scenario) for n in range(patients)]
    return {
        "patients": patients,
        "scenario": scenario,
        "first_seed": first_seed,
        "medians": {name: statistics.median(figures[name] for figures, _ in done) for name in done[0][0]},
        "errors_percent": [abs(one.error_percent) for _, lesions in done for one in lesions],
    }


def section(found: dict[str, Any]) -> list[str]:
    """Its part of docs/validation-inference.md."""
    middle, errors = found["medians"], found["errors_percent"]
    return [
        "## DICOM output",
        "",
        f"Median of {found['patients']} simulated patients ({middle['vessels']:.0f} vessels, {middle['rows']:.0f} measurements, scenario"
        f" `{found['scenario']}`), contours as the truth draws them, seconds of one core. Target: 2 s.",
        "",
        "| step | s |",
        "|---|---|",
        *(f"| {name} | {middle[name]:.2f} |" for name in list(middle)[:4]),
        "",
        f"`segmentation.dcm` {middle['segmentation.dcm']:.1f} MB, `report.dcm` {middle['report.dcm']:.1f} MB. In {len(errors)} lesions of at"
        f" least 20 mm³ the voxels' volume differs from the contours' by {statistics.median(errors):.2f} % in the median and at"
        f" most {max(errors):.2f} % (target: 5 %); every number of the report reads back as it was. Tests pass both files through"
        " `dciodvfy` without errors.",
        "",
    ]


def main() -> int:
    """Parse the command line, measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=3)
    parser.add_argument("--scenario", default="tree_validation")
    parser.add_argument("--first-seed", type=int, default=3100)
    options = parser.parse_args()
    found = measured(options.patients, options.scenario, options.first_seed)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(found, indent=1))
    print("\n".join(section(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
