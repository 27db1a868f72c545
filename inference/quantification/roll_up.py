"""Lesions and vessels → territories → patient: the one place where parts become what they make up.

A measured vessel says itself what it holds. Of a vessel whose lesions alone were told (an outside read) the lesions
count: their plaque adds up, the worst of them decides. A patient sums lesions, never territories.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.composition_profiles import CompositionProfile
from inference.grading import cadrads, plaque_stage, plaque_stage_by_pav
from inference.quantification.records import (
    LesionRecord,
    StretchRecord,
    Value,
    VesselRecord,
    records_of,
    values_of,
)
from inference.quantification.types import Measurement
from inference.vocabulary import METRICS, TERRITORIES, Metric, rolling, territory_of

STAYS_WITH_THE_LESION = frozenset({"diameter_stenosis_feret", "high_risk_features"})
"""Of lesions alone these roll up no further: nobody knows whether an outside reader means by them what we measure."""


@dataclass(frozen=True)
class _Told:
    """Which metrics a read tells of any vessel, and of any lesion."""

    of_vessels: frozenset[str]
    of_lesions: frozenset[str]


def roll_up(tables: Sequence[Iterable[Measurement]], profile: CompositionProfile) -> list[Measurement]:
    """Return territory and patient rows from the vessels' tables, as ``roll_up_records`` makes them."""
    records = records_of(row for table in tables for row in table)
    return [row for record in roll_up_records(records) for row in record.rows(profile.name)]


def roll_up_records(vessels: Sequence[VesselRecord]) -> list[StretchRecord]:
    """Return the territories that have a vessel, then the patient where there is any.

    Sums, ratios of sums, the worst lesion's stenosis, area, CAD-RADS and high-risk features, and the patient's plaque
    stage, each where something of it was told. What a vessel's own record does not tell is asked of its lesions. Of
    lesions alone neither the volume of vessel and lumen nor any share of it is known.

    A metric that was asked for and could not be measured (``Value(None)``) is passed over where the worst is sought; one
    that a lesion's record does not hold is not told, and makes what the lesion belongs to unknown.
    """
    told = _Told(
        frozenset(name for vessel in vessels if vessel.whole for name, _ in values_of(vessel.whole)),
        frozenset(name for vessel in vessels for lesion in vessel.lesions for name, _ in values_of(lesion)),
    )
    out = []
    for territory in TERRITORIES:
        if mine := [vessel for vessel in vessels if territory_of(vessel.vessel) == territory]:
            out.append(_level("territory", territory, mine, told))
    return [*out, _level("patient", "", vessels, told)] if out else []


def worst_of(lesions: Sequence[LesionRecord]) -> dict[str, Value]:
    """Return the worst lesion's stenosis, minimal luminal area (where there is a lesion), CAD-RADS and high-risk count."""
    return _worst([VesselRecord(vessel="", profile="", lesions=tuple(lesions))], _extremes("vessel"))


def _extremes(level: str) -> list[Metric]:
    """Return the metrics of which the worst lesion counts, as far as our own measurements have them at a level."""
    return [m for m in METRICS.values() if m.roll_up in ("highest", "lowest") and level in m.levels]


def _level(level: str, name: str, vessels: Sequence[VesselRecord], told: _Told) -> StretchRecord:
    values: dict[str, Value] = {}
    for metric in rolling("sum", level):
        if metric.name in told.of_vessels or (metric.zero_when_absent and metric.name in told.of_lesions):
            parts = _summands(vessels, metric)
            values[metric.name] = Value(*(_total(parts, part) for part in ("value", "low", "high")))
    for metric in rolling("ratio", level):
        above, below = metric.ratio or ("", "")
        if below in told.of_vessels:
            part, whole = (values[of].number if of in values else None for of in (above, below))
            values[metric.name] = Value(100 * part / whole if part is not None and whole else None)
    known = told.of_vessels | told.of_lesions | {"cadrads"}
    if told.of_vessels:
        extremes = [m for m in _extremes(level) if m.name in known]
    else:
        extremes = [m for m in _extremes("lesion") if m.name in known - STAYS_WITH_THE_LESION]
    values |= _worst(vessels, extremes)
    if level == "patient" and "vessel_volume" in told.of_vessels:
        values["plaque_stage"] = _stage(values)
    return StretchRecord(level=level, vessel=name, segment="", **values)


