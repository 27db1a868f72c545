"""Rows of parts become rows of what they make up: of measured vessels, and of reads that tell of lesions alone."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from inference.composition_profiles import PROFILES
from inference.quantification import Measurement, VesselRecord, records_of, roll_up, roll_up_records

VOLUME, STENOSIS, AREA = "total_plaque_volume", "diameter_stenosis", "minimal_luminal_area"
FIXED = PROFILES["fixed"]


def lesion(vessel: str, number: int, **values: float | str | None) -> list[Measurement]:
    return [Measurement("lesion", vessel, "", number, name, value, "") for name, value in values.items()]


def whole(vessel: str, **values: float | str | None) -> list[Measurement]:
    return [Measurement("vessel", vessel, "", None, name, value, "") for name, value in values.items()]


def outside(tables: list[list[Measurement]], *, free_of_lesions: tuple[str, ...] = ()) -> list[Measurement]:
    """Return the rows of territories and patient of an outside read."""
    read = records_of(row for table in tables for row in table)
    free = [VesselRecord(vessel=name, profile="") for name in free_of_lesions]
    return [row for record in roll_up_records([*read, *free]) for row in record.rows("")]


def by_place(rows: Iterable[Measurement]) -> dict[tuple[str, str, str], float | str | None]:
    return {(row.level, row.vessel, row.metric): row.value for row in rows}


def test_plaque_of_lesions_adds_up_and_the_worst_decides() -> None:
    tables = [
        lesion("LM", 1, total_plaque_volume=10.5, diameter_stenosis=20.0, minimal_luminal_area=8.0),
        lesion("LAD", 1, total_plaque_volume=100.0, diameter_stenosis=69.5, minimal_luminal_area=2.5)
        + lesion("LAD", 2, total_plaque_volume=30.25, diameter_stenosis=12.0, minimal_luminal_area=4.0),
        lesion("RI", 1, total_plaque_volume=7.0, diameter_stenosis=49.5, minimal_luminal_area=3.0),
        lesion("AM", 1, total_plaque_volume=2.0, diameter_stenosis=0.5, minimal_luminal_area=1.5),
    ]
    found = by_place(outside(tables))
    assert [found["territory", name, VOLUME] for name in ("LAD", "LCx", "RCA")] == [140.75, 7.0, 2.0]
    assert [found["territory", name, STENOSIS] for name in ("LAD", "LCx", "RCA")] == [69.5, 49.5, 0.5]
    assert [found["territory", name, "cadrads"] for name in ("LAD", "LCx", "RCA")] == ["3", "2", "0"]
    assert found["patient", "", VOLUME] == 149.75
    assert (found["patient", "", STENOSIS], found["patient", "", "cadrads"]) == (69.5, "3")
    assert (found["territory", "LAD", AREA], found["patient", "", AREA]) == (2.5, 1.5)


def test_a_vessel_without_lesion_has_no_plaque_and_no_narrowest_place() -> None:
    tables = [lesion("LAD", 1, total_plaque_volume=5.0, diameter_stenosis=30.0, minimal_luminal_area=3.0)]
    found = by_place(outside(tables, free_of_lesions=("RCA",)))
    assert (found["territory", "RCA", VOLUME], found["territory", "RCA", STENOSIS]) == (0.0, 0.0)
    assert found["territory", "RCA", "cadrads"] == "0"
    assert ("territory", "RCA", AREA) not in found
    assert ("territory", "LCx", VOLUME) not in found
    assert found["patient", "", VOLUME] == 5.0


def test_what_one_lesion_does_not_tell_is_unknown_of_all_it_belongs_to() -> None:
    tables = [
        lesion("LAD", 1, total_plaque_volume=5.0, diameter_stenosis=30.0),
        lesion("RCA", 1, total_plaque_volume=8.0),
    ]
    found = by_place(outside(tables))
    assert found["territory", "LAD", STENOSIS] == 30.0
    assert (found["territory", "RCA", STENOSIS], found["territory", "RCA", "cadrads"]) == (None, None)
    assert (found["patient", "", STENOSIS], found["patient", "", "cadrads"]) == (None, None)
    assert found["patient", "", VOLUME] == 13.0


def test_a_row_without_a_value_is_passed_over() -> None:
    """A lesion in an excluded stretch was looked at: the others' worst stands."""
    nothing = dict.fromkeys((STENOSIS, AREA, "cadrads"))
    tables = [
        whole("LAD", total_plaque_volume=5.0, diameter_stenosis=30.0, cadrads="2", high_risk_features=1.0)
        + lesion("LAD", 1, diameter_stenosis=30.0, minimal_luminal_area=2.0, cadrads="2")
        + lesion("LAD", 2, **nothing),
    ]
    found = by_place(roll_up(tables, FIXED))
    assert (found["patient", "", STENOSIS], found["patient", "", AREA]) == (30.0, 2.0)
    assert (found["patient", "", "cadrads"], found["patient", "", "high_risk_features"]) == ("2", 1.0)


