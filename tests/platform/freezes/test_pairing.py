"""Rows of pairs from two reads' values: what is matched, what counts 0, what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plaquelab.freezes.measured import Values
from plaquelab.freezes.pairing import Comparison, pair_rows

VOLUME, AREA = "total_plaque_volume", "minimal_luminal_area"


def read(**vessels: list[tuple[float, float, float]]) -> Values:
    """Return a read with lesions (start, end, volume) by vessel, numbered from 1."""
    values = Values()
    for vessel, lesions in vessels.items():
        for number, (start, end, volume) in enumerate(lesions, start=1):
            values.lesions[vessel, number] = {
                "lesion_start": start,
                "lesion_end": end,
                "lesion_length": end - start,
                VOLUME: volume,
                AREA: 3.0,
            }
    return values


def rows(first: Values, second: Values, extents: str = "own", level: str = "lesion", **more):
    tables, counts = pair_rows(
        Comparison("network_expert", extents, "P", "a", "b", first, second, levels=(level,), **more)
    )
    return tables.get(f"{level}_pairs", []), counts


def test_own_extents_are_matched_by_overlap_and_missing_lesions_count_zero():
    found, counts = rows(
        read(LAD=[(10, 20, 100), (40, 50, 30)], RCA=[(0, 5, 7)]),
        read(LAD=[(12, 22, 90)], LCx=[(1, 4, 12)]),
    )
    shown = [(r["match"], r["vessel"], r["first_lesion"], r["second_lesion"], r[f"{VOLUME}_first"], r[f"{VOLUME}_second"]) for r in found]  # fmt: skip
    assert shown == [
        ("matched", "LAD", 1, 1, 100, 90),
        ("first_only", "LAD", 2, None, 30, 0.0),
        ("second_only", "LCx", None, 1, 0.0, 12),
        ("first_only", "RCA", 1, None, 7, 0.0),
    ]
    assert found[1][f"{AREA}_second"] is None  # the lumen of a lesion that is not there has no area
    assert found[0]["position"] == 15
    assert found[0]["territory"] == "LAD"
    assert counts == {}


def test_given_extents_pair_by_number_and_count_vessels_that_were_not_analysed():
    found, counts = rows(
        read(LAD=[(10, 20, 100), (40, 50, 30)], RCA=[(0, 5, 7)]),
        read(LAD=[(10, 20, 95), (40, 50, 0)]),
        extents="given",
    )
    assert [(r["match"], r["first_lesion"], r["second_lesion"], r[f"{VOLUME}_second"]) for r in found] == [
        ("matched", 1, 1, 95),
        ("matched", 2, 2, 0),
    ]
    assert counts == {"lesions on a vessel that the other read does not have": 1}


def test_positions_on_another_centreline_are_translated():
    shifted = read(LAD=[(30, 40, 90)])
    apart, _ = rows(read(LAD=[(10, 20, 100)]), shifted)
    assert [r["match"] for r in apart] == ["first_only", "second_only"]
    together, _ = rows(read(LAD=[(10, 20, 100)]), shifted, place=lambda _, position: position - 20)
    assert [r["match"] for r in together] == ["matched"]


def test_territories_of_one_read_alone_are_counted_not_zero():
    first, second = Values(), Values()
    first.territories = {"LAD": {VOLUME: 5.0}, "LCx": {VOLUME: 1.0}}
    second.territories = {"LAD": {VOLUME: 6.0}}
    first.grades = {("territory", "LAD"): "4A"}
    second.grades = {("territory", "LAD"): "N"}
    (row,), counts = rows(first, second, level="territory")
    assert (row["territory"], row[f"{VOLUME}_first"], row[f"{VOLUME}_second"]) == ("LAD", 5.0, 6.0)
    assert (row["cadrads_first"], row["cadrads_second"]) == (4, None)
    assert (row["nondiagnostic_first"], row["nondiagnostic_second"]) == (False, True)
    assert counts == {"territories that one read does not have": 1}


lesions = st.lists(st.tuples(st.floats(0, 80), st.floats(0.3, 10), st.floats(0, 500)), max_size=6).map(
    lambda rows: [(start, start + length, volume) for start, length, volume in rows]
)


@given(lesions, lesions)
def test_no_volume_is_lost_or_counted_twice(a, b):
    first, second = read(LAD=a), read(LAD=b)
    found, _ = rows(first, second)
    assert sum(r[f"{VOLUME}_first"] for r in found) == pytest.approx(sum(v for _, _, v in a))
    assert sum(r[f"{VOLUME}_second"] for r in found) == pytest.approx(sum(v for _, _, v in b))
    numbers = [r["first_lesion"] for r in found if r["first_lesion"]]
    assert sorted(numbers) == list(range(1, len(a) + 1))


@given(lesions, lesions)
def test_swapping_the_reads_swaps_the_rows(a, b):
    one, _ = rows(read(LAD=a), read(LAD=b))
    other, _ = rows(read(LAD=b), read(LAD=a))
    matched = {(r["first_lesion"], r["second_lesion"]) for r in one if r["match"] == "matched"}
    back = {(r["second_lesion"], r["first_lesion"]) for r in other if r["match"] == "matched"}
    assert len(matched) == len(back)
