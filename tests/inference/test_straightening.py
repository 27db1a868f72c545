"""Straightening: exact both ways, LPS, reversal, resampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.centreline import Centreline
from inference.errors import StraighteningError
from inference.scan import Volume
from inference.section_grid import SPACING_ALONG
from inference.straightening import StraightenedVessel, straighten


def linear_volume() -> Volume:
    """HU = 3x + 2y − 4z in LPS mm, on an oblique, anisotropic grid."""
    turn = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1.0]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.4, 0.45, 0.6])
    affine[:3, 3] = [-40, -45, 10]
    k, j, i = np.meshgrid(np.arange(100), np.arange(200), np.arange(200), indexing="ij")
    points = np.stack([i, j, k], -1) @ affine[:3, :3].T + affine[:3, 3]
    return Volume(np.rint(points @ [3.0, 2.0, -4.0]).astype(np.int16), affine)


def helix(radius: float = 20.0, rise: float = 12.0, turns: float = 0.35) -> Centreline:
    t = np.linspace(0, 2 * np.pi * turns, 120)
    points = np.stack([radius * np.cos(t) - 5, radius * np.sin(t), 25 + rise * t], 1)
    return Centreline("LAD", points, ("pLAD",) * 60 + ("mLAD",) * 60)


@pytest.fixture(scope="module")
def vessel() -> StraightenedVessel:
    return straighten(linear_volume(), helix())


def test_sampled_hu_are_the_patients(vessel: StraightenedVessel) -> None:
    s, r, c = np.meshgrid(np.arange(vessel.sections), np.arange(20, 44), np.arange(20, 44), indexing="ij")
    points = vessel.to_patient(s, (c - 31.5) * 0.3125, (r - 31.5) * 0.3125)
    assert np.abs(vessel.hu[s, r, c] - points @ [3.0, 2.0, -4.0]).max() <= 1.1


def test_sections_are_apart_by_the_spacing_and_start_at_the_first_point(vessel: StraightenedVessel) -> None:
    steps = np.linalg.norm(np.diff(vessel.centre, axis=0), axis=1)
    np.testing.assert_allclose(steps, SPACING_ALONG, atol=1e-3)
    np.testing.assert_allclose(vessel.centre[0], helix().points[0], atol=1e-6)
    assert abs(vessel.arc_length[-1] - helix().length_mm) < SPACING_ALONG


def test_frames_are_orthonormal_and_do_not_twist(vessel: StraightenedVessel) -> None:
    tangent = np.gradient(vessel.centre, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    np.testing.assert_allclose((vessel.axis_u * vessel.axis_v).sum(1), 0, atol=1e-9)
    assert (vessel.tangent * tangent).sum(1).min() > 0.9999
    # Rotation-minimising: the change of u has no part along v.
    twist = (np.gradient(vessel.axis_u, axis=0) * vessel.axis_v).sum(1)
    assert np.abs(twist[2:-2]).max() < 1e-3


def test_curvature_of_a_helix(vessel: StraightenedVessel) -> None:
    expected = 20 / (20**2 + 12**2)
    inner = np.linalg.norm(vessel.curvature, axis=1)[20:-20]
    np.testing.assert_allclose(inner, expected, rtol=0.01)
    # It points to the axis of the helix.
    bend = vessel.curvature[50, 0] * vessel.axis_u[50] + vessel.curvature[50, 1] * vessel.axis_v[50]
    to_axis = np.array([-5, 0, vessel.centre[50, 2]]) - vessel.centre[50]
    assert bend @ to_axis / np.linalg.norm(bend) / np.linalg.norm(to_axis) > 0.999


@settings(max_examples=40, deadline=None)
@given(st.floats(3, 140), st.floats(-7, 7), st.floats(-7, 7))
def test_patient_round_trip(section: float, u: float, v: float) -> None:
    vessel = straighten_once()
    found = vessel.from_patient(vessel.to_patient(np.array(section), np.array(u), np.array(v)))
    assert abs(found[0] - section) * SPACING_ALONG < 1e-3
    assert abs(found[1] - u) < 1e-3
    assert abs(found[2] - v) < 1e-3


_once: list[StraightenedVessel] = []


def straighten_once() -> StraightenedVessel:
    if not _once:
        _once.append(straighten(linear_volume(), helix()))
    return _once[0]


def test_reversal_shows_the_same_patient_points(vessel: StraightenedVessel) -> None:
    back = vessel.reversed()
    r, c = 20, 45
    here = vessel.to_patient(10, (c - 31.5) * 0.3125, (r - 31.5) * 0.3125)
    last = vessel.sections - 1
    there = back.to_patient(last - 10, (c - 31.5) * 0.3125, (63 - r - 31.5) * 0.3125)
    np.testing.assert_allclose(here, there, atol=1e-9)
    assert back.hu[last - 10, 63 - r, c] == vessel.hu[10, r, c]
    assert back.segment == vessel.segment[::-1]
    np.testing.assert_allclose(back.reversed().axis_v, vessel.axis_v)


def test_bytes_round_trip(vessel: StraightenedVessel) -> None:
    again = StraightenedVessel.from_bytes(vessel.to_bytes())
    assert (again.hu == vessel.hu).all()
    assert again.segment == vessel.segment
    np.testing.assert_array_equal(again.curvature, vessel.curvature)


@pytest.mark.parametrize(
    ("points", "code"),
    [
        (np.array([[0, 0, 30], [0.2, 0, 30]]), "short-centreline"),
        (np.array([[900, 0, 30], [950, 0, 30]]), "centreline-outside"),
    ],
)
def test_bad_centrelines_are_named(points: np.ndarray, code: str) -> None:
    with pytest.raises(StraighteningError) as error:
        straighten(linear_volume(), Centreline("RCA", points))
    assert error.value.code == code
    assert "RCA" in str(error.value)
