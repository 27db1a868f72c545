"""THE query: every number of the reads that are compared, as one object a read.

A read is owned by a run (network), by a signed revision (reader) or by an imported read; its numbers are rows of
``analysis.Measurement`` whoever made them, so that nothing here asks where they came from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from inference.quantification import Measurement as Measured
from inference.quantification import StretchRecord, VesselRecord, records_of, roll_up_records
from inference.vocabulary import SEGMENTS, UNITS, territory_of
from plaquelab.analysis.models import Measurement
from plaquelab.studies.models import Study

Owner = tuple[str, int]
"""Who owns measurements: ("run", id), ("revision", id) or ("imported", id)."""
Numbers = dict[str, float | None]
OWNERS_A_QUERY = 300
CADRADS, STENOSIS = "cadrads", "diameter_stenosis"
NON_DIAGNOSTIC = "N"


@dataclass
class Values:
    """All numbers of one read.

    lesions : (vessel, number) → metric → value. vessels, territories, segments : by name. patient : of the whole.
    grades : (level, place) → CAD-RADS as text; place is a vessel, a territory, a segment, or "" for the patient.
    lesion_segments : (vessel, number) → segment of the narrowest section.
    """

    lesions: dict[tuple[str, int], Numbers] = field(default_factory=dict)
    lesion_segments: dict[tuple[str, int], str] = field(default_factory=dict)
    vessels: dict[str, Numbers] = field(default_factory=dict)
    territories: dict[str, Numbers] = field(default_factory=dict)
    segments: dict[str, Numbers] = field(default_factory=dict)
    patient: Numbers = field(default_factory=dict)
    grades: dict[tuple[str, str], str] = field(default_factory=dict)
    lesion_grades: dict[tuple[str, int], str] = field(default_factory=dict)

    def in_vessel(self, vessel: str) -> list[tuple[int, Numbers]]:
        """Return a vessel's lesions, number and numbers."""
        return [(number, row) for (name, number), row in sorted(self.lesions.items()) if name == vessel]


def values_of(*, study: Study, owners: Iterable[Owner]) -> dict[Owner, Values]:
    """Read every measurement of these owners; an owner without rows has empty values."""
    found: dict[Owner, Values] = {owner: Values() for owner in owners}
    by_kind: dict[str, list[int]] = defaultdict(list)
    for kind, pk in found:
        by_kind[kind].append(pk)
    for kind, keys in by_kind.items():
        for start in range(0, len(keys), OWNERS_A_QUERY):
            rows = Measurement.objects.filter(
                **{f"{kind}__in": keys[start : start + OWNERS_A_QUERY]}, exam__study=study
            ).values_list(f"{kind}_id", "level", "vessel", "segment", "lesion", "metric", "value", "text")
            for pk, *row in rows.iterator(chunk_size=20_000):
                put(found[kind, pk], *row)
    return found


def put(
    values: Values,
    level: str,
    vessel: str,
    segment: str,
    lesion: int | None,
    metric: str,
    value: float | None,
    text: str,
) -> None:
    """Put one row of the long table where it belongs."""
    if level == "lesion" and lesion is not None:
        key = (vessel, lesion)
        if metric == CADRADS:
            values.lesion_grades[key] = text
        else:
            values.lesions.setdefault(key, {})[metric] = value
        if segment:
            values.lesion_segments[key] = segment
        return
    place = {"vessel": vessel, "territory": vessel, "segment": segment}.get(level, "")
    if metric == CADRADS:
        values.grades[level, place] = text
        return
    if level == "vessel":
        values.vessels.setdefault(vessel, {})[metric] = value
    elif level == "territory":
        values.territories.setdefault(vessel, {})[metric] = value
    elif level == "segment":
        values.segments.setdefault(segment, {})[metric] = value
    elif level == "patient":
        values.patient[metric] = value


def put_measured(values: Values, row: Measured) -> None:
    """Put one row of ``inference`` where it belongs."""
    is_text = isinstance(row.value, str)
    text, value = (str(row.value), None) if is_text else ("", row.value)
    put(values, row.level, row.vessel, row.segment, row.lesion, row.metric, value, text)  # type: ignore[arg-type]


def category(text: str) -> int | None:
    """A stored CAD-RADS as 0 … 5: ``4A`` and ``4B`` are 4; N (non-diagnostic) and unknown texts are None."""
    head = text.strip().upper().removeprefix("CAD-RADS").strip().split("/")[0].rstrip("AB")
    return int(head) if head in {"0", "1", "2", "3", "4", "5"} else None


