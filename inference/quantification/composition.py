"""Which tissue plaque is made of, by HU and a named profile.

Profile ``corrected``: near a border a voxel mixes tissue with lumen or with what lies outside. With the border at
distance d and a blur of σ, the share of the neighbour is Φ(−d/σ); taking both shares out of the (lightly smoothed) HU
leaves the tissue's own. Where less than 40 % of a sample is tissue, the nearest sample along the ray that has enough
stands for it. Calcium is judged on the image as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.special import ndtr

from inference.contours import _U, _V, PIXEL_ANGLE, PIXEL_RADIUS, VesselContours
from inference.coronary import CompositionProfile
from inference.quantification.sections import COS, SIN, STEP_ANGLE, lumen_attenuation, shifted
from inference.straightening import PIXELS, SPACING_ACROSS, SPACING_ALONG, StraightenedVessel

DEPTHS = 12
BLUR_MM = 0.42
OUTSIDE_MM = 1.0
ENOUGH = 0.4
CLASSES = ("calcified", "low_attenuation", "necrotic_core", "fibrofatty", "fibrous")


@dataclass(frozen=True)
class Composition:
    """Volumes per mm of path (S,), mm³/mm, with the Jacobian; ``inner`` and ``outer`` share of low attenuation."""

    calcified: np.ndarray
    low_attenuation: np.ndarray
    necrotic_core: np.ndarray
    fibrofatty: np.ndarray
    fibrous: np.ndarray
    napkin_ring: np.ndarray


def _sample(image: np.ndarray, section: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Bilinear samples of (S', 64, 64) at in-plane mm."""
    middle = (PIXELS - 1) / 2
    coordinates = np.stack(
        [np.broadcast_to(section, u.shape), v / SPACING_ACROSS + middle, u / SPACING_ACROSS + middle]
    )
    return map_coordinates(image, coordinates, order=1, mode="nearest", prefilter=False)


def calcified_limit(
    vessel: StraightenedVessel, contours: VesselContours, profile: CompositionProfile
) -> np.ndarray:
    """Return each section's calcified limit (S,), HU; profile ``adaptive`` raises it with the lumen."""
    limit = np.full(vessel.sections, profile.calcified_from)
    if profile.adaptive:
        lumen = lumen_attenuation(vessel, contours)
        if np.isfinite(lumen).any():
            width = round(5.0 / SPACING_ALONG)
            filled = np.where(np.isfinite(lumen), lumen, np.nanmedian(lumen))
            mean = np.convolve(
                np.pad(filled, width, mode="edge"), np.ones(2 * width + 1) / (2 * width + 1), "valid"
            )
            # σ stands for the aortic region's SD: the spread of the widest, most proximal lumen core.
            first = filled[: max(3, int(10 / SPACING_ALONG))]
            limit = np.maximum(limit, mean + 2 * float(np.std(first)))
    return limit


@dataclass(frozen=True)
class Prepared:
    """What does not change when contours are moved by 0.1 mm: made once a vessel.

    ``rows``: sections with plaque and without a mask. ``smooth``: their HU, lightly smoothed (rows, 64, 64).
    """

    rows: np.ndarray
    smooth: np.ndarray
    lumen_hu: np.ndarray
    limit: np.ndarray


