"""The frame of the heart, found from its coronary arteries alone: however the heart is turned in the chest.

The right coronary and the circumflex artery run in the atrioventricular groove, almost in a plane; the left anterior
descending artery leaves that plane for the apex. The normal of the plane that fits this best points from apex to base.
Seen from the base, azimuth is 0° at the anterior interventricular groove and grows towards the circumflex: about
60–130° at the left margin, 180° at the crux and the posterior interventricular groove, −100° at the acute margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from inference.centreline.tree import Branch

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
GROOVE_MM = 8.0  # a vessel so far from the plane of the groove counts nothing
TILTS_DEG = (
    0.0,
    12.0,
    24.0,
    36.0,
    50.0,
)  # directions that are tried, about the line from the farthest point to the ostia
TURNS = 10  # of each tilt
OFFSETS_MM = (0.0, 7.0, 14.0, 21.0)  # of the groove's plane below the ostia
LEAST_TRUNK_MM = 20.0  # vessel behind a trunk
MOST_TRUNKS = 4  # that are tried as the right coronary artery
DESCENT_WEIGHT, MOST_DESCENT_MM = (
    0.6,
    90.0,
)  # of a millimetre towards the apex against one along the groove, and the heart's longest way down
WRONG_HAND = 60.0  # mm taken from a frame whose arteries turn the wrong way round
ROUNDS, CANDIDATES = 4, 6  # of refitting, of so many best frames
USUAL_UP = np.array([-0.62, 0.55, 0.56])
"""From apex to base in most chests, LPS (its length is 1 within 0.1 %)."""


@dataclass(frozen=True)
class Flat:
    """All points of a tree in one array, parents first.

    Parameters
    ----------
    points : (n, 3) LPS mm. parent : (n,) index of the point before, −1 at an ostium. step_mm : (n,) way from it.
    radius_mm, hu : (n,). trunk : (n,) number of the trunk that each point hangs on.
    """

    points: np.ndarray
    parent: np.ndarray
    step_mm: np.ndarray
    radius_mm: np.ndarray
    hu: np.ndarray
    trunk: np.ndarray

    def path(self, end: int) -> np.ndarray:
        """Return the indices from the ostium to a point."""
        return _path(self.parent, end)

    def leaves(self) -> np.ndarray:
        """Return the points without successor."""
        inner = np.zeros(len(self.points), bool)
        inner[self.parent[self.parent >= 0]] = True
        return np.flatnonzero(~inner)


@dataclass(frozen=True)
class HeartFrame:
    """Where base and grooves lie.

    Parameters
    ----------
    origin : (3,) LPS mm, middle of the atrioventricular groove. up : unit vector from apex to base.
    front : unit vector across ``up`` towards the anterior interventricular groove. right : trunk of the right coronary
        artery, −1 where none was found. score : mm of vessel that run as they should.
    """

    origin: np.ndarray
    up: np.ndarray
    front: np.ndarray
    right: int
    score: float

    def height_mm(self, points: np.ndarray) -> np.ndarray:
        """Return the height above the plane of the atrioventricular groove."""
        return np.asarray((points - self.origin) @ self.up)

    @property
    def usual(self) -> float:
        """Cosine between the heart's axis and its usual direction: the apex to the left, the front and the feet."""
        return float(self.up @ USUAL_UP)

    def azimuth_deg(self, points: np.ndarray) -> np.ndarray:
        """Return the azimuth, −180…180°."""
        local = points - self.origin
        left = np.cross(self.up, self.front)
        return np.asarray(np.degrees(np.arctan2(local @ left, local @ self.front)))


def flatten(branches: Sequence[Branch]) -> Flat:
    """Put all points of a tree in one array; a branch's first point stands for its parent's at the origin."""
    first: list[int] = []
    parts: dict[str, list[np.ndarray]] = {
        k: [] for k in ("points", "parent", "step", "radius", "hu", "trunk")
    }
    size = 0
    for n, b in enumerate(branches):
        begin = 0 if b.parent < 0 else 1
        rows = len(b.points) - begin
        first.append(size - begin)
        before = np.arange(size - 1, size - 1 + rows)
        before[0] = -1 if b.parent < 0 else first[b.parent] + b.origin
        way = np.linalg.norm(np.diff(b.points, axis=0, prepend=b.points[:1]), axis=1)
        trunk = n if b.parent < 0 else int(parts["trunk"][b.parent][0])
        for key, value in (
            ("points", b.points[begin:]),
            ("parent", before),
            ("step", way[begin:]),
            ("radius", b.radius_mm[begin:]),
            ("hu", b.hu[begin:]),
            ("trunk", np.full(rows, trunk)),
        ):
            parts[key].append(value)
        size += rows
    joined = {k: np.concatenate(v) for k, v in parts.items()}
    return Flat(
        joined["points"], joined["parent"], joined["step"], joined["radius"], joined["hu"], joined["trunk"]
    )


@numba.njit(cache=True, nogil=True)
def _path(parent: np.ndarray, end: int) -> np.ndarray:
    count, at = 1, end
    while parent[at] >= 0:
        at = parent[at]
        count += 1
    way = np.empty(count, np.int64)
    at = end
    for n in range(count - 1, -1, -1):
        way[n] = at
        at = parent[at]
    return way


