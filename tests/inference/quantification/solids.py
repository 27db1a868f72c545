"""Vessels and contours whose numbers are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference.contours import ANGLES, VesselContours
from inference.quantification import Measurement
from inference.section_grid import SPACING_ALONG
from inference.straightening import StraightenedVessel


def bent(
    sections: int = 400, radius: float | None = 20.0, hu: int = 100, vessel: str = "LAD"
) -> StraightenedVessel:
    """A vessel on a circle of ``radius`` mm (straight when None); axis u points to the circle's centre."""
    s = np.arange(sections) * SPACING_ALONG
    zero = np.zeros(sections)
    if radius is None:
        centre, u = np.stack([zero, zero, s], 1), np.tile([1.0, 0, 0], (sections, 1))
        along, bend = np.tile([0, 0, 1.0], (sections, 1)), np.zeros((sections, 2))
    else:
        a = s / radius
        centre = np.stack([radius * np.cos(a), radius * np.sin(a), zero], 1)
        u, along = -np.stack([np.cos(a), np.sin(a), zero], 1), np.stack([-np.sin(a), np.cos(a), zero], 1)
        bend = np.tile([1 / radius, 0.0], (sections, 1))
    pixels = np.full((sections, 64, 64), hu, np.int16)
    return StraightenedVessel(vessel, pixels, centre, u, np.cross(along, u), bend, ("pLAD",) * sections)


def tube(sections: int, lumen: float, wall: float) -> VesselContours:
    shape = (sections, ANGLES)
    return VesselContours(np.full(shape, lumen), np.full(shape, wall), np.zeros(shape, bool))


def with_plaque(
    contours: VesselContours, first: int, last: int, wall: float, where: np.ndarray
) -> VesselContours:
    radius, marks = contours.wall_radius.copy(), contours.plaque.copy()
    radius[first : last + 1, where] = wall
    marks[first : last + 1] = where
    return replace(contours, wall_radius=radius, plaque=marks)


def value(rows: list[Measurement], level: str, metric: str) -> float:
    (row,) = [r for r in rows if r.level == level and r.metric == metric]
    assert isinstance(row.value, int | float)
    return float(row.value)
