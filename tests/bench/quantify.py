"""Measure how long it takes to measure one edited vessel, and a whole patient. Prints milliseconds; no timed test.

usage: OMP_NUM_THREADS=1 python tests/bench/quantify.py [--repeat 15]
Keeps var/bench/quantify.json; tests/bench/validation.py puts it on the page.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from inference.composition_profiles import PROFILES  # noqa: E402
from inference.contours import THETA, VesselContours  # noqa: E402
from inference.quantification import (  # noqa: E402
    Measurement,
    VesselRead,
    composition_map,
    find_lesions,
    quantify,
    roll_up,
)
from inference.section_grid import PIXELS, SPACING_ALONG  # noqa: E402
from inference.straightening import StraightenedVessel  # noqa: E402

KEPT = ROOT / "var" / "bench" / "quantify.json"
SECTIONS = {"LM": 40, "LAD": 500, "D1": 200, "LCx": 300, "OM1": 180, "RCA": 480}


def vessel(name: str, sections: int, seed: int = 1) -> tuple[StraightenedVessel, VesselRead]:
    """Return a noisy, eccentric vessel with plaque over a third of its length."""
    rng = np.random.default_rng(seed)
    s = np.arange(sections)[:, None]
    taper = 1.9 - 0.9 * s / sections
    lumen = taper * (1 + 0.05 * np.cos(2 * THETA + 0.01 * s))
    wall = lumen + 0.4
    diseased = (s // 25) % 3 == 1
    side = np.clip(np.cos(THETA - 0.02 * s), 0, None)
    wall = wall + np.where(diseased, 1.4 * side, 0.0)
    marks = diseased & (side > 0.3)
    hu = rng.normal(90, 25, (sections, PIXELS, PIXELS)).astype(np.int16)
    hu[:, 28:36, 28:36] += 300
    zero = np.zeros(sections)
    straight = StraightenedVessel(
        vessel=name,
        hu=hu,
        centre=np.stack([zero, zero, np.arange(sections) * SPACING_ALONG], axis=1),
        axis_u=np.tile([1.0, 0.0, 0.0], (sections, 1)),
        axis_v=np.tile([0.0, 1.0, 0.0], (sections, 1)),
        curvature=np.full((sections, 2), 0.01),
        segment=(name,) * sections,
    )
    contours = VesselContours(lumen, wall, marks)
    return straight, VesselRead(name, contours, find_lesions(straight, contours))


def milliseconds(call: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Return median and least time of a call, ms."""
    call()
    times = []
    for _ in range(repeat):
        begin = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times), min(times)


def measured(repeat: int) -> dict[str, Any]:
    """Median milliseconds of each call."""
    image, read = vessel("LAD", SECTIONS["LAD"])
    out: dict[str, Any] = {"sections": image.sections, "edited": {}}
    for profile in PROFILES.values():
        radii = read.contours.lumen_radius

        def edited(profile=profile, radii=radii) -> list[Measurement]:  # type: ignore[no-untyped-def]
            contours = replace(read.contours, lumen_radius=radii)
            return quantify(image, replace(read, contours=contours), profile)

        out["edited"][profile.name] = milliseconds(edited, repeat)
    profile = PROFILES["corrected"]
    out["map"] = milliseconds(lambda: composition_map(image, read, profile), repeat)
    patient = [vessel(name, sections) for name, sections in SECTIONS.items()]
    out["patient"] = milliseconds(
        lambda: roll_up([quantify(v, r, profile) for v, r in patient], profile), repeat
    )
    out["patient_sections"] = sum(SECTIONS.values())
    return out


def section(found: dict[str, Any]) -> list[str]:
    """Its part of docs/validation-inference.md."""
    return [
        "## Measuring again",
        "",
        f"Milliseconds of one core, median (least). One edited vessel has {found['sections']} sections; the patient {found['patient_sections']}. "
        "Target: 50 ms a vessel.",
        "",
        "| what | ms |",
        "|---|---|",
        *(
            f"| one edited vessel, `{name}` | {m:.0f} ({least:.0f}) |"
            for name, (m, least) in found["edited"].items()
        ),
        f"| composition map of that vessel | {found['map'][0]:.0f} ({found['map'][1]:.0f}) |",
        f"| whole patient, `corrected` | {found['patient'][0]:.0f} ({found['patient'][1]:.0f}) |",
        "",
    ]


def main() -> None:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15)
    found = measured(parser.parse_args().repeat)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(found, indent=1))
    print("\n".join(section(found)))


if __name__ == "__main__":
    main()