def test_a_grade_that_was_given_counts_and_one_that_cannot_be_read_stands_above_all() -> None:
    tables = [
        lesion("LAD", 1, diameter_stenosis=10.0, cadrads="4A") + lesion("LAD", 2, diameter_stenosis=60.0),
        lesion("RCA", 1, diameter_stenosis=99.0) + lesion("RCA", 2, cadrads="N"),
    ]
    found = by_place(outside(tables))
    assert [found["territory", name, "cadrads"] for name in ("LAD", "RCA")] == ["4A", "N"]
    assert found["patient", "", "cadrads"] == "N"


def test_what_is_told_of_a_vessel_counts_before_its_lesions() -> None:
    tables = [
        whole("LAD", total_plaque_volume=120.0) + lesion("LAD", 1, total_plaque_volume=100.0, diameter_stenosis=40.0),
        lesion("D1", 1, total_plaque_volume=3.0, diameter_stenosis=10.0),
        whole("RCA", total_plaque_volume=50.0),
    ]  # fmt: skip
    found = by_place(outside(tables))
    assert [found["territory", name, VOLUME] for name in ("LAD", "RCA")] == [123.0, 50.0]
    assert found["territory", "LAD", STENOSIS] == 40.0
    # Of the right artery a volume alone was told: that says nothing of its stenosis.
    assert (found["territory", "RCA", STENOSIS], found["patient", "", "cadrads"]) == (None, None)


def test_lesions_alone_say_nothing_of_the_vessel_around_them() -> None:
    tables = [
        lesion(
            "LAD", 1, total_plaque_volume=80.0, vessel_volume=200.0, lumen_volume=120.0, high_risk_features=2.0
        )
    ]  # fmt: skip
    metrics = {row.metric for row in outside(tables)}
    assert metrics == {VOLUME, "cadrads"}


def test_shares_and_stage_follow_from_measured_vessels() -> None:
    grade = {"diameter_stenosis": 0.0, "cadrads": "0", "high_risk_features": 0.0}
    tables = [
        whole("LAD", total_plaque_volume=300.0, vessel_volume=1000.0, lumen_volume=600.0, **grade),
        whole("RCA", total_plaque_volume=0.0, vessel_volume=500.0, lumen_volume=400.0, **grade),
    ]
    rows = roll_up(tables, FIXED)
    found = by_place(rows)
    assert [found[(*place, "total_plaque_burden")] for place in (("territory", "LAD"), ("patient", ""))] == [30.0, 20.0]  # fmt: skip
    stage = next(row for row in rows if row.metric == "plaque_stage")
    # Stage 2 by 300 mm³, 3 by a PAV of 20 %.
    assert (stage.value, stage.low, stage.high) == (2.0, 2.0, 3.0)
    assert {row.profile for row in rows} == {"fixed"}


@pytest.mark.parametrize("part", ["low", "high"])
def test_limits_add_up_where_every_vessel_has_them(part: str) -> None:
    first, second = (
        Measurement("vessel", name, "", None, VOLUME, 10.0, "mm³", low, high)
        for name, low, high in (("LAD", 8.0, 13.0), ("D1", 9.0, 12.0))
    )
    total = next(row for row in roll_up([[first], [second]], FIXED) if row.metric == VOLUME)
    assert getattr(total, part) == {"low": 17.0, "high": 25.0}[part]
