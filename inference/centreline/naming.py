"""Names for the branches of a coronary tree: the assignment of names to branches that fits best as a whole.

Ways for the main vessels are tried beside each other: for the right coronary and the circumflex artery long ways in the
atrioventricular groove and where they may end, for the left anterior descending artery ways to low points of the left
tree. Along each, branches take the names that fit them best (``naming_score``); who feeds the back of the heart is part
of the assignment, so that right and left must agree (definitions of the SCCT model, Leipsic J. et al., J Cardiovasc
Comput Tomogr 2014;8:342). How much of all that was tried speaks for a name is its confidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from scipy.ndimage import gaussian_filter1d

from inference.centreline.heart_frame import GROOVE_MM, Flat, HeartFrame, sums
from inference.centreline.naming_score import DOMINANCES, Branch, fit, fit_right_end

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines.
DESCENT_SLOPE = 0.45  # steeper, an artery has left the groove for the apex
MOST_LEFT_MAIN_MM = 40.0  # a longer common way means that the circumflex artery was not found
LEVEL_WEIGHT = 0.5  # of height gained or lost against the way around the heart
ASIDE_MM, ASIDE_WEIGHT = 5.0, 0.35
"""The left anterior descending artery ends low, and not beside its groove."""
MM_PER_SCORE = 10.0  # of a main vessel's way, worth as much as one of log-likelihood
DEPTH_MM_PER_SCORE = 5.0  # likewise of the left anterior descending artery's depth
MOST_WAYS, WAYS_WITHIN_MM = 4, 40.0  # main ways that are tried, and how far behind the best
MOST_BRANCHES, LEAST_FIT = 4, -3.0  # that are tried for each name, and how badly one may fit
MOST_ASSIGNED = 6  # assignments of one artery's branches that go on, for each set of posterior vessels
LEAST_SIDE_MM = 12.0  # towards the apex: what stays level is no tail of its own
LEAST_BRANCH_MM = 4.0  # shorter ones are no branches
SIDE_DEG = 7.0  # less to the left of the left anterior descending artery is a septal branch
TURN_MM = {"RCA": 30.0, "LCx": 20.0}  # before which none of them leaves the groove
MM_PER_WIDTH, SAME_WIDTH_MM = 40.0, 0.15
"""The left anterior descending artery stays the wider one at each fork; a mm of radius less counts as so much way."""
FILLED = (0.68, 0.85)
"""Share of the arteries' HU from which a way in the groove counts, and counts in full: a great cardiac vein has 0.71."""
END_POINTS = 5  # 2 mm, within which both are one place
ALIKE = 0.75  # of the longer of two ways
UNNAMED_MM = 15.0  # a branch as long is told of
CONTRADICTION = -8.0  # of posterior vessels that both sides cannot give
UNSUPPORTED = -4.0  # of each posterior vessel on the left, where no right artery was found to lack it
BEHIND = frozenset({"R-PDA", "R-PLB", "L-PDA", "L-PLB"})
ORDERED = (("D1", "D2"), ("OM1", "OM2"))
"""Each first one leaves before its second."""
LONELY = -1.5  # of a second without its first


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
    confidence : by vessel, 0…1: how much of all that was tried gives this way this name.
    unnamed : (parent, way) of branches that took no name, each to its farthest end.
    """

    ways: dict[str, Way]
    dominance: str
    septal: tuple[tuple[int, float], ...] = ()
    confidence: dict[str, float] = field(default_factory=dict)
    unnamed: tuple[tuple[str, Way], ...] = ()


@dataclass(frozen=True, eq=False)
class _Side:
    """A side branch: its points, the place on its parent's way, and what describes it."""

    points: np.ndarray
    at: int
    length_mm: float
    radius_mm: float
    seen: Branch


@dataclass(frozen=True, eq=False)
class _Tried:
    """One assignment of one side of the heart: names → ways, with its score."""

    score: float
    ways: dict[str, np.ndarray]

    @property
    def behind(self) -> frozenset[str]:
        """The posterior vessels that it names."""
        return BEHIND.intersection(self.ways)


