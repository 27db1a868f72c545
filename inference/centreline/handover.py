"""Vessels that one artery reached backwards, through another's end, go to the artery that feeds them.

The search takes the cheapest way to each place. Where the right coronary artery and the circumflex nearly meet, at the
crux, a way from the wrong side may be cheaper by a little, and the posterior branches hang on the wrong artery. Two things
show it: an artery ends at full width on another's way, and that way has a neck before the meeting, behind which it
widens, as no artery does. What lies behind the neck is then hung on the artery that ended there.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.spatial import cKDTree

from inference.centreline.heart_frame import Flat

MEET_MM = 2.5  # between an artery's end and the other's way: about the width of both
LEAST_WAY_MM = 40.0  # of the artery that ends: shorter ends are side branches
BACK_MM = 60.0  # before the meeting, in which the neck is looked for
OWN_MM = 25.0  # of the other way from its ostium, that surely is its own
NECK = 0.75
"""The neck is narrower than this share of both the ended artery and the way behind the meeting."""
WINDOW_MM = 8.0  # over which radii are taken; a neck is narrow for a quarter of it


def hand_over(tree: Flat) -> Flat:
    """Return the tree with what was reached backwards hung on the artery that ends there."""
    found = _meeting(tree)
    return tree if found is None else _hung(tree, *found)


def _meeting(tree: Flat) -> tuple[int, int, int] | None:
    """An artery's last point, the point of another's way that it meets, and that way's neck; the clearest of all."""
    best: tuple[float, tuple[int, int, int]] | None = None
    for end in tree.leaves():
        way = tree.path(int(end))
        others = np.flatnonzero(tree.trunk != tree.trunk[end])
        if tree.step_mm[way[1:]].sum() < LEAST_WAY_MM or len(others) == 0:
            continue
        off, nearest = cKDTree(tree.points[others]).query(tree.points[end])
        meets = int(others[nearest])
        width, neck = _neck(tree, way, meets) if off <= MEET_MM else (1.0, -1)
        if width < NECK and (best is None or width < best[0]):
            best = (width, (int(end), meets, neck))
    return None if best is None else best[1]


def _neck(tree: Flat, ended: np.ndarray, meets: int) -> tuple[float, int]:
    """Width of the narrowest place before the meeting, as a share of what it meets and of what follows, and its point."""
    way = tree.path(meets)
    along = np.cumsum(tree.step_mm[way])
    size = max(1, round(WINDOW_MM / 4 / max(float(np.median(tree.step_mm[way])), 0.1)))
    radius = uniform_filter1d(tree.radius_mm[way], size, mode="nearest")
    open_to = np.flatnonzero((along > OWN_MM) & (along > along[-1] - BACK_MM) & (along < along[-1]))
    if len(open_to) == 0:
        return 1.0, -1
    at = int(open_to[radius[open_to].argmin()])
    length = tree.step_mm[ended][::-1].cumsum()
    feeder = float(np.median(tree.radius_mm[ended[::-1][length <= WINDOW_MM]]))
    behind = float(np.median(tree.radius_mm[way[along >= along[-1] - WINDOW_MM]]))
    return float(radius[at]) / max(min(feeder, behind), 0.1), int(way[at])


def _hung(tree: Flat, end: int, meets: int, neck: int) -> Flat:
    """Cut a way at its neck and hang what lies behind on the artery that ends at the meeting."""
    parent = tree.parent.copy()
    back = tree.path(meets)
    back = back[int(np.flatnonzero(back == neck)[0]) + 1 :]  # the neck ends the way that came through it
    parent[back[:-1]] = back[1:]  # from there to the meeting the way runs the other way round now
    parent[meets] = end
    order = _parents_first(parent)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    moved = np.where(parent[order] >= 0, place[np.maximum(parent[order], 0)], -1)
    points = tree.points[order]
    step = np.where(moved >= 0, np.linalg.norm(points - points[np.maximum(moved, 0)], axis=1), 0.0)
    trunk = tree.trunk[order].copy()
    for n, p in enumerate(moved):
        if p >= 0:
            trunk[n] = trunk[p]
    return Flat(points, moved, step, tree.radius_mm[order], tree.hu[order], trunk)


def _parents_first(parent: np.ndarray) -> np.ndarray:
    """An order of all points in which each comes after its parent, branches in one piece."""
    children: dict[int, list[int]] = {}
    for n, p in enumerate(parent.tolist()):
        children.setdefault(p, []).append(n)
    order, stack = [], children.get(-1, [])[::-1]
    while stack:
        n = stack.pop()
        order.append(n)
        stack += children.get(n, [])[::-1]
    return np.array(order)
