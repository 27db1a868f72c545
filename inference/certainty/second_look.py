"""Every lesion is looked at twice: as it is, and seen smaller. Where the two drawings disagree, one of them is wrong.

A network knows the sizes that it was trained on. A plaque larger than those it takes for fat around a small vessel, and
is sure of it; seen smaller, the same vessel is drawn whole. Of two drawings that disagree the larger is the better one:
a network that misses a wall draws too little, hardly ever too much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.contours import VesselContours
from inference.contours.from_probabilities import contours_from_probabilities
from inference.quantification import Lesion, find_lesions, measure_sections, sections_inside
from inference.quantification.sections import weights
from inference.straightening import StraightenedVessel

LARGER = 1.4
"""A second drawing this many times as large as the first is taken for the answer. Of 1.1, 1.15, 1.25, 1.4 and 1.6 the
one with the smallest error of total plaque on the four cases of another generator: 38.9 mm³ a lesion without a second
look, 24.9, 25.1, 24.4, 23.1 and 23.3 with it (ICC 0.547; 0.918, 0.918, 0.918, 0.922, 0.911). tests/bench/certainty.py
measures it again for other weights."""
LEAST_FOUND_MM3 = 48.0
"""Of a lesion that nobody marked, the first drawing must hold so much before a larger second one counts: seen smaller, muscle
beside a thin vessel passes for plaque. On six own and four other patients, of 24 second drawings that were larger, 13 had less
in the first: 9 of those lay where there is no plaque, or drew 12 to 38 mm³ as 111 to 283; of the 11 others none did."""
BESIDE_GIVEN_MM, BESIDE_FOUND_MM = 1.2, 6.0
"""How far beside a lesion the second look goes: a given one ends where it was said to end; one that was found small may
be larger. By hand, no figure was kept."""

Maps = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class ScaleComparison:
    """Total plaque of one lesion in two drawings, mm³; ``larger_taken`` where the second is the answer."""

    first_mm3: float
    second_mm3: float
    larger_taken: bool

    @property
    def disagreement(self) -> float:
        """How far apart the drawings are, as a share of the larger: 0 where they agree, 1 where one sees nothing."""
        larger = max(self.first_mm3, self.second_mm3)
        return abs(self.second_mm3 - self.first_mm3) / larger if larger > 0 else 0.0


@dataclass(frozen=True)
class SecondLook:
    """What a vessel's two looks came to.

    contours : what counts from here on. first, second : (S,) plaque volume per mm of path in either drawing, equal
    where nobody looked again. taken : (S,) bool, sections whose second drawing counts.
    """

    contours: VesselContours
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    taken: NDArray[np.bool_]

    def of(self, vessel: StraightenedVessel, lesion: Lesion) -> ScaleComparison:
        """Compare the two drawings over a lesion's extent."""
        weight = weights(vessel, lesion.start_mm, lesion.end_mm)
        return ScaleComparison(
            float((self.first * weight).sum()),
            float((self.second * weight).sum()),
            bool((self.taken & (weight > 0)).any()),
        )


def look_again(
    vessel: StraightenedVessel,
    maps: Maps,
    contours: VesselContours,
    given: Sequence[Lesion] | None,
    see: Callable[[slice], Maps],
) -> tuple[SecondLook, Maps]:
    """Look again at every lesion of a vessel and take the second drawing where it is ``LARGER`` times the first.

    Returns the look, and the maps that its contours were drawn from.

    Parameters
    ----------
    maps, contours : of the first look. given : lesions that somebody marked, None where they are to be found.
    see : maps of a stretch of sections, from the vessel seen smaller. Of them wall and plaque count; the lumen stays the
        first look's, which sees it larger.
    """
    lesions = find_lesions(vessel, contours) if given is None else tuple(given)
    beside = BESIDE_FOUND_MM if given is None else BESIDE_GIVEN_MM
    where = sections_inside(
        vessel.sections,
        [Lesion(x.number, max(0.0, x.start_mm - beside), x.end_mm + beside) for x in lesions],
    )
    inside = sections_inside(vessel.sections, given or ())
    first = measure_sections(vessel, contours).plaque_volume
    nothing = np.zeros(vessel.sections, bool)
    if not where.any():
        return SecondLook(contours, first, first, nothing), maps
    wall, lumen, plaque = (found.copy() for found in maps)
    edges = np.flatnonzero(np.diff(np.r_[0, where, 0]))
    for start, after in zip(edges[::2], edges[1::2], strict=True):
        stretch = slice(int(start), int(after))
        wall[stretch], its_lumen, its_plaque = see(stretch)
        # What the second look calls lumen beyond the first look's is plaque, and the other way round.
        plaque[stretch] = np.clip(its_plaque + its_lumen - lumen[stretch], 0.0, 1.0)
    other = contours_from_probabilities(wall, lumen, plaque, dict(contours.provenance), given_lesions=inside)
    second = np.where(where, measure_sections(vessel, other).plaque_volume, first)
    taken = nothing
    for start_mm, end_mm in _extents(vessel, lesions, other, given is None):
        weight = weights(vessel, start_mm, end_mm)
        held = (first * weight).sum()
        if (second * weight).sum() > LARGER * held and (given is not None or held >= LEAST_FOUND_MM3):
            taken = taken | sections_inside(vessel.sections, [Lesion(1, start_mm, end_mm)])
    taken &= where
    if not taken.any():
        return SecondLook(contours, first, second, taken), maps
    pick = taken[:, None, None]
    kept = (np.where(pick, wall, maps[0]), lumen, np.where(pick, plaque, maps[2]))
    drawn = contours_from_probabilities(*kept, dict(contours.provenance), given_lesions=inside)
    return SecondLook(drawn, first, second, taken), kept


def _extents(
    vessel: StraightenedVessel, lesions: Sequence[Lesion], other: VesselContours, found: bool
) -> list[tuple[float, float]]:
    """Where the drawings are compared: given lesions as they are; found ones with what the second drawing adds to them."""
    if not found:
        return [(x.start_mm, x.end_mm) for x in lesions]
    wider = find_lesions(vessel, other)
    out = []
    for lesion in lesions:
        mine = [x for x in wider if x.start_mm <= lesion.end_mm and x.end_mm >= lesion.start_mm]
        start = min([lesion.start_mm, *(x.start_mm for x in mine)])
        out.append((start, max([lesion.end_mm, *(x.end_mm for x in mine)])))
    return out
