"""What of a lesion can be seen to make its numbers less sure: signs, measured and not yet judged.

``lesion_doubts`` says from where a sign is told to people, ``intervals`` how much wider it makes an interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from inference.certainty.second_look import ScaleComparison
from inference.contours import THETA, VesselContours
from inference.quantification import Lesion, VesselRead, sections_inside
from inference.sampling import at_index
from inference.section_grid import MIDDLE, SPACING_ACROSS
from inference.straightening import StraightenedVessel

SEEN_HU = 40.0
"""Difference across the outer wall from which a border can be seen: twice the noise that is left after averaging over
``BORDER_SECTIONS`` and ``BORDER_ANGLES`` in a scan of 30 HU."""
BORDER_INSIDE_MM, BORDER_OUTSIDE_MM = 0.6, 0.9
"""Where HU are compared, from the outer wall: far enough for a border of 1.2 mm full width, near enough to be what lies
behind it. A thin wall is compared from its middle."""
BORDER_SECTIONS, BORDER_ANGLES = 1.5, 1.5
"""SD of the average along and round the border."""
BESIDE_LUMEN_HU = 150.0
"""Calcium beside the lumen that is brighter than it by so much widens into it; less is lost in the noise of four times
30 HU."""
NARROW_MM = 1.5
"""Calcium counts where the lumen is narrowest, and so far on either side: what a stenosis is told from."""
OFF_CENTRE = 0.9
"""Share of the lumen's radius that its middle may lie from the centreline: beyond it the line leaves the lumen. From 0.6
on half the lesions of a line that is 0.5 mm off were told, without larger errors."""
WIDE_LUMEN_MM = 1.0
"""Radius from which a lumen's core is free of its wall, so that its spread is noise."""
CORE_MM = 0.7
"""How far inside the lumen its core begins."""
BRANCH_MM = 2.0
"""How far outside the outer wall another vessel may begin and still leave here: half the width of a large branch."""


@dataclass(frozen=True)
class Signs:
    """The signs of one lesion.

    Parameters
    ----------
    length_mm : of the lesion. uncertainty : mean expected share of wrong labels (``networks.uncertainty``).
    scales : how two scales drew it, None where nobody looked again.
    unseen_border : share of the plaque's outer border without contrast to what lies behind, 0…1.
    calcium_arc : share of the circumference, where the lumen is narrowest, that lies behind brighter calcium, 0…1.
    radius_mm, thickness_mm : largest area-derived outer radius, and thickness of wall that all but 2 % stay below.
    off_centre : share of sections whose lumen does not lie about the centreline, 0…1.
    assumed_wall : share of sections whose outer wall is assumed (``least_wall``), 0…1.
    branch : whether another vessel begins inside. stent_mm : distance to the nearest stent, None without one.
    noise_hu : of the scan.
    """

    length_mm: float
    uncertainty: float
    scales: ScaleComparison | None
    unseen_border: float
    calcium_arc: float
    radius_mm: float
    thickness_mm: float
    off_centre: float
    assumed_wall: float
    branch: bool
    stent_mm: float | None
    noise_hu: float


def signs_of(
    vessel: StraightenedVessel,
    read: VesselRead,
    lesion: Lesion,
    *,
    uncertainty: NDArray[np.floating],
    assumed: NDArray[np.bool_],
    scales: ScaleComparison | None,
    branches: Sequence[float],
    noise_hu: float,
) -> Signs:
    """Measure the signs of a lesion.

    Parameters
    ----------
    uncertainty, assumed : (S,) of the vessel's sections, the second where the outer wall is assumed. branches : mm along the vessel where others leave it.
    noise_hu : SD of the scan's noise (``noise_of``).
    """
    rows = np.flatnonzero(sections_inside(vessel.sections, [lesion]))
    contours = read.contours
    wall, lumen = contours.wall_radius[rows].astype(float), contours.lumen_radius[rows].astype(float)
    plaque = contours.plaque[rows]
    thick = (wall - lumen)[plaque]
    metal = [max(start - lesion.end_mm, lesion.start_mm - end, 0.0) for start, end, _ in read.excluded]
    return Signs(
        length_mm=lesion.end_mm - lesion.start_mm,
        uncertainty=float(uncertainty[rows].mean()) if len(rows) else 0.0,
        scales=scales,
        unseen_border=_unseen_border(vessel.hu[rows], lumen, wall, plaque),
        calcium_arc=_calcium_arc(vessel.hu[rows], lumen, wall),
        radius_mm=float(np.sqrt((wall**2).mean(1)).max(initial=0.0)),
        thickness_mm=float(np.quantile(thick, 0.98)) if len(thick) else 0.0,
        off_centre=_off_centre(contours, rows),
        assumed_wall=float(assumed[rows].mean()) if len(rows) else 0.0,
        branch=any(lesion.start_mm <= at <= lesion.end_mm for at in branches),
        stent_mm=min(metal, default=None),
        noise_hu=noise_hu,
    )


