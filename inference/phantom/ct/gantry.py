"""A third-generation scanner: a source and an arc of cells that turn about the isocentre, and what they blur."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0

from inference.phantom.grid import Grid

Array = NDArray[np.float64]

# Lengths of a common cardiac scanner, mm; cells are measured at the isocentre.
SOURCE_MM = 600.0
DETECTOR_MM = 1085.0
CELL_MM = 0.55
RAYS = 3  # rays across a cell, whose intensities are averaged: 0.18 mm apart at the isocentre
QUARTER = 0.25  # cells by which the detector lies off centre, so that opposite views interleave
SPARE = 6  # cells beyond the grid's shadow
UP = 2  # samples per cell after filtering
BETWEEN = 0.9  # mean cosine of rays to the nearer axis (1 … 0.71): how far apart pixels lie across a ray
SHAPE = 3.08  # exponent of the modulation: 50 % lies at 0.677 of where 10 % lies, as kernels of cardiac CT have it


@dataclass(frozen=True)
class Gantry:
    """Views of a turn about the middle of a grid; ``focal_mm`` is the focal spot's width, ``mtf10_lp_mm`` the kernel.

    cells : of the shadow of the grid; what lies outside it is known and needs none.
    """

    shape: tuple[int, int]
    pixel_mm: float
    views: int
    focal_mm: float
    mtf10_lp_mm: float

    @classmethod
    def around(cls, grid: Grid, *, views: int, focal_mm: float, mtf10_lp_mm: float) -> Gantry:
        """The gantry whose isocentre is the middle of this grid."""
        return cls(grid.shape[1:], grid.pixel_mm, views, focal_mm, mtf10_lp_mm)

    def __post_init__(self) -> None:
        if 0.5 * np.hypot(*self.shape) * self.pixel_mm > 0.45 * SOURCE_MM:
            raise ValueError("the grid is larger than a gantry's field of view; crop it to the heart")
        if self.mtf10_lp_mm >= 0.5 / CELL_MM:
            raise ValueError(
                f"10 % of modulation must lie below {0.5 / CELL_MM:.2f} lp/mm, what the cells resolve"
            )

    @property
    def cell_rad(self) -> float:
        """Angle between cells, seen from the source."""
        return CELL_MM / SOURCE_MM

    @property
    def cells(self) -> int:
        """Number of cells."""
        reach = np.arcsin(0.5 * np.hypot(*self.shape) * self.pixel_mm / SOURCE_MM)
        return 2 * (int(np.ceil(reach / self.cell_rad)) + SPARE)

    @property
    def angles(self) -> Array:
        """(views,) rad of the source."""
        return np.asarray(np.arange(self.views) * 2 * np.pi / self.views, np.float64)

    @property
    def fan(self) -> Array:
        """(cells,) rad of each cell from the central ray."""
        return np.asarray((np.arange(self.cells) - 0.5 * (self.cells - 1) + QUARTER) * self.cell_rad)

    @property
    def fine_fan(self) -> Array:
        """(rays,) rad: ``RAYS`` a cell, and those that the focal spot adds beyond the first and the last."""
        more = len(self.ray_weights) // 2 - RAYS // 2
        n = self.cells * RAYS + 2 * more
        return (np.arange(n) - 0.5 * (n - 1) + QUARTER * RAYS) * self.cell_rad / RAYS

    @property
    def ray_weights(self) -> Array:
        """Weights of the rays about a cell's middle: its aperture, spread by the focal spot's shadow."""
        spot = self.focal_mm * (DETECTOR_MM - SOURCE_MM) / DETECTOR_MM / (CELL_MM / RAYS)
        half = max(0, int(np.ceil(0.5 * spot - 0.5)))
        at = np.abs(np.arange(-half, half + 1))
        blur = np.clip(0.5 * spot - at + 0.5, 0.0, 1.0)
        blur[half] = min(1.0, spot) if half == 0 else 1.0
        weights = np.convolve(np.ones(RAYS), blur / max(blur.sum(), 1e-9))
        return np.asarray(weights / weights.sum())

    def modulation(self, f: Array) -> Array:
        """What the kernel aims at: modulation at f lp/mm."""
        return modulation(f, self.mtf10_lp_mm)

    def blurred(self, f: Array) -> Array:
        """Modulation that focal spot and cell leave."""
        at = (np.arange(len(self.ray_weights)) - len(self.ray_weights) // 2) * CELL_MM / RAYS
        return np.asarray((self.ray_weights * np.cos(2 * np.pi * np.multiply.outer(f, at))).sum(-1))

    def sampled(self, f: Array) -> Array:
        """Modulation that the scene's pixels and the way between them leave."""
        return np.asarray(np.sinc(f * self.pixel_mm) * np.sinc(f * self.pixel_mm * BETWEEN) ** 2)

    def window(self, f: Array) -> Array:
        """What the ramp is multiplied by at f lp/mm so that the image has ``modulation``; 0 beyond the cells' limit."""
        lost = self.blurred(f) * self.sampled(f) * np.sinc(f * CELL_MM / UP) ** 2
        return np.where(f < 0.5 / CELL_MM, self.modulation(f) / np.maximum(lost, 0.05), 0.0)


def modulation(f: Array, mtf10_lp_mm: float) -> Array:
    """Modulation of a kernel at f lp/mm."""
    return np.asarray(0.1 ** ((np.abs(f) / mtf10_lp_mm) ** SHAPE))


def wire_mm(mtf10_lp_mm: float) -> float:
    """Full width at half maximum of a wire's image, mm."""
    f = np.linspace(0, 0.5 / CELL_MM, 400)
    r = np.linspace(0, 0.6 / mtf10_lp_mm, 400)
    profile = (f * modulation(f, mtf10_lp_mm) * j0(2 * np.pi * np.multiply.outer(r, f))).sum(1)
    return 2 * float(np.interp(-0.5 * profile[0], -profile, r))
