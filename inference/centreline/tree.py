"""The tree of vessels that leave the aorta, without names: branches, each with the place where it leaves its parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from inference.centreline.aorta import STEP_MM as TUBE_STEP_MM
from inference.centreline.aorta import Tube, find_tubes
from inference.centreline.artery_points import log_odds
from inference.centreline.centring import centred
from inference.centreline.chambers import heights, mark_chambers
from inference.centreline.geodesic import BLOCKED, FREE, SOURCE
from inference.centreline.growth import Growth
from inference.centreline.isotropic import Grid, extent, resample
from inference.centreline.lungs import lungs
from inference.centreline.vesselness import LEAST_RESPONSE, speed, vesselness
from inference.errors import RefusedScan
from inference.scan import Volume

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
STEP_MM = 0.5  # cubes that are searched; an artery of 1 mm is two of them wide
BOX_MM = ((-75.0, 100.0), (-90.0, 75.0), (-115.0, 100.0))
"""The heart about the aorta's root, from and to in x, y and z of LPS: it reaches to the left, the front and the feet."""
ABOVE_MM = 10.0  # of the tube, that belongs to the box
ROOT_MM = 6.0
"""A tube that comes this near to the lowest slice is a descending aorta, or its root is cut off."""
MOST_TUBES = 4  # that are tried as the ascending aorta
CLEAR_SHARE, CLEAR_GAIN_MM = 0.35, 40.0
"""No further tube is tried once two trunks of like size leave one."""
LEAST_TREE_MM = 25.0  # sure vessel of the two longest trunks; less is no coronary tree
VEIN_REACH_MM, VEIN_SPEED, VEIN_SHARE = 2.5, 0.2, 0.75
"""Voxels so near to a vein keep so much of their speed where they hold less than this share of the aorta's contrast."""
COST_PER_HEIGHT = 3.0
"""A vessel that touches the aorta above its ostium is not fed there: leaving costs this much per mm of height."""


