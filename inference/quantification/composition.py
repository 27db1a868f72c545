"""Which tissue plaque is made of, by HU and a named profile.

Calcium is judged on the image as it is, in every profile: on scans of other generators the mixing model's calcium is too
large (docs/validation-inference.md, composition profiles). Low attenuation is judged by ``corrected`` and ``adaptive`` on the tissue that
the model finds between the contours (``tissue``): a blurred border with fat is none. At the border of a low-attenuation
core with fibrous plaque a voxel mixes those two; it belongs to the core from half-way on, never below the profile's limit.
``fixed`` and ``qangio`` judge it on the image as well. Mass and volume of calcium without a threshold: ``calcium``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np

from inference.composition_profiles import CompositionProfile
from inference.contours import PIXEL_U, PIXEL_V, VesselContours, label_map
from inference.quantification.calcium import Calcium, measure_calcium
from inference.quantification.imaging import UNKNOWN, Imaging
from inference.quantification.sections import COS, SIN, STEP_ANGLE, lumen_attenuation, shifted
from inference.quantification.tissue import STEADY_HU, TissueMap, unmix
from inference.sampling import bilinear_flat
from inference.section_grid import PIXELS, SPACING_ACROSS, SPACING_ALONG
from inference.straightening import StraightenedVessel

DEPTHS = 12  # cells from the lumen to the outer wall; sums do not hang on it, sampling does
CORE_HU = 10.0  # a low-attenuation core's usual HU, for the half-way value
FIBROUS_MM = 3.0  # plaque within so far along the vessel says what fibrous plaque measures here
NAPKIN_CORE_SHARE = 0.3  # of the wall's inner part that is low attenuation; by hand, no figure was kept
NAPKIN_RIM_HU = (
    60.0,
    130.0,
)  # Maurovich-Horvat et al., JACC Cardiovasc Imaging 2012;5:1243: a rim up to 130 HU
CLASSES = ("calcified", "low_attenuation", "necrotic_core", "fibrofatty", "fibrous")


@dataclass(frozen=True)
class Composition:
    """Volumes per mm of path (S,), mm³/mm, with the Jacobian; ``napkin_ring`` (S,) bool; ``calcium`` without a threshold."""

    calcified: np.ndarray
    low_attenuation: np.ndarray
    necrotic_core: np.ndarray
    fibrofatty: np.ndarray
    fibrous: np.ndarray
    napkin_ring: np.ndarray
    calcium: Calcium


def calcified_limit(
    vessel: StraightenedVessel,
    lumen: np.ndarray,
    profile: CompositionProfile,
    aortic_sd_hu: float | None = None,
) -> np.ndarray:
    """Return each section's calcified limit (S,), HU.

    Profile ``adaptive`` raises it with the lumen's HU (S,) to m(s) + 2σ: m(s) the lumen's mean over ±5 mm, σ the SD of
    the aortic region. Where no aortic region is given the spread of the most proximal 10 mm of lumen stands for σ.
    """
    limit = np.full(vessel.sections, profile.calcified_from)
    if profile.adaptive and np.isfinite(lumen).any():
        width = round(5.0 / SPACING_ALONG)
        filled = np.where(np.isfinite(lumen), lumen, np.nanmedian(lumen))
        mean = np.convolve(
            np.pad(filled, width, mode="edge"), np.ones(2 * width + 1) / (2 * width + 1), "valid"
        )
        sd = (
            float(np.std(filled[: max(3, int(10 / SPACING_ALONG))])) if aortic_sd_hu is None else aortic_sd_hu
        )
        limit = np.maximum(limit, mean + 2 * sd)
    return limit


@dataclass(frozen=True)
class Prepared:
    """What does not change when contours are moved by 0.1 mm: made once a vessel.

    ``rows``: sections with plaque and without a mask; ``with_mask``: sections whose mask has plaque.
    ``lumen_hu``, ``limit`` (S,): HU of each lumen core, and the calcified limit. ``blur_mm``: SD of the image's blur.
    """

    rows: np.ndarray
    with_mask: tuple[int, ...]
    lumen_hu: np.ndarray
    limit: np.ndarray
    blur_mm: float

    @property
    def sections(self) -> np.ndarray:
        """All sections with plaque, rising."""
        return np.union1d(self.rows, np.array(self.with_mask, int))


def prepare(
    vessel: StraightenedVessel,
    contours: VesselContours,
    profile: CompositionProfile,
    imaging: Imaging = UNKNOWN,
) -> Prepared:
    """Find where there is plaque, the lumen's HU and the calcified limit (S,)."""
    polar = contours.plaque.any(1) & (contours.wall_radius.max(1) > 0)
    polar[list(contours.masks)] = False
    with_mask = tuple(s for s in sorted(contours.masks) if (contours.masks[s] == 3).any())
    lumen_hu = lumen_attenuation(vessel, contours)
    limit = calcified_limit(vessel, lumen_hu, profile, imaging.aortic_sd_hu)
    return Prepared(np.flatnonzero(polar), with_mask, lumen_hu, limit, imaging.blur_mm)


