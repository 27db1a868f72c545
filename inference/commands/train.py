"""``python -m inference train``: train a network on simulated patients."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inference.training.config import read_config
from inference.training.loop import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--config", type=Path, required=True, help="JSON file, see inference/training/configs"
    )
    parser.add_argument(
        "--out", type=Path, default=None, help="folder of checkpoints (default var/training/<network>)"
    )
    parser.add_argument(
        "--data", type=Path, default=Path("var/training/data"), help="cache of simulated patients"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--workers", type=int, default=1, help="processes that generate patients")


def run(arguments: argparse.Namespace) -> int:
    """Train or resume; prints progress and the weights' path."""
    config = read_config(arguments.config)
    out = arguments.out or Path("var/training") / config.network
    path = train(
        config,
        folder=out,
        data_folder=arguments.data,
        say=lambda text: print(text, flush=True),
        device=arguments.device,
        workers=arguments.workers,
    )
    print(f"weights: {path}", file=sys.stderr)
    return 0
