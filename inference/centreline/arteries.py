"""Which of the found branches are arteries: veins, chambers and what lies behind a wrong turn are cut off.

Every point has log-odds of lying in an artery (``artery_points``). What is kept of the tree is the part that contains
each trunk's start and has the greatest sum of log-odds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from inference.centreline.centring import STEP_MM
from inference.centreline.tree import Branch

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
CHAMBER_RADIUS_MM = 3.1  # what is wider is a chamber
WIDER_THAN_PARENT = 1.3
"""A branch that is wider than its parent by more than this (and half a millimetre) is a chamber or a vein."""
CHAMBER_LOSS = 5.0  # log-odds taken from a point that is too wide
LEAST_VEIN_MM, VEIN_SMOOTH_MM, VEIN_LOG_ODDS, LEAST_VEIN_SHARE = 8.0, 2.0, -0.6, 0.28
"""A vein is so long, its log-odds over so much of it lie below, and it holds at least so much of the aorta's contrast:
simulated veins hold 25–75 %."""
VEIN_MARGIN = 5
"""Points at either end of a vein that may still belong to an artery."""
LIMITS = (-3.0, 2.0)
"""Neighbouring points see much the same, so that their log-odds do not add up without bounds."""
LEAST_BRANCH_MM = 4.0  # what is left of a branch and shorter is dropped


def arterial_part(branches: Sequence[Branch]) -> list[Branch]:
    """Return the arterial part of a tree; indices of parents are those of the new list.

    Parameters
    ----------
    branches : parents stand before their children.
    """
    odds = [_log_odds(branches, n) for n in range(len(branches))]
    stops = _best_stops(branches, odds)
    place: dict[int, int] = {}
    out: list[Branch] = []
    for n, (branch, stop) in enumerate(zip(branches, stops, strict=True)):
        lost = branch.parent >= 0 and (
            branch.parent not in place or branch.origin >= len(out[place[branch.parent]].points)
        )
        if lost or stop * STEP_MM < LEAST_BRANCH_MM:
            continue
        place[n] = len(out)
        out.append(
            replace(
                branch,
                points=branch.points[:stop],
                radius_mm=branch.radius_mm[:stop],
                hu=branch.hu[:stop],
                speed=branch.speed[:stop],
                odds=branch.odds[:stop],
                parent=place[branch.parent] if branch.parent >= 0 else -1,
            )
        )
    return out


def _log_odds(branches: Sequence[Branch], number: int) -> np.ndarray:
    """Log-odds of a branch's points; less where it is too wide for an artery, or for its parent."""
    branch = branches[number]
    most = CHAMBER_RADIUS_MM
    if branch.parent >= 0:
        parent = branches[branch.parent]
        near = float(np.median(parent.radius_mm[max(branch.origin - 10, 0) : branch.origin + 1]))
        most = min(most, WIDER_THAN_PARENT * max(near, 1.0) + 0.5)
    wide = gaussian_filter1d(branch.radius_mm, 2.0, mode="nearest") > most
    return np.asarray(np.clip(branch.odds, *LIMITS) - CHAMBER_LOSS * wide)


def _best_stops(branches: Sequence[Branch], odds: Sequence[np.ndarray]) -> list[int]:
    """For each branch the number of points to keep, so that the sum over the rooted part is greatest."""
    bonus = [np.zeros(len(x)) for x in odds]
    stops = [0] * len(branches)
    for n in range(len(branches) - 1, -1, -1):
        total = np.cumsum(odds[n] * STEP_MM + bonus[n])
        best = int(total.argmax())
        if total[best] <= 0:
            continue
        stops[n] = best + 1
        parent = branches[n].parent
        if parent >= 0:
            bonus[parent][min(branches[n].origin, len(bonus[parent]) - 1)] += total[best]
    return stops


def venous_runs(branches: Sequence[Branch], blood_hu: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of veins and those of arteries, each (n, 4): LPS mm and radius mm.

    A vein is a stretch of at least 8 mm that holds contrast but less than an artery of its width would.
    """
    veins, arteries = [], []
    for n, branch in enumerate(branches):
        odds = gaussian_filter1d(_log_odds(branches, n), VEIN_SMOOTH_MM / STEP_MM, mode="nearest")
        share = gaussian_filter1d(branch.hu / blood_hu, 4.0, mode="nearest")
        dark = (odds < VEIN_LOG_ODDS) & (share > LEAST_VEIN_SHARE)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], dark, [0]])))
        venous = np.zeros(len(dark), bool)
        for first, stop in zip(edges[::2], edges[1::2], strict=True):
            if (stop - first) * STEP_MM >= LEAST_VEIN_MM:
                venous[first + VEIN_MARGIN : stop - VEIN_MARGIN] = True
        rows = np.column_stack([branch.points, branch.radius_mm])
        veins.append(rows[venous])
        arteries.append(rows[odds > 0.0])
    return np.concatenate(veins), np.concatenate(arteries)
