"""Vessels → territories → patient. Patient rows sum lesions, never territories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inference.composition_profiles import CompositionProfile
from inference.grading import cadrads, plaque_stage, plaque_stage_by_pav
from inference.quantification.types import Measurement
from inference.vocabulary import METRICS, TERRITORIES, UNITS, rolling, territory_of


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
    out: dict[str, float | str] = {}
    for metric in METRICS.values():
        if "vessel" not in metric.levels or metric.roll_up not in ("highest", "lowest"):
            continue
        if metric.unit == "category":
            out[metric.name] = max(grades, default=cadrads(0.0, has_lesion=False))
        elif found := numbers.get(metric.name, [0.0] if metric.zero_when_absent else []):
            out[metric.name] = max(found) if metric.roll_up == "highest" else min(found)
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
    for metric in rolling("sum", level):
        value = _total(vessels, metric.name, "value")
        if value is not None:
            low, high = (_total(vessels, metric.name, part) for part in ("low", "high"))
            out.append(row(metric.name, value, low, high))
    out += [row(name, share) for name, share in _shares(vessels, level).items()]
    out += [row(metric, worst) for metric, worst in worst_of(lesions).items()]
    if level == "patient":
        stage = plaque_stage(_total(vessels, "total_plaque_volume", "value") or 0.0)
        # low and high carry the stage by PAV when it disagrees: both are shown.
        pav = _shares(vessels, level)["percent_atheroma_volume"]
        by_pav = plaque_stage_by_pav(pav) if pav is not None else stage
        out.append(row("plaque_stage", float(stage), float(min(stage, by_pav)), float(max(stage, by_pav))))
    return out


def _shares(vessels: list[Measurement], level: str) -> dict[str, float | None]:
    """Return every ratio of two sums over the vessels, %."""
    out: dict[str, float | None] = {}
    for metric in rolling("ratio", level):
        part, whole = (_total(vessels, name, "value") for name in metric.ratio or ())
        out[metric.name] = 100 * part / whole if part is not None and whole else None
    return out