@dataclass(frozen=True)
class Branch:
    """One branch.

    Parameters
    ----------
    points : (n, 3) LPS mm every 0.5 mm, from the origin outwards. radius_mm, hu, speed : (n,).
    parent : index of the branch that it leaves, −1 for a trunk that leaves the aorta. origin : point of the parent.
    """

    points: np.ndarray
    radius_mm: np.ndarray
    hu: np.ndarray
    speed: np.ndarray
    odds: np.ndarray
    parent: int = -1
    origin: int = 0

    @property
    def length_mm(self) -> float:
        """Length along the points."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())


@dataclass(frozen=True)
class RawTree:
    """What the search found.

    Parameters
    ----------
    paths : flat voxels of each branch from the aorta to its end. starts : index at which each path becomes new.
    gains : mm of sure vessel that each adds. speed, state, toll : what was searched.
    descending : tubes that leave the scan at its lower end.
    """

    grid: Grid
    tube: Tube
    speed: np.ndarray
    state: np.ndarray
    toll: np.ndarray
    paths: tuple[np.ndarray, ...] = ()
    starts: tuple[int, ...] = ()
    gains: tuple[float, ...] = ()
    descending: tuple[Tube, ...] = ()


def find_tree(volume: Volume) -> RawTree:
    """Find the ascending aorta and the vessels that leave it.

    Raises
    ------
    RefusedScan
        ``no-aorta``: no round tube filled with contrast; ``no-aortic-root``: all of them leave the scan at its lower
        end, as a descending aorta does; ``no-coronary``: no vessel leaves it.
    """
    low, high = extent(volume)
    tubes = find_tubes(resample(volume, step_mm=TUBE_STEP_MM, low=low, high=high))
    if not tubes:
        raise RefusedScan(
            "no-aorta",
            "No ascending aorta filled with contrast was found: the scan has no arterial contrast, or does not hold "
            "the heart. Give the centrelines as a file, or two points a vessel, if it does.",
        )
    rooted = [t for t in tubes if _has_root(t, low)]
    if not rooted:
        raise RefusedScan(
            "no-aortic-root",
            "The aortic root does not lie in the scan: each aorta that was found runs through its lowest slice. Send the "
            "series that holds the whole heart.",
        )
    best: tuple[float, RawTree] | None = None
    for tube in sorted(rooted, key=_prior, reverse=True)[:MOST_TUBES]:
        raw = search(resample(volume, step_mm=STEP_MM, **_heart_box(tube, low, high)), tube)
        trunks = sorted(_trunk_gains(raw), reverse=True)
        if not trunks:
            continue
        second = trunks[1] if len(trunks) > 1 else 0.0
        worth = trunks[0] + 2.0 * second
        if best is None or worth > best[0]:
            best = (worth, raw)
        if second > CLEAR_SHARE * trunks[0] and trunks[0] > CLEAR_GAIN_MM:
            break
    if best is None or best[0] < LEAST_TREE_MM:
        raise RefusedScan(
            "no-coronary",
            "No coronary artery was found at the aorta: the arteries are not filled with contrast, are too blurred, or lie "
            "outside the scan. Give the centrelines as a file, or two points a vessel, if they can be seen.",
        )
    return replace(best[1], descending=tuple(t for t in tubes if not _has_root(t, low)))


def _has_root(tube: Tube, low: np.ndarray) -> bool:
    return bool(tube.centres[0][2] - low[2] > ROOT_MM)


def _prior(tube: Tube) -> float:
    """How much a tube looks like an ascending aorta: round, long, about 15 mm in radius."""
    radius = float(np.median(tube.radii_mm))
    return tube.fill**2 * min(tube.length_mm, 50.0) * float(np.exp(-0.5 * ((radius - 15.0) / 5.0) ** 2))


def _heart_box(tube: Tube, low: np.ndarray, high: np.ndarray) -> dict[str, np.ndarray]:
    """The part of the scan in which the coronary arteries of this aorta can lie."""
    root = tube.centres[0]
    ends = root + np.array(BOX_MM).T
    tube_low, tube_high = tube.centres.min(0), tube.centres.max(0)
    below, above = np.minimum(ends[0], tube_low - ABOVE_MM), np.maximum(ends[1], tube_high + ABOVE_MM)
    above[2] = min(tube.centres[-1][2] + ABOVE_MM, ends[1, 2])
    return {"low": np.maximum(below, low), "high": np.minimum(above, high)}


def _trunk_gains(raw: RawTree) -> list[float]:
    """Gains of the paths that leave the aorta and are filled like it."""
    flat = raw.grid.hu.ravel()
    out = []
    for path, start, gain in zip(raw.paths, raw.starts, raw.gains, strict=True):
        if start == 0:
            level = float(np.median(flat[path[: round(20.0 / raw.grid.step_mm)]])) / raw.tube.hu
            out.append(gain * float(np.clip(1.0 - (abs(level - 1.0) - 0.15) / 0.2, 0.0, 1.0)))
    return [x for x in out if x > 0]


def search(grid: Grid, tube: Tube) -> RawTree:
    """Find vessels that leave a tube: cheapest paths, the longest unexplained one first."""
    response = vesselness(
        grid.hu, step_mm=grid.step_mm, floor_hu=LEAST_RESPONSE * tube.hu, ceiling_hu=1.3 * tube.hu
    )
    state = mark_chambers(grid, tube)
    state[lungs(grid.hu, step_mm=grid.step_mm) & (state == FREE)] = BLOCKED
    fast = speed(response, grid.hu, state, step_mm=grid.step_mm, blood_hu=tube.hu)
    return _searched(RawTree(grid, tube, fast, state, _toll(grid, tube, state)), bridges=False)


def _searched(raw: RawTree, *, bridges: bool) -> RawTree:
    growth = Growth(raw.speed, raw.grid.step_mm)
    growth.from_aorta(raw.state, raw.toll)
    if bridges:
        growth.across_gaps(raw.state, raw.grid.hu)
    return replace(raw, paths=tuple(growth.paths), starts=tuple(growth.starts), gains=tuple(growth.gains))


def without(raw: RawTree, veins: np.ndarray, arteries: np.ndarray) -> RawTree:
    """Search again with veins made slow, and across gaps.

    Parameters
    ----------
    veins, arteries : (n, 4) LPS mm and radius mm; a voxel is slowed where it lies in a vein, outside arteries, and holds
        less than three quarters of the aorta's contrast.
    """
    if len(veins) == 0:
        return _searched(raw, bridges=True)
    fast = raw.speed.copy()
    reach = int(np.ceil(VEIN_REACH_MM / raw.grid.step_mm))
    cube = np.argwhere(np.ones((2 * reach + 1,) * 3, bool)) - reach
    around = (np.rint(raw.grid.to_index(veins[:, :3])).astype(int)[:, None] + cube).reshape(-1, 3)
    around = around[((around >= 0) & (around < fast.shape)).all(1)]
    flat = np.unique(np.ravel_multi_index(tuple(around.T), fast.shape))
    around = np.stack(np.unravel_index(flat, fast.shape), axis=1)
    points = raw.grid.to_patient(around)
    off, nearest = cKDTree(veins[:, :3]).query(points)
    inside = off <= np.maximum(veins[nearest, 3] + 0.5, 1.2)
    if len(arteries):
        other, artery = cKDTree(arteries[:, :3]).query(points)
        inside &= other > np.maximum(arteries[artery, 3], 0.6) + 0.4
    inside &= raw.grid.hu[tuple(around.T)] < VEIN_SHARE * raw.tube.hu
    fast[tuple(around[inside].T)] *= VEIN_SPEED
    return _searched(replace(raw, speed=fast), bridges=True)


def _toll(grid: Grid, tube: Tube, state: np.ndarray) -> np.ndarray:
    """Cost of leaving the aorta per slice."""
    slices = np.flatnonzero((state == SOURCE).any(axis=(1, 2)))
    toll = np.zeros(len(state), np.float32)
    if len(slices):
        middle = np.stack([slices, *(np.full(len(slices), n / 2) for n in state.shape[1:])], axis=1)
        toll[slices] = COST_PER_HEIGHT * heights(grid, tube, middle)
    return toll


def centred_tree(volume: Volume, raw: RawTree) -> list[Branch]:
    """Centre every branch in the scan and join it to its parent's centreline."""
    shape = raw.speed.shape
    flat = raw.speed.ravel()
    out: list[Branch] = []
    for path, start in zip(raw.paths, raw.starts, strict=True):
        points = raw.grid.to_patient(np.stack(np.unravel_index(path, shape), axis=1))
        parent, origin = -1, 0
        fixed = False
        way = points[start:]
        if start > 0 and len(way) > 2:
            parent = _parent_of(out, points[start])
        if parent >= 0:
            origin = _origin(out[parent], way)
            way = np.concatenate([out[parent].points[origin][None], way[_free_from(out[parent], way) :]])
            fixed = True
        if len(way) < 3:
            continue
        line, found = centred(volume, way, blood_hu=raw.tube.hu, fixed_start=fixed)
        kji = np.clip(np.rint(raw.grid.to_index(line)).astype(int), 0, np.array(shape) - 1)
        values = flat[np.ravel_multi_index(tuple(kji.T), shape)]
        odds = log_odds(volume, line, found, raw.tube.hu)
        out.append(Branch(line, found.radius_mm, found.hu, values, odds, parent, origin))
    return out


