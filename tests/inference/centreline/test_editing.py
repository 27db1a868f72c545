"""Edits of a centreline: what changes, what stays, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.centreline import Centreline
from inference.centreline.editing import delete_point, extend, insert_point, move_point, relabel
from inference.errors import CentrelineError


def line(n: int = 11) -> Centreline:
    """A straight vessel along x, a point a millimetre."""
    points = np.column_stack([np.arange(n, dtype=float), np.zeros(n), np.zeros(n)])
    half = n // 2
    return Centreline(
        "LAD", points, ("pLAD",) * half + ("mLAD",) * (n - half), radius_mm=np.linspace(2, 1, n)
    )


def test_a_point_is_inserted_where_the_line_passes_nearest() -> None:
    edited = insert_point(line(), np.array([7.4, 0.5, 0.0]))
    assert edited.points[8].tolist() == [7.4, 0.5, 0.0]
    assert len(edited.points) == len(edited.segments) == 12
    assert edited.segments[8] == "mLAD"
    assert edited.radius_mm is not None
    assert edited.radius_mm[8] == pytest.approx(0.5 * (1.3 + 1.2))


@given(at=st.integers(0, 10), reach=st.floats(0, 6), dx=st.floats(-3, 3))
def test_a_moved_point_arrives_and_nothing_beyond_its_reach_moves(at: int, reach: float, dx: float) -> None:
    before = line()
    goal = before.points[at] + [0.0, dx, 1.0]
    after = move_point(before, at, goal, reach_mm=reach)
    assert after.points[at] == pytest.approx(goal)
    far = np.abs(before.positions_mm - before.positions_mm[at]) >= reach
    far[at] = False
    assert np.array_equal(after.points[far], before.points[far])
    shift = np.linalg.norm(after.points - before.points, axis=1)
    assert (shift <= shift[at] + 1e-9).all()


@given(at=st.integers(0, 10))
def test_inserting_a_deleted_inner_point_restores_the_line(at: int) -> None:
    before = line()
    after = delete_point(before, at)
    assert len(after.points) == 10
    assert before.points.shape == (11, 3)  # the given line stays as it was
    if 0 < at < 10:
        assert np.array_equal(insert_point(after, before.points[at]).points, before.points)


def test_extending_both_ends_keeps_the_order() -> None:
    more = extend(line(), np.array([[10.0, 0, 0], [11, 0, 0], [12, 0, 0]]))
    assert more.points[-2:, 0].tolist() == [11, 12]
    assert more.segments[-1] == "mLAD"
    more = extend(more, np.array([[-1.0, 0, 0], [-2, 0, 0]]), end="proximal")
    assert more.points[:3, 0].tolist() == [-2, -1, 0]
    assert more.segments[0] == "pLAD"
    assert more.radius_mm is not None
    assert more.radius_mm[0] == 2.0


def test_a_new_vessel_name_empties_the_old_names_segments() -> None:
    edited = relabel(line(), vessel="D1", segments={(0.0, 10.0): "D1"})
    assert edited.vessel == "D1"
    assert set(edited.segments) == {"D1"}
    assert set(relabel(line(), vessel="LCx").segments) == {""}
    part = relabel(line(), segments={(7.0, 10.0): "dLAD"})
    assert part.segments == ("pLAD",) * 5 + ("mLAD",) * 2 + ("dLAD",) * 4


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda x: delete_point(x, 11), "no-such-point"),
        (lambda x: delete_point(delete_point(x, 0), 0), "too-few-points"),
        (lambda x: move_point(x, -1, np.zeros(3)), "no-such-point"),
        (lambda x: move_point(x, 0, np.zeros(3), reach_mm=-1), "bad-point"),
        (lambda x: insert_point(x, np.array([0.0, np.nan, 0.0])), "bad-point"),
        (lambda x: insert_point(x, x.points[1]), "bad-point"),
        (lambda x: extend(x, x.points[-1]), "bad-point"),
        (lambda x: extend(x, np.ones(2)), "bad-point"),
        (lambda x: extend(x, np.ones(3), end="left"), "bad-point"),
        (lambda x: relabel(x, vessel="aorta"), "unknown-vessel"),
        (lambda x: relabel(x, segments={(0, 1): "LAD7"}), "unknown-segment"),
        (lambda x: relabel(x, segments={(2, 1): "pLAD"}), "bad-stretch"),
    ],
)
def test_bad_edits_are_named(edit, code: str) -> None:
    with pytest.raises(CentrelineError) as error:
        edit(line(3) if code == "too-few-points" else line())
    assert error.value.code == code
    assert "LAD" in str(error.value) or code == "unknown-vessel"
