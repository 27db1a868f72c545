"""``python -m inference calibrate``: 90 % intervals for a file of weights, from simulated patients."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from inference.certainty.intervals import TABLE, calibrate
from inference.networks import load_network
from inference.training.calibration import CALIBRATION, HELD_OUT, PROFILE, checked, lesions_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--network", default="served", help="a network's name, served, or a .safetensors file"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--table", type=Path, default=TABLE, help="JSON file to write (default: beside the weights)"
    )
    parser.add_argument(
        "--kept",
        type=Path,
        default=Path("var") / "calibration",
        help="folder of patients that are done; a run that was stopped goes on there",
    )
    parser.add_argument("--out", type=Path, default=None, help="JSON file of coverage on held-out patients")
    parser.add_argument(
        "--patients", type=int, default=None, help="of each set at most (default: all; fewer to try it out)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Analyse the patients, calibrate, check on others, write the table; other weights' tables in it stay."""
    network = load_network(arguments.network, device=arguments.device)
    most = arguments.patients

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    sets, held_out = (
        [(scenario, first, min(count, most or count)) for scenario, first, count in chosen]
        for chosen in (CALIBRATION, HELD_OUT)
    )
    lesions = lesions_of(sets, network, kept=arguments.kept, say=say)
    name = " and ".join(f"{scenario} {first}–{first + count - 1}" for scenario, first, count in sets)
    made = calibrate(name, PROFILE, lesions)
    found = checked(made, lesions_of(held_out, network, kept=arguments.kept, say=say))
    tables = json.loads(arguments.table.read_text()) if arguments.table.exists() else {}
    tables[network[1].sha256] = made.to_dict()
    arguments.table.write_text(json.dumps(tables, indent=1, sort_keys=True) + "\n")
    result = json.dumps(
        {"weights_sha256": network[1].sha256, "calibrated_on": name, "held_out": found}, indent=1
    )
    if arguments.out is None:
        print(result)
    else:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(result + "\n")
    return 0
