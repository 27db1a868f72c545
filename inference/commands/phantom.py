"""``python -m inference phantom``: a simulated patient as DICOM, with exact truth."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inference.phantom import SCENARIOS, generate, write_case


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--seed", type=int, required=True, help="whole number; the same seed gives the same bytes"
    )
    parser.add_argument("--scenario", default="test", choices=sorted(SCENARIOS))
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for dicom/, centrelines.csv, truth.json"
    )


def run(arguments: argparse.Namespace) -> int:
    """Generate one case; refuses to write into a folder that holds one."""
    if arguments.seed < 0:
        print("the seed must not be negative", file=sys.stderr)
        return 2
    try:
        phantom = generate(arguments.seed, arguments.scenario)
        write_case(phantom, arguments.out)
    except FileExistsError as error:
        print(error, file=sys.stderr)
        return 2
    slices, rows, columns = phantom.volume.hu.shape
    lesions = sum(len(t.lesions) for t in phantom.vessels.values())
    print(
        f"simulated patient {arguments.seed} ({arguments.scenario}): {slices} slices of {rows} × {columns}, "
        f"{len(phantom.vessels)} vessels, {lesions} lesions → {arguments.out}"
    )
    return 0