@numba.njit(cache=True, nogil=True)
def _cells(rows, lumen, wall, plaque, bend, cos, sin, hu, place, steady, corrected, spacing):  # type: ignore[no-untyped-def]
    """Volume per mm, HU that tells calcium and HU that tells low attenuation of every plaque cell.

    Returns three (rows, 64, depths) arrays; cells that are not plaque have volume 0 and HU 0.
    """
    angles = len(cos)
    volume = np.zeros((len(rows), angles, DEPTHS))
    dense = np.zeros((len(rows), angles, DEPTHS), np.float32)
    tissue = np.zeros((len(rows), angles, DEPTHS), np.float32)
    middle = (hu.shape[1] - 1) / 2
    own_middle = (steady.shape[1] - 1) / 2
    for i in range(len(rows)):
        s = rows[i]
        for k in range(angles):
            if not plaque[s, k]:
                continue
            inner, thick = lumen[s, k], wall[s, k] - lumen[s, k]
            along = bend[s, 0] * cos[k] + bend[s, 1] * sin[k]
            for d in range(DEPTHS):
                r = inner + thick * (d + 0.5) / DEPTHS
                # ∫ (1 − κ·u) r dr over the cell, exactly.
                step = thick / DEPTHS
                volume[i, k, d] = STEP_ANGLE * step * (r - along * (r * r + step * step / 12))
                x, y = r * cos[k] / spacing, r * sin[k] / spacing
                dense[i, k, d] = bilinear_flat(hu[s], x + middle, y + middle)
                if corrected:
                    tissue[i, k, d] = bilinear_flat(steady[place[s]], x + own_middle, y + own_middle)
                else:
                    tissue[i, k, d] = dense[i, k, d]
    return volume, dense, tissue


@numba.njit(cache=True, nogil=True)
def _sums(volume, dense, tissue, calcified, low, core_share, rim_hu):  # type: ignore[no-untyped-def]
    """Sum volumes per class (rows, 5) in the order of ``CLASSES``, and tell napkin-ring sections (rows,)."""
    rows, angles, depths = volume.shape
    out = np.zeros((rows, 5))
    napkin = np.zeros(rows, np.bool_)
    rim = np.empty(angles * depths)
    third = depths // 3
    for i in range(rows):
        core, marked, n = 0, 0, 0
        for k in range(angles):
            if volume[i, k, depths - 1] == 0.0:
                continue
            marked += depths - third
            for d in range(depths):
                v, hu = volume[i, k, d], dense[i, k, d]
                is_low = False
                if hu >= calcified[i]:
                    out[i, 0] += v
                else:
                    is_low = tissue[i, k, d] < low[i]
                    if is_low:
                        out[i, 1] += v
                    out[i, 2 if hu <= 75 else 3 if hu <= 130 else 4] += v
                if d < depths - third:
                    core += is_low
                else:
                    rim[n] = dense[i, k, d]
                    n += 1
        if n and core > core_share * max(marked, 1):
            middle = np.median(rim[:n])
            napkin[i] = rim_hu[0] < middle <= rim_hu[1]
    return out, napkin


