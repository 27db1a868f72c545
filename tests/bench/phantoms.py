"""How long a phantom takes, and whether the same seed gives the same bytes. Keeps var/bench/phantoms.json; no timed test.

usage: OMP_NUM_THREADS=1 python tests/bench/phantoms.py [--patients 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from inference.phantom import generate  # noqa: E402

KEPT = ROOT / "var" / "bench" / "phantoms.json"
SCENARIOS = {"validation": 4.0, "tree_validation": 4.0, "full_chest": 20.0}
"""Seconds of one core that each may take."""


def measured(patients: int) -> list[dict[str, Any]]:
    """Median seconds of one core per scenario, without writing the files."""
    generate(1, "tiny")  # compiles
    out = []
    for scenario, target in SCENARIOS.items():
        took, hashes = [], []
        for seed in [*range(1, patients + 1), 1]:
            begin = time.process_time()
            phantom = generate(seed, scenario)
            took.append(time.process_time() - begin)
            hashes.append(phantom.volume.content_sha256)
            shape, vessels = phantom.volume.hu.shape, len(phantom.vessels)
        out.append(
            {
                "scenario": scenario,
                "shape": shape,
                "vessels": vessels,
                "seconds": statistics.median(took),
                "target": target,
                "same_bytes": hashes[0] == hashes[-1],
            }
        )
    return out


def section(found: list[dict[str, Any]]) -> list[str]:
    """Its part of docs/validation-inference.md."""
    return [
        "## Phantoms",
        "",
        "Seconds of one core, median; no files written.",
        "",
        "| scenario | voxels | tracked vessels of the last | s | target | same seed, same bytes |",
        "|---|---|---|---|---|---|",
        *(
            f"| `{f['scenario']}` | {' × '.join(str(n) for n in f['shape'])} | {f['vessels']} | {f['seconds']:.1f} | {f['target']:.0f} "
            f"| {'yes' if f['same_bytes'] else 'no'} |"
            for f in found
        ),
        "",
    ]


def main() -> None:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=3)
    found = measured(parser.parse_args().patients)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(found, indent=1))
    print("\n".join(section(found)))


if __name__ == "__main__":
    main()