def name_vessels(tree: Flat, frame: HeartFrame) -> Names:
    """Name the vessels of a tree."""
    look = _Look(tree, frame)
    left, right = _left(look), _right(look)
    best, dominance, confidence = _best(left, right)
    ways = {vessel: Way(vessel, points) for vessel, points in best.items()}
    if "RCA" not in ways:
        dominance = "unknown"
    septal: tuple[tuple[int, float], ...] = ()
    if "LAD" in ways:
        taken = {int(w.points[1]) for w in ways.values() if len(w.points) > 1}
        septal = tuple(
            (s.at, s.radius_mm)
            for s in look.sides(ways["LAD"].points, 1.0)
            if int(s.points[1]) not in taken and s.seen.aside_deg <= SIDE_DEG
        )
    return Names(ways, dominance, septal, confidence, look.unnamed(ways))


def _best(
    left: Sequence[_Tried], right: Sequence[_Tried]
) -> tuple[dict[str, np.ndarray], str, dict[str, float]]:
    """The pair of assignments that fits best together, its dominance, and how much of all pairs has each name so."""
    sides = [left or [_Tried(0.0, {})], right or [_Tried(0.0, {})]]
    known = bool(right)
    pairs = {
        (a, b): _together(a, b, known)
        for a in {x.behind for x in sides[0]}
        for b in {x.behind for x in sides[1]}
    }
    top = [
        {k: max((x for x in side if x.behind == k), key=lambda x: x.score) for k in {x.behind for x in side}}
        for side in sides
    ]
    a, b = max(pairs, key=lambda k: top[0][k[0]].score + top[1][k[1]].score + pairs[k][1])
    chosen = (top[0][a], top[1][b])
    weights = [np.exp([x.score - one.score for x in side]) for side, one in zip(sides, chosen, strict=True)]
    beside = [_beside(sides[1 - n], weights[1 - n], pairs, n) for n in (0, 1)]
    confidence = {}
    for n, one in enumerate(chosen):
        whole = [w * beside[n][x.behind] for x, w in zip(sides[n], weights[n], strict=True)]
        for vessel, way in one.ways.items():
            alike = [w for x, w in zip(sides[n], whole, strict=True) if _alike(x.ways.get(vessel), way)]
            confidence[vessel] = round(float(sum(alike) / sum(whole)), 3)
    return {**chosen[0].ways, **chosen[1].ways}, pairs[a, b][0], confidence


def _beside(
    others: Sequence[_Tried],
    weights: np.ndarray,
    pairs: Mapping[tuple[frozenset[str], frozenset[str]], tuple[str, float]],
    side: int,
) -> dict[frozenset[str], float]:
    """For each set of posterior vessels of one side, the weight of all that the other side can be with it."""
    out: dict[frozenset[str], float] = {}
    for pair, (_, score) in pairs.items():
        mass = sum(w for x, w in zip(others, weights, strict=True) if x.behind == pair[1 - side])
        out[pair[side]] = out.get(pair[side], 0.0) + float(mass * np.exp(score))
    return out


def _alike(a: np.ndarray | None, b: np.ndarray) -> bool:
    """Whether two ways are one vessel: they share three quarters of the longer."""
    return a is not None and len(np.intersect1d(a, b)) > ALIKE * max(len(a), len(b))


def _together(left: frozenset[str], right: frozenset[str], known: bool) -> tuple[str, float]:
    """Dominance and score of what feeds the back of the heart from both sides; unknown without a right artery."""
    if not known:  # the frame of half a heart overstates turns: a marginal looks like a posterior branch
        return "unknown", UNSUPPORTED * len(left)
    return DOMINANCES.get((right, left), ("unknown", CONTRADICTION))


def _right(look: _Look) -> list[_Tried]:
    """Assignments of the right coronary artery and its branches."""
    own = look.tree.trunk == look.frame.right
    out: list[_Tried] = []
    tried: set[tuple[int, int]] = set()
    for far in look.far_ends(np.where(own, look.around, -np.inf)) if own.any() else ():
        way = look.to_leaf(look.tree.path(far))
        forks = {s.at for s in look.sides(way, -1.0) if s.length_mm >= LEAST_SIDE_MM}
        for end in sorted(forks | look.ends(way, TURN_MM["RCA"])):
            body = way[: end + 1]
            if look.along(way, end) < TURN_MM["RCA"] or (key := (int(body[-1]), int(way[-1]))) in tried:
                continue
            tried.add(key)
            base = look.around[body[-1]] / MM_PER_SCORE
            of_right = _assigned(look.sides_and_tail(way, end, -1.0), ("AM", "R-PDA", "R-PLB"))
            for score, given in of_right:
                if "R-PDA" in given and given["R-PDA"][0] not in body[-END_POINTS:]:
                    continue  # the right coronary artery ends where its posterior descending branch leaves
                ends = fit_right_end(look.turns(body, -1.0)[-1], "R-PDA" in given)
                out.append(_Tried(float(base + score + ends), {"RCA": body, **given}))
    return out


