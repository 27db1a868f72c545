"""Normal wall, plaque marks, and lesions found automatically."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from inference.contours import VesselContours
from inference.quantification.sections import weights
from inference.quantification.types import Lesion, NormalWall
from inference.section_grid import SPACING_ALONG
from inference.straightening import StraightenedVessel

# Definitions: wall 0.25 mm thicker than normal is plaque, over 1.5 mm it is a lesion, under 1 mm apart two are one. Four of
# 64 angles (a quarter of a right angle) and the usual wall, for patients with few sections, were chosen by hand.
MARGIN_MM = 0.25
SHORTEST_MM = 1.5
GAP_MM = 1.0
FEWEST_ANGLES = 4
USUAL = NormalWall(0.25, 0.1)


def fit_normal_wall(pairs: Iterable[tuple[StraightenedVessel, VesselContours]]) -> NormalWall:
    """Fit a patient's normal wall: a robust line of wall thickness on lumen radius at the lower quartile.

    The lower quartile of thickness is taken in six groups of sections of equal size by lumen radius, and a line is
    laid through them (Theil–Sen). With fewer than 60 open sections the usual 0.25 + 0.1·r is returned.
    """
    radius, thickness = [], []
    for _, contours in pairs:
        lumen = np.sqrt((contours.lumen_radius.astype(float) ** 2).mean(1))
        wall = np.sqrt((contours.wall_radius.astype(float) ** 2).mean(1))
        keep = lumen > 0.5
        keep[list(contours.masks)] = False
        radius.append(lumen[keep])
        thickness.append((wall - lumen)[keep])
    r = np.concatenate(radius) if radius else np.empty(0)
    t = np.concatenate(thickness) if thickness else np.empty(0)
    if len(r) < 60:
        return USUAL
    groups = np.array_split(np.argsort(r, kind="stable"), 6)
    x = np.array([np.median(r[g]) for g in groups])
    y = np.array([np.quantile(t[g], 0.25) for g in groups])
    i, j = np.triu_indices(6, 1)
    apart = x[j] - x[i] > 0.05
    slope = float(np.median((y[j] - y[i])[apart] / (x[j] - x[i])[apart])) if apart.any() else 0.0
    slope = float(np.clip(slope, 0.0, 0.3))
    return NormalWall(float(np.median(y - slope * x)), slope)


def sections_inside(sections: int, lesions: Sequence[Lesion]) -> np.ndarray:
    """(sections,) bool: sections of which at least half lies inside a lesion."""
    at = np.arange(sections) * SPACING_ALONG
    inside = np.zeros(sections, bool)
    for lesion in lesions:
        inside |= (at >= lesion.start_mm - SPACING_ALONG / 2) & (at <= lesion.end_mm + SPACING_ALONG / 2)
    return inside


def mark_plaque(
    contours: VesselContours, lesions: Sequence[Lesion], normal_wall: NormalWall
) -> VesselContours:
    """Mark plaque: inside lesions, the angles where the wall is over 0.25 mm thicker than the normal wall."""
    inside = sections_inside(contours.sections, lesions)
    equivalent = np.sqrt((contours.lumen_radius.astype(float) ** 2).mean(1))
    limit = normal_wall.thickness(equivalent)[:, None] + MARGIN_MM
    marks = (contours.wall_radius - contours.lumen_radius > limit) & inside[:, None]
    return replace(contours, plaque=marks)


def mark_whole_wall(contours: VesselContours) -> VesselContours:
    """Mark everything between the contours: the variant ``wall_minus_lumen``, as intravascular ultrasound counts."""
    masks = {
        section: np.where(mask == 2, 3, mask).astype(np.uint8) for section, mask in contours.masks.items()
    }
    return replace(contours, plaque=contours.wall_radius > contours.lumen_radius, masks=masks)


def find_lesions(
    vessel: StraightenedVessel,  # noqa: ARG001 - whose contours they are; every finder of lesions takes both
    contours: VesselContours,
) -> tuple[Lesion, ...]:
    """Find lesions: plaque (at least 4 of 64 angles) over at least 1.5 mm; stretches under 1 mm apart are one."""
    has = contours.plaque.sum(1) >= FEWEST_ANGLES
    for section, mask in contours.masks.items():
        has[section] = (mask == 3).sum() >= FEWEST_ANGLES
    edges = np.flatnonzero(np.diff(np.r_[False, has, False].astype(int)))
    runs: list[list[float]] = []
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        start, end = first * SPACING_ALONG, (after - 1) * SPACING_ALONG
        if runs and start - runs[-1][1] < GAP_MM:
            runs[-1][1] = end
        else:
            runs.append([start, end])
    kept = [(a, b) for a, b in runs if b - a >= SHORTEST_MM - 1e-9]
    return tuple(Lesion(number, float(a), float(b)) for number, (a, b) in enumerate(kept, start=1))


def outside(lesions: Sequence[Lesion], excluded: Sequence[tuple[float, float, str]]) -> tuple[Lesion, ...]:
    """Lesions of which something lies outside the excluded stretches, counted anew from 1."""

    def left(lesion: Lesion) -> bool:
        at = lesion.start_mm
        for start, end, _ in sorted(excluded):
            if start <= at + SPACING_ALONG:
                at = max(at, end)
        return at + SPACING_ALONG < lesion.end_mm

    kept = [lesion for lesion in lesions if left(lesion)]
    return tuple(replace(lesion, number=n) for n, lesion in enumerate(kept, start=1))


def lesion_weights(vessel: StraightenedVessel, lesion: Lesion, kept: np.ndarray) -> np.ndarray:
    """Return mm of path per section (S,) inside a lesion and not excluded."""
    return np.asarray(weights(vessel, lesion.start_mm, lesion.end_mm) * kept)
