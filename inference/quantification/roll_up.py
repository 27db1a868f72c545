"""Vessels → territories → patient. Patient rows sum lesions, never territories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inference.coronary import (
    TERRITORIES,
    CompositionProfile,
    cadrads,
    plaque_stage,
    plaque_stage_by_pav,
    territory_of,
)
from inference.quantification.types import UNITS, Measurement

_SUMMED = (
    "total_plaque_volume",
    "noncalcified_plaque_volume",
    "calcified_plaque_volume",
    "low_attenuation_plaque_volume",
    "necrotic_core_volume",
    "fibrofatty_volume",
    "fibrous_volume",
    "dense_calcium_volume",
    "vessel_volume",
    "lumen_volume",
)
_BURDENS = ("total", "noncalcified", "calcified", "low_attenuation")


def roll_up(tables: Sequence[Iterable[Measurement]], profile: CompositionProfile) -> list[Measurement]:
    """Return territory and patient rows from the vessels' tables.

    CAD-RADS of a territory or patient is that of its worst lesion; a territory with no measured vessel has no rows.
    """
    rows = [row for table in tables for row in table]
    vessels = [row for row in rows if row.level == "vessel"]
    lesions = [row for row in rows if row.level == "lesion"]
    out: list[Measurement] = []
    for territory in TERRITORIES:
        mine = [row for row in vessels if territory_of(row.vessel) == territory]
        if mine:
            out += _level(
                "territory",
                territory,
                mine,
                [x for x in lesions if territory_of(x.vessel) == territory],
                profile,
            )
    if vessels:
        out += _level("patient", "", vessels, lesions, profile)
    return out


def worst_of(lesions: Iterable[Measurement]) -> dict[str, float | str]:
    """Return the worst lesion's stenosis, minimal luminal area (where there is a lesion), CAD-RADS and high-risk count."""
    numbers: dict[str, list[float]] = {}
    grades = []
    for row in lesions:
        if isinstance(row.value, int | float):
            numbers.setdefault(row.metric, []).append(float(row.value))
        elif row.metric == "cadrads" and row.value is not None:
            grades.append(row.value)
    out: dict[str, float | str] = {"diameter_stenosis": max(numbers.get("diameter_stenosis", [0.0]))}
    if "minimal_luminal_area" in numbers:
        out["minimal_luminal_area"] = min(numbers["minimal_luminal_area"])
    out["cadrads"] = max(grades, default=cadrads(0.0, has_lesion=False))
    out["high_risk_features"] = max(numbers.get("high_risk_features", [0.0]))
    return out


def _total(rows: list[Measurement], metric: str, part: str) -> float | None:
    found = [getattr(row, part) for row in rows if row.metric == metric]
    numbers = [float(x) for x in found if isinstance(x, int | float)]
    return sum(numbers) if numbers else None


def _level(
    level: str, name: str, vessels: list[Measurement], lesions: list[Measurement], profile: CompositionProfile
) -> list[Measurement]:
    def row(
        metric: str, value: float | str | None, low: float | None = None, high: float | None = None
    ) -> Measurement:
        return Measurement(level, name, "", None, metric, value, UNITS[metric], low, high, profile.name)

    out = []
    for metric in _SUMMED:
        value = _total(vessels, metric, "value")
        if value is not None:
            out.append(row(metric, value, _total(vessels, metric, "low"), _total(vessels, metric, "high")))
    whole = _total(vessels, "vessel_volume", "value") or 0.0
    total = _total(vessels, "total_plaque_volume", "value") or 0.0
    for component in _BURDENS:
        part = _total(vessels, f"{component}_plaque_volume", "value")
        out.append(
            row(f"{component}_plaque_burden", 100 * part / whole if part is not None and whole > 0 else None)
        )
    pav = 100 * total / whole if whole > 0 else None
    out.append(row("percent_atheroma_volume", pav))
    out += [row(metric, worst) for metric, worst in worst_of(lesions).items()]
    if level == "patient":
        stage = plaque_stage(total)
        # low and high carry the stage by PAV when it disagrees: both are shown.
        by_pav = plaque_stage_by_pav(pav) if pav is not None else stage
        out.append(row("plaque_stage", float(stage), float(min(stage, by_pav)), float(max(stage, by_pav))))
    return out
