"""The truth of one vessel as a table: radii by arc length and angle, composition also by depth.

Rows are every 0.25 mm along the vessel, columns 64 angles about the lumen centreline (angle 0 on ``u``,
counter-clockwise towards ``v``), and the wall between lumen and outer border has 12 layers of equal thickness.
Every area and volume integrates exactly over these cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .curve import STEP_MM, Curve

ANGLES = 64
LAYERS = 12
FIBROUS, LIPID, CALCIUM = 0, 1, 2
LOW_ATTENUATION_HU, CALCIFIED_HU = 30.0, 350.0


@dataclass(frozen=True)
class TrueLesion:
    """One lesion of the table: its extent and what was asked of it."""

    number: int
    start_mm: float
    end_mm: float
    composition: str


@dataclass(frozen=True)
class VesselTable:
    """Truth of one vessel in patient space.

    lumen, wall : (n, 64) float32 mm about the true centreline; plaque : (n, 64) bool;
    hu : (n, 64, 12) float32 of the wall tissue; lumen_hu : (n,) float32; lesions count from 1.
    calcium : (n, 64, 12) float32 mg hydroxyapatite per cc, where the image is made of materials.
    """

    name: str
    curve: Curve
    lumen: NDArray[np.float32]
    wall: NDArray[np.float32]
    plaque: NDArray[np.bool_]
    hu: NDArray[np.float32]
    lumen_hu: NDArray[np.float32]
    normal_wall_mm: NDArray[np.float32]
    lesions: tuple[TrueLesion, ...]
    segment: tuple[str, ...]
    tracked: bool = True
    calcium: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        n = len(self.curve.points)
        if (
            self.lumen.shape != (n, ANGLES)
            or self.wall.shape != (n, ANGLES)
            or self.hu.shape != (n, ANGLES, LAYERS)
        ):
            raise ValueError(f"{self.name}: the table must have {n} rows and {ANGLES} angles")
        if (self.lumen < 0).any() or (self.wall < self.lumen).any():
            raise ValueError(f"{self.name}: 0 <= lumen <= wall does not hold")

    def rows(self, start_mm: float, end_mm: float) -> slice:
        """The rows of an extent, ends included."""
        return slice(round(start_mm / STEP_MM), round(end_mm / STEP_MM) + 1)

    def cell_volumes(self) -> NDArray[np.float64]:
        """(n, 64, 12) mm³ of every wall cell: ∫∫ (1 − κ·r) r dr dθ ds in closed form over radius."""
        edge = np.linspace(0, 1, LAYERS + 1)
        r = self.lumen[..., None] + (self.wall - self.lumen)[..., None].astype(np.float64) * edge
        return self._sector(r[..., :-1], r[..., 1:])

    def lumen_volumes(self) -> NDArray[np.float64]:
        """(n, 64) mm³ inside the lumen."""
        return self._sector(
            np.zeros_like(self.lumen, dtype=float)[..., None], self.lumen.astype(float)[..., None]
        )[..., 0]

    def vessel_volumes(self) -> NDArray[np.float64]:
        """(n, 64) mm³ inside the outer wall."""
        return self._sector(
            np.zeros_like(self.wall, dtype=float)[..., None], self.wall.astype(float)[..., None]
        )[..., 0]

    def _sector(self, inner: NDArray[np.float64], outer: NDArray[np.float64]) -> NDArray[np.float64]:
        angle = 2 * np.pi * np.arange(ANGLES) / ANGLES
        k = self.curve.curvature
        bend = (k[:, :1] * np.cos(angle) + k[:, 1:] * np.sin(angle))[..., None]
        flat = (outer**2 - inner**2) / 2
        return (flat - bend * (outer**3 - inner**3) / 3) * STEP_MM * (2 * np.pi / ANGLES)

    def lumen_area(self) -> NDArray[np.float64]:
        """(n,) mm²."""
        return np.asarray((self.lumen.astype(float) ** 2).sum(1) * np.pi / ANGLES)

    def wall_area(self) -> NDArray[np.float64]:
        """(n,) mm² inside the outer wall."""
        return np.asarray((self.wall.astype(float) ** 2).sum(1) * np.pi / ANGLES)


@njit(cache=True, fastmath=True)
def locate(x, y, z, points, tangent, u, v, near):  # type: ignore[no-untyped-def]
    """Nearest row to a point, walking downhill from ``near``: (row, arc length in rows, du, dv)."""
    n = points.shape[0]
    i = near
    best = (x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2 + (z - points[i, 2]) ** 2
    while i + 1 < n:
        d = (x - points[i + 1, 0]) ** 2 + (y - points[i + 1, 1]) ** 2 + (z - points[i + 1, 2]) ** 2
        if d >= best:
            break
        best = d
        i += 1
    while i > 0:
        d = (x - points[i - 1, 0]) ** 2 + (y - points[i - 1, 1]) ** 2 + (z - points[i - 1, 2]) ** 2
        if d >= best:
            break
        best = d
        i -= 1
    ax, ay, az = x - points[i, 0], y - points[i, 1], z - points[i, 2]
    t = ax * tangent[i, 0] + ay * tangent[i, 1] + az * tangent[i, 2]
    du = ax * u[i, 0] + ay * u[i, 1] + az * u[i, 2]
    dv = ax * v[i, 0] + ay * v[i, 1] + az * v[i, 2]
    return i, i + t / STEP_MM, du, dv


@njit(cache=True, fastmath=True)
def radii_at(row, angle, lumen, wall):  # type: ignore[no-untyped-def]
    """Bilinear lumen and wall radius at a fractional row and an angle (rad)."""
    n, m = lumen.shape
    r = min(max(row, 0.0), n - 1.0001)
    i = int(r)
    f = r - i
    a = angle / (2 * np.pi) * m
    if a < 0:
        a += m
    j = int(a)
    g = a - j
    j = j % m
    k = (j + 1) % m
    lo = (1 - f) * ((1 - g) * lumen[i, j] + g * lumen[i, k]) + f * (
        (1 - g) * lumen[i + 1, j] + g * lumen[i + 1, k]
    )
    hi = (1 - f) * ((1 - g) * wall[i, j] + g * wall[i, k]) + f * (
        (1 - g) * wall[i + 1, j] + g * wall[i + 1, k]
    )
    return lo, hi


@njit(cache=True, fastmath=True)
def nearest_row(x, y, z, points):  # type: ignore[no-untyped-def]
    """The nearest row of all to one point, searching every fourth first."""
    best, at = 1e30, 0
    for i in range(0, points.shape[0], 4):
        d = (x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2 + (z - points[i, 2]) ** 2
        if d < best:
            best, at = d, i
    return at