def _held(record: LesionRecord | StretchRecord | None, metric: str) -> Value | None:
    """Return what a record tells of a metric, or None where it does not tell."""
    found = getattr(record, metric, None)
    return found if isinstance(found, Value) else None


def _summands(vessels: Iterable[VesselRecord], metric: Metric) -> list[Value | None]:
    """Return the values that add up to a metric of these vessels, None for each that is not told."""
    parts: list[Value | None] = []
    for vessel in vessels:
        if (whole := _held(vessel.whole, metric.name)) is not None:
            parts.append(whole)
        elif not metric.zero_when_absent or _is_without_lesions_told(vessel):
            parts.append(None)  # the vessel goes on outside its lesions
        else:
            parts += [_held(lesion, metric.name) for lesion in vessel.lesions]
    return parts


def _is_without_lesions_told(vessel: VesselRecord) -> bool:
    """Tell whether something is said of a vessel, but nothing of its lesions, so that it may have some."""
    return not vessel.lesions and bool(vessel.whole or vessel.segments)


def _total(parts: Iterable[Value | None], part: str) -> float | None:
    """Return the sum of values (or of ``low``, ``high``), or None where one is not known."""
    found = [None if value is None else getattr(value, part) for value in parts]
    numbers = [float(x) for x in found if isinstance(x, int | float)]
    return float(sum(numbers)) if len(numbers) == len(found) else None


def _worst(vessels: Sequence[VesselRecord], extremes: Iterable[Metric]) -> dict[str, Value]:
    """Return the worst of each metric by the vessels' own records, else by their lesions'."""
    out: dict[str, Value] = {}
    for metric in extremes:
        parts: list[Value | None] = []
        for vessel in vessels:
            if (whole := _held(vessel.whole, metric.name)) is not None:
                parts.append(whole)
            elif not _is_without_lesions_told(vessel):
                parts += [_of_lesion(lesion, metric) for lesion in vessel.lesions]
            elif metric.roll_up == "highest":
                parts.append(None)
        told = [value for value in parts if value is not None]
        if len(told) < len(parts):
            out[metric.name] = Value(None)
        elif metric.unit == "category":
            grades = [value.value for value in told if isinstance(value.value, str)]
            out[metric.name] = Value(max(grades, default=cadrads(0.0, has_lesion=False)))
        else:
            numbers = [value.number for value in told if value.number is not None]
            if numbers or metric.zero_when_absent:
                worst = max if metric.roll_up == "highest" else min
                out[metric.name] = Value(worst(numbers or [0.0]))
    return out


def _of_lesion(lesion: LesionRecord, metric: Metric) -> Value | None:
    """Return what a lesion tells; a grade that was not given follows from its stenosis."""
    given = _held(lesion, metric.name)
    if given is not None or metric.name != "cadrads":
        return given
    stenosis = _held(lesion, "diameter_stenosis")
    if stenosis is None:
        return None
    return Value(None if stenosis.number is None else cadrads(stenosis.number))


def _stage(patient: dict[str, Value]) -> Value:
    """Return the stage by volume; low and high carry the stage by PAV when it disagrees: both are shown."""
    nothing = Value(None)
    stage = plaque_stage(patient.get("total_plaque_volume", nothing).number or 0.0)
    pav = patient.get("percent_atheroma_volume", nothing).number
    by_pav = plaque_stage_by_pav(pav) if pav is not None else stage
    return Value(float(stage), float(min(stage, by_pav)), float(max(stage, by_pav)))
