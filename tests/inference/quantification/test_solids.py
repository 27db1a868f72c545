"""Volumes, areas and diameters of solids whose numbers are known, and what must hold for any vessel."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.composition_profiles import PROFILES
from inference.contours import ANGLES, THETA, VesselContours
from inference.quantification import Imaging, Lesion, Measurement, VesselRead, find_lesions, quantify
from inference.section_grid import SPACING_ALONG
from inference.straightening import StraightenedVessel
from tests.inference.quantification.solids import bent, tube, value, with_plaque

FIXED = PROFILES["fixed"]
EVERYWHERE = np.ones(ANGLES, bool)
VOLUMES = (
    "total_plaque_volume",
    "noncalcified_plaque_volume",
    "calcified_plaque_volume",
    "low_attenuation_plaque_volume",
    "vessel_volume",
    "lumen_volume",
)


def noisy(vessel: StraightenedVessel, seed: int, mean: float = 90.0, sd: float = 60.0) -> StraightenedVessel:
    hu = np.random.default_rng(seed).normal(mean, sd, vessel.hu.shape)
    hu[:, 30:34, 30:34] += 300
    return replace(vessel, hu=hu.astype(np.int16))


def by_metric(rows: list[Measurement], level: str = "lesion") -> dict[str, Measurement]:
    return {row.metric: row for row in rows if row.level == level}


def test_tube_wall_volume_is_a_cylinder() -> None:
    vessel = bent(radius=None)
    contours = with_plaque(tube(400, 1.0, 1.4), 100, 199, 2.0, EVERYWHERE)
    rows = quantify(vessel, VesselRead("LAD", contours, (Lesion(1, 30.0, 59.7),)), FIXED)
    assert value(rows, "lesion", "total_plaque_volume") == pytest.approx(math.pi * (4 - 1) * 29.7, rel=1e-9)
    assert value(rows, "lesion", "vessel_volume") == pytest.approx(math.pi * 4 * 29.7, rel=1e-9)
    assert value(rows, "lesion", "total_plaque_burden") == pytest.approx(75.0, rel=1e-9)


def test_cone_volume_and_narrowest_area() -> None:
    vessel = bent(sections=201, radius=None)
    radius = np.linspace(2.0, 1.0, 201)[:, None] * np.ones(ANGLES)
    contours = VesselContours(radius, radius + 0.4, np.zeros((201, ANGLES), bool))
    rows = quantify(vessel, VesselRead("LAD", contours, (Lesion(1, 15.0, 45.0),)), FIXED)
    assert value(rows, "vessel", "lumen_volume") == pytest.approx(math.pi * 60 / 3 * (4 + 2 + 1), rel=1e-4)
    end = 2.0 - 45.0 / 60.0
    assert value(rows, "lesion", "minimal_luminal_area") == pytest.approx(math.pi * end**2, rel=0.01)
    # Both references lie on the cone, so that their mean is its diameter in the lesion's middle.
    assert value(rows, "lesion", "reference_luminal_diameter") == pytest.approx(3.0, rel=1e-3)


def test_eccentric_shell_area_and_both_diameters() -> None:
    """A lumen of radius 1 mm that lies 0.5 mm off the middle of a wall of radius 2 mm."""
    vessel = bent(radius=None)
    wall = -0.5 * np.cos(THETA) + np.sqrt(4 - (0.5 * np.sin(THETA)) ** 2)
    contours = VesselContours(
        np.full((400, ANGLES), 1.0), np.tile(wall, (400, 1)), np.ones((400, ANGLES), bool)
    )
    rows = quantify(vessel, VesselRead("LAD", contours, (Lesion(1, 30.0, 60.0),)), FIXED)
    assert value(rows, "lesion", "total_plaque_volume") == pytest.approx(math.pi * 3 * 30, rel=1e-5)
    assert value(rows, "lesion", "minimal_luminal_diameter") == pytest.approx(2.0, rel=1e-6)
    assert value(rows, "lesion", "remodelling_index") == pytest.approx(1.0, rel=1e-6)


def test_minimum_feret_diameter_of_an_ellipse() -> None:
    vessel = bent(radius=None)
    a, b = 2.0, 1.0
    lumen = np.full((400, ANGLES), 2.0)
    lumen[150:250] = a * b / np.hypot(b * np.cos(THETA), a * np.sin(THETA))
    contours = VesselContours(lumen, lumen + 0.4, np.zeros((400, ANGLES), bool))
    rows = quantify(vessel, VesselRead("LAD", contours, (Lesion(1, 45.0, 74.7),)), FIXED)
    assert value(rows, "lesion", "diameter_stenosis_feret") == pytest.approx(50.0, abs=0.2)
    assert value(rows, "lesion", "diameter_stenosis") == pytest.approx(
        100 * (1 - math.sqrt(a * b) / 2), abs=0.2
    )


def test_plaque_on_the_inside_of_a_torus_counts_less() -> None:
    """Pappus: a shell's half that faces the centre of curvature is smaller by its centroid's way."""
    vessel = bent(radius=20.0)
    inner = np.cos(THETA) > 1e-9
    contours = with_plaque(tube(400, 1.5, 2.0), 100, 199, 3.0, inner)
    rows = quantify(vessel, VesselRead("LAD", contours, (Lesion(1, 30.0, 59.7),)), FIXED)
    area = (9 - 2.25) / 2 * inner.sum() * 2 * math.pi / ANGLES
    moment = (27 - 3.375) / 3 * np.cos(THETA[inner]).sum() * 2 * math.pi / ANGLES
    assert value(rows, "lesion", "total_plaque_volume") == pytest.approx(
        (area - moment / 20) * 29.7, rel=1e-9
    )


def test_masks_measure_what_their_pixels_cover() -> None:
    vessel = bent(radius=None)
    contours = tube(400, 1.0, 1.4)
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 20:40] = 3
    mask[28:34, 28:34] = 1
    contours = replace(contours, masks=dict.fromkeys(range(100, 200), mask))
    rows = quantify(vessel, VesselRead("LAD", contours, (Lesion(1, 30.0, 59.7),)), FIXED)
    assert value(rows, "lesion", "total_plaque_volume") == pytest.approx((400 - 36) * 0.3125**2 * 29.7)
    assert value(rows, "lesion", "lumen_volume") == pytest.approx(36 * 0.3125**2 * 29.7)


def reversed_contours(contours: VesselContours) -> VesselContours:
    """The contours on the vessel read from its end: axis v turns round, so that θ becomes −θ."""
    back = (-np.arange(ANGLES)) % ANGLES
    return VesselContours(
        contours.lumen_radius[::-1, back], contours.wall_radius[::-1, back], contours.plaque[::-1, back]
    )


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_vessel_read_from_its_end_has_the_same_numbers(profile) -> None:  # type: ignore[no-untyped-def]
    if profile.adaptive:
        # The proximal lumen's spread stands for the aortic region where none is given: that end is not the other.
        options = {"imaging": Imaging(aortic_sd_hu=20.0)}
    else:
        options = {}
    vessel = noisy(bent(sections=160), 3)
    side = np.cos(THETA - 0.7) > 0.2
    lumen = np.linspace(1.6, 1.2, 160)[:, None] * (1 + 0.1 * np.cos(2 * THETA))
    contours = with_plaque(
        VesselContours(lumen, lumen + 0.4, np.zeros((160, ANGLES), bool)), 60, 100, 2.8, side
    )
    lesion = Lesion(1, 18.0, 30.0)
    length = vessel.arc_length[-1]
    turned = Lesion(1, length - 30.0, length - 18.0)
    there = by_metric(quantify(vessel, VesselRead("LAD", contours, (lesion,)), profile, **options))
    back = by_metric(
        quantify(
            vessel.reversed(), VesselRead("LAD", reversed_contours(contours), (turned,)), profile, **options
        )
    )
    for metric in there.keys() - {"lesion_start", "lesion_end", "contrast_density_difference"}:
        expected = there[metric].value
        close = pytest.approx(expected, rel=2e-4, abs=1e-3) if isinstance(expected, float) else expected
        assert back[metric].value == close, metric


@settings(max_examples=20, deadline=None)
@given(st.floats(0.7, 1.2), st.floats(0.4, 1.2), st.floats(1.1, 1.8), st.floats(0.0, 0.3))
def test_scaling_the_contours_scales_areas_by_the_square_and_keeps_ratios(
    lumen: float, extra: float, factor: float, narrow: float
) -> None:
    vessel = bent(sections=200, radius=None)
    radius = np.full((200, ANGLES), lumen)
    radius[80:120] *= 1 - narrow
    small = VesselContours(radius, np.full((200, ANGLES), lumen + extra), np.ones((200, ANGLES), bool))
    large = replace(small, lumen_radius=small.lumen_radius * factor, wall_radius=small.wall_radius * factor)
    lesions = (Lesion(1, 24.0, 35.7),)
    a, b = (by_metric(quantify(vessel, VesselRead("LAD", c, lesions), FIXED)) for c in (small, large))
    for metric, power in (
        ("total_plaque_volume", 2),
        ("lumen_volume", 2),
        ("minimal_luminal_area", 2),
        ("minimal_luminal_diameter", 1),
        ("total_plaque_burden", 0),
        ("diameter_stenosis", 0),
        ("remodelling_index", 0),
    ):
        assert b[metric].value == pytest.approx(a[metric].value * factor**power, rel=1e-5, abs=1e-4), metric


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.3, 2.5),
    st.floats(0.2, 1.5),
    st.integers(6, 60),
    st.integers(-150, 1200),
    st.integers(0, 1000),
    st.sampled_from(sorted(PROFILES)),
)
def test_what_must_hold_for_every_vessel(
    lumen: float, extra: float, length: int, hu: int, seed: int, name: str
) -> None:
    vessel = noisy(bent(sections=120), seed, hu)
    contours = with_plaque(
        tube(120, lumen, lumen + 0.3), 40, 40 + length, lumen + 0.3 + extra, np.arange(ANGLES) < 30
    )
    read = VesselRead("LAD", contours, find_lesions(vessel, contours))
    rows = quantify(vessel, read, PROFILES[name])
    for row in rows:
        if row.low is not None and row.high is not None:
            assert row.low <= row.value <= row.high, row  # type: ignore[operator]
        if row.metric.endswith("_burden") or row.metric == "percent_atheroma_volume":
            assert 0 <= row.value <= 100 + 1e-9, row  # type: ignore[operator]
        if row.unit == "mm³":
            assert row.value >= -1e-9, row  # type: ignore[operator]
    for level in ("lesion", "segment", "vessel"):
        by = {m: float(r.value) for m, r in by_metric(rows, level).items() if r.unit == "mm³"}  # type: ignore[arg-type]
        total, soft = by["total_plaque_volume"], by["noncalcified_plaque_volume"]
        assert total == pytest.approx(soft + by["calcified_plaque_volume"])
        assert by["low_attenuation_plaque_volume"] <= soft + 1e-9
        assert total <= by["vessel_volume"] - by["lumen_volume"] + 1e-9
        if name == "qangio":
            four = by["necrotic_core_volume"] + by["fibrofatty_volume"] + by["fibrous_volume"]
            assert four == pytest.approx(soft, abs=1e-6)
            assert by["dense_calcium_volume"] == pytest.approx(by["calcified_plaque_volume"])


def test_excluded_stretches_leave_the_volumes_and_never_make_them_larger() -> None:
    vessel = bent(radius=None)
    contours = with_plaque(tube(400, 1.5, 1.9), 100, 199, 3.0, EVERYWHERE)
    read = VesselRead("LAD", contours, (Lesion(1, 30.0, 59.7),))
    whole = quantify(vessel, read, FIXED)
    part = quantify(vessel, replace(read, excluded=((40.05, 49.95, "motion"),)), FIXED)
    for metric in VOLUMES[:1] + VOLUMES[4:]:
        lost = 33 * SPACING_ALONG / 29.7
        assert value(part, "lesion", metric) == pytest.approx((1 - lost) * value(whole, "lesion", metric))
