"""What was measured, one field a metric; rows of the long table are made from it last.

A field's name is the metric's in ``inference.vocabulary``; fields stand in the order of their rows. A field that is
None was not asked for (four classes that the profile does not tell apart, a metric that an imported read does not
hold) and makes no row; a ``Value`` of None was asked for and could not be measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from inference.quantification.types import Measurement
from inference.vocabulary import METRICS, UNITS


@dataclass(frozen=True)
class Value:
    """One measured value: a number, a category, or None where not measurable.

    ``low`` and ``high`` are the least and the greatest of the value as drawn and with both contours moved 0.1 mm
    inwards and outwards. ``interval_low`` and ``interval_high`` hold the truth nine times in ten, where the drawing is a
    network's and its errors are known (``certainty.intervals``).
    """

    value: float | str | None
    low: float | None = None
    high: float | None = None
    interval_low: float | None = None
    interval_high: float | None = None

    @property
    def number(self) -> float | None:
        """The value where it is a number."""
        return float(self.value) if isinstance(self.value, int | float) else None


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Where a lesion lies, mm along its path."""

    lesion_start: Value | None = None
    lesion_end: Value | None = None
    lesion_length: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Plaque:
    """Volumes (mm³), calcium's mass (mg), and volumes' shares of the vessel (%)."""

    total_plaque_volume: Value | None = None
    noncalcified_plaque_volume: Value | None = None
    calcified_plaque_volume: Value | None = None
    low_attenuation_plaque_volume: Value | None = None
    calcified_plaque_mass: Value | None = None
    calcified_plaque_volume_integrated: Value | None = None
    necrotic_core_volume: Value | None = None
    fibrofatty_volume: Value | None = None
    fibrous_volume: Value | None = None
    dense_calcium_volume: Value | None = None
    vessel_volume: Value | None = None
    lumen_volume: Value | None = None
    total_plaque_burden: Value | None = None
    noncalcified_plaque_burden: Value | None = None
    calcified_plaque_burden: Value | None = None
    low_attenuation_plaque_burden: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """How narrow a lesion's lumen is, and what it is compared with: mm², mm, %."""

    minimal_luminal_area: Value | None = None
    minimal_luminal_diameter: Value | None = None
    reference_luminal_area: Value | None = None
    reference_luminal_diameter: Value | None = None
    diameter_stenosis: Value | None = None
    diameter_stenosis_feret: Value | None = None
    area_stenosis: Value | None = None
    remodelling_index: Value | None = None
    contrast_density_difference: Value | None = None


@dataclass(frozen=True, kw_only=True)
class LesionRecord(Narrowing, Plaque, Extent):
    """One lesion of a vessel; ``segment`` is where it is narrowest, empty where segments are unknown."""

    vessel: str
    segment: str
    number: int
    cadrads: Value | None = None
    high_risk_features: Value | None = None

    def rows(self, profile: str) -> Iterator[Measurement]:
        """Return the lesion's rows of the long table."""
        return _rows(self, ("lesion", self.vessel, self.segment, self.number), profile)


@dataclass(frozen=True, kw_only=True)
class StretchRecord(Plaque):
    """A segment, a vessel, a territory or a patient: plaque of its lesions, and the worst of them.

    Parameters
    ----------
    level : ``segment``, ``vessel``, ``territory`` or ``patient``.
    vessel : path or territory, empty for a patient. segment : empty but for a segment.
    area_stenosis, minimal_luminal_diameter : of outside reads alone; we measure them of lesions.
    """

    level: str
    vessel: str
    segment: str = ""
    percent_atheroma_volume: Value | None = None
    diameter_stenosis: Value | None = None
    minimal_luminal_area: Value | None = None
    cadrads: Value | None = None
    high_risk_features: Value | None = None
    area_stenosis: Value | None = None
    minimal_luminal_diameter: Value | None = None
    plaque_stage: Value | None = None

    def rows(self, profile: str) -> Iterator[Measurement]:
        """Return the stretch's rows of the long table."""
        return _rows(self, (self.level, self.vessel, self.segment, None), profile)


