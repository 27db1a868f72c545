"""Vessels → territories → patient. A patient sums lesions, never territories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from inference.composition_profiles import CompositionProfile
from inference.grading import cadrads, plaque_stage, plaque_stage_by_pav
from inference.quantification.records import (
    LesionRecord,
    StretchRecord,
    Value,
    VesselRecord,
    records_of,
    value_of,
)
from inference.quantification.types import Measurement
from inference.vocabulary import METRICS, TERRITORIES, rolling, territory_of


def roll_up(tables: Sequence[Iterable[Measurement]], profile: CompositionProfile) -> list[Measurement]:
    """Return territory and patient rows from the vessels' tables, as ``roll_up_records`` makes them."""
    records = records_of(row for table in tables for row in table)
    return [row for record in roll_up_records(records) for row in record.rows(profile.name)]


def roll_up_records(vessels: Sequence[VesselRecord]) -> list[StretchRecord]:
    """Return the territories that have a measured vessel, then the patient where there is any.

    CAD-RADS of a territory or patient is that of its worst lesion.
    """
    measured = [vessel for vessel in vessels if vessel.whole]
    out = []
    for territory in TERRITORIES:
        mine = [vessel for vessel in vessels if territory_of(vessel.vessel) == territory]
        if any(vessel.whole for vessel in mine):
            out.append(_level("territory", territory, mine))
    if measured:
        out.append(_level("patient", "", vessels))
    return out


def worst_of(lesions: Sequence[LesionRecord]) -> dict[str, Value]:
    """Return the worst lesion's stenosis, minimal luminal area (where there is a lesion), CAD-RADS and high-risk count."""
    out: dict[str, Value] = {}
    for metric in METRICS.values():
        if "vessel" not in metric.levels or metric.roll_up not in ("highest", "lowest"):
            continue
        values = [value_of(lesion, metric.name) for lesion in lesions]
        if metric.unit == "category":
            grades = [value.value for value in values if isinstance(value.value, str)]
            out[metric.name] = Value(max(grades, default=cadrads(0.0, has_lesion=False)))
            continue
        numbers = [value.number for value in values if value.number is not None]
        if numbers or metric.zero_when_absent:
            worst = max if metric.roll_up == "highest" else min
            out[metric.name] = Value(worst(numbers or [0.0]))
    return out


def _total(stretches: Sequence[StretchRecord], metric: str, part: str = "value") -> float | None:
    found = [getattr(value_of(stretch, metric), part) for stretch in stretches]
    numbers = [float(x) for x in found if isinstance(x, int | float)]
    return sum(numbers) if numbers else None


def _level(level: str, name: str, vessels: Sequence[VesselRecord]) -> StretchRecord:
    stretches = [vessel.whole for vessel in vessels if vessel.whole]
    values: dict[str, Value] = {}
    for metric in rolling("sum", level):
        total = _total(stretches, metric.name)
        if total is not None:
            low, high = (_total(stretches, metric.name, part) for part in ("low", "high"))
            values[metric.name] = Value(total, low, high)
    for metric in rolling("ratio", level):
        part, whole = (_total(stretches, of) for of in metric.ratio or ())
        values[metric.name] = Value(100 * part / whole if part is not None and whole else None)
    values |= worst_of([lesion for vessel in vessels for lesion in vessel.lesions])
    record = StretchRecord(level=level, vessel=name, segment="", **values)
    return replace(record, plaque_stage=_stage(record)) if level == "patient" else record


def _stage(patient: StretchRecord) -> Value:
    """The stage by volume; low and high carry the stage by PAV when it disagrees: both are shown."""
    stage = plaque_stage(value_of(patient, "total_plaque_volume").number or 0.0)
    pav = value_of(patient, "percent_atheroma_volume").number
    by_pav = plaque_stage_by_pav(pav) if pav is not None else stage
    return Value(float(stage), float(min(stage, by_pav)), float(max(stage, by_pav)))
