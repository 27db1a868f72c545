"""Large bodies of blood: the ascending aorta, where vessels begin, and the chambers, where none runs.

A body is what an opening by a ball of 4 mm leaves of the blood; coronary arteries are narrower and fall away.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy.spatial import cKDTree

from inference.centreline.aorta import Tube
from inference.centreline.geodesic import BLOCKED, FREE, SOURCE
from inference.centreline.isotropic import Grid, halved

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
OPENING_MM = 4.0  # a ball of this radius fits into chambers and not into coronary arteries
BLOOD_SHARE = 0.55  # of the aorta's HU: what is brighter is blood
ROOT_BELOW_MM = 12.0
"""The tube is followed this far below its lowest disc: the sinuses and the outflow tract are not round."""
WALL_MM = 2.5
WALL_SHARE = 0.5
"""Between the aorta and a vessel that runs along it lies a wall: voxels this near that hold less of the blood's HU."""


def mark_chambers(grid: Grid, tube: Tube) -> np.ndarray:
    """Return per voxel FREE, SOURCE (blood of this tube) or BLOCKED (other bodies, and the aorta's wall).

    Parameters
    ----------
    grid : cubes. tube : candidate for the ascending aorta; its ``hu`` is what blood measures.
    """
    coarse = halved(grid.hu)
    step = 2 * grid.step_mm
    core = ~within(coarse <= BLOOD_SHARE * tube.hu, OPENING_MM / step)
    opened = within(core, (OPENING_MM - 0.3) / step)
    own = np.zeros_like(core)
    where = np.argwhere(core)
    inside = _inside_tube(grid.to_patient(2.0 * where + 0.5), tube, OPENING_MM - 1.5)
    own[tuple(where[inside].T)] = True
    aorta = opened & within(own, OPENING_MM / step)
    near = within(aorta, WALL_MM / step)
    state = np.full(grid.hu.shape, FREE, np.uint8)
    inner = tuple(slice(0, 2 * n) for n in coarse.shape)
    part = np.where(_doubled(aorta), SOURCE, np.where(_doubled(opened), BLOCKED, FREE)).astype(np.uint8)
    wall = (part == FREE) & _doubled(near) & (grid.hu[inner] < WALL_SHARE * tube.hu)
    part[wall] = BLOCKED
    state[inner] = part
    return state


def heights(grid: Grid, tube: Tube, voxels: np.ndarray) -> np.ndarray:
    """Return the position of voxels (n, 3: k, j, i) along the tube, mm above the lowest of them."""
    along = grid.to_patient(voxels) @ tube.direction
    return np.asarray(along - along.min()) if len(along) else along


def _inside_tube(points: np.ndarray, tube: Tube, less_mm: float) -> np.ndarray:
    below = np.arange(ROOT_BELOW_MM, 0, -1.5)[:, None]
    centres = np.concatenate([tube.centres[0] - below * tube.direction, tube.centres])
    radii = np.concatenate([np.full(len(below), tube.radii_mm[0]), tube.radii_mm])
    off, nearest = cKDTree(centres).query(points)
    return np.asarray(off < radii[nearest] - less_mm)


def within(mask: np.ndarray, voxels: float) -> np.ndarray:
    """Whether a voxel lies no farther than this from one that is set: balls are laid around the set's surface."""
    reach = int(voxels)
    cube = np.argwhere(np.ones((2 * reach + 1,) * 3, bool)) - reach
    ball = cube[(cube**2).sum(1) <= voxels**2]
    return np.asarray(_balls(np.ascontiguousarray(mask), ball))


@numba.njit(cache=True, nogil=True)
def _balls(mask: np.ndarray, ball: np.ndarray) -> np.ndarray:
    nk, nj, ni = mask.shape
    out = mask.copy()
    for k in range(nk):
        for j in range(nj):
            for i in range(ni):
                if not mask[k, j, i]:
                    continue
                inner = (
                    0 < k < nk - 1
                    and 0 < j < nj - 1
                    and 0 < i < ni - 1
                    and mask[k - 1, j, i]
                    and mask[k + 1, j, i]
                    and mask[k, j - 1, i]
                    and mask[k, j + 1, i]
                    and mask[k, j, i - 1]
                    and mask[k, j, i + 1]
                )
                if inner:
                    continue
                for n in range(len(ball)):
                    c, b, a = k + ball[n, 0], j + ball[n, 1], i + ball[n, 2]
                    if 0 <= c < nk and 0 <= b < nj and 0 <= a < ni:
                        out[c, b, a] = True
    return out


def _doubled(a: np.ndarray) -> np.ndarray:
    return np.repeat(np.repeat(np.repeat(a, 2, 0), 2, 1), 2, 2)
