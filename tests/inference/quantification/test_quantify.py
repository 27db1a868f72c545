"""Measurements against solids whose numbers are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.composition_profiles import PROFILES
from inference.contours import ANGLES, THETA, VesselContours
from inference.errors import QuantificationError
from inference.grading import cadrads, cadrads2, plaque_stage
from inference.quantification import (
    Lesion,
    NormalWall,
    VesselRead,
    find_lesions,
    fit_normal_wall,
    mark_plaque,
    quantify,
    roll_up,
)
from tests.inference.quantification.solids import bent, tube, value, with_plaque

FIXED = PROFILES["fixed"]


def test_plaque_outside_a_bend_counts_more_by_the_jacobian() -> None:
    vessel = bent()
    outer = np.cos(THETA) < -1e-9
    contours = with_plaque(tube(400, 1.5, 2.0), 100, 199, 3.0, outer)
    read = VesselRead("LAD", contours, find_lesions(vessel, contours))
    (lesion,) = read.lesions
    length = lesion.end_mm - lesion.start_mm
    step = 2 * math.pi / ANGLES
    straight = (9 - 2.25) / 2 * outer.sum() * step * length
    bend = (27 - 3.375) / 3 * np.abs(np.cos(THETA[outer])).sum() * step * length / 20
    rows = quantify(vessel, read, FIXED)
    assert value(rows, "lesion", "total_plaque_volume") == pytest.approx(straight + bend, rel=1e-6)
    assert bend / straight > 0.05


def test_torus_lumen_volume_is_pappus() -> None:
    vessel = bent()
    rows = quantify(vessel, VesselRead("LAD", tube(400, 1.5, 2.0)), FIXED)
    assert value(rows, "vessel", "lumen_volume") == pytest.approx(
        math.pi * 2.25 * vessel.arc_length[-1], rel=1e-6
    )
    assert value(rows, "vessel", "total_plaque_volume") == 0


def test_stenosis_against_both_references() -> None:
    vessel = bent(radius=None)
    lumen = np.full((400, ANGLES), 2.0)
    lumen[:150] = 2.2
    lumen[150:250] = 1.0
    contours = VesselContours(lumen, lumen + 0.4, np.zeros((400, ANGLES), bool))
    read = VesselRead("LAD", contours, (Lesion(1, 45.0, 74.7),))
    rows = quantify(vessel, read, FIXED)
    assert value(rows, "lesion", "reference_luminal_diameter") == pytest.approx((4.4 + 4.0) / 2, rel=1e-4)
    assert value(rows, "lesion", "diameter_stenosis") == pytest.approx(100 * (1 - 2 / 4.2), rel=1e-3)
    assert value(rows, "lesion", "minimal_luminal_area") == pytest.approx(math.pi, rel=1e-3)
    assert value(rows, "lesion", "diameter_stenosis_feret") == pytest.approx(100 * (1 - 2 / 4.2), abs=0.3)


def test_one_reference_where_the_other_lies_in_another_lesion_and_taper_where_both_do() -> None:
    vessel = bent(radius=None)
    lumen = np.full((400, ANGLES), 2.0)
    lumen[100:120], lumen[125:145] = 1.0, 1.5
    contours = VesselContours(lumen, lumen + 0.4, np.zeros((400, ANGLES), bool))
    first, second = Lesion(1, 30.0, 35.7), Lesion(2, 36.3, 43.2)
    rows = quantify(vessel, VesselRead("LAD", contours, (first, second)), FIXED)
    found = {r.lesion: r.value for r in rows if r.metric == "reference_luminal_diameter"}
    assert found[1] == pytest.approx(4.0, rel=1e-3)
    boxed = (Lesion(1, 0.0, 29.0), Lesion(2, 30.0, 35.7), Lesion(3, 36.3, 100.0))
    rows = quantify(vessel, VesselRead("LAD", contours, boxed), FIXED)
    found = {r.lesion: r.value for r in rows if r.metric == "reference_luminal_diameter"}
    assert found[2] == pytest.approx(4.0, rel=1e-3)


def test_closed_lumen_is_cadrads_5_and_no_reference_is_null() -> None:
    vessel = bent(sections=40, radius=None)
    lumen = np.full((40, ANGLES), 1.0)
    lumen[20] = 0.0
    contours = VesselContours(lumen, np.full((40, ANGLES), 2.0), np.ones((40, ANGLES), bool))
    rows = quantify(vessel, VesselRead("LAD", contours, (Lesion(1, 0.0, 11.7),)), FIXED)
    by = {r.metric: r.value for r in rows if r.level == "lesion"}
    assert by["cadrads"] == "5"
    assert by["diameter_stenosis"] is None
    assert by["minimal_luminal_area"] == 0


def test_composition_bins_are_half_open() -> None:
    vessel = bent(radius=None)
    contours = with_plaque(tube(400, 1.5, 2.0), 100, 199, 3.0, np.ones(ANGLES, bool))
    read = VesselRead("LAD", contours, (Lesion(1, 30.0, 59.7),))
    for hu, calcified, low in ((350, 1, 0), (349, 0, 0), (30, 0, 0), (29, 0, 1)):
        rows = quantify(replace(vessel, hu=np.full_like(vessel.hu, hu)), read, FIXED)
        total = value(rows, "lesion", "total_plaque_volume")
        assert value(rows, "lesion", "calcified_plaque_volume") == pytest.approx(calcified * total)
        assert value(rows, "lesion", "low_attenuation_plaque_volume") == pytest.approx(low * total)
    for hu, metric in (
        (75, "necrotic_core_volume"),
        (76, "fibrofatty_volume"),
        (131, "fibrous_volume"),
        (351, "dense_calcium_volume"),
    ):
        rows = quantify(replace(vessel, hu=np.full_like(vessel.hu, hu)), read, PROFILES["qangio"])
        assert value(rows, "lesion", metric) == pytest.approx(
            value(rows, "lesion", "total_plaque_volume"), rel=1e-3
        )


def test_corrected_profile_does_not_call_a_blurred_fat_border_low_attenuation() -> None:
    """Fibrous plaque of 90 HU between a lumen of 400 and fat of −90, blurred: none of it is below 30 HU."""
    from scipy.ndimage import gaussian_filter

    from inference.contours import PIXEL_RADIUS

    vessel = bent(sections=120, radius=None)
    section = np.where(PIXEL_RADIUS < 1.5, 400.0, np.where(PIXEL_RADIUS < 2.8, 90.0, -90.0))
    hu = gaussian_filter(section, 0.42 / 0.3125)
    vessel = replace(vessel, hu=np.broadcast_to(hu, vessel.hu.shape).astype(np.int16))
    contours = with_plaque(tube(120, 1.5, 2.8), 20, 100, 2.8, np.ones(ANGLES, bool))
    read = VesselRead("LAD", contours, (Lesion(1, 6.0, 30.0),))
    total = value(quantify(vessel, read, FIXED), "lesion", "total_plaque_volume")
    fixed = value(quantify(vessel, read, FIXED), "lesion", "low_attenuation_plaque_volume")
    corrected = value(
        quantify(vessel, read, PROFILES["corrected"]), "lesion", "low_attenuation_plaque_volume"
    )
    assert fixed > 0.15 * total
    assert corrected < 0.02 * total


@settings(max_examples=25, deadline=None)
@given(st.floats(0.8, 2.5), st.floats(0.3, 1.5), st.integers(10, 60), st.integers(-100, 900))
def test_totals_always_add_up_and_shift_limits_bracket(
    lumen: float, extra: float, length: int, hu: int
) -> None:
    vessel = bent(sections=160, hu=hu)
    contours = with_plaque(
        tube(160, lumen, lumen + 0.3), 50, 50 + length, lumen + 0.3 + extra, np.arange(ANGLES) < 30
    )
    rows = quantify(
        vessel, VesselRead("LAD", contours, find_lesions(vessel, contours)), PROFILES["corrected"]
    )
    total = value(rows, "lesion", "total_plaque_volume")
    parts = value(rows, "lesion", "noncalcified_plaque_volume") + value(
        rows, "lesion", "calcified_plaque_volume"
    )
    assert total == pytest.approx(parts)
    assert (
        value(rows, "lesion", "low_attenuation_plaque_volume")
        <= value(rows, "lesion", "noncalcified_plaque_volume") + 1e-9
    )
    assert value(rows, "vessel", "total_plaque_volume") == pytest.approx(total)
    (row,) = [r for r in rows if r.level == "lesion" and r.metric == "vessel_volume"]
    assert row.low is not None
    assert row.high is not None
    assert row.low < row.value < row.high  # type: ignore[operator]


def test_lesions_join_below_one_millimetre_and_need_one_and_a_half() -> None:
    vessel = bent(radius=None)
    contours = tube(400, 1.5, 2.0)
    marks = contours.plaque.copy()
    marks[10:20, :10] = marks[22:30, :10] = marks[60:64, :10] = marks[100:106, :10] = marks[110:120, :3] = (
        True
    )
    found = find_lesions(vessel, replace(contours, plaque=marks))
    assert [(round(x.start_mm, 1), round(x.end_mm, 1)) for x in found] == [(3.0, 8.7), (30.0, 31.5)]


def test_normal_wall_line_and_marks() -> None:
    lumen = np.repeat(np.linspace(2.2, 1.0, 300)[:, None], ANGLES, 1)
    wall = lumen + 0.2 + 0.15 * lumen
    wall[100:140, :20] += 0.5
    contours = VesselContours(lumen, wall, np.zeros((300, ANGLES), bool))
    normal = fit_normal_wall([(bent(300, None), contours)])
    assert normal.intercept == pytest.approx(0.2, abs=0.03)
    assert normal.slope == pytest.approx(0.15, abs=0.03)
    marked = mark_plaque(contours, (Lesion(1, 30.0, 41.7),), NormalWall(0.2, 0.15))
    assert marked.plaque[100:140, :20].all()
    assert marked.plaque.sum() == 40 * 20


def test_patient_rows_sum_lesions_and_take_the_worst_grade() -> None:
    tables = []
    for name in ("LM", "LAD", "RCA"):
        vessel = bent(radius=None, vessel=name)
        lumen = np.full((400, ANGLES), 2.0)
        lumen[150:200] = {"LM": 2.0, "LAD": 0.9, "RCA": 1.3}[name]
        contours = VesselContours(lumen, np.full((400, ANGLES), 2.4), np.zeros((400, ANGLES), bool))
        contours = with_plaque(contours, 150, 199, 3.0, np.ones(ANGLES, bool))
        tables.append(quantify(vessel, VesselRead(name, contours, (Lesion(1, 45.0, 59.7),)), FIXED))
    rows = roll_up(tables, FIXED)
    by = {(r.level, r.vessel, r.metric): r.value for r in rows}
    volumes = [value(t, "lesion", "total_plaque_volume") for t in tables]
    assert by["patient", "", "total_plaque_volume"] == pytest.approx(sum(volumes))
    assert by["territory", "LAD", "total_plaque_volume"] == pytest.approx(volumes[0] + volumes[1])
    assert ("territory", "LCx", "cadrads") not in by
    assert (
        by["territory", "LAD", "cadrads"],
        by["territory", "RCA", "cadrads"],
        by["patient", "", "cadrads"],
    ) == ("3", "2", "3")
    assert by["patient", "", "percent_atheroma_volume"] == by["patient", "", "total_plaque_burden"]


@pytest.mark.parametrize(
    ("stenosis", "grade"),
    [
        (0.99, "0"),
        (1, "1"),
        (24.5, "1"),
        (25, "2"),
        (49.5, "2"),
        (50, "3"),
        (69.5, "3"),
        (70, "4"),
        (99.9, "4"),
    ],
)
def test_cadrads_grades_the_value_unrounded(stenosis: float, grade: str) -> None:
    assert cadrads(stenosis) == grade


def test_cadrads2_and_stage() -> None:
    assert cadrads2([72, 0, 0], left_main=0, has_plaque=True) == "4A"
    assert cadrads2([72, 75, 90], left_main=0, has_plaque=True) == "4B"
    assert cadrads2([20, 0, 0], left_main=50, has_plaque=True) == "4B"
    assert cadrads2([0, 0, 0], left_main=0, has_plaque=True) == "1"
    assert [plaque_stage(x) for x in (0, 0.1, 250, 250.1, 750, 750.1)] == [0, 1, 1, 2, 2, 3]


def test_reads_of_another_vessel_and_empty_lesions_are_refused() -> None:
    with pytest.raises(QuantificationError, match="RCA"):
        quantify(bent(), VesselRead("RCA", tube(400, 1, 2)), FIXED)
    with pytest.raises(QuantificationError, match="beyond its start"):
        Lesion(1, 5.0, 5.0)
