"""Rows of the pair tables from two reads' values. Pure: no database, no decision about which reads are compared.

Differences are second minus first; the first read is the reference. A lesion of one read alone has 0 in the other
for what adds up (volumes, burdens, stenosis) and nothing for what a lesion that is not there cannot have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.metrics import METRICS
from inference.vocabulary import territory_of
from plaquelab.freezes.matching import Extent, match
from plaquelab.freezes.measured import NON_DIAGNOSTIC, Numbers, Values, category, segment_number

Place = Callable[[str, float], float]
"""Turns a position (mm) along a vessel of the second read into one along the first read's vessel."""


@dataclass(frozen=True)
class Comparison:
    """Two reads of one patient, compared under one pair and one kind of extents.

    first_read, second_read : identities that rows carry.
    place : where the two reads lie on different centrelines, how positions of the second translate.
    levels : the levels at which they are compared.
    """

    pair: str
    extents: str
    patient: str
    first_read: str
    second_read: str
    first: Values = field(repr=False)
    second: Values = field(repr=False)
    place: Place | None = None
    levels: tuple[str, ...] = ("lesion", "vessel", "territory", "patient")


Rows = list[dict[str, Any]]


def pair_rows(comparison: Comparison) -> tuple[dict[str, Rows], dict[str, int]]:
    """Return rows by pair table, and what was counted on the way (units that could not be compared)."""
    counts: dict[str, int] = {}
    tables: dict[str, Rows] = {}
    for level in comparison.levels:
        rows = _LEVELS[level](comparison, counts)
        if rows:
            tables[f"{level}_pairs"] = rows
    return tables, counts


def _identity(comparison: Comparison, match_: str) -> dict[str, Any]:
    return {
        "pair": comparison.pair,
        "extents": comparison.extents,
        "match": match_,
        "patient": comparison.patient,
        "first_read": comparison.first_read,
        "second_read": comparison.second_read,
    }


def _metrics(level: str, first: Numbers | None, second: Numbers | None) -> dict[str, float | None]:
    """Both reads' values of every metric that exists at a level; an absent lesion counts 0 or nothing."""
    found: dict[str, float | None] = {}
    for metric in METRICS.values():
        if level not in metric.levels or metric.name not in ((first or {}) | (second or {})):
            continue
        absent = 0.0 if metric.zero_when_absent and level == "lesion" else None
        found[f"{metric.name}_first"] = absent if first is None else first.get(metric.name)
        found[f"{metric.name}_second"] = absent if second is None else second.get(metric.name)
    return found


def _lesions(comparison: Comparison, counts: dict[str, int]) -> Rows:
    rows: Rows = []
    vessels = sorted({v for v, _ in comparison.first.lesions} | {v for v, _ in comparison.second.lesions})
    for vessel in vessels:
        if comparison.extents == "given":
            rows += _same_numbers(comparison, vessel, counts)
        else:
            rows += _by_overlap(comparison, vessel)
    return rows


def _same_numbers(comparison: Comparison, vessel: str, counts: dict[str, int]) -> Rows:
    rows: Rows = []
    for number, row in comparison.first.in_vessel(vessel):
        other = comparison.second.lesions.get((vessel, number))
        if other is None:
            key = "lesions on a vessel that the other read does not have"
            counts[key] = counts.get(key, 0) + 1
            continue
        rows.append(_lesion_row(comparison, vessel, (number, row), (number, other)))
    return rows


def _by_overlap(comparison: Comparison, vessel: str) -> Rows:
    first = comparison.first.in_vessel(vessel)
    second = comparison.second.in_vessel(vessel)
    place = comparison.place or (lambda _, position: position)
    pairs = match(
        [_extent(number, row) for number, row in first],
        [
            Extent(e.number, *sorted((place(vessel, e.start_mm), place(vessel, e.end_mm))))
            for e in (_extent(number, row) for number, row in second)
        ],
    )
    left, right = dict(first), dict(second)
    return [
        _lesion_row(
            comparison,
            vessel,
            None if a is None else (a.number, left[a.number]),
            None if b is None else (b.number, right[b.number]),
        )
        for a, b in pairs
    ]


def _extent(number: int, row: Numbers) -> Extent:
    start, end = row.get("lesion_start"), row.get("lesion_end")
    return Extent(number, 0.0 if start is None else start, 0.0 if end is None else end)


def _lesion_row(
    comparison: Comparison, vessel: str, first: tuple[int, Numbers] | None, second: tuple[int, Numbers] | None
) -> dict[str, Any]:
    owner = comparison.second if first is None else comparison.first
    number, row = first or second or (0, {})  # one of them is there
    start, end = row.get("lesion_start"), row.get("lesion_end")
    state = "matched" if first and second else "first_only" if first else "second_only"
    return {
        **_identity(comparison, state),
        "vessel": vessel,
        "territory": territory_of(vessel),
        "segment": segment_number(owner.lesion_segments.get((vessel, number), "")),
        "first_lesion": first[0] if first else None,
        "second_lesion": second[0] if second else None,
        "position": None if start is None or end is None else (start + end) / 2,
        **_metrics("lesion", first[1] if first else None, second[1] if second else None),
    }


def _vessels(comparison: Comparison, counts: dict[str, int]) -> Rows:
    first, second = comparison.first.vessels, comparison.second.vessels
    _count_unshared("vessels", first, second, counts)
    return [
        {**_identity(comparison, "matched"), "vessel": name, **_metrics("vessel", first[name], second[name])}
        for name in sorted(first.keys() & second.keys())
    ]


def _territories(comparison: Comparison, counts: dict[str, int]) -> Rows:
    first, second = comparison.first.territories, comparison.second.territories
    _count_unshared("territories", first, second, counts)
    return [
        {
            **_identity(comparison, "matched"),
            "territory": name,
            **_grades(comparison, "territory", name),
            **_metrics("territory", first[name], second[name]),
        }
        for name in sorted(first.keys() & second.keys())
    ]


def _patient(comparison: Comparison, counts: dict[str, int]) -> Rows:
    first, second = comparison.first.patient, comparison.second.patient
    if not first or not second:
        counts["patients that one read does not have"] = (
            counts.get("patients that one read does not have", 0) + 1
        )
        return []
    return [
        {
            **_identity(comparison, "matched"),
            **_grades(comparison, "patient", ""),
            **_metrics("patient", first, second),
        }
    ]


def _count_unshared(
    what: str, first: Mapping[str, Numbers], second: Mapping[str, Numbers], counts: dict[str, int]
) -> None:
    alone = len(first.keys() ^ second.keys())
    if alone and first and second:
        counts[f"{what} that one read does not have"] = (
            counts.get(f"{what} that one read does not have", 0) + alone
        )


def _grades(comparison: Comparison, level: str, place: str) -> dict[str, int | bool | None]:
    found: dict[str, int | bool | None] = {}
    for side, values in (("first", comparison.first), ("second", comparison.second)):
        text = values.grades.get((level, place), "")
        found[f"cadrads_{side}"] = category(text)
        found[f"nondiagnostic_{side}"] = (text == NON_DIAGNOSTIC) if text else None
    return found


_LEVELS: dict[str, Callable[[Comparison, dict[str, int]], Rows]] = {
    "lesion": _lesions,
    "vessel": _vessels,
    "territory": _territories,
    "patient": _patient,
}
