"""How far a found vessel can be trusted, and which vessels are missing, by name and with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inference.centreline.lines import Centreline

DOUBTFUL = 0.75
LEAST_LENGTH_MM = {
    "LAD": 45.0,
    "LCx": 25.0,
    "RCA": 40.0,
    "R-PDA": 15.0,
    "R-PLB": 10.0,
    "L-PDA": 15.0,
    "L-PLB": 10.0,
    "D1": 12.0,
    "OM1": 12.0,
}
"""Vessels that nearly every heart has, and the length below which one of them surely goes on."""
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


@dataclass(frozen=True)
class Failure:
    """What could not be found.

    Parameters
    ----------
    vessel : path name. code : ``missing``, ``short`` or ``doubtful``. message : for a person, with what to do.
    """

    vessel: str
    code: str
    message: str


def quality(log_odds: np.ndarray, clear: np.ndarray) -> float:
    """Return the quality of a vessel, 0…1: the mean chance of its points to lie in an artery with a clear outline.

    Parameters
    ----------
    log_odds : (n,) of lying in an artery. clear : (n,) 0…1, how clear the outline is.
    """
    chance = 1.0 / (1.0 + np.exp(-np.asarray(log_odds, float)))
    return round(float(np.mean(chance * (0.5 + 0.5 * np.asarray(clear, float)))), 3)


def failures(lines: Sequence[Centreline], scores: Mapping[str, float], dominance: str) -> tuple[Failure, ...]:
    """Return missing, short and doubtful vessels, in the usual order."""
    found = {line.vessel: line for line in lines}
    out = []
    for vessel in (*ALWAYS, *POSTERIOR[dominance]):
        if vessel not in found:
            out.append(
                Failure(
                    vessel,
                    "missing",
                    f"{vessel} was not found {_PLACE[vessel]}: add it by two points or as a file if it is there.",
                )
            )
        elif found[vessel].length_mm < LEAST_LENGTH_MM.get(vessel, 0.0):
            out.append(
                Failure(
                    vessel,
                    "short",
                    f"{vessel} was followed for {found[vessel].length_mm:.0f} mm only: contrast is lost there, or the vessel "
                    "leaves the scan. Extend it if it goes on.",
                )
            )
    for vessel, score in scores.items():
        if score < DOUBTFUL:
            out.append(
                Failure(
                    vessel,
                    "doubtful",
                    f"{vessel} is doubtful (quality {score:.2f}): look at it before its numbers are used.",
                )
            )
    return tuple(out)