def _parent_of(branches: Sequence[Branch], point: np.ndarray) -> int:
    off = [float(np.linalg.norm(b.points - point, axis=1).min()) for b in branches]
    return int(np.argmin(off)) if off else -1


def _free_from(parent: Branch, way: np.ndarray) -> int:
    """The first point of a branch outside its parent's lumen."""
    off, nearest = cKDTree(parent.points).query(way)
    free = off > np.maximum(parent.radius_mm[nearest], 0.8) + 0.3
    return int(np.argmax(free)) if free.any() else len(way) - 1


def _origin(parent: Branch, way: np.ndarray) -> int:
    """The parent's point from which a branch leaves: where its first millimetres, drawn backwards, pass nearest."""
    first = _free_from(parent, way)
    last = min(first + 6, len(way) - 1)
    along = way[last] - way[first]
    nearest = int(np.linalg.norm(parent.points - way[first], axis=1).argmin())
    size = float(np.linalg.norm(along))
    if size < 0.5:
        return nearest
    along = along / size
    low, high = max(nearest - 10, 0), min(nearest + 5, len(parent.points))
    back = parent.points[low:high] - way[first]
    depth = np.minimum(back @ along, 0.0)
    off = np.linalg.norm(back - depth[:, None] * along, axis=1)
    return low + int((off + 0.15 * np.abs(depth)).argmin())
