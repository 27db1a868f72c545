"""Tortuous paths over the heart's surface: what a path is, and the veins beside the arteries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from .anatomy import Heart
from .curve import Curve, curve_through

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """One vessel before its wall: name, curve, and how far from the heart's muscle it runs."""

    name: str
    curve: Curve
    lat: Array
    lon: Array
    depth: Array
    tracked: bool
    parent: str = ""
    origin_mm: float = 0.0


def route(
    rng: np.random.Generator,
    heart: Heart,
    *,
    knots: list[tuple[float, float]],
    depth: float,
    start: Array | None,
    length_scale: float,
    wander: float = 1.0,
) -> tuple[Curve, Array, Array, Array]:
    """A tortuous way over the surface through (latitude, longitude) knots in degrees."""
    k = np.radians(np.array(knots))
    k[1:] = k[0] + (k[1:] - k[0]) * length_scale
    x = np.linspace(0, 1, len(k))
    way = make_interp_spline(x, k, k=min(3, len(k) - 1))(np.linspace(0, 1, 240))
    lat, lon = way[:, 0], way[:, 1]
    t = np.linspace(0, 1, 240)
    fade = np.clip(t / 0.15, 0, 1)
    span = float(np.linalg.norm(k[-1] - k[0])) * 45.0
    for _ in range(3):
        waves = max(1.0, span / rng.uniform(18, 45))
        size = np.radians(rng.uniform(0.5, 2.6)) * wander
        lat = lat + fade * size * np.sin(2 * np.pi * waves * t + rng.uniform(0, 6.28))
        lon = lon + fade * size * np.sin(2 * np.pi * waves * t + rng.uniform(0, 6.28))
    out = depth + fade * rng.uniform(0.2, 1.6) * np.sin(
        2 * np.pi * rng.uniform(0.5, 2) * t + rng.uniform(0, 6.28)
    )
    points = heart.surface(lat, lon, out)
    if start is not None:
        gap = np.linalg.norm(points[0] - start)
        points = np.concatenate(
            [
                start + (points[0] - start) * np.linspace(0, 0.85, max(4, int(gap)))[:, None],
                points[max(1, int(0.01 * len(points))) :],
            ]
        )
    curve = curve_through(points)
    nearest = np.clip(np.searchsorted(np.linspace(0, 1, 240), np.linspace(0, 1, len(curve.points))), 0, 239)
    return curve, lat[nearest], lon[nearest], out[nearest]


def make_veins(rng: np.random.Generator, heart: Heart) -> tuple[Curve, ...]:
    """Veins that run beside arteries: the great cardiac vein in both grooves, the small one on the right."""
    shift = rng.uniform(4, 9, 3) * rng.choice([-1, 1], 3)
    routes = (
        [(-50, 4 + shift[0]), (-20, 4 + shift[0]), (10, 5 + shift[0]), (34, 20 + shift[0])],
        [(36, 30), (28 + shift[1], 60), (18 + shift[1], 95), (12, 150)],
        [(14 + shift[2], -70), (8 + shift[2], -105), (2 + shift[2], -150)],
    )
    return tuple(
        route(rng, heart, knots=list(r), depth=rng.uniform(1.0, 4.0), start=None, length_scale=1.0)[0]
        for r in routes
    )
