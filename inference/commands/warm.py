"""``python -m inference warm``: compile once what an analysis would compile, so that the first costs no more than a later.

numba keeps what it compiled beside the sources, or in the user's cache where those cannot be written; it compiles anew for
another processor, another numba and changed sources.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path

from inference.centreline import trace
from inference.commands import analyse
from inference.phantom import generate, write_case

SCENARIO, SEED = "tree_test", 0
"""A whole heart, because the search for arteries refuses less; any patient compiles the same. By hand, no figure was kept."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's options: there are none."""


def run(_: argparse.Namespace) -> int:
    """Find a simulated patient's arteries and measure them, trace one between two points, and keep nothing of it."""
    started = time.perf_counter()
    print("Compiling what analyses need; a simulated patient is analysed meanwhile …", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="plaquelab-warm-") as name:
        folder = Path(name)
        phantom = generate(SEED, SCENARIO)
        write_case(phantom, folder)
        _analyse([str(folder / "dicom"), "--out", str(folder / "out")])
        line = min(phantom.centrelines, key=lambda line: len(line.points))
        trace(phantom.volume, line.points[0], line.points[-1], line.vessel)
    print(f"Done in {time.perf_counter() - started:.0f} s.", file=sys.stderr)
    return 0


def _analyse(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    analyse.add_arguments(parser)
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        analyse.run(parser.parse_args(arguments))
