"""What is odd about a tree is told: names that fit badly, odd courses, vessels without a line, branches without a name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.centreline.aorta import Tube
from inference.centreline.heart_frame import find_frame, flatten
from inference.centreline.isotropic import Grid
from inference.centreline.naming import Names, Way, name_vessels
from inference.centreline.plausibility import odd_courses, unexplained, unsure_names
from inference.centreline.tree import Branch, RawTree
from tests.inference.centreline.true_trees import as_branches, true_tree


def without(branches: list[Branch], names: list[str], lost: str) -> list[Branch]:
    """A tree without one vessel and all that hangs on it."""
    gone, kept = {names.index(lost)}, []
    place: dict[int, int] = {}
    for n, branch in enumerate(branches):
        if n in gone or branch.parent in gone:
            gone.add(n)
        else:
            place[n] = len(kept)
            kept.append(replace(branch, parent=place.get(branch.parent, -1)))
    return kept


def test_without_a_right_artery_dominance_is_unknown_and_every_left_name_doubted() -> None:
    branches, names = as_branches(true_tree(1))
    flat = flatten(without(branches, names, "RCA"))
    found = name_vessels(flat, find_frame(flat))
    assert found.dominance == "unknown"
    doubts, _ = unsure_names(found)
    assert ("dominance_unknown", "") in {(d.code, d.vessel) for d in doubts}
    assert {d.vessel for d in doubts if d.code == "name_unsure"} >= {"LAD", "LCx"}


def test_names_of_a_whole_tree_are_sure_and_its_large_branches_all_kept() -> None:
    branches, names = as_branches(true_tree(3))
    flat = flatten(branches)
    found = name_vessels(flat, find_frame(flat))
    _, confidence = unsure_names(found)
    assert np.median(list(confidence.values())) > 0.95
    covered = np.zeros(len(flat.points), bool)
    for way in (*found.ways.values(), *(w for _, w in found.unnamed)):
        covered[way.points] = True
    left_out = flat.points[~covered]
    for branch, name in zip(branches, names, strict=True):
        own = (
            (np.linalg.norm(left_out[:, None] - branch.points, axis=2).min(1) < 0.1).sum()
            if len(left_out)
            else 0
        )
        assert 0.5 * own < 15.0, name


def straight(radius_mm: np.ndarray, hu: np.ndarray, vessel: str = "LCx") -> list[tuple[str, str]]:
    n = len(radius_mm)
    points = np.column_stack([0.5 * np.arange(n), np.zeros((n, 2))])
    ones = np.ones(n)
    flat = flatten([Branch(points, radius_mm, hu, ones, ones)])
    names = Names({vessel: Way(vessel, np.arange(n))}, "right", confidence={vessel: 1.0})
    return [(d.code, d.vessel) for d in odd_courses(flat, names)]


def test_an_artery_that_widens_or_brightens_beyond_its_origin_is_doubted() -> None:
    n, along = 160, np.linspace(0, 1, 160)
    taper, level = 1.6 - 0.6 * along, np.full(n, 400.0)
    assert straight(taper, level) == []
    lesion = np.where(np.abs(along - 0.4) < 0.1, 0.6, taper)
    assert straight(lesion, level) == []  # behind a stenosis an artery is as wide as before it
    assert straight(np.where(along > 0.6, 2.2, taper), level) == [("widens", "LCx")]
    assert straight(taper, np.where(along > 0.6, 600.0, level)) == [("brightens", "LCx")]


def test_a_posterolateral_branch_of_120_mm_is_doubted() -> None:
    assert straight(np.full(240, 1.2), np.full(240, 400.0), "R-PLB") == [("unlikely_course", "R-PLB")]


def test_a_filled_vessel_that_no_line_follows_is_told_with_place_and_length() -> None:
    shape = (60, 60, 100)
    speed, hu = np.zeros(shape, np.float32), np.full(shape, -80.0, np.float32)
    for j, level in ((10, 400.0), (30, 400.0), (50, 270.0)):
        speed[28:31, j : j + 3, 10:90], hu[28:31, j : j + 3, 10:90] = 0.9, level
    grid = Grid(hu, np.zeros(3), 0.5)
    tube = Tube(np.array([[0.0, 0, z] for z in range(20)]), np.full(20, 12.0), hu=400.0, fill=0.95)
    raw = RawTree(grid, tube, speed, np.zeros(shape, np.uint8), np.zeros(60, np.float32))
    points = np.column_stack([np.arange(5.0, 45.0, 0.5), np.full(80, 5.5), np.full(80, 14.5)])
    ones = np.ones(80)
    (doubt,) = unexplained(
        raw, [Branch(points, ones, 400 * ones, ones, ones)]
    )  # the third is filled like a vein
    assert doubt.code == "unexplained_vessel"
    assert doubt.measure == pytest.approx(40, abs=1.5)
    assert doubt.place == pytest.approx((25, 15.5, 14.5), abs=2.0)
