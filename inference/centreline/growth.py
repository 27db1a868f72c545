"""Grow a tree from a forest of cheapest paths: the branch that explains most comes first, and again.

A first growth follows vessels without gaps. A second one starts on the first and crosses gaps of up to 12 mm through
tissue: an occluded lesion, a stent, a motion artefact. What it finds must be long enough to pay for the gap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import maximum_filter

from inference.centreline.geodesic import BLOCKED, FREE, SOURCE, Forest, best_end, grow_forest

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
LEAST_SPEED = 0.15  # below it a voxel is no vessel
GAP_MM = 2.0  # a first growth crosses no more without vessel
TOLL = 0.2
"""A branch must be faster than this on average to be worth following."""
LEAST_GAIN_MM = 4.0  # a branch adds at least so much sure vessel
EXPLAINED_MM = 2.0  # what lies so near to a path is explained by it
MOST_BRANCHES = 60  # far more than a patient has (14 are named)
SURE_SPEED, LEAST_ORPHANS, CELL_MM = (
    0.5,
    4,
    2.0,
)  # orphans of a bridge: how fast, how many a cell, and how wide a cell, mm
BRIDGE_MM, BRIDGE_GAIN_MM, BRIDGE_HU = 12.0, 9.0, -30.0
"""A bridge is no longer, gains at least, and runs through tissue at least this dense: lesions are, fat is not."""


@dataclass
class Growth:
    """Branches grown so far.

    Parameters
    ----------
    speed : (nk, nj, ni) float32, 0…1. step_mm : edge of a cube. paths : flat voxels from the aorta to each end.
    starts : index at which each path becomes new. gains : mm of sure vessel that each adds.
    """

    speed: np.ndarray
    step_mm: float
    paths: list[np.ndarray] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._flat = self.speed.ravel()
        self._explained = np.zeros(self._flat.size, bool)
        self._gain = np.zeros(self._flat.size, np.float32)
        reach = int(np.ceil(EXPLAINED_MM / self.step_mm))
        cube = np.argwhere(np.ones((2 * reach + 1,) * 3, bool)) - reach
        self._ball = cube[np.linalg.norm(cube, axis=1) * self.step_mm <= EXPLAINED_MM]

    def from_aorta(self, state: np.ndarray, toll: np.ndarray) -> None:
        """Grow from the aorta along vessels without gaps."""
        self._take(self._forest(state, toll, GAP_MM), LEAST_GAIN_MM)

    def across_gaps(self, state: np.ndarray, hu: np.ndarray) -> None:
        """Grow further from what has been grown, across gaps."""
        if not self.paths:
            return
        between = self._between(state)
        closed = np.where((state != FREE) | (hu < BRIDGE_HU) | ~between, BLOCKED, FREE).astype(np.uint8)
        closed.ravel()[np.concatenate(self.paths)] = SOURCE
        self._take(self._forest(closed, np.zeros(len(state), np.float32), BRIDGE_MM), BRIDGE_GAIN_MM)

    def _between(self, state: np.ndarray) -> np.ndarray:
        """Where a bridge can lie: near the tree, and near vessels that it does not explain."""
        orphans = (self.speed > SURE_SPEED) & (state == FREE)
        orphans.ravel()[self._explained] = False
        grown = np.zeros(orphans.shape, bool)
        grown.ravel()[np.concatenate(self.paths)] = True
        cells = max(1, round(CELL_MM / self.step_mm))
        reach = 2 * int(np.ceil(BRIDGE_MM / CELL_MM)) + 1
        near = [
            maximum_filter(_counted(mask, cells) >= least, size=reach)
            for mask, least in ((orphans, LEAST_ORPHANS), (grown, 1))
        ]
        both = near[0] & near[1]
        for axis in range(3):
            both = np.repeat(both, cells, axis=axis)
        return both[tuple(slice(0, n) for n in orphans.shape)]

    def _forest(self, state: np.ndarray, toll: np.ndarray, gap_mm: float) -> Forest:
        return grow_forest(
            self.speed, state, toll, step_mm=self.step_mm, least_speed=LEAST_SPEED, gap_mm=gap_mm
        )

    def _take(self, forest: Forest, least_gain: float) -> None:
        """Take the end that gains most, explain what lies around its path, and again."""
        while len(self.paths) < MOST_BRANCHES:
            end, worth = best_end(
                forest.before,
                forest.order,
                self._flat,
                self._explained,
                forest.shape,
                self.step_mm,
                TOLL,
                self._gain,
            )
            if end < 0 or worth < least_gain:
                break
            path = self._whole(forest.path(end))
            known = np.flatnonzero(self._explained[path])
            self.paths.append(path)
            self.starts.append(int(known[-1]) if len(known) else 0)
            self.gains.append(float(worth))
            kji = np.stack(np.unravel_index(path, forest.shape), axis=1)
            around = (kji[:, None] + self._ball).reshape(-1, 3)
            inside = ((around >= 0) & (around < forest.shape)).all(1)
            self._explained[np.ravel_multi_index(tuple(around[inside].T), forest.shape)] = True

    def _whole(self, path: np.ndarray) -> np.ndarray:
        """Put the way from the aorta before a path that starts on a branch."""
        for known in self.paths:
            at = np.flatnonzero(known == path[0])
            if len(at):
                return np.concatenate([known[: at[0]], path])
        return path


def _counted(mask: np.ndarray, cells: int) -> np.ndarray:
    """How many voxels of each cubic cell are set; the last cells may stick out."""
    padded = np.pad(mask, [(0, -n % cells) for n in mask.shape])
    nk, nj, ni = (n // cells for n in padded.shape)
    return np.asarray(padded.reshape(nk, cells, nj, cells, ni, cells).sum(axis=(1, 3, 5)))
