"""The voxel grid of a phantom's scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .curve import Curve


@dataclass(frozen=True)
class Grid:
    """Axis-aligned grid in LPS: voxel (i, j, k) lies at origin + (i·pixel, j·pixel, k·slice)."""

    shape: tuple[int, int, int]  # slices, rows, columns
    origin: NDArray[np.float64]
    pixel_mm: float
    slice_mm: float

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4) voxel index (i, j, k) → LPS mm."""
        a = np.diag([self.pixel_mm, self.pixel_mm, self.slice_mm, 1.0])
        a[:3, 3] = self.origin
        return a

    @property
    def metadata(self) -> dict[str, object]:
        """What a volume on this grid says of itself."""
        slices, rows, columns = self.shape
        return {
            "slice_thickness_mm": self.slice_mm,
            "rows": rows,
            "columns": columns,
            "slices": slices,
            "spacing_mm": [self.pixel_mm, self.pixel_mm, self.slice_mm],
            "contrast": True,
            "simulated": True,
        }


def grid_around(curves: list[Curve], *, margin_mm: float, pixel_mm: float, slice_mm: float) -> Grid:
    """The grid that holds all curves and a margin."""
    points = np.concatenate([c.points for c in curves])
    low, high = points.min(0) - margin_mm, points.max(0) + margin_mm
    size = np.ceil((high - low) / [pixel_mm, pixel_mm, slice_mm]).astype(int) + 1
    return Grid(
        shape=(int(size[2]), int(size[1]), int(size[0])),
        origin=np.round(low, 3),
        pixel_mm=pixel_mm,
        slice_mm=slice_mm,
    )
