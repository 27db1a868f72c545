"""Stents are found by the ring of their metal; calcified plaque and bright neighbours are not taken for one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from inference.composition_profiles import PROFILES
from inference.quantification import Lesion, VesselRead, outside, quantify, roll_up
from inference.quantification.stents import find_stents
from inference.straightening import StraightenedVessel
from tests.inference.quantification.solids import bent, tube, value, with_plaque

OFF = (np.arange(64) - 31.5) * 0.3125
U, V = np.meshgrid(OFF, OFF)
RADIUS, ANGLE = np.hypot(U, V), np.arctan2(V, U)


def vessel(
    metal: tuple[int, int] | None = None, arc_rad: float = 7.0, extra: float = 900.0
) -> StraightenedVessel:
    """150 sections of a 1.5 mm lumen at 380 HU in fat; a ring of metal or calcium over some of them, blurred, noisy."""
    hu = np.broadcast_to(
        np.where(RADIUS < 1.5, 380.0, np.where(RADIUS < 1.9, 70.0, -90.0)), (150, 64, 64)
    ).copy()
    if metal:
        ring = (np.abs(RADIUS - 1.5) < 0.2) & (np.abs(ANGLE) < arc_rad / 2)
        hu[metal[0] : metal[1], ring] += extra
    hu = gaussian_filter(hu, (1.0, 1.0, 1.0))
    hu += np.random.default_rng(5).normal(0, 20, hu.shape)
    return replace(bent(sections=150, radius=None), hu=hu.astype(np.int16))


def test_a_stent_is_found_where_it_lies():
    (found,) = find_stents([vessel((40, 90))])["LAD"]
    assert found == pytest.approx((12.0, 27.0), abs=1.2)


def test_a_vessel_without_metal_has_none():
    assert find_stents([vessel()]) == {}
    assert find_stents([]) == {}


def test_calcium_that_leaves_a_side_free_or_is_short_is_no_stent():
    assert find_stents([vessel((40, 90), arc_rad=4.5)]) == {}
    assert find_stents([vessel((40, 55))]) == {}


def test_blood_is_told_from_the_patients_widest_vessel():
    """A side branch beside a bright chamber is no stent: blood there is as bright as in the main vessel."""
    branch = vessel()
    faint = np.where(RADIUS < 0.8, 200.0, np.where(RADIUS > 2.0, 400.0, 60.0))
    hu = np.broadcast_to(gaussian_filter(faint, 1.0), (150, 64, 64)).astype(np.int16)
    branch = replace(branch, vessel="D1", hu=hu)
    assert find_stents([branch]) != {}
    assert find_stents([branch, vessel()]) == {}


def test_a_lesion_inside_an_excluded_stretch_has_no_numbers_and_one_beside_it_keeps_them():
    straight = vessel((40, 90))
    contours = with_plaque(tube(150, 1.5, 1.9), 20, 130, 3.0, np.ones(64, bool))
    lesions = (Lesion(1, 6.0, 10.0), Lesion(2, 14.0, 20.0), Lesion(3, 24.0, 36.0))
    read = VesselRead("LAD", contours, lesions, ((12.0, 27.0, "stent"),))
    rows = quantify(straight, read, PROFILES["corrected"])
    by = {(r.lesion, r.metric): r.value for r in rows if r.level == "lesion"}
    for metric in (
        "total_plaque_volume",
        "minimal_luminal_area",
        "diameter_stenosis",
        "cadrads",
        "high_risk_features",
    ):
        assert by[2, metric] is None
        assert by[1, metric] is not None
    assert by[2, "lesion_length"] == pytest.approx(6.0)
    ring = np.pi * (3.0**2 - 1.5**2)
    assert by[3, "total_plaque_volume"] == pytest.approx(ring * 9.0, rel=0.05)
    assert value(rows, "vessel", "total_plaque_volume") == pytest.approx(ring * 13.0, rel=0.05)
    patient = roll_up([rows], PROFILES["corrected"])
    assert value(patient, "patient", "total_plaque_volume") == value(rows, "vessel", "total_plaque_volume")


def test_lesions_within_metal_are_dropped_and_the_others_counted_anew():
    lesions = (Lesion(1, 6.0, 10.0), Lesion(2, 14.0, 20.0), Lesion(3, 24.0, 36.0))
    kept = outside(lesions, ((12.0, 27.0, "stent"),))
    assert [(x.number, x.start_mm, x.end_mm) for x in kept] == [(1, 6.0, 10.0), (2, 24.0, 36.0)]
    assert outside(lesions, ()) == lesions
    assert outside((Lesion(1, 5.0, 15.0),), ((8.0, 30.0, "a"), (4.0, 8.0, "b"))) == ()
