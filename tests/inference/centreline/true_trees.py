"""True coronary trees of simulated patients as the search would hand them on, without a scan; and turned in space."""

from __future__ import annotations

import numpy as np

from inference.centreline.evaluation import resample
from inference.centreline.tree import Branch
from inference.phantom.anatomy import make_heart
from inference.phantom.scenario import scenario
from inference.phantom.tree import Tree, make_tree

RADII = {"LM": 2.0, "LAD": 1.6, "LCx": 1.5, "RCA": 1.8, "septal": 0.5, "side": 0.5, "AM": 0.6}


def true_tree(seed: int, name: str = "tree_validation") -> Tree:
    """Draw one patient's tree."""
    chosen = scenario(name)
    heart = make_heart(np.random.default_rng([seed, 1]), chosen, 400.0)
    return make_tree(np.random.default_rng([seed, 2]), heart, chosen)


def as_branches(tree: Tree, turn: np.ndarray | None = None) -> tuple[list[Branch], list[str]]:
    """Its paths as branches of one search, and their names; a way from the aorta starts every trunk."""
    turn = np.eye(3) if turn is None else turn
    branches: list[Branch] = []
    place = {path.name: n for n, path in enumerate(tree.paths)}
    for path in tree.paths:
        points = resample(path.curve.points, 0.5) @ turn.T
        parent, origin = -1, 0
        if path.parent:
            parent = place[path.parent]
            origin = int(np.linalg.norm(branches[parent].points - points[0], axis=1).argmin())
        size = np.full(len(points), RADII.get(path.name, 0.9))
        flat = np.full(len(points), 400.0)
        ones = np.ones(len(points))
        branches.append(Branch(points, size, flat, ones, ones, parent, origin))
    return branches, [path.name for path in tree.paths]