def _low_limit(rows: np.ndarray, volume: np.ndarray, tissue: np.ndarray, limit: float) -> np.ndarray:
    """Return the HU (rows,) below which corrected tissue belongs to a low-attenuation core.

    Half-way between a core and the plaque around it (the median of all plaque within 3 mm along the vessel), and at
    least the profile's limit.
    """
    width = 2.0
    low, high = STEADY_HU
    bins = int((high - low) / width)
    first, last = int(rows[0]), int(rows[-1])
    where = volume > 0
    row = np.broadcast_to((rows - first)[:, None, None], volume.shape)[where]
    column = np.clip(((tissue[where] - low) / width).astype(int), 0, bins - 1)
    counts = np.bincount(row * bins + column, minlength=(last - first + 1) * bins).reshape(-1, bins)
    reach = round(FIBROUS_MM / SPACING_ALONG)
    total = np.cumsum(np.pad(counts, ((reach + 1, reach), (0, 0))), axis=0)
    near = (total[2 * reach + 1 :] - total[: -2 * reach - 1])[rows - first]
    below = np.cumsum(near, axis=1)
    half = below[:, -1:] / 2
    column = (below >= half).argmax(1)
    inside = np.take_along_axis(near, column[:, None], 1)[:, 0]
    before = np.take_along_axis(below, column[:, None], 1)[:, 0] - inside
    fibrous = low + width * (column + (half[:, 0] - before) / np.maximum(inside, 1e-9))
    return np.asarray(np.maximum(limit, (fibrous + CORE_HU) / 2))


_NO_MAP = TissueMap(np.empty(0, int), 1, np.zeros((1, 2, 2), np.float32))


@dataclass(frozen=True)
class _Judged:
    """Plaque cells of the polar sections, the tissue map, and the limit of low attenuation (S,)."""

    volume: np.ndarray
    dense: np.ndarray
    tissue: np.ndarray
    map: TissueMap
    low: np.ndarray
    corrected: bool


def _judge(
    vessel: StraightenedVessel,
    contours: VesselContours,
    profile: CompositionProfile,
    prepared: Prepared,
    by_mm: float,
) -> _Judged:
    """Sample every plaque cell with both contours moved by ``by_mm``."""
    lumen, wall = shifted(contours, by_mm)
    tissue_map = _NO_MAP
    if len(prepared.sections):
        tissue_map = unmix(
            vessel, contours, lumen, wall, prepared.sections, prepared.lumen_hu, prepared.blur_mm
        )
    cells = _cells(
        prepared.rows,
        lumen,
        wall,
        contours.plaque,
        vessel.curvature,
        COS,
        SIN,
        vessel.hu,
        tissue_map.place,
        tissue_map.steady,
        profile.corrected,
        SPACING_ACROSS,
    )
    low = np.full(vessel.sections, profile.low_attenuation_below)
    if profile.corrected and len(prepared.rows):
        found = _low_limit(prepared.rows, cells[0], cells[2], profile.low_attenuation_below)
        low = np.interp(np.arange(vessel.sections), prepared.rows, found)
    volume, dense, tissue = cells
    return _Judged(volume, dense, tissue, tissue_map, low, profile.corrected)


