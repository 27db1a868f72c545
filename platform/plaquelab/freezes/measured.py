"""THE query: every number of the reads that are compared, as one object a read.

A read is owned by a run (network), by a signed revision (reader) or by an imported read; its numbers are rows of
``analysis.Measurement`` whoever made them, so that nothing here asks where they came from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from plaquelab.analysis.models import Measurement
from plaquelab.studies.models import Study

Owner = tuple[str, int]
"""Who owns measurements: ("run", id), ("revision", id) or ("imported", id)."""
Numbers = dict[str, float | None]
OWNERS_A_QUERY = 300
CADRADS = "cadrads"
NON_DIAGNOSTIC = "N"
NEVER_A_NUMBER = {CADRADS}
TERRITORIES = ("LAD", "LCx", "RCA")


@dataclass
class Values:
    """All numbers of one read.

    lesions : (vessel, number) → metric → value. vessels, territories, segments : by name. patient : of the whole.
    grades : (level, place) → CAD-RADS as text; place is a territory, a segment, or "" for the patient.
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
    place = {"territory": vessel, "segment": segment}.get(level, "")
    if metric == CADRADS:
        if level != "vessel":
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


def category(text: str) -> int | None:
    """A stored CAD-RADS as 0 … 5: ``4A`` and ``4B`` are 4; N (non-diagnostic) and unknown texts are None."""
    head = text.strip().upper().removeprefix("CAD-RADS").strip().split("/")[0].rstrip("AB")
    return int(head) if head in {"0", "1", "2", "3", "4", "5"} else None


_SUMMED = (
    "total_plaque_volume",
    "noncalcified_plaque_volume",
    "calcified_plaque_volume",
    "low_attenuation_plaque_volume",
    "necrotic_core_volume",
    "fibrofatty_volume",
    "fibrous_volume",
    "dense_calcium_volume",
)
_WORST = ("diameter_stenosis", "area_stenosis")
_SMALLEST = ("minimal_luminal_area", "minimal_luminal_diameter")


def rolled_up(values: Values, *, territories: Iterable[str]) -> Values:
    """Return values whose territories and patient follow from the lesions: volumes add up, of stenoses the worst counts.

    For reads that name lesions only. A given territory without a lesion has volume and stenosis 0.
    """
    from inference.vocabulary import territory_of

    by_territory: dict[str, list[tuple[str, int]]] = {name: [] for name in territories}
    for key in values.lesions:
        by_territory.setdefault(territory_of(key[0]), []).append(key)
    made = Values(
        lesions=values.lesions,
        lesion_segments=values.lesion_segments,
        lesion_grades=values.lesion_grades,
        vessels=values.vessels,
        segments=values.segments,
    )
    metrics = {metric for row in values.lesions.values() for metric in row}
    for name, keys in by_territory.items():
        made.territories[name] = _roll(values, keys, metrics)
        made.grades["territory", name] = _worst_grade(values, keys)
    every = [key for keys in by_territory.values() for key in keys]
    made.patient = {**_roll(values, every, metrics), **values.patient}
    made.grades["patient", ""] = values.grades.get(("patient", "")) or _worst_grade(values, every)
    return made


def _roll(values: Values, keys: list[tuple[str, int]], metrics: Iterable[str]) -> Numbers:
    out: Numbers = {}
    known = set(metrics)
    for names, combine, empty in ((_SUMMED, sum, 0.0), (_WORST, max, 0.0), (_SMALLEST, min, None)):
        for metric in names:
            if metric not in known:
                continue
            numbers = [values.lesions[key].get(metric) for key in keys]
            present = [x for x in numbers if x is not None]
            if len(present) < len(numbers):
                out[metric] = None  # a lesion that was not measured makes the sum unknown
            else:
                out[metric] = float(combine(present)) if present else empty
    return out


def _worst_grade(values: Values, keys: list[tuple[str, int]]) -> str:
    from inference.grading import cadrads

    grades = []
    for key in keys:
        given = values.lesion_grades.get(key)
        stenosis = values.lesions[key].get("diameter_stenosis")
        if given:
            grades.append(given)
        elif stenosis is not None:
            grades.append(cadrads(stenosis))
        else:
            return ""
    if NON_DIAGNOSTIC in grades:
        return NON_DIAGNOSTIC
    return max(grades, default=cadrads(0.0, has_lesion=False))


def graded_by_segment(values: Values) -> Values:
    """Return values whose territories and patient are the worst of the segments that were graded (invasive reads)."""
    from inference.grading import cadrads
    from inference.vocabulary import SEGMENTS

    artery = {segment.short: segment.artery for segment in SEGMENTS}
    worst: dict[str, float] = {}
    for segment, row in values.segments.items():
        stenosis = row.get("diameter_stenosis")
        if stenosis is None or segment not in artery:
            continue
        name = "LAD" if artery[segment] == "LM" else artery[segment]
        worst[name] = max(worst.get(name, 0.0), stenosis)
    made = Values(segments=values.segments)
    for name, stenosis in worst.items():
        made.territories[name] = {"diameter_stenosis": stenosis}
        made.grades["territory", name] = cadrads(stenosis, has_lesion=stenosis > 0)
    if worst:
        top = max(worst.values())
        made.patient = {"diameter_stenosis": top}
        made.grades["patient", ""] = cadrads(top, has_lesion=top > 0)
    return made


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


def segment_number(short: str) -> int | None:
    """Return a segment's SCCT number, or None for a name without one."""
    return _numbers().get(short)


def _numbers() -> dict[str, Any]:
    from inference.vocabulary import SEGMENTS

    return {segment.short: segment.number for segment in SEGMENTS}
