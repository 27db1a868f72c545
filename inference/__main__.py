"""``python -m inference``: analyse a scan, qualify a scanner, make a phantom, train and evaluate networks.

Exit codes: 0 done; 1 our fault; 2 bad input or options; 3 the scan was refused; 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from inference import __version__
from inference.errors import InferenceError, RefusedScan

COMMANDS = {
    "analyse": "segment and measure a DICOM series along centrelines, found or given",
    "centrelines": "find and name the coronary arteries of a DICOM series",
    "warm": "compile once what analyses need, so that the first is as fast as a later one",
    "qualify": "measure a scan of the QRM calcification phantom, whose calcium is known",
    "phantom": "make a simulated coronary CT angiogram with exact truth",
    "train": "train a network on simulated patients",
    "evaluate": "score networks on simulated patients",
    "calibrate": "learn how a network errs on simulated patients: intervals around its numbers",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; each is imported only when it is asked for."""
    try:
        return _run(arguments)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        print("This command needs PyTorch: pip install 'plaquelab[torch]'", file=sys.stderr)
        return 2


def _run(arguments: list[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="python -m inference" if sys.argv[0].endswith("__main__.py") else None,
        description="Coronary plaque from CT. Research use only.",
    )
    parser.add_argument("--version", action="version", version=f"plaquelab-inference {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary)
        if name in given[:1]:
            module = importlib.import_module(f"inference.commands.{name}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    options = parser.parse_args(given)
    try:
        return int(options.run(options))
    except RefusedScan as error:
        print(f"refused ({error.code}): {error}", file=sys.stderr)
        return 3
    except InferenceError as error:
        print(f"error ({error.code}): {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
