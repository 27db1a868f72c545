"""Which of a lesion's signs are told to people as doubts, and from where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from inference.certainty.second_look import ScaleComparison
from inference.certainty.signs import Signs
from inference.doubts import Doubt
from inference.quantification import Lesion

SCALES_APART, SCALES_APART_MM3 = 0.3, 10.0
"""Two drawings disagree from this share of the larger, and from this volume: then the error of total plaque is 34 mm³ a
lesion, else 17, on calibration patients."""
LIMITS: Mapping[str, tuple[Callable[[Signs], float], float]] = {
    "no_border_contrast": (lambda s: 100 * s.unseen_border, 30.0),
    "wall_assumed": (lambda s: 100 * s.assumed_wall, 10.0),
    "branch_inside": (lambda s: float(s.branch), 1.0),
    "calcium_hides_lumen": (lambda s: 100 * s.calcium_arc, 50.0),
    "centreline_unsure": (lambda s: 100 * s.off_centre, 50.0),
}
"""What is told of one sign, and from where: per cent of the border, of the circumference and of the sections.

Chosen by the error of total plaque with and without the doubt on calibration patients (``python -m inference calibrate``
prints it): 46 and 21 mm³ a lesion for a border without contrast; a line that is 0.5 mm off leaves a narrow lumen in a
quarter of the sections without harm, hence one half; calcium hides a lumen where it surrounds half of it.
"""
STENT_MM = 3.0
"""How far a stent's metal brightens what lies beside it."""


@dataclass(frozen=True)
class Reach:
    """What a network's calibration reached: outer radius and thickness of lesions, mm, and noise of scans, HU."""

    radius_mm: float
    thickness_mm: float
    noise_hu: float


def doubts_of(vessel: str, lesion: Lesion, signs: Signs, reach: Reach | None) -> Iterator[Doubt]:
    """Return the doubts of a lesion; those of size and noise where the weights' reach is known."""

    def told(code: str, measure: float, detail: str = "") -> Doubt:
        return Doubt(code, vessel, lesion.number, lesion.start_mm, lesion.end_mm, measure, detail)

    if signs.scales is not None and disagree(signs.scales):
        yield told("scales_disagree", 100 * signs.scales.disagreement, _two_volumes(signs.scales))
    for code, (sign, limit) in LIMITS.items():
        if sign(signs) >= limit:
            yield told(code, sign(signs))
    if signs.stent_mm is not None and signs.stent_mm <= STENT_MM:
        yield told("stent_near", signs.stent_mm)
    if reach is not None:
        if signs.radius_mm > reach.radius_mm or signs.thickness_mm > reach.thickness_mm:
            wide = signs.radius_mm / reach.radius_mm > signs.thickness_mm / reach.thickness_mm
            yield told("size_outside_training", signs.radius_mm if wide else signs.thickness_mm)
        if signs.noise_hu > reach.noise_hu:
            yield told("noise_outside_training", signs.noise_hu)


def disagree(scales: ScaleComparison) -> bool:
    """Tell whether two drawings of a lesion are too far apart for either to be trusted."""
    apart = abs(scales.second_mm3 - scales.first_mm3)
    return scales.disagreement >= SCALES_APART and apart >= SCALES_APART_MM3


def _two_volumes(scales: ScaleComparison) -> str:
    which = "the larger drawing counts" if scales.larger_taken else "the first drawing counts"
    return f"{scales.first_mm3:.0f} mm³ at its size, {scales.second_mm3:.0f} mm³ seen smaller; {which}."
