"""Names for the branches of a coronary tree: from where each begins and goes in the frame of the heart.

Main vessels first: the right coronary and the circumflex artery are the longest ways in the atrioventricular groove, the
left anterior descending artery the way to the lowest point of the left tree. Their side branches are named by where they
leave and where they end. Dominance follows from who gives the posterior branches (definitions of the SCCT model,
Leipsic J. et al., J Cardiovasc Comput Tomogr 2014;8:342).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from inference.centreline.heart_frame import GROOVE_MM, Flat, HeartFrame, sums

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
POSTERIOR_DEG = 125.0
"""Branches of the right coronary artery from here to the crux and beyond are posterior."""
RIGHT_OF_CRUX_DEG = -147.0
"""A branch that ends to the right of this is an acute marginal, not a posterior one."""
ACUTE_DEG = (-160.0, -62.0)
"""Where acute marginal branches leave."""
LEFT_POSTERIOR_DEG = 120.0
"""A branch of the circumflex that leaves and ends beyond is posterolateral, if the left feeds the back of the heart."""
CRUX_DEG = 155.0  # a left branch that ends beyond is a posterior descending one
LEAST_SIDE_MM = 12.0  # towards the apex: a branch that stays level has no name
SIDE_DEG = 7.0
"""A diagonal ends this far to the left of the left anterior descending artery."""
FORK_MM = 10.0  # from the bifurcation, within which an intermediate artery leaves
INTERMEDIATE_DEG = (42.0, 66.0)
"""A branch from the bifurcation that ends between diagonals and marginals is the ramus intermedius."""
LEAST_SIZE = 0.86
"""Radius (mm) near the origin plus a hundredth of the length (mm): below it a branch has no name."""
DESCENT_SLOPE = 0.45  # steeper, an artery has left the groove for the apex
MOST_LEFT_MAIN_MM = 35.0  # a longer common way means that the circumflex artery was not found
LEVEL_WEIGHT = 0.5  # of height gained or lost against the way around the heart
ASIDE_MM, ASIDE_WEIGHT = 5.0, 0.35
"""The left anterior descending artery ends low, and not beside its groove."""


@dataclass(frozen=True)
class Way:
    """A named vessel: indices into the flat tree, from the origin (a point of its parent, if it has one) to its end."""

    vessel: str
    points: np.ndarray


@dataclass(frozen=True)
class Names:
    """What was named.

    Parameters
    ----------
    ways : by vessel. dominance : ``right``, ``left``, ``co-dominant`` or ``unknown``.
    septal : (place on the LAD's way, radius mm) of branches of the LAD that are no diagonals.
    """

    ways: dict[str, Way]
    dominance: str
    septal: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, eq=False)
class _Side:
    """A side branch: its points, the place on its parent's way, and what describes it."""

    points: np.ndarray
    at: int
    length_mm: float
    radius_mm: float
    start_deg: float
    end_deg: float
    drop_mm: float

    @property
    def size(self) -> float:
        return self.radius_mm + 0.01 * self.length_mm


def name_vessels(tree: Flat, frame: HeartFrame) -> Names:
    """Name the vessels of a tree."""
    height, azimuth = frame.height_mm(tree.points), frame.azimuth_deg(tree.points)
    around = sums(tree.parent, _around(tree, frame, height))
    beside = np.abs((tree.points - frame.origin) @ np.cross(frame.up, frame.front))
    depth = -height - ASIDE_WEIGHT * np.maximum(beside - ASIDE_MM, 0.0)
    is_right = tree.trunk == frame.right
    ways: dict[str, Way] = {}
    look = _Look(tree, height, azimuth)

    descending = tree.path(int(np.where(is_right, -np.inf, depth).argmax())) if not is_right.all() else None
    groove = tree.path(int(np.where(is_right, -np.inf, around).argmax())) if not is_right.all() else None
    right = tree.path(int(np.where(is_right, around, -np.inf).argmax())) if is_right.any() else None
    if right is not None:
        right = look.to_leaf(right)
    septal: tuple[tuple[int, float], ...] = ()
    circumflex = None
    if descending is not None and groove is not None:
        circumflex, septal = _left(look, ways, descending, look.to_leaf(groove))
    sides = look.sides(right) if right is not None else []
    if right is not None:
        _right(look, ways, right, sides)
    dominance = _posterior_left(look, ways, circumflex)
    if "RCA" not in ways and dominance == "right":
        dominance = "unknown"
    return Names(ways=ways, dominance=dominance, septal=septal)


def _around(tree: Flat, frame: HeartFrame, height: np.ndarray) -> np.ndarray:
    """How far each step leads around the heart in the atrioventricular groove, mm.

    To the left, or to the right in the right trunk; less with height, and steps far from the groove count against a way.
    """
    before = np.where(tree.parent >= 0, tree.parent, np.arange(len(tree.parent)))
    azimuth = np.radians(frame.azimuth_deg(tree.points))
    local = tree.points - frame.origin
    wide = np.linalg.norm(local - np.outer(local @ frame.up, frame.up), axis=1)
    turn = (azimuth - azimuth[before] + np.pi) % (2 * np.pi) - np.pi
    progress = np.where(tree.trunk == frame.right, -turn, turn) * wide
    level = 1.0 - (height / (1.25 * GROOVE_MM)) ** 2
    progress += LEVEL_WEIGHT * (np.minimum(height, 0.0) - np.minimum(height[before], 0.0))
    return np.asarray(np.maximum(level, 0.0) * progress + np.clip(level, -1.0, 0.0) * tree.step_mm)


class _Look:
    """A tree seen in the heart's frame."""

    def __init__(self, tree: Flat, height: np.ndarray, azimuth: np.ndarray) -> None:
        self.tree, self.height, self.azimuth = tree, height, azimuth
        self.children: dict[int, list[int]] = {}
        for n, p in enumerate(tree.parent):
            if p >= 0:
                self.children.setdefault(int(p), []).append(n)
        self.beyond = tree.step_mm.copy()  # the longest way from here outwards, this step included
        for n in range(len(tree.parent) - 1, -1, -1):
            p = int(tree.parent[n])
            if p >= 0:
                self.beyond[p] = max(self.beyond[p], tree.step_mm[p] + self.beyond[n])

    def to_leaf(self, way: np.ndarray) -> np.ndarray:
        """Lengthen a way to the farthest leaf behind its end."""
        out = list(way)
        while out[-1] in self.children:
            out.append(max(self.children[out[-1]], key=lambda n: self.beyond[n]))
        return np.array(out)

    def sides(self, way: np.ndarray) -> list[_Side]:
        """The branches that leave a way, each along its longest path, in the order of their origins."""
        on = set(way.tolist())
        out = []
        for at, point in enumerate(way.tolist()):
            for child in self.children.get(point, ()):
                if child not in on and self.beyond[child] >= 4.0:
                    out.append(self.side(self.to_leaf(np.array([point, child])), at))
        return out

    def side(self, points: np.ndarray, at: int) -> _Side:
        """Describe a branch by its points, the first of which lies on its parent."""
        tree = self.tree
        along = np.cumsum(tree.step_mm[points[1:]])
        first = (along > 2.0) & (along < 14.0)
        radius = tree.radius_mm[points[1:]][first] if first.any() else tree.radius_mm[points[1:]]
        end = points[-max(len(points) // 4, 1) :]
        return _Side(
            points=points,
            at=at,
            length_mm=float(along[-1]),
            radius_mm=float(np.median(radius)),
            start_deg=float(self.azimuth[points[0]]),
            end_deg=circular_mean(self.azimuth[end]),
            drop_mm=float(self.height[points[0]] - self.height[points[-1]]),
        )

    def turn(self, way: np.ndarray, first: int) -> int:
        """Where a way leaves the groove for the apex for good: the best split in level and descending."""
        h = gaussian_filter1d(self.height[way], 4.0, mode="nearest")
        step = np.maximum(self.tree.step_mm[way], 1e-6)
        slope = np.clip(-np.gradient(h) / step, -1.0, 1.0)
        level = np.cumsum((DESCENT_SLOPE - slope) * step)
        return first + int(level[first:].argmax())


def circular_mean(degrees: np.ndarray) -> float:
    """Mean of angles, −180…180°."""
    turned = np.exp(1j * np.radians(degrees)).mean()
    return float(np.degrees(np.angle(turned)))


def turned(degrees: float, reference: float) -> float:
    """Angle from a reference, −180…180°."""
    return float((degrees - reference + 180.0) % 360.0 - 180.0)


def _left(
    look: _Look, ways: dict[str, Way], descending: np.ndarray, groove: np.ndarray
) -> tuple[np.ndarray | None, tuple[tuple[int, float], ...]]:
    """Left main, left anterior descending and circumflex artery and their side branches; returns the circumflex' way."""
    common = int(np.argmin(_same(descending, groove)))
    if look.tree.step_mm[descending[:common]].sum() > MOST_LEFT_MAIN_MM:
        lad, lcx = (
            descending,
            descending[:0],
        )  # the circumflex artery was not found: where the left main ends is unknown
    elif common == 0:
        lad, lcx = descending, groove  # two ostia
    else:
        ways["LM"] = Way("LM", descending[:common])
        lad, lcx = descending[common - 1 :], groove[common - 1 :]
    lad = look.to_leaf(lad)
    ways["LAD"] = Way("LAD", lad)
    sides = [s for s in look.sides(lad) if s.points[1] not in lcx]
    marginals = [s for s in look.sides(lcx) if s.points[1] not in lad] if len(lcx) >= 3 else []
    middle = [s for s in sides if _is_intermediate(look, lad, s)]
    middle += [s for s in marginals if _is_intermediate(look, lcx, s)]
    _name(ways, ("RI",), middle)
    diagonals = [s for s in sides if s not in middle and _leftwards(look, lad, s)]
    _name(ways, ("D1", "D2"), diagonals)
    named = {int(w.points[1]) for w in ways.values() if len(w.points) > 1}
    septal = tuple(
        (s.at, s.radius_mm) for s in sides if int(s.points[1]) not in named and not _leftwards(look, lad, s)
    )
    return (lcx if len(lcx) >= 3 else None), septal


def _is_intermediate(look: _Look, parent: np.ndarray, side: _Side) -> bool:
    low, high = INTERMEDIATE_DEG
    near = _along(look, parent, side.at) < FORK_MM
    return near and low < side.end_deg < high and side.drop_mm > LEAST_SIDE_MM


def _posterior_left(look: _Look, ways: dict[str, Way], lcx: np.ndarray | None) -> str:
    """Name the circumflex artery and its branches; who feeds the back of the heart decides the dominance."""
    right = {"R-PDA", "R-PLB"} & ways.keys()
    if lcx is None:
        return "right" if "R-PDA" in ways else "unknown"
    taken = {int(w.points[1]) for w in ways.values() if len(w.points) > 1}
    first = int(np.searchsorted(np.cumsum(look.tree.step_mm[lcx]), 20.0))
    end = len(lcx)
    turn = look.turn(lcx, min(first, len(lcx) - 1))
    tail = lcx[turn:]
    sides = [s for s in look.sides(lcx) if int(s.points[1]) not in taken]
    if len(tail) > 1 and look.height[lcx[turn]] - look.height[lcx[-1]] > LEAST_SIDE_MM:
        end = turn + 1
        sides = [s for s in sides if s.at <= turn] + [look.side(tail, turn)]
    behind = [s for s in sides if _is_behind(s) and _large(s)]
    reach = float(look.azimuth[lcx[end - 1]])
    dominance = "right"
    if "R-PLB" not in right and (behind or ("R-PDA" not in right and _is_back(reach))):
        dominance = "co-dominant" if "R-PDA" in right else "left"
        inferior = [
            s for s in behind if "R-PDA" not in right and (s.end_deg > CRUX_DEG or s.end_deg < -120.0)
        ]
        _name(ways, ("L-PDA",), inferior)
        _name(ways, ("L-PLB",), [s for s in behind if s not in inferior])
    taken = {int(w.points[1]) for w in ways.values() if len(w.points) > 1}
    ways["LCx"] = Way("LCx", lcx[:end])
    marginals = [s for s in sides if int(s.points[1]) not in taken and s.drop_mm > LEAST_SIDE_MM]
    _name(ways, ("OM1", "OM2"), marginals)
    return dominance


def _is_behind(side: _Side) -> bool:
    return side.drop_mm > LEAST_SIDE_MM and _is_back(side.start_deg) and _is_back(side.end_deg)


def _is_back(degrees: float) -> bool:
    return degrees > LEFT_POSTERIOR_DEG or degrees < -140.0


def _right(look: _Look, ways: dict[str, Way], right: np.ndarray, sides: list[_Side]) -> None:
    """Right coronary artery, posterior descending and posterolateral branch, acute marginal."""
    first = int(np.searchsorted(np.cumsum(look.tree.step_mm[right]), 30.0))
    turn = look.turn(right, min(first, len(right) - 1))
    posterior = [s for s in sides if _is_posterior(s) and _large(s) and s.at <= turn + 8]
    end = len(right)
    marginal: list[_Side] = []
    if look.height[right[turn]] - look.height[right[-1]] > LEAST_SIDE_MM:
        end = turn + 1
        tail = look.side(right[turn:], turn)
        (posterior if _posterior_angle(tail.start_deg) else marginal).append(tail)
    # seen along the artery: the further a branch ends to the left, the further it has gone around
    posterior.sort(key=lambda s: turned(s.end_deg, -90.0) % 360.0, reverse=True)
    pda = posterior[0] if posterior else None
    if pda is not None:
        rest = right[pda.at :]
        beyond = [s for s in posterior[1:]]
        if pda.at < end - 1 and not any(s.points[-1] == right[-1] for s in posterior):
            beyond.append(look.side(rest, pda.at))
        end = pda.at + 1
        ways["R-PDA"] = Way("R-PDA", pda.points)
        lateral = [s for s in beyond if _large(s) and s.length_mm > LEAST_SIDE_MM]
        if lateral:
            plb = max(lateral, key=lambda s: s.size)
            ways["R-PLB"] = Way("R-PLB", _joined(right, pda.at, plb))
    ways["RCA"] = Way("RCA", right[:end])
    marginal += [
        s
        for s in sides
        if s.at < end
        and s not in posterior
        and ACUTE_DEG[0] < s.start_deg < ACUTE_DEG[1]
        and s.drop_mm > LEAST_SIDE_MM
        and s.length_mm > 18.0
    ]
    if marginal:
        ways["AM"] = Way("AM", max(marginal, key=lambda s: s.length_mm).points)


def _joined(right: np.ndarray, at: int, side: _Side) -> np.ndarray:
    """A posterolateral branch from the posterior descending artery's origin: what lies between belongs to it."""
    return np.concatenate([right[at : side.at], side.points]) if side.at > at else side.points


def _is_posterior(side: _Side) -> bool:
    far = not ACUTE_DEG[1] > side.end_deg > RIGHT_OF_CRUX_DEG
    return _posterior_angle(side.start_deg) and far and side.length_mm > LEAST_SIDE_MM


def _posterior_angle(degrees: float) -> bool:
    """Behind the acute margin, on the way round to the left margin."""
    return degrees < -POSTERIOR_DEG or degrees > 90.0


def _name(ways: dict[str, Way], names: tuple[str, ...], sides: Iterable[_Side]) -> None:
    """Give names, in the order of the origins, to the largest of the branches that are large enough."""
    large = sorted((s for s in sides if _large(s)), key=lambda s: -s.size)[: len(names)]
    for name, side in zip(names, sorted(large, key=lambda s: s.at), strict=False):
        ways[name] = Way(name, side.points)


def _large(side: _Side) -> bool:
    return side.size >= LEAST_SIZE


def _leftwards(look: _Look, lad: np.ndarray, side: _Side) -> bool:
    """Whether a branch of the left anterior descending artery goes to the left of it."""
    end = side.points[len(side.points) * 2 // 3 :]
    beside = lad[np.abs(look.height[lad][:, None] - look.height[end][None]).argmin(0)]
    off = np.array([turned(a, b) for a, b in zip(look.azimuth[end], look.azimuth[beside], strict=True)])
    return bool(np.median(off) > SIDE_DEG)


def _along(look: _Look, way: np.ndarray, at: int) -> float:
    return float(look.tree.step_mm[way[1 : at + 1]].sum())


def _same(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 where two ways are the same from the start, 0 from where they part."""
    n = min(len(a), len(b))
    return np.append(np.cumprod(a[:n] == b[:n]), 0)
