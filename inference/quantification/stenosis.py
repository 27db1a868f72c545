"""Reference diameters and the narrowing against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.quantification.types import Lesion

# Definitions: 3 mm of lumen that starts 0.6 mm outside the lesion; of a window less than 1.2 mm is too little, by hand.
OUTSIDE_MM = 0.6
WINDOW_MM = 3.0
LEAST_WINDOW_MM = 1.2


@dataclass(frozen=True)
class Reference:
    """Reference values of a lesion.

    ``method``: ``both``, ``proximal``, ``distal``, ``taper`` or ``none``; positions are the windows' centres in mm.
    """

    method: str
    diameter: float | None
    area: float | None
    feret: float | None
    wall_area: float | None
    proximal_mm: float | None
    distal_mm: float | None


def _window(
    at: np.ndarray, centre: float, others: Sequence[Lesion], open_lumen: np.ndarray
) -> np.ndarray | None:
    """Sections of a reference window, or None when it is missing, closed, or lies in another lesion."""
    inside = (at >= centre - WINDOW_MM / 2 - 1e-6) & (at <= centre + WINDOW_MM / 2 + 1e-6) & open_lumen
    for other in others:
        inside &= ~((at >= other.start_mm) & (at <= other.end_mm))
    return inside if inside.sum() * (at[1] - at[0]) >= LEAST_WINDOW_MM else None


def _median(values: np.ndarray) -> float:
    """Median of a few values; faster than the general one."""
    ordered = np.sort(values)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def reference(
    at: np.ndarray,
    diameter: np.ndarray,
    feret: np.ndarray,
    wall_area: np.ndarray,
    lesion: Lesion,
    lesions: Sequence[Lesion],
    usable: np.ndarray,
) -> Reference:
    """Find a lesion's reference.

    The mean of a proximal and a distal value, each the median over 3 mm of lumen that starts 0.6 mm outside the
    lesion; one side alone where the other is missing or lies in another lesion; where neither is left, a straight
    taper through the vessel's lumen outside all lesions, taken at the lesion's middle.

    Parameters
    ----------
    at : (S,) mm along the path. diameter, feret : (S,) mm. wall_area : (S,) mm².
    usable : (S,) bool, open lumen that is not excluded.
    """
    others = [x for x in lesions if x.number != lesion.number]
    proximal = (
        lesion.start_mm - OUTSIDE_MM - WINDOW_MM / 2
        if lesion.proximal_reference_mm is None
        else lesion.proximal_reference_mm
    )
    distal = (
        lesion.end_mm + OUTSIDE_MM + WINDOW_MM / 2
        if lesion.distal_reference_mm is None
        else lesion.distal_reference_mm
    )
    sides = {
        name: window
        for name, centre in (("proximal", proximal), ("distal", distal))
        if (window := _window(at, centre, others, usable)) is not None
    }
    if sides:

        def mean(values: np.ndarray) -> float:
            return sum(_median(values[window]) for window in sides.values()) / len(sides)

        d = mean(diameter)
        return Reference(
            method="both" if len(sides) == 2 else next(iter(sides)),
            diameter=d,
            area=float(np.pi * d**2 / 4),
            feret=mean(feret),
            wall_area=mean(wall_area),
            proximal_mm=float(proximal) if "proximal" in sides else None,
            distal_mm=float(distal) if "distal" in sides else None,
        )
    healthy = usable.copy()
    for x in lesions:
        healthy &= ~((at >= x.start_mm - OUTSIDE_MM) & (at <= x.end_mm + OUTSIDE_MM))
    if healthy.sum() * (at[1] - at[0]) < WINDOW_MM:
        return Reference("none", None, None, None, None, None, None)
    middle = (lesion.start_mm + lesion.end_mm) / 2

    def taper(values: np.ndarray) -> float:
        slope, intercept = np.polyfit(at[healthy], values[healthy], 1)
        low, high = np.min(values[healthy]), np.max(values[healthy])
        return float(np.clip(intercept + slope * middle, low, high))

    d = taper(diameter)
    return Reference("taper", d, float(np.pi * d**2 / 4), taper(feret), taper(wall_area), None, None)
