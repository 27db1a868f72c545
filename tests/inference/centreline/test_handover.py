"""What one artery reached backwards through another's end goes to the artery that feeds it."""

from __future__ import annotations

import numpy as np
import pytest

from inference.centreline.handover import hand_over
from inference.centreline.heart_frame import Flat, flatten
from inference.centreline.tree import Branch


def branch(points: np.ndarray, radius: np.ndarray, parent: int = -1, origin: int = 0) -> Branch:
    ones = np.ones(len(points))
    return Branch(points, radius, 400.0 * ones, ones, ones, parent, origin)


def line(*corners: tuple[float, float, float]) -> np.ndarray:
    ends = np.array(corners, float)
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(ends, axis=0), axis=1))]
    at = np.arange(0.0, along[-1], 0.5)
    return np.stack([np.interp(at, along, ends[:, k]) for k in range(3)], axis=1)


def meeting(neck_mm: float, feeder_mm: float = 1.5) -> Flat:
    """A left way of 120 mm with a neck at 80 mm that meets, at 100 mm, the end of a right artery of 70 mm."""
    left = line((0, 0, 0), (120, 0, 0))
    radius = np.interp(left[:, 0], [0, 70, 80, 90, 120], [1.5, 1.2, neck_mm, 1.3, 1.2])
    side = line((90, 0, 0), (90, -30, 0))
    right = line((100, 70, 0), (100, 1.0, 0))
    return flatten(
        [
            branch(left, radius),
            branch(side, np.full(len(side), 0.8), 0, 180),
            branch(right, np.full(len(right), feeder_mm)),
        ]
    )


def length_of(tree: Flat, trunk: int) -> float:
    return float(tree.step_mm[tree.trunk == trunk].sum())


def test_what_lies_behind_a_neck_hangs_on_the_artery_that_ends_there() -> None:
    tree = meeting(0.7)
    assert length_of(tree, 0) == pytest.approx(150, abs=1.5)
    moved = hand_over(tree)
    assert length_of(moved, 0) == pytest.approx(80, abs=2.0)
    assert length_of(moved, 2) == pytest.approx(70 + 20 + 20 + 30, abs=4.0)
    assert (moved.parent < np.arange(len(moved.parent))).all()
    # From the meeting the way runs back towards the neck, and its side branch with it.
    tip = int(np.linalg.norm(moved.points - [82, 0, 0], axis=1).argmin())
    way = moved.points[moved.path(tip)]
    assert way[0] == pytest.approx([100, 70, 0])
    assert np.abs(np.diff(way, axis=0)).max() < 2.0
    end = int(np.linalg.norm(moved.points - [90, -29, 0], axis=1).argmin())
    assert moved.trunk[end] == 2


@pytest.mark.parametrize(("neck_mm", "feeder_mm"), [(1.1, 1.5), (0.7, 0.8)], ids=["no neck", "a thin end"])
def test_nothing_moves_without_a_neck_or_for_a_thin_end(neck_mm: float, feeder_mm: float) -> None:
    tree = meeting(neck_mm, feeder_mm)
    assert hand_over(tree) is tree