@numba.njit(cache=True, nogil=True)
def sums(parent: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """The sum of a point-wise gain from the ostium to each point."""
    out = np.empty(len(gain))
    for n in range(len(gain)):
        out[n] = gain[n] + (out[parent[n]] if parent[n] >= 0 else 0.0)
    return out


def groove_gain(tree: Flat, height: np.ndarray, scale_mm: float = GROOVE_MM) -> np.ndarray:
    """Return per point how far along the groove it runs: its step, less with height, negative far from it."""
    return np.asarray(tree.step_mm * np.maximum(1.0 - (height / scale_mm) ** 2, -1.0))


def find_frame(tree: Flat) -> HeartFrame:
    """Find the heart's frame and which trunk is the right coronary artery."""
    trunks = _trunks(tree)
    ostia = np.stack([tree.points[np.flatnonzero((tree.trunk == t) & (tree.parent < 0))[0]] for t in trunks])
    middle = ostia.mean(0)
    far = tree.points[np.linalg.norm(tree.points - middle, axis=1).argmax()]
    tried: list[HeartFrame] = []
    for up in _directions((middle - far) / np.linalg.norm(middle - far)):
        for offset in OFFSETS_MM:
            tried += [
                _frame(tree, middle - offset * up, up, right, 2.0 * GROOVE_MM) for right in (*trunks, -1)
            ]
    best = [max((f for f in tried if f.right == right), key=lambda f: f.score) for right in (*trunks, -1)]
    best += sorted(tried, key=lambda f: -f.score)[:CANDIDATES]
    for _ in range(ROUNDS):
        best = [_refitted(tree, one) for one in best]
    return max(best, key=lambda f: f.score)


def _trunks(tree: Flat) -> list[int]:
    """The trunks with most vessel behind them."""
    length = {int(t): float(tree.step_mm[tree.trunk == t].sum()) for t in np.unique(tree.trunk)}
    ordered = sorted(length, key=lambda t: -length[t])
    return [t for t in ordered if length[t] >= LEAST_TRUNK_MM][:MOST_TRUNKS] or ordered[:1]


def _directions(axis: np.ndarray) -> np.ndarray:
    """Unit vectors around an axis."""
    u = np.cross(axis, np.eye(3)[int(np.abs(axis).argmin())])
    u /= np.linalg.norm(u)
    w = np.cross(axis, u)
    out = [axis]
    for tilt in np.radians(TILTS_DEG[1:]):
        for turn in 2 * np.pi * np.arange(TURNS) / TURNS:
            side = np.cos(turn) * u + np.sin(turn) * w
            out.append(np.cos(tilt) * axis + np.sin(tilt) * side)
    return np.array(out)


def _frame(tree: Flat, origin: np.ndarray, up: np.ndarray, right: int, scale: float) -> HeartFrame:
    """Score one plane with one trunk as the right coronary artery."""
    height = (tree.points - origin) @ up
    total = sums(tree.parent, groove_gain(tree, height, scale))
    is_right = tree.trunk == right
    left_total = np.where(is_right, -np.inf, total)
    circumflex = tree.path(int(left_total.argmax())) if not is_right.all() else np.zeros(0, int)
    main = tree.path(int(np.where(is_right, total, -np.inf).argmax())) if right >= 0 else np.zeros(0, int)
    tip = int(np.where(is_right, np.inf, height).argmin())
    score = 0.0
    if len(circumflex):
        score += float(total[circumflex[-1]])
        score += DESCENT_WEIGHT * float(np.clip(-height[tip], 0.0, MOST_DESCENT_MM))
    if len(main):
        score += float(total[main[-1]])
    descending = tree.path(tip)
    front, centre = _front(tree, up, origin, descending, np.concatenate([circumflex, main]))
    frame = HeartFrame(centre, up, front, right, score)
    wrong = 0.0
    if len(circumflex) and frame.azimuth_deg(tree.points[circumflex[len(circumflex) * 3 // 4 :]]).mean() < 0:
        wrong += WRONG_HAND
    if len(main) and np.median(frame.azimuth_deg(tree.points[main])) > 0:
        wrong += WRONG_HAND
    return HeartFrame(centre, up, front, right, score - wrong)


def _front(
    tree: Flat, up: np.ndarray, origin: np.ndarray, descending: np.ndarray, groove: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Direction of the anterior groove and the middle of the ring."""
    ring = tree.points[groove] if len(groove) else tree.points
    centre = 0.5 * (ring.min(0) + ring.max(0)) if len(ring) > 2 else origin
    centre = centre - ((centre - origin) @ up) * up
    way = tree.points[descending]
    lower = way[len(way) // 3 : max(len(way) * 3 // 4, len(way) // 3 + 1)].mean(0) - centre
    lower = lower - (lower @ up) * up
    size = float(np.linalg.norm(lower))
    if size < 1e-6:
        lower, size = np.cross(up, np.eye(3)[int(np.abs(up).argmin())]), 1.0
        lower = lower / np.linalg.norm(lower)
    return lower / size, centre


def _refitted(tree: Flat, frame: HeartFrame) -> HeartFrame:
    """Fit the plane to the vessels that now lie in the groove; kept where it is no worse."""
    height = frame.height_mm(tree.points)
    total = sums(tree.parent, groove_gain(tree, height, 1.5 * GROOVE_MM))
    ways = []
    for mask in (tree.trunk == frame.right, tree.trunk != frame.right):
        if mask.any():
            ways.append(tree.path(int(np.where(mask, total, -np.inf).argmax())))
    ring = tree.points[np.concatenate(ways)]
    if len(ring) < 20:
        return frame
    origin = ring.mean(0)
    up = np.linalg.svd(ring - origin, full_matrices=False)[2][2]
    up = up if up @ frame.up > 0 else -up
    if up @ frame.up < 0.7:
        return frame
    new = _frame(tree, origin, up, frame.right, 1.5 * GROOVE_MM)
    old = _frame(tree, frame.origin, frame.up, frame.right, 1.5 * GROOVE_MM)
    return new if new.score >= old.score - 5.0 else old
