"""``python -m inference evaluate``: Dice and measurement agreement on simulated patients, as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from inference.phantom import SCENARIOS
from inference.training.evaluation import Task, evaluate
from inference.training.evaluation_page import page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--network", default="served", help="a network's name, served, or a .safetensors file"
    )
    parser.add_argument("--scenario", default="test", choices=sorted(SCENARIOS))
    parser.add_argument("--first-seed", type=int, default=3000)
    parser.add_argument("--patients", type=int, default=6)
    parser.add_argument("--displacement-mm", type=float, default=0.5, help="how far centrelines are off, mm")
    parser.add_argument("--profile", default="corrected")
    parser.add_argument("--out", type=Path, default=None, help="JSON file (default: standard output)")
    parser.add_argument("--page", type=Path, default=None, help="HTML file with the same in figures")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate; progress on standard error."""
    task = Task(
        network=arguments.network,
        scenario=arguments.scenario,
        first_seed=arguments.first_seed,
        patients=arguments.patients,
        displacement_mm=arguments.displacement_mm,
        profile=arguments.profile,
        device=arguments.device,
    )
    found = evaluate(task, say=lambda text: print(text, file=sys.stderr, flush=True))
    result = json.dumps(found, indent=1)
    if arguments.page is not None:
        arguments.page.write_text(page(found))
    if arguments.out is None:
        print(result)
    else:
        arguments.out.write_text(result + "\n")
    return 0
