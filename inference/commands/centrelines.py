"""``python -m inference centrelines``: find the coronary arteries of a series and write them to a file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from inference.centreline.automatic import find_centrelines
from inference.centreline.formats import check_ending, export_centrelines
from inference.commands.choosing import add_scan
from inference.scan import read_volume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's options."""
    add_scan(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=".csv, .vtk or .vtp; .txt (CAT08) writes one file a vessel: FILE-LAD.txt and so on",
    )
    parser.add_argument("--json", action="store_true", help="print dominance, qualities and doubts as JSON")


def run(options: argparse.Namespace) -> int:
    """Read, find, write; nothing is written unless vessels were found."""
    ending = check_ending(options.out)
    volume, _ = read_volume(options.dicom, series=options.series, phase=options.phase)
    found = find_centrelines(volume)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".txt":
        for line in found.lines:
            export_centrelines(options.out.with_name(f"{options.out.stem}-{line.vessel}.txt"), [line])
    else:
        export_centrelines(options.out, found.lines)
    summary = found.summary()
    if options.json:
        print(json.dumps(summary))
        return 0
    for warning in (*volume.warnings, *found.warnings):
        print(f"warning: {warning}", file=sys.stderr)
    for vessel in summary["vessels"]:
        segments = ", ".join(vessel["segments"])
        print(
            f"{vessel['vessel']:6} {vessel['length_mm']:6.1f} mm  quality {vessel['quality']:.2f}  {segments}"
        )
    print(f"{found.dominance} dominance, {len(found.lines)} vessels → {options.out}", file=sys.stderr)
    return 0
