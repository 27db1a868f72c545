"""Names from true trees: every dominance, whichever way the heart is turned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from inference.centreline.heart_frame import find_frame, flatten
from inference.centreline.naming import name_vessels
from inference.centreline.segments import segment_names
from tests.inference.centreline.true_trees import as_branches, true_tree


def named_share(seed: int, turn: np.ndarray | None = None) -> tuple[float, str, str]:
    """Share of the tracked length that carries its own name, and both dominances."""
    tree = true_tree(seed)
    branches, names = as_branches(tree, turn)
    flat = flatten(branches)
    found = name_vessels(flat, find_frame(flat))
    own = {v: {tuple(p) for p in np.round(flat.points[w.points], 3)} for v, w in found.ways.items()}
    right = total = 0
    for branch, name in zip(branches, names, strict=True):
        if name not in ("septal", "side"):
            total += len(branch.points)
            right += sum(tuple(p) in own.get(name, ()) for p in np.round(branch.points, 3))
    return right / total, found.dominance, tree.dominance


def test_true_trees_get_their_own_names() -> None:
    results = [named_share(seed) for seed in range(12)]
    assert {got for _, got, _ in results} == {"right", "left", "co-dominant"}
    assert all(got == truth for _, got, truth in results)
    assert np.mean([share for share, _, _ in results]) >= 0.95


@pytest.mark.parametrize("seed", [1, 4])
def test_a_turned_heart_keeps_its_names(seed: int) -> None:
    straight = named_share(seed)
    for turn in Rotation.random(3, rng=np.random.default_rng(5)).as_matrix():
        share, dominance, _ = named_share(seed, turn)
        assert dominance == straight[1]
        assert share == pytest.approx(straight[0], abs=0.03)


def test_a_mirrored_tree_is_not_taken_for_a_heart() -> None:
    """With the hand of the heart wrong, the frame scores less."""
    branches, _ = as_branches(true_tree(1))
    mirrored, _ = as_branches(true_tree(1), np.diag([-1.0, 1.0, 1.0]))
    assert find_frame(flatten(mirrored)).score < find_frame(flatten(branches)).score


def test_segments_follow_their_definitions() -> None:
    branches, names = as_branches(true_tree(0))
    flat = flatten(branches)
    frame = find_frame(flat)
    found = name_vessels(flat, frame)
    segments = segment_names(flat, frame, found)
    lad = segments["LAD"]
    along = np.cumsum(flat.step_mm[found.ways["LAD"].points])
    first_diagonal = branches[names.index("D1")].origin * 0.5
    assert lad.count("pLAD") * 0.5 == pytest.approx(first_diagonal, abs=2.5)
    middle = lad.index("dLAD") * 0.5
    assert middle == pytest.approx(0.5 * (first_diagonal + along[-1]), abs=3.0)
    first_marginal = branches[names.index("OM1")].origin * 0.5
    assert segments["LCx"].count("pLCx") * 0.5 == pytest.approx(first_marginal, abs=2.5)
    rca = segments["RCA"]
    assert rca.count("pRCA") == pytest.approx(rca.count("mRCA"), abs=2)
    assert list(dict.fromkeys(rca)) == ["pRCA", "mRCA", "dRCA"]
