"""Expert, IVUS and ICA files: places, units, extents, derived numbers."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db


def said(checked):
    return [str(problem) for problem in checked.report.problems]


def values(checked):
    return {(e.vessel or e.segment, e.lesion, e.metric): e.value for e in checked.entries}


def test_a_lesion_brings_its_extent_and_level(check):
    checked = check(
        "expert",
        "P-1,LAD,1,12.5,24.5,total_plaque_volume,85.5,mm3,R1",
        "P-1,LAD,1,12.5,24.5,diameter_stenosis,0.45,fraction,R1",
        "P-1,LAD,1,12.5,24.5,cadrads,2,,R1",
        "P-1,,,,,total_plaque_volume,85.5,mm³,R1",
        "P-1,LAD,,,,percent_atheroma_volume,8.1,%,R1",
    )
    assert said(checked) == []
    found = values(checked)
    assert found["LAD", 1, "total_plaque_volume"] == 85.5
    assert found["LAD", 1, "diameter_stenosis"] == pytest.approx(45)
    assert (found["LAD", 1, "lesion_start"], found["LAD", 1, "lesion_end"]) == (12.5, 24.5)
    assert found["LAD", 1, "lesion_length"] == 12.0
    assert {e.level for e in checked.entries} == {"lesion", "vessel", "patient"}
    assert next(e.text for e in checked.entries if e.metric == "cadrads") == "2"
    assert (3, "diameter_stenosis: converted from fraction to %.") in checked.report.notes


def test_ivus_plaque_follows_from_vessel_and_lumen(check):
    checked = check(
        "ivus",
        "P-1,LAD,1,10,20,vessel_volume,150,mm³,core",
        "P-1,LAD,1,10,20,lumen_volume,90,mm³,core",
        "P-1,LAD,1,10,20,minimal_luminal_area,4.1,mm²,core",
    )
    found = values(checked)
    assert found["LAD", 1, "total_plaque_volume"] == 60
    assert found["LAD", 1, "total_plaque_burden"] == pytest.approx(40)
    assert "follows from vessel" in checked.report.notes[0][1]


def test_ivus_numbers_that_contradict_one_another_are_refused(check):
    checked = check(
        "ivus",
        "P-1,LAD,1,10,20,vessel_volume,150,mm³,core",
        "P-1,LAD,1,10,20,lumen_volume,90,mm³,core",
        "P-1,LAD,1,10,20,total_plaque_volume,75,mm³,core",
        "P-1,RCA,1,10,20,vessel_volume,100,mm³,core",
        "P-1,RCA,1,10,20,lumen_volume,120,mm³,core",
    )
    assert said(checked) == [
        "row 4, column value: total_plaque_volume is 75 mm³, but vessel and lumen volume (rows 2, 3) give 60.0.",
        "row 6, column value: the lumen is larger than the vessel around it.",
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            "P-9,LAD,1,1,2,total_plaque_volume,5,mm³,R1",
            "row 2, column subject: this study has no subject “P-9”.",
        ),
        ("p-1,LAD,1,1,2,total_plaque_volume,5,mm³,R1", "did you mean “P-1”?"),
        ("P-3,LAD,1,1,2,total_plaque_volume,5,mm³,R1", "no scan in the study yet: upload it first"),
        ("P-1,Lad,1,1,2,total_plaque_volume,5,mm³,R1", "row 2, column vessel: “Lad” is no vessel"),
        ("P-1,LAD,0,1,2,total_plaque_volume,5,mm³,R1", "lesions count from 1"),
        ("P-1,,1,1,2,total_plaque_volume,5,mm³,R1", "a lesion lies in a vessel"),
        ("P-1,LAD,,1,2,total_plaque_volume,5,mm³,R1", "an extent without a lesion's number"),
        ("P-1,LAD,1,,2,total_plaque_volume,5,mm³,R1", "row 2, column start_mm: a number is missing"),
        ("P-1,LAD,1,5,5,total_plaque_volume,5,mm³,R1", "row 2, column end_mm: 5 to 5 mm is no extent"),
        ("P-1,LAD,1,-1,5,total_plaque_volume,5,mm³,R1", "is no extent along a vessel"),
        ("P-1,LAD,1,1,2,plaque_volume,5,mm³,R1", "did you mean “total_plaque_volume”?"),
        ("P-1,LAD,1,1,2,lesion_length,5,mm,R1", "the metric “lesion_length” is not known"),
        (
            "P-1,LAD,1,1,2,total_plaque_volume,5,mm²,R1",
            "row 2, column unit: the unit “mm²” is not known here: use mm³",
        ),
        ("P-1,LAD,1,1,2,total_plaque_volume,5,,R1", "row 2, column unit: the unit “” is not known here"),
        ("P-1,LAD,1,1,2,total_plaque_volume,-5,mm³,R1", "lies outside 0 to 20000"),
        (
            "P-1,LAD,1,1,2,total_plaque_volume,85,mL,R1",
            "85000 mm³ lies outside 0 to 20000: is the unit right?",
        ),
        ("P-1,LAD,1,1,2,diameter_stenosis,130,%,R1", "lies outside 0 to 100"),
        ("P-1,LAD,1,1,2,cadrads,6,,R1", "“6” is no CAD-RADS category"),
        ("P-1,LAD,1,1,2,total_plaque_volume,5,mm³,", "row 2, column reader: a reader is a code"),
        ("P-1,LAD,1,1,2,total_plaque_volume,5,mm³,R1#3", "row 2, column reader: a reader is a code"),
    ],
)
def test_what_is_refused(check, row, words):
    checked = check("expert", row)
    assert any(words in text for text in said(checked)), said(checked)
    assert checked.entries == ()


def test_duplicates_other_extents_and_overlaps(check):
    checked = check(
        "expert",
        "P-1,LAD,1,10,20,total_plaque_volume,5,mm³,R1",
        "P-1,LAD,1,10,20,total_plaque_volume,6,mm³,R1",
        "P-1,LAD,1,10,21,diameter_stenosis,6,%,R1",
        "P-1,LAD,2,19,30,total_plaque_volume,6,mm³,R1",
        "P-1,LAD,2,19,30,total_plaque_volume,6,mm³,R2",
    )
    assert said(checked) == [
        "row 3, column metric: total_plaque_volume of this place and reader stands in row 2 already.",
        "row 4, column start_mm: this lesion has another extent in row 2 (10 to 20 mm).",
        "row 5, column start_mm: this lesion overlaps the one of row 2.",
    ]


def test_a_second_reading_is_another_occasion_of_the_same_reader(check):
    checked = check(
        "expert",
        "P-1,LAD,1,10,20,total_plaque_volume,5,mm³,R1",
        "P-1,LAD,1,11,20,total_plaque_volume,6,mm³,R1#2",
    )
    assert said(checked) == []
    assert {(e.reader, e.occasion) for e in checked.entries} == {("R1", 1), ("R1", 2)}


def test_ica_takes_segments_by_number_or_name(check):
    checked = check("ica", "P-1,6,75,A", "P-1,pRCA,0,A", "P-1,13,40,A")
    assert values(checked) == {
        ("pLAD", None, "diameter_stenosis"): 75,
        ("pRCA", None, "diameter_stenosis"): 0,
        ("mid-distal LCx", None, "diameter_stenosis"): 40,
    }


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("P-1,19,75,A", "row 2, column segment: “19” is no segment"),
        ("P-1,6,101,A", "row 2, column diameter_stenosis: a diameter stenosis of 101 % is not possible"),
        ("P-1,6,-1,A", "a diameter stenosis of -1 % is not possible"),
        ("P-1,6,50-70,A", "row 2, column diameter_stenosis: “50-70” is no number"),
        ("P-1,6,75%,A", "holds a % sign"),
    ],
)
def test_what_is_refused_of_ica(check, row, words):
    assert any(words in text for text in said(check("ica", row)))


def test_a_segment_comes_once(check):
    assert said(check("ica", "P-1,6,75,A", "P-1,pLAD,70,A")) == [
        "row 3, column segment: this segment stands in row 2 already."
    ]
