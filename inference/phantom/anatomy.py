"""A heart to hang coronary arteries on: an ellipsoid, chambers and great vessels.

The heart frame has its third axis from apex to base, its first towards the anterior interventricular groove.
All positions are patient LPS mm; the heart's centre is the origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .scenario import Scenario

Array = NDArray[np.float64]
LUNG_HU = -860.0


@dataclass(frozen=True)
class Body:
    """One ellipsoid to paint: ``|matrix (x - centre)| <= 1``; ``above_base`` keeps it out of the base plane."""

    centre: Array
    matrix: Array
    hu: float
    reach_mm: float
    mixing_hu: float = 0.0


@dataclass(frozen=True)
class Heart:
    """Frame (3, 3) of row axes, semi-axes mm, surface waves, fat thickness and what is painted."""

    frame: Array
    axes: Array
    waves: Array
    fat_mm: float
    base_mm: float
    aorta_from: Array
    aorta_to: Array
    aorta_mm: float
    muscle_hu: float
    fat_hu: float
    blood_hu: float
    bodies: tuple[Body, ...]

    def surface(self, lat: Array, lon: Array, depth_mm: Array | float = 0.0) -> Array:
        """Points on the myocardium's surface (radians) or ``depth_mm`` outside it, LPS mm."""
        lat, lon = np.asarray(lat, float), np.asarray(lon, float)
        n = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
        radius = 1.0 / np.linalg.norm(n / self.axes, axis=-1)
        for k, m, size, phase in self.waves:
            radius = radius * (1.0 + size * np.cos(k * lon + phase) * np.cos(m * lat))
        return np.asarray((n * (radius + depth_mm)[..., None]) @ self.frame)


def ellipsoid(centre: Array, axes: Array, semi: Array, hu: float, mixing: float = 0.0) -> Body:
    """An ellipsoid of blood: half axes ``semi`` mm along the rows of ``axes``; ``mixing`` HU of uneven contrast."""
    return Body(
        centre=centre,
        matrix=axes / np.asarray(semi, float)[:, None],
        hu=hu,
        reach_mm=float(np.max(semi)) + 1.0,
        mixing_hu=mixing,
    )


def make_heart(rng: np.random.Generator, chosen: Scenario, contrast_hu: float) -> Heart:
    """Draw one heart."""
    k = chosen.heart_scale
    up = -np.array([0.62, -0.55, -0.56]) + rng.normal(0, 0.08, 3)
    up /= np.linalg.norm(up)
    front = np.array([0.3, -0.8, 0.5]) + rng.normal(0, 0.08, 3)
    front -= (front @ up) * up
    front /= np.linalg.norm(front)
    left = np.cross(up, front)
    frame = np.stack([front, left, up])
    axes = k * np.array([rng.uniform(36, 42), rng.uniform(37, 43), rng.uniform(44, 52)])
    waves = np.array(
        [
            [j, m, rng.uniform(0.004, 0.02), rng.uniform(0, 2 * np.pi)]
            for j, m in ((2, 1), (3, 2), (4, 3), (5, 1))
        ]
    )
    blood = contrast_hu * rng.uniform(0.98, 1.04)
    right = contrast_hu * rng.uniform(0.35, 0.95)
    direction = 0.45 * up + np.array([-0.15, 0.05, 0.85])
    direction /= np.linalg.norm(direction)
    aorta_from = (4.0 * front + 0.30 * axes[2] / k * up) * k
    base = 0.46 * axes[2]

    def at(a: float, b: float, c: float) -> Array:
        return k * (a * front + b * left + c * up)

    mix = float(rng.uniform(4, 16))
    wall = rng.uniform(8, 12)
    bodies = (
        ellipsoid(np.array([0.0, 86.0, 0.0]), np.eye(3), np.array([24.0, 22.0, 400.0]), 210.0),
        ellipsoid(np.array([24.0, 58.0, 10.0]), np.eye(3), np.array([12.0, 12.0, 300.0]), blood * 0.97, mix),
        ellipsoid(
            at(-20, 14, 34),
            frame,
            k * np.array([17.0, 21.0, 13.0]) * rng.uniform(0.9, 1.1),
            blood * 0.98,
            mix,
        ),
        ellipsoid(
            at(-6, -24, 26), frame, k * np.array([15.0, 12.0, 14.0]), right * rng.uniform(0.7, 1.1), mix * 2
        ),
        ellipsoid(
            at(10, -20, 4), frame, k * np.array([15.0, 11.0, 27.0]) * rng.uniform(0.9, 1.05), right, mix * 2
        ),
        ellipsoid(
            at(-2, 7, -4),
            frame,
            np.array([axes[0] - wall - 8 * k, axes[1] - wall - 9 * k, axes[2] - 14 * k]),
            blood,
            mix,
        ),
        ellipsoid(at(22, 2, 46), np.eye(3), k * np.array([11.0, 11.0, 26.0]), right * 1.02, mix),
    )
    return Heart(
        frame=frame,
        axes=axes,
        waves=waves,
        fat_mm=rng.uniform(*chosen.fat_mm) * k,
        base_mm=base,
        aorta_from=aorta_from,
        aorta_to=aorta_from + 90.0 * direction,
        aorta_mm=k * rng.uniform(13.5, 16.0),
        muscle_hu=rng.uniform(*chosen.muscle_hu),
        fat_hu=rng.uniform(*chosen.fat_hu),
        blood_hu=blood,
        bodies=bodies,
    )
