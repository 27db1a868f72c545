"""What the project set itself for inference, what was reached, and what the other generator's phantoms say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from page import WORDS, figure, with_interval

DICE = {"wall": 0.965, "lumen": 0.965, "plaque": 0.88}
AGREEMENT = {
    "total_plaque_volume": 0.975,
    "calcified_plaque_volume": 0.97,
    "noncalcified_plaque_volume": 0.97,
    "low_attenuation_plaque_volume": 0.85,
    "minimal_luminal_area": 0.985,
}
BEGIN, END = "<!-- targets of inference -->", "<!-- end -->"


@dataclass(frozen=True)
class Target:
    """One row: ``least`` says whether the limit is a floor; ``beside`` is the other generator's figure."""

    words: str
    limit: float
    value: float
    least: bool
    interval: Sequence[float] | None = None
    beside: float | None = None
    digits: int = 3

    def row(self) -> str:
        """As a row of the table; whether it is met is judged on the figure itself, not on its rounding."""
        met = self.value >= self.limit if self.least else self.value <= self.limit
        return (
            f"| {self.words} | {'≥' if self.least else '≤'} {figure(self.limit, self.digits)} "
            f"| {with_interval(self.value, self.interval, self.digits)} | {'yes' if met else 'no'} | {figure(self.beside, self.digits)} |"
        )


def targets(networks: dict[str, Any], lines: dict[str, Any], whole: dict[str, Any]) -> list[Target]:
    """Every target with its figure, of what networks.py, centrelines.py and end_to_end.py kept."""
    served = networks["stored"][networks["served"]]
    measures, other = served["lesion_measures"], networks["other_generator"]["all"] or {}
    out = []
    for name, limit in DICE.items():
        d = served["dice_by_patient"][name]
        out.append(Target(f"Dice, {name}", limit, d["dice"], True, d["interval"]))
    for metric, limit in AGREEMENT.items():
        m, beside = measures[metric], other.get(metric, {}).get("icc_a1")
        words = f"ICC(A,1), {WORDS[metric].split(',')[0]}"
        out.append(Target(words, limit, m["icc_a1"], True, m["icc_a1_interval"], beside))
    soft = served["strata"]["soft tissue around"]["total_plaque_volume"]
    if soft.get("icc_a1") is not None:
        words = "ICC(A,1), total plaque volume in soft tissue"
        out.append(Target(words, 0.85, soft["icc_a1"], True, soft["icc_a1_interval"]))
    m, beside = measures["diameter_stenosis"], other.get("diameter_stenosis", {}).get("mae")
    out.append(
        Target("diameter stenosis, mean error, points", 5.0, m["mae"], False, m["mae_interval"], beside, 1)
    )
    found, elsewhere = lines["summary"], lines.get("other_generator", {}).get("summary", {})
    for words, name, limit, least, scale, digits in (
        ("automatic centrelines, overlap OV", "ov_stored", 0.93, True, 1.0, 3),
        ("automatic centrelines, inside accuracy AI, mm", "ai_stored", 0.25, False, 1.0, 3),
        ("segment names right, % of length", "segments_right", 95.0, True, 100.0, 1),
    ):
        part = found[name]
        interval = [scale * part["low"], scale * part["high"]]
        near = (
            elsewhere.get(name) if name != "segments_right" else None
        )  # the other generator names no segments
        beside = scale * near["value"] if near else None
        out.append(Target(words, limit, scale * part["value"], least, interval, beside, digits))
    cost = whole["agreement"]["total_plaque_volume"]
    words = "patient's total plaque volume: ICC(A,1) that automatic centrelines cost"
    out.append(
        Target(words, 0.02, cost["given_less_automatic"], False, cost["given_less_automatic_interval"])
    )
    seconds = float(np.median([p["whole_s"] for p in whole["patients"]]))
    out.append(
        Target(
            "DICOM folder to measurements, automatic centrelines, s (median)", 8.0, seconds, False, digits=1
        )
    )
    peak = max(row["beyond_volume_mib"] for rows in whole["memory"].values() for row in rows)
    out.append(
        Target(
            "peak memory beyond the scan, MiB (3 to 14 vessels, up to 512 × 512 × 280)",
            2048,
            peak,
            False,
            digits=0,
        )
    )
    return out


def table(rows: Sequence[Target]) -> list[str]:
    """The table, for the page and for the README."""
    return [
        "| | target | reached | met | other generator |",
        "|---|---|---|---|---|",
        *(target.row() for target in rows),
    ]


def quote(rows: Sequence[Target], page: Path) -> None:
    """Write the table between its two marks in a page."""
    text = page.read_text()
    before, rest = text.split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n" + "\n".join(table(rows)) + f"\n{END}{rest.split(END, 1)[1]}")
