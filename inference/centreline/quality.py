"""How far a found vessel can be trusted, and which vessels are missing, by name and with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from inference.centreline.aorta import Tube
from inference.centreline.heart_frame import HeartFrame
from inference.centreline.lines import Centreline
from inference.doubts import Doubt
from inference.errors import RefusedScan
from inference.scan import Volume

DOUBTFUL = 0.75  # of the line expected to lie in its vessel; by hand on tree_validation, no figure was kept
NO_HEART, UNUSUAL_HEART = 0.0, 0.6
"""Cosine between the heart's axis and its usual direction; 0.87–0.98 in simulated patients."""
BEFORE_MM = 15.0  # by hand, no figure was kept
EDGE_MM, END_POINTS = 2.0, 6
"""A vessel whose last 3 mm come this near to the scan's border leaves it."""
LEAST_LENGTH_MM = {
    "LAD": 60.0,
    "LCx": 30.0,
    "RCA": 60.0,
    "R-PDA": 25.0,
    "R-PLB": 20.0,
    "L-PDA": 25.0,
    "L-PLB": 20.0,
    "D1": 20.0,
    "OM1": 20.0,
}
"""Vessels that nearly every heart has, and the length below which one of them surely goes on: about half of what two
generators draw at least."""
ALWAYS = ("LM", "LAD", "D1", "LCx", "OM1", "RCA")
POSTERIOR = {
    "right": ("R-PDA", "R-PLB"),
    "left": ("L-PDA", "L-PLB"),
    "co-dominant": ("R-PDA", "L-PLB"),
    "unknown": (),
}
_PLACE = {
    "LM": "between the aorta and the bifurcation; LAD and LCx may have ostia of their own",
    "LAD": "in the anterior interventricular groove",
    "D1": "at the left of the LAD",
    "LCx": "in the left atrioventricular groove",
    "OM1": "at the LCx",
    "RCA": "in the right atrioventricular groove",
    "R-PDA": "at the end of the RCA",
    "R-PLB": "at the end of the RCA",
    "L-PDA": "at the end of the LCx",
    "L-PLB": "at the end of the LCx",
}


def quality(log_odds: np.ndarray, clear: np.ndarray) -> float:
    """Return the quality of a vessel, 0…1: the mean chance of its points to lie in an artery with a clear outline.

    Parameters
    ----------
    log_odds : (n,) of lying in an artery. clear : (n,) 0…1, how clear the outline is.
    """
    chance = 1.0 / (1.0 + np.exp(-np.asarray(log_odds, float)))
    return round(float(np.mean(chance * (0.5 + 0.5 * np.asarray(clear, float)))), 3)


def credible(line: Centreline, confidence: float) -> float:
    """Return by what a vessel's quality falls, 0…1: with its name's confidence, and with what is missing of its length."""
    return confidence * min(1.0, line.length_mm / LEAST_LENGTH_MM.get(line.vessel, line.length_mm))


def check_heart(frame: HeartFrame, aorta: Tube, descending: Sequence[Tube] = ()) -> list[Doubt]:
    """Refuse a tree that does not point to where an apex can be; return doubts where it or the aorta lies unusually.

    Parameters
    ----------
    aorta : the ascending aorta. descending : tubes that leave the scan at its lower end.

    Raises
    ------
    RefusedScan
        ``no-coronary``.
    """
    if frame.usual < NO_HEART:
        raise RefusedScan(
            "no-coronary",
            "What leaves the aorta does not run as coronary arteries do, to the left, the front and the feet: no coronary "
            "artery is visible, or the orientation in the headers (ImageOrientationPatient) is wrong. Give the centrelines "
            "as a file, or two points a vessel, if they can be seen.",
        )
    told = []
    root_y = float(aorta.centres[0][1])
    if any(float(np.median(t.centres[:, 1])) < root_y - BEFORE_MM for t in descending):
        told.append(
            "The descending aorta lies in front of the ascending one: the scan is mirrored, or the orientation in the headers "
            "(ImageOrientationPatient) is wrong. Names of vessels are not to be trusted."
        )
    if frame.usual < UNUSUAL_HEART:
        degrees = np.degrees(np.arccos(np.clip(frame.usual, -1.0, 1.0)))
        told.append(
            f"The heart's axis is {degrees:.0f}° off its usual direction (apex to the left, the front and the feet): check the "
            "orientation in the headers (ImageOrientationPatient) and the names of the vessels; a heart on the right side "
            "looks like this too."
        )
    return [Doubt("heart_unusual", detail=words) for words in told]


def leaving(volume: Volume, lines: Sequence[Centreline]) -> dict[str, tuple[str, ...]]:
    """Return the vessels that end at a border of the scan, by the border's name (``lower``, ``left`` …)."""
    size = np.array(volume.hu.shape[::-1]) - 1
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        tail = volume.to_index(line.points[-END_POINTS:])
        room = np.minimum(tail, size - tail) * np.array(volume.spacing_mm)
        if room.min() > EDGE_MM:
            continue
        point, axis = np.unravel_index(room.argmin(), room.shape)
        low = tail[point, axis] < size[axis] / 2
        side = _side(volume.affine[:3, axis] * (-1.0 if low else 1.0))
        found[side] = (*found.get(side, ()), line.vessel)
    return found


def cut_off(borders: Mapping[str, Sequence[str]]) -> list[Doubt]:
    """Return a doubt of each vessel that leaves the scan: it holds a part of the heart only."""
    return [
        Doubt(
            "leaves_scan",
            vessel,
            detail=f"It ends at the scan's {side} border: volumes of the patient count what was scanned.",
        )
        for side, vessels in borders.items()
        for vessel in vessels
    ]


def told_dominance(dominance: str, borders: Mapping[str, Sequence[str]]) -> str:
    """Return the dominance; ``unknown`` where the right coronary or the circumflex artery leaves the scan."""
    lost = {vessel for vessels in borders.values() for vessel in vessels}
    return "unknown" if lost & {"RCA", "LCx"} else dominance


def _side(direction: np.ndarray) -> str:
    """Name of the border that lies in this direction of LPS."""
    axis = int(np.abs(direction).argmax())
    names = (("right", "left"), ("front", "back"), ("lower", "upper"))[axis]
    return names[int(direction[axis] > 0)]


def shortfalls(lines: Sequence[Centreline], scores: Mapping[str, float], dominance: str) -> tuple[Doubt, ...]:
    """Return doubts of vessels that are missing, too short, or not sure to be vessels, in the usual order."""
    found = {line.vessel: line for line in lines}
    out = []
    for vessel in (*ALWAYS, *POSTERIOR[dominance]):
        if vessel not in found:
            out.append(Doubt("not_found", vessel, detail=f"It was looked for {_PLACE[vessel]}."))
        elif (length := found[vessel].length_mm) < LEAST_LENGTH_MM.get(vessel, 0.0):
            out.append(
                Doubt(
                    "ends_early",
                    vessel,
                    measure=length,
                    detail="Contrast is lost there, or it leaves the scan.",
                )
            )
    for vessel, score in scores.items():
        if score < DOUBTFUL:
            out.append(Doubt("centreline_unsure", vessel, detail=f"Its quality is {score:.2f}."))
    return tuple(out)