def _left(look: _Look) -> list[_Tried]:
    """Assignments of left main, left anterior descending and circumflex artery and their branches."""
    own = look.tree.trunk != look.frame.right
    if not own.any():
        return []
    depth = np.where(own, look.depth, -np.inf)
    around = np.where(own, look.around, -np.inf)
    lows = [look.to_leaf(look.tree.path(n)) for n in look.far_ends(depth)]
    grooves = [look.to_leaf(look.tree.path(n)) for n in look.far_ends(around)]
    out = [x for low, groove in product(lows, grooves) for x in _forked(look, low, groove)]
    if not out:  # the circumflex artery was not found: where the left main ends is unknown
        lad = lows[0]
        of_lad = _assigned(look.sides(lad, 1.0, among=lad), ("D1", "D2"))
        out = [
            _Tried(float(look.depth[lad[-1]] / MM_PER_SCORE + score), {"LAD": lad, **more})
            for score, more in of_lad
        ]
    return out


def _forked(look: _Look, descending: np.ndarray, groove: np.ndarray) -> list[_Tried]:
    """Assignments with one way as the left anterior descending artery and another as the circumflex."""
    common = int(np.argmin(_same(descending, groove)))
    if (
        look.along(descending, common - 1) > MOST_LEFT_MAIN_MM
        or min(len(groove), len(descending)) - common < 3
    ):
        return []
    left_main = {"LM": descending[:common]} if common > 1 else {}
    lad, lcx = descending[max(common - 1, 0) :], groove[max(common - 1, 0) :]
    beside = [s for s in look.sides(lad, 1.0) if s.points[1] not in lcx]
    of_lad = _assigned(beside, ("D1", "D2", "RI"))
    outgrown = sum(
        max(s.length_mm - look.along(lad, len(lad) - 1) + look.along(lad, s.at), 0.0)
        + MM_PER_WIDTH * max(s.radius_mm - look.width(lad[s.at :]) - SAME_WIDTH_MM, 0.0)
        for s in beside
    )
    out = []
    for end in sorted(look.ends(lcx, TURN_MM["LCx"])):
        body = lcx[: end + 1]
        if len(body) < 3:
            continue
        base = look.depth[lad[-1]] / DEPTH_MM_PER_SCORE + (look.around[body[-1]] - outgrown) / MM_PER_SCORE
        sides = [s for s in look.sides_and_tail(lcx, end, 1.0) if s.points[1] not in lad]
        of_lcx = _assigned(sides, ("RI", "OM1", "OM2", "L-PLB", "L-PDA"))
        for (first, given), (second, more) in product(of_lcx, of_lad):
            firsts = [int(points[1]) for points in (*given.values(), *more.values())]
            if len(set(firsts)) == len(firsts) and not ("RI" in given and "RI" in more):
                ways = {**left_main, "LAD": lad, "LCx": body, **given, **more}
                out.append(_Tried(float(base + first + second), ways))
    return out


def _assigned(sides: Sequence[_Side], names: Sequence[str]) -> list[tuple[float, dict[str, np.ndarray]]]:
    """The best ways to give these names to branches, or to none; several for each set of posterior vessels."""
    options: list[list[tuple[float, _Side | None]]] = []
    for name in names:
        scored = [(fit(name, s.seen), s) for s in sides]
        kept = sorted((x for x in scored if x[0] > LEAST_FIT), key=lambda x: -x[0])[:MOST_BRANCHES]
        options.append([(0.0, None), *kept])
    found: dict[frozenset[str], list[tuple[float, dict[str, np.ndarray]]]] = {}
    for choice in product(*options):
        given = {name: side for name, (_, side) in zip(names, choice, strict=True) if side is not None}
        if len({id(side) for side in given.values()}) < len(given):
            continue
        if any(a in given and b in given and given[a].at > given[b].at for a, b in ORDERED):
            continue
        alone = LONELY * sum(b in given and a not in given for a, b in ORDERED)
        ways = {name: side.points for name, side in given.items()}
        behind = frozenset(name for name in given if name in BEHIND)
        found.setdefault(behind, []).append((float(alone + sum(score for score, _ in choice)), ways))
    return [x for each in found.values() for x in sorted(each, key=lambda x: -x[0])[:MOST_ASSIGNED]]


