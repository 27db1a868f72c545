"""How well a branch fits a name, as one number: features of a branch in the heart's frame → score.

Angles are told as turns: how far around the heart, in the atrioventricular groove, from where the artery begins, to the
right for the right coronary artery and to the left for the circumflex. They vary less between hearts than azimuths do: in
two generators acute marginals leave after 70° and 68°, at azimuths of −97° and −138°.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Branch:
    """What a side branch looks like from its parent.

    Parameters
    ----------
    size : radius (mm) near the origin plus a hundredth of the length (mm). drop_mm : towards the apex.
    turn_deg, end_turn_deg : where it leaves and where it ends, around the heart from where its artery begins.
    along_mm, share : of its parent, at which it leaves. aside_deg : to the left of the parent at the same height.
    fork_mm : from the bifurcation of the left main.
    """

    size: float
    drop_mm: float
    turn_deg: float
    end_turn_deg: float
    share: float
    aside_deg: float
    fork_mm: float


@dataclass(frozen=True)
class Habit:
    """Where vessels of a name lie: mean and spread of some features. ``parent`` is the artery that they leave."""

    parent: str
    usual: Mapping[str, tuple[float, float]]


HABITS: Mapping[str, Habit] = {
    "RI": Habit("left", {"fork_mm": (1.0, 4.5), "end_turn_deg": (30.0, 11.0), "drop_mm": (46.0, 15.0)}),
    "D1": Habit("LAD", {"share": (0.26, 0.13), "aside_deg": (42.0, 13.0), "drop_mm": (37.0, 14.0)}),
    "D2": Habit("LAD", {"share": (0.48, 0.16), "aside_deg": (32.0, 12.0), "drop_mm": (23.0, 12.0)}),
    "OM1": Habit("LCx", {"turn_deg": (36.0, 16.0), "end_turn_deg": (62.0, 15.0), "drop_mm": (48.0, 15.0)}),
    "OM2": Habit("LCx", {"turn_deg": (68.0, 18.0), "end_turn_deg": (86.0, 15.0), "drop_mm": (36.0, 14.0)}),
    "L-PLB": Habit(
        "LCx", {"turn_deg": (114.0, 14.0), "end_turn_deg": (118.0, 15.0), "drop_mm": (38.0, 15.0)}
    ),
    "L-PDA": Habit(
        "LCx", {"turn_deg": (144.0, 15.0), "end_turn_deg": (155.0, 16.0), "drop_mm": (46.0, 15.0)}
    ),
    "AM": Habit("RCA", {"turn_deg": (70.0, 18.0), "end_turn_deg": (67.0, 18.0), "drop_mm": (38.0, 14.0)}),
    "R-PDA": Habit(
        "RCA", {"turn_deg": (140.0, 17.0), "end_turn_deg": (146.0, 17.0), "drop_mm": (52.0, 17.0)}
    ),
    "R-PLB": Habit(
        "RCA", {"turn_deg": (142.0, 19.0), "end_turn_deg": (180.0, 19.0), "drop_mm": (20.0, 14.0)}
    ),
}
"""Means of 60 true trees of ``tree_train``; spreads are about twice theirs, so that the other generator's means, and hearts
of people, lie within one and a half."""
NAMED, SIZES = 5.0, (0.55, 1.05)
"""What a name is worth to a branch: nothing at the first size, this much from the second on (septals are 0.66)."""
FARTHEST = 3.5
"""No feature of a named branch lies more spreads than this from its mean."""


def fit(name: str, branch: Branch) -> float:
    """Return how well a branch fits a name: log-likelihood plus what a name is worth; −∞ where it cannot be."""
    away = [(getattr(branch, key) - mean) / spread for key, (mean, spread) in HABITS[name].usual.items()]
    if max(abs(z) for z in away) > FARTHEST:
        return -np.inf
    low, high = SIZES
    worth = NAMED * (branch.size - low) / (high - low)
    return float(min(worth, NAMED + 0.5 * (worth - NAMED)) - 0.5 * sum(z * z for z in away))


RIGHT_END = {True: (140.0, 17.0, 0.0), False: (90.0, 35.0, -0.5)}
"""Where a right coronary artery ends: at the crux if it gives a posterior descending artery, else anywhere before it."""
_PDA, _PLB = frozenset({"R-PDA"}), frozenset({"R-PLB"})
_LEFT_PDA, _LEFT_PLB, _NONE = frozenset({"L-PDA"}), frozenset({"L-PLB"}), frozenset[str]()
DOMINANCES: Mapping[tuple[frozenset[str], frozenset[str]], tuple[str, float]] = {
    (_PDA | _PLB, _NONE): ("right", 0.0),
    (_PDA, _NONE): ("right", -0.5),
    (_PLB, _NONE): ("right", -2.5),
    (_PDA, _LEFT_PLB): ("co-dominant", -0.7),
    (_PDA | _PLB, _LEFT_PLB): ("right", -3.0),
    (_NONE, _LEFT_PDA | _LEFT_PLB): ("left", -0.7),
    (_NONE, _LEFT_PLB): ("left", -2.0),
    (_NONE, _LEFT_PDA): ("left", -2.0),
    (_NONE, _NONE): ("unknown", -3.0),
}
"""What right and left may feed at the back of the heart together, the dominance, and how usual that is. By hand: right
dominance is four times as frequent as left or balanced; one missing branch is likelier than one too many."""


def fit_right_end(turn_deg: float, gives_descending: bool) -> float:
    """Return how well a place fits as the end of the right coronary artery."""
    mean, spread, usual = RIGHT_END[gives_descending]
    return usual - 0.5 * ((turn_deg - mean) / spread) ** 2