@dataclass(frozen=True, kw_only=True)
class VesselRecord:
    """Everything that was measured of one vessel.

    Parameters
    ----------
    profile : composition profile, with the plaque variant where it is not ``plaque``.
    whole : the vessel; None in a read that names lesions or segments alone, and with none of either in a vessel that such
        a read calls free of lesions. segments : those that are known.
    pericoronary_fat_attenuation : HU, of the vessels that have a stretch for it.
    """

    vessel: str
    profile: str
    lesions: tuple[LesionRecord, ...] = ()
    whole: StretchRecord | None = None
    segments: tuple[StretchRecord, ...] = ()
    pericoronary_fat_attenuation: Value | None = None

    def rows(self) -> list[Measurement]:
        """Return the vessel's rows of the long table: lesions, the vessel, its segments."""
        stretches = (*((self.whole,) if self.whole else ()), *self.segments)
        out = [row for record in (*self.lesions, *stretches) for row in record.rows(self.profile)]
        fat, metric = self.pericoronary_fat_attenuation, "pericoronary_fat_attenuation"
        if fat is not None:
            out.append(_row(("vessel", self.vessel, "", None), metric, fat, self.profile))
        return out


OF_LESIONS, OF_STRETCHES = (
    frozenset(field.name for field in fields(record)) & METRICS.keys()
    for record in (LesionRecord, StretchRecord)
)
Place = tuple[str, str, str, int | None]


def _row(place: Place, metric: str, value: Value, profile: str) -> Measurement:
    spread = (value.low, value.high)
    interval = (value.interval_low, value.interval_high)
    return Measurement(*place, metric, value.value, UNITS[metric], *spread, profile, *interval)


def _rows(record: LesionRecord | StretchRecord, place: Place, profile: str) -> Iterator[Measurement]:
    return (_row(place, name, value, profile) for name, value in values_of(record))


def values_of(record: LesionRecord | StretchRecord) -> Iterator[tuple[str, Value]]:
    """Return the metrics that a record holds, in the order of their rows, each with its value."""
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, Value):
            yield field.name, value


def value_of(record: LesionRecord | StretchRecord, metric: str) -> Value:
    """Return the value of a metric by its name; that of what cannot be measured where the record holds none."""
    found = getattr(record, metric, None)
    return found if isinstance(found, Value) else Value(None)


def records_of(rows: Iterable[Measurement]) -> list[VesselRecord]:
    """Return the vessels of a table that was made elsewhere: imported, stored, or written by hand.

    Territories and patients are left out: they follow from the vessels (``roll_up``), as is what a level does not hold.
    What has just been measured is a record already (``measure``).
    """
    found: dict[str, dict[Place, dict[str, Value]]] = {}
    profiles: dict[str, str] = {}
    for row in rows:
        if row.level in ("lesion", "segment", "vessel"):
            place = (row.level, row.vessel, row.segment, row.lesion)
            values = found.setdefault(row.vessel, {}).setdefault(place, {})
            values[row.metric] = Value(row.value, row.low, row.high, row.interval_low, row.interval_high)
            profiles.setdefault(row.vessel, row.profile)
    return [_vessel(vessel, places, profiles[vessel]) for vessel, places in found.items()]


def _vessel(vessel: str, places: dict[Place, dict[str, Value]], profile: str) -> VesselRecord:
    lesions, stretches, fat = [], [], None
    for (level, _, segment, number), values in places.items():
        if level == "lesion":
            held = {name: value for name, value in values.items() if name in OF_LESIONS}
            lesions.append(LesionRecord(vessel=vessel, segment=segment, number=number or 0, **held))
            continue
        held = {name: value for name, value in values.items() if name in OF_STRETCHES}
        stretches.append(StretchRecord(level=level, vessel=vessel, segment=segment, **held))
        if level == "vessel":
            fat = values.get("pericoronary_fat_attenuation")
    return VesselRecord(
        vessel=vessel,
        profile=profile,
        lesions=tuple(lesions),
        whole=next((x for x in stretches if x.level == "vessel"), None),
        segments=tuple(x for x in stretches if x.level == "segment"),
        pericoronary_fat_attenuation=fat,
    )
