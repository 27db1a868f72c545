"""Axial, coronal and sagittal planes of a volume in radiological convention, at one scale in both directions.

The volume's own axes are matched to the patient's by the largest component of each (LPS); a tilted volume is
shown along its own axes, and the page says by how much it is tilted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from inference.scan import Volume

# plane → letters at the screen's left, right, top, bottom
LETTERS: dict[str, tuple[str, str, str, str]] = {
    "axial": ("R", "L", "A", "P"),
    "coronal": ("R", "L", "H", "F"),
    "sagittal": ("A", "P", "H", "F"),
}
_ACROSS = {"axial": 2, "coronal": 1, "sagittal": 0}


@dataclass(frozen=True)
class Oriented:
    """A view of a volume whose axes run towards head, back and left.

    hu : (head, back, left) int16
    spacing : mm along head, back, left
    tilt_degrees : largest angle between an axis of the volume and the patient's axis that it stands for
    """

    hu: np.ndarray
    spacing: tuple[float, float, float]
    tilt_degrees: float

    def count(self, plane: str) -> int:
        """Return how many planes of this kind there are."""
        return int(self.hu.shape[2 - _ACROSS[plane]])


def orient(volume: Volume) -> Oriented:
    """Turn and flip the volume (without copying) so that its axes run towards head, back and left."""
    directions = np.asarray(volume.affine, dtype=float)[:3, :3]  # columns: i, j, k in LPS mm
    lengths = np.linalg.norm(directions, axis=0)
    cosines = directions / lengths
    # For each patient axis L, P, S the index axis that follows it best, each index axis used once.
    best: dict[int, int] = {}
    strength = np.abs(cosines).copy()
    for _ in range(3):
        patient, index = np.unravel_index(int(np.argmax(strength)), (3, 3))
        best[int(patient)] = int(index)
        strength[patient, :] = -1
        strength[:, index] = -1
    hu = volume.hu.transpose([2 - best[axis] for axis in (2, 1, 0)])  # array axes are k, j, i
    flips = tuple(
        slice(None, None, -1) if cosines[axis, best[axis]] < 0 else slice(None) for axis in (2, 1, 0)
    )
    tilt = max(float(np.degrees(np.arccos(min(1.0, abs(cosines[axis, best[axis]]))))) for axis in range(3))
    head, back, left = (float(lengths[best[axis]]) for axis in (2, 1, 0))
    return Oriented(hu=hu[flips], spacing=(head, back, left), tilt_degrees=tilt)


def plane_hu(oriented: Oriented, plane: str, index: int) -> np.ndarray:
    """Return the HU of one plane as it is shown: (rows, columns), row 0 at the top.

    ``index`` counts from the feet (axial), the front (coronal) or the right (sagittal).
    """
    if plane == "axial":
        return oriented.hu[index]
    if plane == "coronal":
        return oriented.hu[::-1, index, :]
    return oriented.hu[::-1, :, index]


def _in_plane_spacing(oriented: Oriented, plane: str) -> tuple[float, float]:
    head, back, left = oriented.spacing
    return {"axial": (back, left), "coronal": (head, left), "sagittal": (head, back)}[plane]


def render(
    oriented: Oriented, plane: str, index: int, *, window: float, level: float, largest: int = 512
) -> np.ndarray:
    """Return one plane as uint8, square pixels, at most ``largest`` pixels long, linear between voxels.

    HU is interpolated first and windowed after.
    """
    hu = plane_hu(oriented, plane, index).astype(np.float32)
    row_mm, column_mm = _in_plane_spacing(oriented, plane)
    height, width = hu.shape[0] * row_mm, hu.shape[1] * column_mm
    pixel = max(min(row_mm, column_mm), height / largest, width / largest)
    hu = _resample(hu, size=max(1, round(height / pixel)), axis=0)
    hu = _resample(hu, size=max(1, round(width / pixel)), axis=1)
    grey = (hu - (level - window / 2)) / window
    return (np.clip(grey, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _resample(values: np.ndarray, *, size: int, axis: int) -> np.ndarray:
    """Resample one axis linearly to ``size`` samples over the same extent (centres aligned)."""
    count = values.shape[axis]
    if size == count:
        return values
    at = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, count - 1)
    weight = (at - low).astype(np.float32)
    weight = weight[:, None] if axis == 0 else weight[None, :]
    return np.take(values, low, axis=axis) * (1 - weight) + np.take(values, high, axis=axis) * weight