def prepare(vessel: StraightenedVessel, contours: VesselContours, profile: CompositionProfile) -> Prepared:
    """Smooth the image where there is plaque, and find the lumen's HU and the calcified limit (S,)."""
    polar = contours.plaque.any(1) & (contours.wall_radius.max(1) > 0)
    polar[list(contours.masks)] = False
    rows = np.flatnonzero(polar)
    smooth = vessel.hu[rows].astype(np.float32)
    if profile.corrected and len(rows):
        # The section before and after steady the HU; tissue is judged on that. Only where the vessel lies.
        reach = float(contours.wall_radius[rows].max()) + OUTSIDE_MM + 1.0
        half = min(int(np.ceil(reach / SPACING_ACROSS)), PIXELS // 2)
        crop = slice(PIXELS // 2 - half, PIXELS // 2 + half)
        near = np.unique(np.clip(rows[:, None] + np.arange(-3, 4), 0, vessel.sections - 1))
        first, last = near[0], near[-1] + 1
        part = vessel.hu[first:last, crop, crop].astype(np.float32)
        smooth[:, crop, crop] = gaussian_filter(part, (1.0, 0.8, 0.8), mode="nearest", truncate=3.0)[
            rows - first
        ]
    return Prepared(
        rows, smooth, lumen_attenuation(vessel, contours), calcified_limit(vessel, contours, profile)
    )


def _tissue(
    vessel: StraightenedVessel,
    inside: np.ndarray,
    rows: np.ndarray,
    hu: np.ndarray,
    radius: np.ndarray,
    lumen: np.ndarray,
    wall: np.ndarray,
) -> np.ndarray:
    """Partial-volume corrected HU of samples (rows, 64, depths)."""
    level = float(np.nanmedian(inside)) if np.isfinite(inside).any() else 350.0
    lumen_hu = np.where(np.isfinite(inside[rows]), inside[rows], level)[:, None, None]
    stack = vessel.hu[rows]
    reach = np.minimum(wall + OUTSIDE_MM, 9.6)
    index = np.arange(len(rows))[:, None]
    outside_hu = _sample(stack, index, reach * COS, reach * SIN)[..., None]
    from_lumen = ndtr(-(radius - lumen[..., None]) / BLUR_MM) * (lumen[..., None] > 0)
    from_outside = ndtr(-(wall[..., None] - radius) / BLUR_MM)
    share = 1 - from_lumen - from_outside
    corrected = (hu - from_lumen * lumen_hu - from_outside * outside_hu) / np.maximum(share, ENOUGH)
    # Borrow from the nearest depth with enough tissue; where no depth has enough, the middle one stands.
    good = share >= ENOUGH
    depth = np.arange(DEPTHS)
    distance = np.where(good[..., None, :], np.abs(depth[:, None] - depth[None, :]), DEPTHS + 1)
    nearest = distance.argmin(-1)
    nearest = np.where(good.any(-1, keepdims=True), nearest, share.argmax(-1)[..., None])
    return np.take_along_axis(corrected, nearest, axis=-1)


def measure_composition(
    vessel: StraightenedVessel,
    contours: VesselContours,
    profile: CompositionProfile,
    prepared: Prepared,
    by_mm: float = 0.0,
) -> Composition:
    """Split plaque by HU in every section with plaque, with both contours moved by ``by_mm``."""
    n = vessel.sections
    out = {name: np.zeros(n) for name in CLASSES}
    napkin = np.zeros(n, bool)
    all_lumen, all_wall = shifted(contours, by_mm)
    limit, rows = prepared.limit, prepared.rows
    if len(rows):
        lumen, wall = all_lumen[rows], all_wall[rows]
        depth = (np.arange(DEPTHS) + 0.5) / DEPTHS
        radius = lumen[..., None] + (wall - lumen)[..., None] * depth
        u, v = radius * COS[:, None], radius * SIN[:, None]
        index = np.arange(len(rows))[:, None, None]
        hu = _sample(vessel.hu[rows].astype(np.float32), index, u, v)
        bend = vessel.curvature[rows]
        jacobian = 1 - (bend[:, 0, None, None] * u + bend[:, 1, None, None] * v)
        volume = (
            radius
            * ((wall - lumen) / DEPTHS)[..., None]
            * STEP_ANGLE
            * jacobian
            * contours.plaque[rows][..., None]
        )
        is_calcified = hu >= limit[rows][:, None, None]
        if profile.corrected:
            soft = _sample(prepared.smooth, index, u, v)
            tissue = _tissue(vessel, prepared.lumen_hu, rows, soft, radius, lumen, wall)
        else:
            tissue = hu
        is_low = ~is_calcified & (tissue < profile.low_attenuation_below)
        out["calcified"][rows] = (volume * is_calcified).sum((1, 2))
        out["low_attenuation"][rows] = (volume * is_low).sum((1, 2))
        if profile.four_classes:
            out["necrotic_core"][rows] = (volume * (~is_calcified & (hu <= 75))).sum((1, 2))
            out["fibrofatty"][rows] = (volume * (~is_calcified & (hu > 75) & (hu <= 130))).sum((1, 2))
            out["fibrous"][rows] = (volume * (~is_calcified & (hu > 130))).sum((1, 2))
        third = DEPTHS // 3
        core = (is_low & contours.plaque[rows][..., None])[..., :-third].sum((1, 2))
        marked = np.maximum(contours.plaque[rows].sum(1) * (DEPTHS - third), 1)
        rim = np.where(contours.plaque[rows][..., None], tissue, np.nan)[..., -third:]
        ring = np.nanmedian(rim.reshape(len(rows), -1), axis=1)
        napkin[rows] = (core > 0.3 * marked) & (ring > 60) & (ring < 190)
    for section, mask in contours.masks.items():
        region = mask == 3
        jacobian = (
            1 - (vessel.curvature[section, 0] * _U + vessel.curvature[section, 1] * _V)
        ) * SPACING_ACROSS**2
        hu_section = vessel.hu[section]
        is_calcified = hu_section >= limit[section]
        out["calcified"][section] = (jacobian * (region & is_calcified)).sum()
        out["low_attenuation"][section] = (
            jacobian * (region & ~is_calcified & (hu_section < profile.low_attenuation_below))
        ).sum()
        if profile.four_classes:
            soft_region = region & ~is_calcified
            out["necrotic_core"][section] = (jacobian * (soft_region & (hu_section <= 75))).sum()
            out["fibrofatty"][section] = (
                jacobian * (soft_region & (hu_section > 75) & (hu_section <= 130))
            ).sum()
            out["fibrous"][section] = (jacobian * (soft_region & (hu_section > 130))).sum()
    return Composition(**out, napkin_ring=napkin)


def composition_map(
    vessel: StraightenedVessel, contours: VesselContours, profile: CompositionProfile
) -> np.ndarray:
    """Return what the viewer lays over the image: (S, 64, 64) uint8, 0 none, 1 low-attenuation, 2 non-calcified, 3 calcified."""
    from inference.contours import label_map

    out = np.zeros(vessel.hu.shape, np.uint8)
    plaque = label_map(contours) == 3
    rows = np.flatnonzero(plaque.any((1, 2)))
    if not len(rows):
        return out
    prepared = prepare(vessel, contours, profile)
    limit = prepared.limit[rows][:, None, None]
    hu = vessel.hu[rows]
    where = plaque[rows]
    tissue = hu.astype(np.float32)
    if profile.corrected and len(prepared.rows):
        polar_rows = prepared.rows
        lumen = contours.lumen_radius[polar_rows].astype(float)
        wall = contours.wall_radius[polar_rows].astype(float)
        depth = (np.arange(DEPTHS) + 0.5) / DEPTHS
        radius = lumen[..., None] + (wall - lumen)[..., None] * depth
        index = np.arange(len(polar_rows))[:, None, None]
        soft = _sample(prepared.smooth, index, radius * COS[:, None], radius * SIN[:, None])
        polar = _tissue(vessel, prepared.lumen_hu, polar_rows, soft, radius, lumen, wall)
        place_of = np.full(vessel.sections, -1)
        place_of[polar_rows] = np.arange(len(polar_rows))
        section, r, c = np.nonzero(where & (place_of[rows] >= 0)[:, None, None])
        own = place_of[rows[section]]
        angle = np.rint(PIXEL_ANGLE[r, c] / STEP_ANGLE).astype(int) % lumen.shape[1]
        lo, hi = lumen[own, angle], wall[own, angle]
        place = (PIXEL_RADIUS[r, c] - lo) / np.maximum(hi - lo, 1e-3) * DEPTHS
        tissue[section, r, c] = polar[own, angle, np.clip(place.astype(int), 0, DEPTHS - 1)]
    out[rows] = np.where(
        where, np.where(hu >= limit, 3, np.where(tissue < profile.low_attenuation_below, 1, 2)), 0
    )
    return out
