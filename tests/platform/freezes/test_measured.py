"""A read's numbers as one object: what follows from lesions, what stays as it was given, and what is left out."""

from __future__ import annotations

import pytest

from plaquelab.freezes.comparing import inside_the_same_lesions
from plaquelab.freezes.measured import (
    Values,
    category,
    graded_by_segment,
    lesions_alone,
    restricted,
    rolled_up,
)

VOLUME, AREA = "total_plaque_volume", "minimal_luminal_area"


def read(**vessels: list[tuple[float, float, float]]) -> Values:
    """Return a read with lesions (start, end, volume) by vessel, numbered from 1, each 3 mm² at its narrowest."""
    values = Values()
    for vessel, lesions in vessels.items():
        for number, (start, end, volume) in enumerate(lesions, start=1):
            row = {"lesion_start": start, "lesion_end": end, VOLUME: volume, AREA: 3.0}
            values.lesions[vessel, number] = row
    return values


def test_a_read_of_lesions_alone_is_rolled_up():
    values = read(LAD=[(10, 20, 100)], D1=[(1, 5, 20)], RCA=[(0, 5, 7)])
    values.lesions["LAD", 1]["diameter_stenosis"] = 55.0
    values.lesions["D1", 1]["diameter_stenosis"] = 69.5
    values.lesions["RCA", 1]["diameter_stenosis"] = 10.0
    found = rolled_up(values, territories=("LAD", "LCx", "RCA"))
    assert {name: row[VOLUME] for name, row in found.territories.items()} == {
        "LAD": 120,
        "LCx": 0.0,
        "RCA": 7,
    }
    assert found.territories["LAD"]["diameter_stenosis"] == 69.5
    assert found.territories["LCx"]["diameter_stenosis"] == 0.0
    assert found.territories["LCx"].get(AREA) is None
    assert found.patient[VOLUME] == 127
    assert {place: grade for (level, place), grade in found.grades.items() if level == "territory"} == {
        "LAD": "3", "LCx": "0", "RCA": "1",
    }  # fmt: skip
    assert set(rolled_up(values, territories=()).territories) == {"LAD", "RCA"}


def test_a_lesion_that_was_not_measured_makes_the_sum_unknown():
    values = read(LAD=[(10, 20, 100), (30, 40, 5)])
    values.lesions["LAD", 2][VOLUME] = None
    found = rolled_up(values, territories=())
    assert found.patient[VOLUME] is None
    assert found.grades["patient", ""] == ""


def test_what_the_reader_gave_of_vessels_and_the_patient_stays():
    values = read(LAD=[(10, 20, 100)], RI=[(0, 5, 7)])
    values.vessels = {"LAD": {VOLUME: 130.0}, "AM": {VOLUME: 11.0}}
    values.patient = {VOLUME: 150.0}
    values.grades = {("vessel", "LAD"): "4A", ("patient", ""): "3"}
    found = rolled_up(values, territories=("LAD", "LCx", "RCA"))
    assert {name: row[VOLUME] for name, row in found.territories.items()} == {
        "LAD": 130.0, "LCx": 7.0, "RCA": 11.0,
    }  # fmt: skip
    assert found.vessels == values.vessels
    assert found.patient[VOLUME] == 150.0
    assert (found.grades["territory", "LAD"], found.grades["patient", ""]) == ("4A", "3")
    # Neither of the ramus nor of the acute marginal a stenosis was told.
    assert (found.grades["territory", "LCx"], found.grades["territory", "RCA"]) == ("", "")


def test_a_read_of_the_patient_alone_says_nothing_of_territories():
    values = Values(patient={VOLUME: 150.0})
    found = rolled_up(values, territories=("LAD", "LCx", "RCA"))
    assert (found.territories, found.grades, found.patient) == ({}, {}, {VOLUME: 150.0})


def test_inside_the_same_lesions_the_rest_of_the_vessel_does_not_count():
    ultrasound, network = read(LM=[(0, 5, 20)], LAD=[(0, 5, 10)]), read(LM=[(0, 5, 22)], LAD=[(0, 5, 9)])
    network.vessels = {"LAD": {VOLUME: 40.0}, "LM": {VOLUME: 22.0}}
    network.grades = {("vessel", "LAD"): "4", ("territory", "LAD"): "4"}
    first, second = inside_the_same_lesions(ultrasound, network)
    assert (first.territories["LAD"][VOLUME], second.territories["LAD"][VOLUME]) == (30.0, 31.0)
    assert second.grades["territory", "LAD"] == ""
    assert lesions_alone(network).vessels == {}


def test_graded_segments_give_their_territories_worst():
    values = Values()
    values.segments = {
        "LM": {"diameter_stenosis": 55.0},
        "mLAD": {"diameter_stenosis": 20.0},
        "pRCA": {"diameter_stenosis": 100.0},
        "RI": {"diameter_stenosis": 0.0},
    }
    found = graded_by_segment(values)
    assert {name: row["diameter_stenosis"] for name, row in found.territories.items()} == {
        "LAD": 55.0, "RCA": 100.0, "LCx": 0.0,
    }  # fmt: skip
    assert [found.grades["territory", name] for name in ("LAD", "RCA", "LCx")] == ["3", "5", "0"]
    assert found.grades["patient", ""] == "5"


def test_only_lesions_where_ultrasound_looked_are_kept():
    kept = restricted(read(LAD=[(0, 5, 1), (9, 12, 2), (30, 40, 3)], RCA=[(0, 5, 4)]), {"LAD": (10, 30)})
    assert [row[VOLUME] for row in kept.lesions.values()] == [2]


@pytest.mark.parametrize(
    ("text", "grade"), [("3", 3), ("4A", 4), ("4B", 4), ("CAD-RADS 3/P2/HRP", 3), ("N", None), ("", None)]
)
def test_categories(text, grade):
    assert category(text) == grade
