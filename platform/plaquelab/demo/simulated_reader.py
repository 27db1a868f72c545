"""A simulated reader: the phantom's truth, smoothly perturbed. Never the network's output.

A reader's contour differs from the truth by a smooth random surface over the vessel (correlated over about
3 mm along it and 45° around it) and, for a reader who over-reads, by an outward bias of the outer wall inside
lesions. The lesions' ends move by some tenths of a millimetre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from inference.quantification import Lesion, VesselRead

ALONG_SECTIONS = 10.0
AROUND_ANGLES = 8.0
LARGEST_WALL_MM = 9.6


@dataclass(frozen=True)
class Hand:
    """How a simulated reader differs from the truth.

    Parameters
    ----------
    seed : of the random surface; one per reader and case.
    lumen_mm, wall_mm : root mean square of the two surfaces.
    wall_bias_mm : outward shift of the outer wall inside lesions.
    ends_mm : standard deviation of a lesion's two ends.
    """

    seed: int
    lumen_mm: float = 0.06
    wall_mm: float = 0.07
    wall_bias_mm: float = 0.0
    ends_mm: float = 0.3

    def __post_init__(self) -> None:
        if min(self.lumen_mm, self.wall_mm, self.ends_mm) < 0:
            raise ValueError("A spread is never below 0.")

    def steadier(self) -> Hand:
        """Return the same hand with half the spread."""
        return replace(self, lumen_mm=self.lumen_mm / 2, wall_mm=self.wall_mm / 2, ends_mm=self.ends_mm / 2)

    def bolder(self) -> Hand:
        """Return the same hand with the outer wall drawn 0.15 mm further out inside lesions."""
        return replace(self, wall_bias_mm=self.wall_bias_mm + 0.15)


def surface(rng: np.random.Generator, sections: int, rms_mm: float) -> np.ndarray:
    """Return a smooth random surface (sections, 64) with the given root mean square, closed around the vessel."""
    field = gaussian_filter(
        rng.standard_normal((sections, 64)), (ALONG_SECTIONS, AROUND_ANGLES), mode=("nearest", "wrap")
    )
    size = float(np.sqrt((field**2).mean()))
    return field * (rms_mm / size) if size > 0 else field


def draw(truth: VesselRead, hand: Hand, *, arc_length_mm: np.ndarray, stream: int) -> VesselRead:
    """Return what this hand draws for one vessel.

    Parameters
    ----------
    truth : the true read on the vessel that is shown.
    arc_length_mm : (S,) position of each section.
    stream : tells the vessels of one case apart.
    """
    rng = np.random.default_rng([hand.seed, stream])
    contours = truth.contours
    sections = contours.lumen_radius.shape[0]
    closed = contours.lumen_radius <= 0
    lumen = np.where(
        closed, 0.0, np.maximum(contours.lumen_radius + surface(rng, sections, hand.lumen_mm), 0.05)
    )
    inside = np.zeros(sections)
    for lesion in truth.lesions:
        inside[(arc_length_mm >= lesion.start_mm) & (arc_length_mm <= lesion.end_mm)] = 1.0
    wall = contours.wall_radius + surface(rng, sections, hand.wall_mm)
    wall = wall + hand.wall_bias_mm * inside[:, None] * contours.plaque
    wall = np.clip(wall, lumen, LARGEST_WALL_MM)
    lumen = np.minimum(lumen, wall)
    drawn = replace(
        contours,
        lumen_radius=lumen.astype(np.float32),
        wall_radius=wall.astype(np.float32),
        provenance={"source": "simulated reader: perturbed truth of a phantom", "hand": str(hand.seed)},
    )
    return replace(truth, contours=drawn, lesions=_lesions(truth, hand, rng, float(arc_length_mm[-1])))


def _lesions(truth: VesselRead, hand: Hand, rng: np.random.Generator, length_mm: float) -> tuple[Lesion, ...]:
    """Move each lesion's ends a little; lesions stay in order, apart, and on the vessel."""
    result: list[Lesion] = []
    floor = 0.0
    for lesion in truth.lesions:
        shift = rng.normal(0.0, hand.ends_mm, 2) if hand.ends_mm > 0 else np.zeros(2)
        start = min(max(lesion.start_mm + float(shift[0]), floor), lesion.end_mm - 0.9)
        start = max(start, floor)
        end = min(max(lesion.end_mm + float(shift[1]), start + 0.9), length_mm)
        if end - start < 0.3:
            continue
        result.append(replace(lesion, number=len(result) + 1, start_mm=start, end_mm=end))
        floor = end + 1.0
    return tuple(result)