def rolled_up(values: Values, *, territories: Iterable[str]) -> Values:
    """Return values of an outside read whose territories and patient follow from what it tells, as measured reads' do.

    What the reader gave of a vessel or of the patient stays as it was given; the rest follows from the lesions
    (``inference.quantification.roll_up``). A lesion that lacks a number makes unknown what it belongs to.

    Parameters
    ----------
    territories : those that the reader looked at: without a lesion or vessel of the read, their volume and stenosis is 0.
    """
    told = _as_told(values, territories)
    touched = {territory_of(vessel) for vessel in told}
    empty = [name for name in territories if told and name not in touched]
    read = records_of(row for rows in told.values() for row in rows)
    rolled = roll_up_records([*read, *(VesselRecord(vessel=name, profile="") for name in empty)])
    made = lesions_alone(values)
    made.vessels, made.segments = values.vessels, values.segments
    made.territories = {name: {} for name in (*touched, *empty)}
    _put_rolled(made, rolled)
    made.patient |= values.patient
    if grade := values.grades.get(("patient", "")):
        made.grades["patient", ""] = grade
    return made


def lesions_alone(values: Values) -> Values:
    """Return a read's lesions without anything that it tells of vessels, territories or the patient."""
    return Values(
        lesions=values.lesions,
        lesion_segments=values.lesion_segments,
        lesion_grades=values.lesion_grades,
    )


def _as_told(values: Values, territories: Iterable[str]) -> dict[str, list[Measured]]:
    """Vessel → its rows and its lesions' as the long table has them, territory by territory; no row without a value."""
    rows: list[Measured] = []
    for (vessel, number), numbers in values.lesions.items():
        rows += _rows("lesion", vessel, number, numbers, values.lesion_grades.get((vessel, number), ""))
    for vessel in dict.fromkeys([*values.vessels, *(v for level, v in values.grades if level == "vessel")]):
        grade = values.grades.get(("vessel", vessel), "")
        rows += _rows("vessel", vessel, None, values.vessels.get(vessel, {}), grade)
    order = list(dict.fromkeys([*territories, *(territory_of(row.vessel) for row in rows)]))
    told: dict[str, list[Measured]] = {}
    for row in sorted(rows, key=lambda row: order.index(territory_of(row.vessel))):
        told.setdefault(row.vessel, []).append(row)
    return told


def _rows(level: str, vessel: str, lesion: int | None, numbers: Numbers, grade: str) -> list[Measured]:
    found: dict[str, float | str | None] = {**numbers, CADRADS: grade or None}
    return [
        Measured(level, vessel, "", lesion, metric, value, UNITS.get(metric, ""))
        for metric, value in found.items()
        if value is not None
    ]


def graded_by_segment(values: Values) -> Values:
    """Return values whose territories and patient are the worst of the segments that were graded (invasive reads)."""
    artery = {segment.short: segment.artery for segment in SEGMENTS}
    graded = [
        Measured("lesion", artery[segment], segment, number, STENOSIS, row[STENOSIS], UNITS[STENOSIS])
        for number, (segment, row) in enumerate(values.segments.items(), start=1)
        if segment in artery and row.get(STENOSIS) is not None
    ]
    made = Values(segments=values.segments)
    _put_rolled(made, roll_up_records(records_of(graded)))
    return made


def _put_rolled(values: Values, rolled: Iterable[StretchRecord]) -> None:
    for record in rolled:
        for row in record.rows(profile=""):
            put_measured(values, row)


def restricted(values: Values, hulls: Mapping[str, tuple[float, float]]) -> Values:
    """Return values with those lesions alone that touch a vessel's hull (mm), where the other modality looked."""
    kept = {
        key: row
        for key, row in values.lesions.items()
        if key[0] in hulls
        and (row.get("lesion_start") or 0.0) < hulls[key[0]][1]
        and (row.get("lesion_end") or 0.0) > hulls[key[0]][0]
    }
    return Values(
        lesions=kept,
        lesion_segments={key: values.lesion_segments[key] for key in kept if key in values.lesion_segments},
        lesion_grades={key: values.lesion_grades[key] for key in kept if key in values.lesion_grades},
    )


_NUMBERS = {segment.short: segment.number for segment in SEGMENTS}


def segment_number(short: str) -> int | None:
    """Return a segment's SCCT number, or None for a name without one."""
    return _NUMBERS.get(short)
