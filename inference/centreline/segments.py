"""SCCT segments along named vessels (definitions.md; Leipsic J. et al., J Cardiovasc Comput Tomogr 2014;8:342)."""

from __future__ import annotations

import numpy as np

from inference.centreline.heart_frame import Flat, HeartFrame
from inference.centreline.naming import Names
from inference.vocabulary import SEGMENTS

WHOLE = frozenset(s.short for s in SEGMENTS)
ACUTE_MARGIN_DEG = -95.0
"""Azimuth of the acute margin, where no acute marginal branch shows it."""
NEAR_MARGIN_DEG = (
    20.0  # an acute marginal that leaves farther away does not show the margin; by hand, no figure was kept
)
LARGE_RADIUS_MM = 0.75  # large is wider than 1.5 mm (SCCT)
FALLBACK_SHARE = 0.25
"""Without a diagonal or a large septal the proximal segment takes this share of the vessel."""


def segment_names(tree: Flat, frame: HeartFrame, names: Names) -> dict[str, tuple[str, ...]]:
    """Return per vessel the SCCT short name of each of its points; empty for the acute marginal."""
    out = {}
    for vessel, way in names.ways.items():
        along = np.cumsum(tree.step_mm[way.points]) - tree.step_mm[way.points[0]]
        if vessel == "LAD":
            first = _first_large_branch(names, along)
            labels = np.select([along < first, along < 0.5 * (first + along[-1])], ["pLAD", "mLAD"], "dLAD")
        elif vessel == "LCx":
            labels = np.where(along < _origin(names, "OM1", "LCx", along), "pLCx", "mid-distal LCx")
        elif vessel == "RCA":
            margin = _acute_margin(tree, frame, names, along)
            labels = np.select([along < 0.5 * margin, along < margin], ["pRCA", "mRCA"], "dRCA")
        else:
            labels = np.full(len(along), vessel if vessel in WHOLE else "")
        out[vessel] = tuple(str(x) for x in labels)
    return out


def _origin(names: Names, branch: str, parent: str, along: np.ndarray) -> float:
    """Position at which a branch leaves its parent, mm; the parent's end where the branch is missing."""
    if branch not in names.ways:
        return float(along[-1]) + 1.0
    at = np.flatnonzero(names.ways[parent].points == names.ways[branch].points[0])
    return float(along[at[0]]) if len(at) else float(along[-1]) + 1.0


def _first_large_branch(names: Names, along: np.ndarray) -> float:
    """Where the first diagonal or a large septal leaves, whichever is more proximal."""
    first = [_origin(names, "D1", "LAD", along)]
    first += [
        float(along[at]) for at, radius in names.septal if radius >= LARGE_RADIUS_MM and at < len(along)
    ]
    nearest = min(first)
    return nearest if nearest <= along[-1] else FALLBACK_SHARE * float(along[-1])


def _acute_margin(tree: Flat, frame: HeartFrame, names: Names, along: np.ndarray) -> float:
    """Where the right coronary artery passes the acute margin: at the acute marginal, or by its azimuth."""
    way = names.ways["RCA"].points
    azimuth = np.degrees(np.unwrap(np.radians(frame.azimuth_deg(tree.points[way]))))
    passed = np.flatnonzero(azimuth <= ACUTE_MARGIN_DEG)
    margin = float(along[passed[0]]) if len(passed) else float(along[-1])
    at = _origin(names, "AM", "RCA", along)
    if at <= along[-1]:
        branch = float(azimuth[int(np.searchsorted(along, at))])
        if abs(branch - ACUTE_MARGIN_DEG) < NEAR_MARGIN_DEG:
            return 0.5 * (margin + at)
    return margin
