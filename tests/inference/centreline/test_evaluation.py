"""The Rotterdam measures on lines whose overlap can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.centreline import Centreline
from inference.centreline.evaluation import evaluate, from_ostium, resample
from inference.errors import CentrelineError


def straight(length: float, off: float = 0.0, start: float = 0.0, radius: float | None = 1.0) -> Centreline:
    """A line along x from ``start``, ``off`` mm beside the axis."""
    x = np.arange(start, length + 0.25, 0.5)
    points = np.column_stack([x, np.full_like(x, off), np.zeros_like(x)])
    return Centreline("RCA", points, radius_mm=None if radius is None else np.full(len(x), radius))


def test_a_line_is_its_own_perfect_copy() -> None:
    got = evaluate(straight(60), straight(60))
    assert (got.ov, got.of, got.ot) == (1.0, 1.0, 1.0)
    assert got.ai == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=12, deadline=None)
@given(off=st.floats(0.01, 0.9))
def test_a_parallel_line_inside_the_vessel_has_its_distance_as_ai(off: float) -> None:
    got = evaluate(straight(40, off), straight(40), sampling_mm=0.1)
    assert got.ov == 1.0
    assert got.ai == pytest.approx(off, abs=1e-6)


def test_a_parallel_line_outside_the_vessel_has_no_overlap_and_no_ai() -> None:
    got = evaluate(straight(40, 1.2), straight(40), sampling_mm=0.1)
    assert got.ov == 0.0
    assert np.isnan(got.ai)
    assert got.ad == pytest.approx(1.2, abs=1e-6)


def test_half_a_vessel() -> None:
    """Half of the reference is found and all of what was found is right: (n/2 + n/2) / (n + n/2) = 2/3."""
    got = evaluate(straight(40), straight(80))
    # the last point also holds the connections to the missing half's first millimetre
    assert got.ov == pytest.approx(2 / 3, abs=0.02)
    assert got.of == pytest.approx(41 / 80, abs=0.01)


def test_ot_ends_where_the_vessel_becomes_narrower_than_a_millimetre_and_a_half() -> None:
    reference = straight(80)
    radius = np.where(reference.points[:, 0] <= 40, 1.0, 0.6)
    reference = Centreline("RCA", reference.points, radius_mm=radius)
    got = evaluate(straight(42), reference)
    assert got.ot == pytest.approx(1.0, abs=0.02)
    assert got.ov < 0.75


def test_of_forgives_the_first_five_millimetres() -> None:
    found = straight(80)
    early, late = found.points.copy(), found.points.copy()
    early[:8, 1] = 3.0  # up to 3.5 mm
    late[60:64, 1] = 3.0  # near 30 mm
    assert evaluate(Centreline("RCA", early), straight(80)).of == 1.0
    assert evaluate(Centreline("RCA", late), straight(80)).of == pytest.approx(30 / 80, abs=0.02)


def test_what_lies_before_the_references_start_is_left_out() -> None:
    long = straight(40, start=-15.0)
    assert evaluate(long, straight(40)).ov == pytest.approx(1.0, abs=0.01)
    assert evaluate(long, straight(40), clip=False).ov < 0.9


def test_resampling_keeps_both_ends_and_the_step() -> None:
    points = resample(straight(10).points, 0.03)
    assert points[0].tolist() == [0, 0, 0]
    assert points[-1].tolist() == [10, 0, 0]
    assert np.diff(points[:, 0]) == pytest.approx(0.03, rel=0.01)


def test_a_reference_without_radii_is_refused() -> None:
    with pytest.raises(CentrelineError, match="radius"):
        evaluate(straight(40), straight(40, radius=None))


def test_a_branch_is_joined_back_to_the_ostium() -> None:
    trunk = straight(30)
    points = np.column_stack([np.full(21, 10.0), np.linspace(0, 20, 21), np.zeros(21)])
    branch = Centreline("R-PDA", points, radius_mm=np.full(21, 0.8))
    joined = from_ostium([trunk, branch], "R-PDA")
    assert joined is not None
    assert joined.points[0].tolist() == [0, 0, 0]
    assert joined.length_mm == pytest.approx(30)
    assert joined.radius_mm is not None
    assert joined.radius_mm[0] == 1.0
    assert from_ostium([trunk], "R-PDA") is None
    alone = from_ostium([trunk, branch], "RCA")
    assert alone is not None
    assert alone.length_mm == pytest.approx(30)
