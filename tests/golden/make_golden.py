"""Write ``geometry.json``: numbers that Python and TypeScript must agree on. Run it after a deliberate change.

usage: python tests/golden/make_golden.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from inference.contours import ANGLES, VesselContours, label_map, move_contour, radius_at  # noqa: E402

PATH = Path(__file__).with_name("geometry.json")
MOVES = (
    {
        "which": "lumen",
        "section": 5,
        "angle_rad": 0.7,
        "delta_mm": 0.4,
        "width_sections": 4.0,
        "width_rad": 0.5,
    },
    {
        "which": "lumen",
        "section": 2,
        "angle_rad": 6.2,
        "delta_mm": -2.5,
        "width_sections": 2.0,
        "width_rad": 0.8,
    },
    {
        "which": "wall",
        "section": 11,
        "angle_rad": 3.1,
        "delta_mm": 1.3,
        "width_sections": 3.0,
        "width_rad": 0.3,
    },
    {
        "which": "wall",
        "section": 0,
        "angle_rad": 4.4,
        "delta_mm": -3.0,
        "width_sections": 6.0,
        "width_rad": 1.1,
    },
)


def contours() -> VesselContours:
    """Return twelve sections of a bent, eccentric vessel with plaque on one side."""
    s, k = np.meshgrid(np.arange(12), np.arange(ANGLES), indexing="ij")
    theta = 2 * np.pi * k / ANGLES
    lumen = 1.4 + 0.3 * np.cos(theta - 0.2 * s) - 0.05 * s
    wall = lumen + 0.4 + 0.8 * np.clip(np.sin(theta + 0.1 * s), 0, None)
    return VesselContours(lumen, wall, np.sin(theta + 0.1 * s) > 0.3)


def listed(array: np.ndarray, digits: int = 6) -> list[Any]:
    """Return an array as nested lists of rounded numbers."""
    return np.round(np.asarray(array, float), digits).tolist()


def golden() -> dict[str, Any]:
    """Compute every case."""
    base = contours()
    moved = [move_contour(base, **move) for move in MOVES]
    volume = np.random.default_rng(7).integers(-200, 900, (8, 9, 10)).astype(np.int16)
    affine = np.array([[0, -0.4, 0.1, 12], [0.38, 0, 0, -7], [0.02, 0, 0.5, 30], [0, 0, 0, 1.0]])
    ijk = np.random.default_rng(8).uniform([0, 0, 0], [9, 8, 7], (20, 3))
    stack = np.random.default_rng(9).integers(-200, 900, (3, 64, 64)).astype(np.int16)
    at = np.random.default_rng(10).uniform([0, -9, -9], [2, 9, 9], (20, 3))
    angles = np.random.default_rng(11).uniform(0, 2 * np.pi, 8)
    points = ijk @ affine[:3, :3].T + affine[:3, 3]
    return {
        "contours": {"sections": 12, "lumen": listed(base.lumen_radius), "wall": listed(base.wall_radius)},
        "moves": [
            {"move": move, "lumen": listed(m.lumen_radius), "wall": listed(m.wall_radius)}
            for move, m in zip(MOVES, moved, strict=True)
        ],
        "radius_at": {
            "section": 3,
            "angles": listed(angles),
            "lumen": listed(radius_at(base.lumen_radius, angles)[3]),
        },
        "lumen_area": listed((base.lumen_radius.astype(float) ** 2).sum(1) * np.pi / ANGLES),
        "labels": {"section": 4, "map": label_map(base)[4].ravel().tolist()},
        "volume": {
            "shape": [8, 9, 10],
            "hu": volume.ravel().tolist(),
            "affine": affine.ravel().tolist(),
            "points": listed(points),
            "values": listed(map_coordinates(volume.astype(float), ijk[:, ::-1].T, order=1), 4),
        },
        "straightened": {
            "hu": stack.ravel().tolist(),
            "places": listed(at),
            "values": listed(
                map_coordinates(
                    stack.astype(float),
                    [at[:, 0], at[:, 2] / 0.3125 + 31.5, at[:, 1] / 0.3125 + 31.5],
                    order=1,
                ),
                3,
            ),
        },
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(golden(), separators=(",", ":")) + "\n")
