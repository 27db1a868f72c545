"""``python -m inference qualify``: how well a scanner's calcium can be measured, from a scan of a known phantom."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.code_version import code_version
from inference.commands.choosing import add_scan
from inference.qualification import Qualification, qualify
from inference.qualification.page import qualification_page
from inference.rounding import half_up
from inference.scan import Volume, read_volume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's options; the scan is of the QRM calcification insert."""
    add_scan(parser)
    parser.add_argument("--out", type=Path, help="folder for qualify.json and qualify.html")
    parser.add_argument("--json", action="store_true", help="print qualify.json on standard output")


def run(options: argparse.Namespace) -> int:
    """Read, find, measure, print. A limit that is not kept is an answer, no failure."""
    volume, _ = read_volume(options.dicom, series=options.series, phase=options.phase)
    found = qualify(volume)
    summary = summarise(volume, found)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "qualify.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
        name = options.dicom.resolve().name
        page = qualification_page(name=name, volume=volume, found=found)
        (options.out / "qualify.html").write_text(page, encoding="utf-8")
    if options.json:
        print(json.dumps(summary))
    else:
        print("\n".join(lines(found)))
        for warning in volume.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    return 0


def lines(found: Qualification) -> list[str]:
    """Return what is printed: a line a cylinder, the image, the verdict."""
    out = ["mg/cc   mm  mass mg    true   error  ≥350 HU mm³    true   error  integrated mm³   error"]
    out += [
        f"{c.cylinder.mg_cc:5.0f} {c.cylinder.diameter_mm:4.0f} {c.mass_mg:8.2f} {c.cylinder.mass_mg:7.2f} {c.mass_error:+6.0f}% "
        f"{c.volume_350_mm3:12.1f} {c.cylinder.volume_mm3:7.1f} {c.volume_350_error:+6.0f}% "
        f"{c.volume_integrated_mm3:15.1f} {c.volume_integrated_error:+6.0f}%"
        for c in found.cylinders
    ]
    out.append(
        f"{half_up(found.hu_per_mg_cc, 3)} HU per mg/cc; noise {half_up(found.noise_hu, 1)} HU; "
        f"edge spread {half_up(found.edge_mm, 2)} mm; slices every {half_up(found.slice_mm, 2)} mm"
    )
    return [*out, found.verdict]


def summarise(volume: Volume, found: Qualification) -> dict[str, Any]:
    """Return what qualify.json says."""
    measured = [
        {
            **asdict(c.cylinder),
            "true_mass_mg": c.cylinder.mass_mg,
            "true_volume_mm3": c.cylinder.volume_mm3,
            "mass_mg": c.mass_mg,
            "mass_error_percent": c.mass_error,
            "mass_plain_sum_mg": c.mass_plain_mg,
            "volume_350_mm3": c.volume_350_mm3,
            "volume_350_error_percent": c.volume_350_error,
            "volume_integrated_mm3": c.volume_integrated_mm3,
            "volume_integrated_error_percent": c.volume_integrated_error,
            "highest_hu": c.highest_hu,
        }
        for c in found.cylinders
    ]
    return {
        "research_use_only": True,
        "verdict": found.verdict,
        "all_limits_kept": all(c.kept for c in found.criteria),
        "criteria": [{**asdict(c), "kept": c.kept} for c in found.criteria],
        "calibration": {
            "hu_per_mg_cc": found.hu_per_mg_cc,
            "rod_hu": found.rod_hu,
            "insert_hu": found.insert_hu,
            "source": "rod of 200 mg/cc in this scan",
        },
        "noise_hu": found.noise_hu,
        "edge_spread_mm": found.edge_mm,
        "slice_mm": found.slice_mm,
        "cylinders": measured,
        "scan": dict(volume.metadata),
        "warnings": list(volume.warnings),
        "versions": {"code_version": code_version(), "volume_sha256": volume.content_sha256},
    }
