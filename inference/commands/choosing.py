"""Options that choose one CT volume of a folder: the same for every command that reads a scan."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_scan(parser: argparse.ArgumentParser) -> None:
    """Add the folder, and which of its volumes is meant; ``inference.scan.read_volume`` reads them."""
    parser.add_argument("dicom", type=Path, metavar="DICOM_DIR")
    parser.add_argument(
        "--series", default="", help="number or UID of the series; a folder of several lists them if left out"
    )
    parser.add_argument(
        "--phase",
        default="",
        help="cardiac phase in %%, or what the list calls it, where a series has several",
    )
