"""What enters a comparison, and what is counted instead."""

from __future__ import annotations

import pytest

from plaquelab.dashboards.live import category, comparisons, paired_categories, paired_rows


def rows_of(filled, **kwargs):
    return paired_rows(
        study=filled.a.study,
        **{"pair": "network-expert", "metric": "total_plaque_volume", "level": "lesion"} | kwargs,
    )


def test_only_final_reads_made_without_the_network_enter(filled):
    found = comparisons(study=filled.a.study, pair="network-expert")
    assert [e.number for e in found.entries] == [1, 2, 3, 4]
    assert dict(found.left_out) == {"cases not final yet": 2, "final reads made with the network in sight": 1}


def test_readers_are_compared_once_both_have_signed(filled):
    found = comparisons(study=filled.a.study, pair="reader-reader")
    assert [e.number for e in found.entries] == [1, 2, 3, 4, 5, 6]
    assert dict(found.left_out) == {"cases that two readers have not both signed": 1}


def test_lesions_are_matched_by_overlap_and_missing_ones_count_zero(filled):
    rows = rows_of(filled)
    one = {(r.vessel, r.lesion_first, r.lesion_second): (r.first, r.second) for r in rows.rows if r.exam == 1}
    assert one == {
        ("LAD", None, 1): (0.0, 8.0),
        ("LAD", 1, 2): (110.0, 116.0),
        ("LCx", 1, None): (30.0, 0.0),
        ("RCA", None, 1): (0.0, 12.0),
    }
    counts = dict(rows.counts)
    assert counts["lesions of the expert alone"] == 4
    assert counts["lesions of the network alone"] == 8


def test_a_lumen_area_of_a_lesion_that_is_not_there_is_missing_not_zero(filled):
    rows = rows_of(filled, metric="minimal_luminal_area")
    assert {(r.first, r.second) for r in rows.rows} == {(None, None)}


def test_sites_and_cohorts_restrict(filled):
    assert {r.exam for r in rows_of(filled, site="alpha-north").rows} == {1, 3}
    assert rows_of(filled, cohort="nobody").rows == ()


def test_patient_and_territory_levels(filled):
    patients = rows_of(filled, level="patient")
    assert [(r.first, r.second) for r in patients.rows] == [(140, 136), (150, 148), (160, 160), (170, 172)]
    categories = paired_categories(study=filled.a.study, pair="network-expert", level="territory")
    assert [(r.vessel, r.first, r.second) for r in categories.rows][:3] == [
        ("LAD", 3, 4),
        ("LCx", 1, 1),
        ("RCA", 0, 0),
    ]


def test_other_studies_are_not_read(filled):
    assert (
        paired_rows(
            study=filled.b.study, pair="network-expert", metric="total_plaque_volume", level="lesion"
        ).rows
        == ()
    )


def test_one_query_for_the_numbers(filled, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        rows_of(filled)


@pytest.mark.parametrize(
    ("value", "text", "grade"),
    [
        (3.0, "", 3),
        (None, "4A", 4),
        (None, "4B", 4),
        (None, "CAD-RADS 3/P2/HRP", 3),
        (None, "N", None),
        (None, "", None),
        (7.0, "", None),
    ],
)
def test_categories(value, text, grade):
    assert category(value, text) == grade
