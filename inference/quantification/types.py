"""What is measured and what a measurement is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from inference.contours import VesselContours
from inference.errors import QuantificationError


@dataclass(frozen=True)
class Lesion:
    """A lesion's extent in mm along the path, and the centres of its two 3-mm reference windows where chosen.

    Raises
    ------
    QuantificationError
        The extent is empty or not a number.
    """

    number: int
    start_mm: float
    end_mm: float
    proximal_reference_mm: float | None = None
    distal_reference_mm: float | None = None
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_mm) and math.isfinite(self.end_mm)) or self.end_mm <= self.start_mm:
            raise QuantificationError(
                "bad-lesion",
                f"Lesion {self.number}: its end ({self.end_mm} mm) must lie beyond its start ({self.start_mm} mm).",
            )
        if self.number < 1:
            raise QuantificationError("bad-lesion", "Lesions count from 1.")


@dataclass(frozen=True)
class VesselRead:
    """One read of one vessel: contours, lesions, and stretches left out with their reason (start, end, reason)."""

    vessel: str
    contours: VesselContours
    lesions: tuple[Lesion, ...] = ()
    excluded: tuple[tuple[float, float, str], ...] = ()

    def __post_init__(self) -> None:
        numbers = [lesion.number for lesion in self.lesions]
        if len(set(numbers)) != len(numbers):
            raise QuantificationError("bad-lesion", f"{self.vessel}: two lesions have one number.")


@dataclass(frozen=True)
class Measurement:
    """One row of the long table. ``value`` is a number, a category, or None where not measurable.

    ``low`` and ``high`` are the value with both contours 0.1 mm inwards and outwards: sensitivity, not a
    confidence interval. ``interval_low`` and ``interval_high`` are one: 90 %, conformal, of a network's lesions.
    """

    level: str
    vessel: str
    segment: str
    lesion: int | None
    metric: str
    value: float | str | None
    unit: str
    low: float | None = None
    high: float | None = None
    profile: str = ""
    interval_low: float | None = None
    interval_high: float | None = None


@dataclass(frozen=True)
class NormalWall:
    """A patient's normal wall thickness: intercept + slope · lumen radius (mm)."""

    intercept: float
    slope: float

    def thickness(self, lumen_radius: np.ndarray) -> np.ndarray:
        """Return the normal thickness (mm) at lumen radii (mm), never below 0.2 mm."""
        return np.maximum(self.intercept + self.slope * lumen_radius, 0.2)