def _pixels(vessel: StraightenedVessel, judged: _Judged, section: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what tells calcium and low attenuation on one section's pixels (64, 64), HU."""
    seen = vessel.hu[section].astype(np.float32)
    if not judged.corrected:
        return seen, seen
    half, at = judged.map.half, judged.map.place[section]
    crop = slice(PIXELS // 2 - half, PIXELS // 2 + half)
    tissue = np.full((PIXELS, PIXELS), np.inf, np.float32)
    tissue[crop, crop] = judged.map.steady[at]
    return seen, tissue


def measure_composition(
    vessel: StraightenedVessel,
    contours: VesselContours,
    profile: CompositionProfile,
    prepared: Prepared,
    by_mm: float = 0.0,
) -> Composition:
    """Split plaque by HU in every section with plaque, with both contours moved by ``by_mm``."""
    n = vessel.sections
    out = np.zeros((n, len(CLASSES)))
    napkin = np.zeros(n, bool)
    judged = _judge(vessel, contours, profile, prepared, by_mm)
    rows = prepared.rows
    out[rows], napkin[rows] = _sums(
        judged.volume,
        judged.dense,
        judged.tissue,
        prepared.limit[rows],
        judged.low[rows],
        NAPKIN_CORE_SHARE,
        NAPKIN_RIM_HU,
    )
    for section in prepared.with_mask:
        region = contours.masks[section] == 3
        bend = vessel.curvature[section]
        volume = ((1 - (bend[0] * PIXEL_U + bend[1] * PIXEL_V)) * SPACING_ACROSS**2)[region]
        dense, tissue = (image[region] for image in _pixels(vessel, judged, section))
        is_calcified = dense >= prepared.limit[section]
        bounds = (-np.inf, 75, 130, np.inf)
        classes = [is_calcified, ~is_calcified & (tissue < judged.low[section])]
        classes += [~is_calcified & (dense > a) & (dense <= b) for a, b in pairwise(bounds)]
        out[section] = [volume[one].sum() for one in classes]
    calcium = measure_calcium(vessel, contours, judged.map.mixtures)
    return Composition(*out.T, napkin, calcium)  # type: ignore[call-arg]


@dataclass(frozen=True)
class PlaqueCells:
    """Tissue of plaque, cell by cell: 0 no plaque, 1 low-attenuation, 2 other non-calcified, 3 calcified.

    Parameters
    ----------
    rows : (R,) sections in polar form that have plaque.
    tissue : (R, 64, 12) uint8, by angle and by depth from the lumen to the outer wall in equal steps.
    masks : section → (64, 64) uint8, for sections in pixels.
    """

    rows: np.ndarray
    tissue: np.ndarray
    masks: dict[int, np.ndarray]


def plaque_cells(
    vessel: StraightenedVessel,
    contours: VesselContours,
    profile: CompositionProfile,
    imaging: Imaging = UNKNOWN,
) -> PlaqueCells:
    """Return the tissue of the cells that ``measure_composition`` sums, as it judges them."""
    prepared = prepare(vessel, contours, profile, imaging)
    judged = _judge(vessel, contours, profile, prepared, 0.0)
    rows = prepared.rows
    limit, low = prepared.limit[rows][:, None, None], judged.low[rows][:, None, None]
    tissue = np.where(judged.dense >= limit, 3, np.where(judged.tissue < low, 1, 2)) * (judged.volume > 0)
    masks = {
        section: _pixel_tissue(vessel, judged, prepared, section, contours.masks[section] == 3)
        for section in prepared.with_mask
    }
    return PlaqueCells(rows, tissue.astype(np.uint8), masks)


def _pixel_tissue(
    vessel: StraightenedVessel, judged: _Judged, prepared: Prepared, section: int, plaque: np.ndarray
) -> np.ndarray:
    """Tissue (64, 64) uint8 of one section's plaque pixels, coded as in ``PlaqueCells``."""
    dense, tissue = _pixels(vessel, judged, section)
    soft = np.where(tissue < judged.low[section], 1, 2)
    return np.where(plaque, np.where(dense >= prepared.limit[section], 3, soft), 0).astype(np.uint8)


def composition_map(
    vessel: StraightenedVessel,
    contours: VesselContours,
    profile: CompositionProfile,
    imaging: Imaging = UNKNOWN,
) -> np.ndarray:
    """Return what the viewer lays over the image: (S, 64, 64) uint8, 0 none, 1 low-attenuation, 2 non-calcified, 3 calcified."""
    out = np.zeros(vessel.hu.shape, np.uint8)
    prepared = prepare(vessel, contours, profile, imaging)
    judged = _judge(vessel, contours, profile, prepared, 0.0)
    rows = prepared.sections.tolist()
    near = VesselContours(
        contours.lumen_radius[rows],
        contours.wall_radius[rows],
        contours.plaque[rows],
        {n: contours.masks[section] for n, section in enumerate(rows) if section in contours.masks},
    )
    for section, plaque in zip(rows, label_map(near) == 3, strict=True):
        out[section] = _pixel_tissue(vessel, judged, prepared, section, plaque)
    return out