def noise_of(vessels: Sequence[StraightenedVessel], contours: Sequence[VesselContours]) -> float:
    """Return the scan's noise, HU: the median SD over the cores of wide lumens; 0 where there is none."""
    spread = []
    for vessel, drawn in zip(vessels, contours, strict=True):
        radius = np.sqrt((drawn.lumen_radius.astype(float) ** 2).mean(1))
        offset = (np.arange(vessel.hu.shape[-1]) - MIDDLE) * SPACING_ACROSS
        distance = np.hypot(offset, offset[:, None])
        spread += [
            float(vessel.hu[row][distance < radius[row] - CORE_MM].std())
            for row in np.flatnonzero(radius > WIDE_LUMEN_MM)[::3]
            if (distance < radius[row] - CORE_MM).sum() >= 4
        ]
    return float(np.median(spread)) if spread else 0.0


def branches_of(
    vessels: Sequence[StraightenedVessel], contours: Sequence[VesselContours]
) -> Mapping[str, tuple[float, ...]]:
    """Return for each vessel where the others leave it, mm along it."""
    out: dict[str, tuple[float, ...]] = {}
    for vessel, drawn in zip(vessels, contours, strict=True):
        reach = np.sqrt((drawn.wall_radius.astype(float) ** 2).mean(1)) + BRANCH_MM
        found = []
        for other in vessels:
            if other is vessel:
                continue
            distance = np.linalg.norm(vessel.centre - other.centre[0], axis=1)
            nearest = int(np.argmin(distance))
            if distance[nearest] < reach[nearest]:
                found.append(float(vessel.arc_length[nearest]))
        out[vessel.vessel] = tuple(sorted(found))
    return out


def _along_rays(hu: NDArray[np.generic], radius: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return HU at a radius (mm) of every angle: hu (S, 64, 64), radius (S, 64) → (S, 64)."""
    rows = np.broadcast_to(np.arange(len(hu))[:, None], radius.shape)
    column = radius * np.cos(THETA) / SPACING_ACROSS + MIDDLE
    row = radius * np.sin(THETA) / SPACING_ACROSS + MIDDLE
    return at_index(hu, np.stack([rows, row, column]))


def _unseen_border(
    hu: NDArray[np.generic],
    lumen: NDArray[np.floating],
    wall: NDArray[np.floating],
    plaque: NDArray[np.bool_],
) -> float:
    """Share of the plaque's outer border, in mm of it, across which HU differ by less than ``SEEN_HU``."""
    if not plaque.any():
        return 0.0
    inside = np.maximum(wall - BORDER_INSIDE_MM, (wall + lumen) / 2)
    step = _along_rays(hu, inside) - _along_rays(hu, wall + BORDER_OUTSIDE_MM)
    steady = gaussian_filter(step, (BORDER_SECTIONS, BORDER_ANGLES), mode=("nearest", "wrap"))
    length = wall * plaque
    return float((length * (np.abs(steady) < SEEN_HU)).sum() / length.sum())


def _calcium_arc(hu: NDArray[np.generic], lumen: NDArray[np.floating], wall: NDArray[np.floating]) -> float:
    """Largest share of a circumference that lies behind calcium brighter than the lumen, near the narrowest section."""
    if not len(lumen):
        return 0.0
    area = gaussian_filter1d((lumen**2).mean(1), 1.0, mode="nearest")
    near = np.abs(np.arange(len(lumen)) - int(np.argmin(area))) * 0.3 <= NARROW_MM
    blood = np.median(_along_rays(hu, lumen * 0.3)[area >= np.median(area)])
    wide = wall[near] - lumen[near]
    brightest = np.max(
        [_along_rays(hu[near], lumen[near] + share * wide) for share in (0.2, 0.4, 0.6, 0.8)], axis=0
    )
    return float((brightest > blood + BESIDE_LUMEN_HU).mean(1).max())


def _off_centre(contours: VesselContours, rows: NDArray[np.int_]) -> float:
    """Share of these sections that keep a mask, or whose lumen's middle lies off the centreline."""
    if not len(rows):
        return 0.0
    lumen = contours.lumen_radius[rows].astype(float)
    area = (lumen**2).mean(1) / 2
    middle = np.hypot(
        (lumen**3 / 3 * np.cos(THETA)).mean(1) / np.maximum(area, 1e-6),
        (lumen**3 / 3 * np.sin(THETA)).mean(1) / np.maximum(area, 1e-6),
    )
    off = (middle > OFF_CENTRE * np.sqrt(2 * area)) & (area > 0)
    off |= np.isin(rows, list(contours.masks))
    return float(off.mean())
