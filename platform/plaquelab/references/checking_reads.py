"""Rows of expert, IVUS and ICA files, checked: places, metrics, units, and one extent a lesion."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from inference.rounding import written
from inference.vocabulary import METRICS, SEGMENTS, UNITS, VESSELS
from plaquelab.references.entries import ReadEntry
from plaquelab.references.reading_csv import CsvRow, number_of
from plaquelab.references.report import Report
from plaquelab.references.subjects import Subjects
from plaquelab.references.vocabulary import UnknownUnitError, factor_to, suggestion

_READER = re.compile(r"(?P<code>[\w][\w .-]{0,37})(#(?P<occasion>[12]))?")
_EXTENT = ("lesion_start", "lesion_end", "lesion_length")
_SIGNED = ("pericoronary_fat_attenuation",)
_CADRADS = ("0", "1", "2", "3", "4", "4A", "4B", "5", "N")
PLAUSIBLE = {"%": 100.0, "mm³": 20_000.0, "mm²": 200.0, "mm": 400.0, "1": 20.0, "stage": 3.0, "count": 4.0}
LARGEST_DIFFERENCE = 0.01
"""Relative: plaque that is given beside vessel and lumen must be their difference."""

Place = tuple[int, str, int, str, int | None]
"""Subject, reader, occasion, vessel, lesion."""


def check_reads(rows: Sequence[CsvRow], *, kind: str, subjects: Subjects, report: Report) -> list[ReadEntry]:
    """Return what can be stored of an expert or IVUS file; what cannot is in ``report``.

    A lesion's rows name one extent, which is stored with them. IVUS plaque volume and burden that are not given
    follow from vessel (EEM) and lumen volume.
    """
    entries: list[ReadEntry] = []
    extents: dict[Place, tuple[float, float, int]] = {}
    first: dict[tuple[Place, str], int] = {}
    for row in rows:
        found = _entry(row, subjects, {m: u for m, u in UNITS.items() if m not in _EXTENT}, report)
        if found is None:
            continue
        entry, extent = found
        place = (entry.subject, entry.reader, entry.occasion, entry.vessel, entry.lesion)
        if (place, entry.metric) in first:
            report.refuse(
                f"{entry.metric} of this place and reader stands in row {first[place, entry.metric]} already.",
                row.number,
                "metric",
            )
            continue
        first[place, entry.metric] = row.number
        if extent is not None:
            known = extents.setdefault(place, (*extent, row.number))
            if known[:2] != extent:
                report.refuse(
                    f"this lesion has another extent in row {known[2]} ({known[0]:g} to {known[1]:g} mm).",
                    row.number,
                    "start_mm",
                )
                continue
        entries.append(entry)
    _refuse_overlaps(extents, report)
    entries += _extent_entries(entries, extents)
    return entries + _derived(entries, report) if kind == "ivus" else entries


def _entry(
    row: CsvRow, subjects: Subjects, units: dict[str, str], report: Report
) -> tuple[ReadEntry, tuple[float, float] | None] | None:
    before = report.problem_count
    subject = subjects.find(row, report)
    exam = _exam(row, subject, subjects, report)
    reader, occasion = _reader(row, report)
    vessel, lesion, extent = _place(row, report)
    metric = row["metric"]
    if metric not in units:
        text = (
            f"the metric “{metric[:40]}” is not known: {suggestion(metric, units)}"
            if metric
            else "the metric is missing."
        )
        report.refuse(text, row.number, "metric")
        return None
    value, text = _value(row, metric, units[metric], report)
    if report.problem_count > before or subject is None or exam is None:
        return None
    level = "lesion" if lesion is not None else "vessel" if vessel else "patient"
    entry = ReadEntry(
        row.number,
        subject,
        exam,
        reader,
        occasion,
        level,
        vessel,
        "",
        lesion,
        metric,
        value,
        text,
        units[metric],
    )
    return entry, extent


def _exam(row: CsvRow, subject: int | None, subjects: Subjects, report: Report) -> int | None:
    if subject is None:
        return None
    exam = subjects.exam(subject)
    if exam is None:
        report.refuse("this subject has no scan in the study yet: upload it first.", row.number, "subject")
        return None
    return int(exam.pk)


def _reader(row: CsvRow, report: Report) -> tuple[str, int]:
    found = _READER.fullmatch(row["reader"])
    if not found:
        report.refuse(
            "a reader is a code of at most 38 letters, digits, spaces, points and hyphens; a second reading by the "
            "same reader ends in #2.",
            row.number,
            "reader",
        )
        return "", 1
    return found["code"].strip(), int(found["occasion"] or 1)


def _place(row: CsvRow, report: Report) -> tuple[str, int | None, tuple[float, float] | None]:
    vessel, lesion_text = row["vessel"], row["lesion"]
    if vessel and vessel not in VESSELS:
        known = dict.fromkeys(VESSELS)
        report.refuse(f"“{vessel[:20]}” is no vessel: {suggestion(vessel, known)}", row.number, "vessel")
    if not lesion_text:
        if row["start_mm"] or row["end_mm"]:
            report.refuse(
                "an extent without a lesion's number: number the lesions from 1.", row.number, "lesion"
            )
        return vessel, None, None
    if not re.fullmatch(r"[1-9]\d{0,3}", lesion_text):
        report.refuse(
            f"“{lesion_text[:20]}” is no lesion number: lesions count from 1.", row.number, "lesion"
        )
        return vessel, None, None
    if not vessel:
        report.refuse("a lesion lies in a vessel: name it.", row.number, "vessel")
    start, end = number_of(row, "start_mm", report), number_of(row, "end_mm", report)
    if start is None or end is None:
        return vessel, None, None
    if start < 0 or end <= start or end > PLAUSIBLE["mm"]:
        report.refuse(
            f"{start:g} to {end:g} mm is no extent along a vessel: the end must lie beyond the start, from 0 to 400 mm.",
            row.number,
            "end_mm",
        )
        return vessel, None, None
    return vessel, int(lesion_text), (start, end)


def _value(row: CsvRow, metric: str, unit: str, report: Report) -> tuple[float | None, str]:
    try:
        factor = factor_to(unit, row["unit"])
    except UnknownUnitError as error:
        report.refuse(f"{error}.", row.number, "unit")
        return None, ""
    if metric == "cadrads":
        text = row["value"].upper().removeprefix("CAD-RADS").strip()
        if text not in _CADRADS:
            report.refuse(f"“{row['value'][:20]}” is no CAD-RADS category.", row.number, "value")
        return None, text
    value = number_of(row, "value", report)
    if value is None:
        return None, ""
    if factor != 1.0:
        report.note(row.number, f"{metric}: converted from {row['unit']} to {unit}.")
        value *= factor
    limit = PLAUSIBLE.get(unit, 1e6)
    if (value < 0 and metric not in _SIGNED) or abs(value) > limit + 1e-9:
        report.refuse(
            f"{metric} of {value:g} {unit} lies outside 0 to {limit:g}: is the unit right?",
            row.number,
            "value",
        )
        return None, ""
    return value, ""


def _refuse_overlaps(extents: dict[Place, tuple[float, float, int]], report: Report) -> None:
    """Refuse lesions of one read that lie on one another: their volumes would count twice."""
    by_vessel: dict[tuple[int, str, int, str], list[tuple[float, float, int]]] = defaultdict(list)
    for (subject, reader, occasion, vessel, _), extent in extents.items():
        by_vessel[subject, reader, occasion, vessel].append(extent)
    for lesions in by_vessel.values():
        lesions.sort()
        for (_, end, row), (start, _, other) in pairwise(lesions):
            if start < end:
                report.refuse(f"this lesion overlaps the one of row {row}.", other, "start_mm")


def _extent_entries(
    entries: Sequence[ReadEntry], extents: dict[Place, tuple[float, float, int]]
) -> list[ReadEntry]:
    made, seen = [], set()
    for entry in entries:
        place = (entry.subject, entry.reader, entry.occasion, entry.vessel, entry.lesion)
        if entry.lesion is None or place in seen or place not in extents:
            continue
        seen.add(place)
        start, end, row = extents[place]
        for metric, value in zip(_EXTENT, (start, end, end - start), strict=True):
            made.append(replace(entry, row=row, metric=metric, value=value, text="", unit="mm"))
    return made


def _derived(entries: Sequence[ReadEntry], report: Report) -> list[ReadEntry]:
    """Plaque volume = EEM − lumen, burden = plaque / EEM, where they are not given; contradictions are refused."""
    places: dict[Place, dict[str, ReadEntry]] = defaultdict(dict)
    for entry in entries:
        places[entry.subject, entry.reader, entry.occasion, entry.vessel, entry.lesion][entry.metric] = entry
    made: list[ReadEntry] = []
    for found in places.values():
        vessel, lumen = found.get("vessel_volume"), found.get("lumen_volume")
        if vessel is None or lumen is None or vessel.value is None or lumen.value is None:
            continue
        plaque = vessel.value - lumen.value
        if plaque < 0:
            report.refuse("the lumen is larger than the vessel around it.", lumen.row, "value")
            continue
        burden = 100 * plaque / vessel.value if vessel.value else 0.0
        for metric, value, unit in (
            ("total_plaque_volume", plaque, "mm³"),
            ("total_plaque_burden", burden, "%"),
        ):
            given = found.get(metric)
            if given is None:
                made.append(replace(vessel, metric=metric, value=value, unit=unit))
                report.note(vessel.row, f"{metric} follows from vessel (EEM) and lumen volume.")
            elif given.value is not None and abs(given.value - value) > max(
                LARGEST_DIFFERENCE * max(abs(value), 1.0), 0.5
            ):
                report.refuse(
                    f"{metric} is {given.value:g} {unit}, but vessel and lumen volume (rows {vessel.row}, {lumen.row}) "
                    f"give {written(METRICS[metric], value)}.",
                    given.row,
                    "value",
                )
    return made


def check_ica(rows: Sequence[CsvRow], *, subjects: Subjects, report: Report) -> list[ReadEntry]:
    """Return what can be stored of an ICA file: visual diameter stenosis a segment."""
    names = {segment.short: segment.short for segment in SEGMENTS}
    names |= {str(segment.number): segment.short for segment in SEGMENTS}
    entries: list[ReadEntry] = []
    first: dict[tuple[int, str, int, str], int] = {}
    for row in rows:
        before = report.problem_count
        subject = subjects.find(row, report)
        exam = _exam(row, subject, subjects, report)
        reader, occasion = _reader(row, report)
        segment = names.get(row["segment"])
        if segment is None:
            report.refuse(
                f"“{row['segment'][:20]}” is no segment: give its SCCT number (1 to 18) or short name (pLAD).",
                row.number,
                "segment",
            )
        value = number_of(row, "diameter_stenosis", report)
        if value is not None and not 0 <= value <= 100:
            report.refuse(
                f"a diameter stenosis of {value:g} % is not possible.", row.number, "diameter_stenosis"
            )
        if report.problem_count > before or subject is None or exam is None or segment is None:
            continue
        key = (subject, reader, occasion, segment)
        if key in first:
            report.refuse(f"this segment stands in row {first[key]} already.", row.number, "segment")
            continue
        first[key] = row.number
        entries.append(
            ReadEntry(
                row.number,
                subject,
                exam,
                reader,
                occasion,
                "segment",
                "",
                segment,
                None,
                "diameter_stenosis",
                value,
                "",
                "%",
            )
        )
    return entries
