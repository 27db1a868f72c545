"""One read of one vessel → the CT's voxels that are lumen, wall, and each lesion's plaque.

A label takes as many voxels as its measured volume fills, those with the largest share first: the cut-off is near one
half on thick parts and lower on thin ones, where a fixed half would lose volume. Plaque chooses first, the lumen from
what is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.composition_profiles import CompositionProfile
from inference.contours import ANGLES
from inference.dicom.voxels import Cells, Grid, share_voxels
from inference.quantification import UNKNOWN, Imaging, Lesion, VesselRead, plaque_cells
from inference.quantification.composition import DEPTHS, PlaqueCells
from inference.quantification.measure import kept_sections
from inference.quantification.sections import spans
from inference.section_grid import PIXELS
from inference.straightening import StraightenedVessel

# Labels of cells; 0 is none.
LOW, OTHER, CALCIFIED = 1, 2, 3
LUMEN, WALL = 1, 2


@dataclass(frozen=True)
class LesionVoxels:
    """A lesion on the CT's grid; keys as in ``voxels.Shares``, rising.

    Parameters
    ----------
    number : the lesion's number along its vessel.
    plaque, calcified, low_attenuation : (N,) int64 keys; the last two are parts of the first and do not overlap.
    outside_mm3 : plaque volume that lies outside the scan.
    """

    number: int
    plaque: np.ndarray
    calcified: np.ndarray
    low_attenuation: np.ndarray
    outside_mm3: float

    @property
    def noncalcified(self) -> np.ndarray:
        """Plaque that is not calcified; it contains low-attenuation plaque."""
        return np.setdiff1d(self.plaque, self.calcified, assume_unique=True)


@dataclass(frozen=True)
class VesselVoxels:
    """A vessel on the CT's grid: ``lumen`` and ``wall`` (everything between the contours) do not overlap."""

    vessel: str
    lumen: np.ndarray
    wall: np.ndarray
    lesions: tuple[LesionVoxels, ...]


def voxelise(
    vessel: StraightenedVessel,
    read: VesselRead,
    profile: CompositionProfile,
    grid: Grid,
    *,
    imaging: Imaging = UNKNOWN,
) -> VesselVoxels:
    """Find the voxels of one vessel.

    Parameters
    ----------
    vessel, read, profile, imaging : as ``quantify`` takes them; excluded stretches are left out as there.
    grid : the CT's voxels.
    """
    kept = kept_sections(vessel, read) > 0
    tissue = plaque_cells(vessel, read.contours, profile, imaging)
    lesions = tuple(_lesion(vessel, read, lesion, tissue, kept, grid) for lesion in read.lesions)
    plaque = np.unique(np.concatenate([np.empty(0, np.int64), *(lesion.plaque for lesion in lesions)]))
    shares = share_voxels(vessel, _vessel_cells(read), _spans(vessel, 0.0, np.inf, kept), grid)
    both = shares.mm3[:, LUMEN] + shares.mm3[:, WALL]
    inside = _fullest(shares.keys, both, _count(both, grid), first=plaque)
    free = np.isin(shares.keys, np.setdiff1d(inside, plaque, assume_unique=True), assume_unique=True)
    lumen = shares.mm3[:, LUMEN]
    lumen_keys = _fullest(shares.keys[free], lumen[free], _count(lumen, grid))
    return VesselVoxels(
        vessel.vessel, lumen_keys, np.setdiff1d(inside, lumen_keys, assume_unique=True), lesions
    )


def _lesion(
    vessel: StraightenedVessel,
    read: VesselRead,
    lesion: Lesion,
    tissue: PlaqueCells,
    kept: np.ndarray,
    grid: Grid,
) -> LesionVoxels:
    span = _spans(vessel, lesion.start_mm, lesion.end_mm, kept)
    shares = share_voxels(vessel, _lesion_cells(read, tissue, span), span, grid)
    total = shares.mm3.sum(1)
    plaque = _fullest(shares.keys, total, _count(total, grid, least=1))
    mine = np.isin(shares.keys, plaque, assume_unique=True)
    calcified = _fullest(
        shares.keys[mine], shares.mm3[mine, CALCIFIED], _count(shares.mm3[:, CALCIFIED], grid)
    )
    soft = mine & ~np.isin(shares.keys, calcified, assume_unique=True)
    low = _fullest(shares.keys[soft], shares.mm3[soft, LOW], _count(shares.mm3[:, LOW], grid))
    return LesionVoxels(lesion.number, plaque, calcified, low, float(shares.outside.sum()))


def _spans(vessel: StraightenedVessel, start_mm: float, end_mm: float, kept: np.ndarray) -> np.ndarray:
    """Path (S, 2), mm, of each section inside [start, end]; empty where the section does not count."""
    out = spans(vessel, start_mm, end_mm)
    out[~kept, 1] = out[~kept, 0]
    return out


def _vessel_cells(read: VesselRead) -> Cells:
    """Two cells a ray: lumen and wall."""
    contours = read.contours
    masked = np.array(sorted(contours.masks), int)
    rows = np.setdiff1d(np.arange(contours.sections), masked)
    zero = np.zeros((len(rows), ANGLES))
    edges = np.stack([zero, contours.lumen_radius[rows], contours.wall_radius[rows]], axis=2)
    labels = np.broadcast_to(np.array([LUMEN, WALL], np.uint8), (*zero.shape, 2)).copy()
    masks = [np.minimum(contours.masks[section], WALL) for section in masked.tolist()]
    return Cells(rows, edges, labels, masked, _stack(masks))


def _lesion_cells(read: VesselRead, tissue: PlaqueCells, span: np.ndarray) -> Cells:
    """Twelve cells a ray from the lumen to the outer wall, in the sections that the lesion covers."""
    covered = span[:, 1] > span[:, 0]
    here = covered[tissue.rows]
    rows = tissue.rows[here]
    inner = read.contours.lumen_radius[rows].astype(float)[..., None]
    outer = read.contours.wall_radius[rows].astype(float)[..., None]
    edges = inner + (outer - inner) * np.arange(DEPTHS + 1) / DEPTHS
    masked = [section for section in sorted(tissue.masks) if covered[section]]
    masks = _stack([tissue.masks[section] for section in masked])
    return Cells(rows, edges, tissue.tissue[here], np.array(masked, int), masks)


def _stack(masks: list[np.ndarray]) -> np.ndarray:
    return np.stack(masks).astype(np.uint8) if masks else np.zeros((0, PIXELS, PIXELS), np.uint8)


def _count(mm3: np.ndarray, grid: Grid, *, least: int = 0) -> int:
    """Return how many voxels a label's volume (N,) fills; at least ``least`` where there is any of it."""
    total = float(mm3.sum())
    return max(round(total / grid.voxel_mm3), least) if total > 0 else 0


def _fullest(keys: np.ndarray, mm3: np.ndarray, count: int, *, first: np.ndarray | None = None) -> np.ndarray:
    """Return the ``count`` keys with the largest share, rising; keys in ``first`` come before all others."""
    order = np.argsort(-mm3, kind="stable")
    if first is not None and len(first):
        order = order[np.argsort(~np.isin(keys[order], first), kind="stable")]
        count = max(count, len(first))
    return np.sort(keys[order[:count]])