class _Look:
    """A tree seen in the heart's frame."""

    def __init__(self, tree: Flat, frame: HeartFrame) -> None:
        self.tree, self.frame = tree, frame
        self.height, self.azimuth = frame.height_mm(tree.points), frame.azimuth_deg(tree.points)
        self.around = sums(tree.parent, _around(tree, frame, self.height))
        beside = np.abs((tree.points - frame.origin) @ np.cross(frame.up, frame.front))
        self.depth = -self.height - ASIDE_WEIGHT * np.maximum(beside - ASIDE_MM, 0.0)
        self.children: dict[int, list[int]] = {}
        for n, p in enumerate(tree.parent):
            if p >= 0:
                self.children.setdefault(int(p), []).append(n)
        self.beyond = tree.step_mm.copy()  # the longest way from here outwards, this step included
        for n in range(len(tree.parent) - 1, -1, -1):
            p = int(tree.parent[n])
            if p >= 0:
                self.beyond[p] = max(self.beyond[p], tree.step_mm[p] + self.beyond[n])

    def far_ends(self, worth: np.ndarray) -> list[int]:
        """Points at which ways are worth most, one a leaf, the best first."""
        best = [path[int(worth[path].argmax())] for path in map(self.tree.path, self.tree.leaves())]
        ranked = sorted({int(n) for n in best if np.isfinite(worth[n])}, key=lambda n: -worth[n])
        return [n for n in ranked if worth[n] > worth[ranked[0]] - WAYS_WITHIN_MM][:MOST_WAYS]

    def to_leaf(self, way: np.ndarray) -> np.ndarray:
        """Lengthen a way to the farthest leaf behind its end."""
        out = list(way)
        while out[-1] in self.children:
            out.append(max(self.children[out[-1]], key=lambda n: self.beyond[n]))
        return np.array(out)

    def along(self, way: np.ndarray, at: int) -> float:
        """Position on a way, mm from its first point."""
        return float(self.tree.step_mm[way[1 : max(at, 0) + 1]].sum())

    def turns(self, way: np.ndarray, sign: float) -> np.ndarray:
        """How far around the heart each point of a way lies from its first, degrees."""
        return np.asarray(
            sign * np.degrees(np.unwrap(np.radians(self.azimuth[way])) - np.radians(self.azimuth[way[0]]))
        )

    def sides(self, way: np.ndarray, sign: float, among: np.ndarray | None = None) -> list[_Side]:
        """The branches that leave a way, each along its longest path, in the order of their origins."""
        on = set(way.tolist()) | set(() if among is None else among.tolist())
        turns = self.turns(way, sign)
        return [
            self.side(self.to_leaf(np.array([point, child])), at, way, turns, sign)
            for at, point in enumerate(way.tolist())
            for child in self.children.get(point, ())
            if child not in on and self.beyond[child] >= LEAST_BRANCH_MM
        ]

    def sides_and_tail(self, way: np.ndarray, end: int, sign: float) -> list[_Side]:
        """The branches of a way that ends before its last point; what is beyond is one of them."""
        body = way[: end + 1]
        sides = self.sides(body, sign, among=way)
        if end < len(way) - 1:
            tail = self.side(way[end:], end, body, self.turns(body, sign), sign)
            sides += [tail] if tail.length_mm >= LEAST_BRANCH_MM else []
        return sides

    def side(self, points: np.ndarray, at: int, parent: np.ndarray, turns: np.ndarray, sign: float) -> _Side:
        """Describe a branch by its points, the first of which lies on its parent's way."""
        tree = self.tree
        along = np.cumsum(tree.step_mm[points[1:]])
        first = (along > 2.0) & (along < 14.0)
        radius = float(
            np.median(tree.radius_mm[points[1:]][first] if first.any() else tree.radius_mm[points[1:]])
        )
        last = points[-max(len(points) // 4, 1) :]
        start = self.along(parent, at)
        turn = float(turns[at])
        return _Side(
            points=points,
            at=at,
            length_mm=float(along[-1]),
            radius_mm=radius,
            seen=Branch(
                size=radius + 0.01 * float(along[-1]),
                drop_mm=float(self.height[points[0]] - self.height[points[-1]]),
                turn_deg=turn,
                end_turn_deg=turn
                + turned(sign * circular_mean(self.azimuth[last]), sign * self.azimuth[points[0]]),
                share=start / max(self.along(parent, len(parent) - 1), 1e-6),
                aside_deg=self.aside(points[len(points) * 2 // 3 :], parent),
                fork_mm=start,
            ),
        )

    def width(self, points: np.ndarray) -> float:
        """Radius of a way behind its first point, which lies in its parent: the median of 2 to 14 mm."""
        along = np.cumsum(self.tree.step_mm[points[1:]])
        radius = self.tree.radius_mm[points[1:]]
        first = (along > 2.0) & (along < 14.0)
        return float(np.median(radius[first] if first.any() else radius)) if len(radius) else 0.0

    def aside(self, end: np.ndarray, parent: np.ndarray) -> float:
        """How far to the left of its parent, at the same height, the end of a branch lies, degrees."""
        level = np.abs(self.height[parent][:, None] - self.height[end][None]).argmin(0)
        return float(np.median((self.azimuth[end] - self.azimuth[parent[level]] + 180.0) % 360.0 - 180.0))

    def ends(self, way: np.ndarray, first_mm: float) -> set[int]:
        """Where an artery in the groove may end: at the way's end, or where the way leaves for the apex for good."""
        last = len(way) - 1
        step = np.maximum(self.tree.step_mm[way], 1e-6)
        first = int(np.searchsorted(np.cumsum(step), first_mm))
        if first >= last:
            return {last}
        slope = np.clip(
            -np.gradient(gaussian_filter1d(self.height[way], 4.0, mode="nearest")) / step, -1.0, 1.0
        )
        turn = first + int(np.cumsum((DESCENT_SLOPE - slope) * step)[first:].argmax())
        drop = self.height[way[turn]] - self.height[way[-1]]
        return {turn, last} if drop > LEAST_SIDE_MM else {last}

    def unnamed(self, ways: Mapping[str, Way]) -> tuple[tuple[str, Way], ...]:
        """Branches of 15 mm and more that no name covers, with the vessel that each leaves."""
        owner = {int(p): vessel for vessel, way in ways.items() for p in way.points[1:]}
        owner |= {int(w.points[0]): owner.get(int(w.points[0]), vessel) for vessel, w in ways.items()}
        named, out = set(owner), []
        for n, p in enumerate(self.tree.parent.tolist()):
            if n in named:
                continue
            owner[n] = owner.get(p, "")
            siblings = [c for c in self.children.get(p, ()) if c not in named]
            first = p < 0 or p in named or n != max(siblings, key=lambda c: self.beyond[c])
            if first and self.beyond[n] >= UNNAMED_MM:
                out.append((owner[n], Way("", self.to_leaf(np.array([n] if p < 0 else [p, n])))))
        return tuple(out)


def circular_mean(degrees: np.ndarray) -> float:
    """Mean of angles, −180…180°."""
    turned = np.exp(1j * np.radians(degrees)).mean()
    return float(np.degrees(np.angle(turned)))


def turned(degrees: float, reference: float) -> float:
    """Angle from a reference, −180…180°."""
    return float((degrees - reference + 180.0) % 360.0 - 180.0)


def _same(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 where two ways are the same from the start, 0 from where they part."""
    n = min(len(a), len(b))
    return np.append(np.cumprod(a[:n] == b[:n]), 0)


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
    low, high = FILLED
    filled = np.clip((tree.hu / np.percentile(tree.hu, 80) - low) / (high - low), 0.0, 1.0)
    progress = np.where(progress > 0, filled * progress, progress)
    return np.asarray(np.maximum(level, 0.0) * progress + np.clip(level, -1.0, 0.0) * tree.step_mm)
