"""Plaque wider than the world: crescents of many shapes, outer walls that are no circles, growth to 3.5 times the area.

A network that learns from displaced circles which grow by a third draws a large plaque as a small vessel. Here a
lesion's wall is its lumen, a normal wall, and one to three lobes of any width, thickness and profile on top, so thick
that the area inside the outer wall grows as drawn; vessels may be ectatic, lesions diffuse, at ostia and forks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from .curve import STEP_MM
from .lesions import (
    COMPOSITIONS,
    THETA,
    Plan,
    calibre,
    hump_of,
    narrowing,
    outer_circle,
    places,
    smoothed,
    tissue_table,
    uneven_circle,
    waves,
)
from .paths import Path
from .settings import Scenario, WideLesions
from .table import ANGLES, VesselTable

Array = NDArray[np.float64]
LEAST_PLAQUE_MM = (
    0.4  # what a lesion's lobe is thick at least, beyond normal wall: a little above where plaque begins
)


def _lobes(
    rng: np.random.Generator, n: int, wish: WideLesions, inner: float, target: float
) -> tuple[Array, Array, float]:
    """(n, 64) shares 0 … 1 of the thickest place, the main side (n,) rad, and how far round (1 = one side).

    inner : lumen radius and normal wall at the worst place, mm; target : mean squared outer radius there, mm².
    """
    side = rng.uniform(0, 2 * np.pi) + waves(rng, n, 6.0, 0.35) + rng.normal(0, 0.03) * np.arange(n) * STEP_MM
    if rng.random() < wish.concentric_share:
        ring = 1 - rng.uniform(0.0, 0.5) * (0.5 + 0.5 * np.cos(THETA[None, :] - side[:, None]))
        return np.asarray(ring / ring.max()), side, 1.8
    outer = float(np.sqrt(max(target, (inner + LEAST_PLAQUE_MM) ** 2)))
    if rng.random() < wish.disc_share:
        off = rng.uniform(0.2, 1.0) ** 0.5 * (outer - inner)
        disc = outer_circle(np.full(n, outer), np.full(n, off), side) - inner
        disc = disc.clip(0.0, None) * uneven_circle(rng, n, 0.04)
        return np.asarray(disc / max(disc.max(), 1e-6)), side, 1.0 if off > 0.5 * (outer - inner) else 1.8
    out = np.zeros((n, ANGLES))
    # an adventitia is no finger: a lobe is about as wide as it is thick
    narrowest = max(0.45, 1.4 * (outer - inner) / (outer + inner))
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.28, 0.12]))
    widest = 0.0
    for lobe in range(count):
        angle = side if lobe == 0 else side + rng.uniform(0.9, 5.4) + waves(rng, n, 5.0, 0.3)
        width = np.exp(
            rng.uniform(np.log(narrowest), np.log(max(2.2, 1.5 * narrowest))) + waves(rng, n, 5.0, 0.15)
        )[:, None]
        off = np.abs((THETA[None, :] - angle[:, None] + np.pi) % (2 * np.pi) - np.pi)
        height = 1.0 if lobe == 0 else rng.uniform(0.3, 1.0)
        out = np.maximum(out, height * np.exp(-0.5 * (off / width) ** rng.uniform(1.3, 5.0)))
        widest = max(widest, float(width.mean()))
    return out, side, 1.0 if widest < 1.2 else 1.8


def _thickness(lobes: Array, inner: float, target: float, wish: WideLesions) -> float:
    """Thickness (mm) of the thickest place so that the mean squared outer radius becomes ``target`` mm².

    lobes : (64,) shares; inner : lumen radius and normal wall, mm. Bounded by thickness and outer radius.
    """
    first, second = float(lobes.mean()), float((lobes**2).mean())
    root = (inner * first) ** 2 - second * (inner**2 - target)
    wanted = (-inner * first + np.sqrt(max(root, 0.0))) / max(second, 1e-9)
    most = max(min(wish.thickness_mm, wish.outer_mm - inner), LEAST_PLAQUE_MM)
    return float(np.clip(wanted, LEAST_PLAQUE_MM, most))


def _ectasia(rng: np.random.Generator, n: int, wish: WideLesions) -> Array:
    """(n,) factors of the radius: 1, or a bulge somewhere."""
    if rng.random() >= wish.ectasia_share:
        return np.ones(n)
    middle, half = rng.uniform(0.05, 0.8) * n, rng.uniform(3.0, 14.0) / STEP_MM
    bulge = np.exp(-(np.abs((np.arange(n) - middle) / half) ** rng.uniform(2.0, 5.0)))
    return np.asarray(1 + (rng.uniform(*wish.ectasia) - 1) * bulge)


def build_wide_table(
    rng: np.random.Generator,
    path: Path,
    chosen: Scenario,
    contrast_hu: float,
    parent_radius: float | None = None,
    segment: tuple[str, ...] = (),
    free: tuple[tuple[float, float], ...] = (),
) -> VesselTable:
    """Draw walls, lesions and tissue of one path; arguments and rules are those of ``lesions.build_table``."""
    wish = chosen.wide or WideLesions()
    n = len(path.curve.points)
    radius, normal = calibre(rng, path, chosen, parent_radius)
    if path.tracked:
        radius = np.minimum(radius * _ectasia(rng, n, wish), 0.75 * wish.outer_mm)
    lumen_radius, extra, towards = radius.copy(), np.zeros((n, ANGLES)), np.full(n, rng.uniform(0, 6.28))
    uneven = np.zeros(n)
    plans: list[Plan] = []
    reached = 0.0
    for start, stop in places(rng, path.curve.length_mm, chosen) if path.tracked else []:
        if rng.random() < 0.15:  # at the ostium or a fork: from the path's first millimetre
            start = start if plans else 0.25
        if rng.random() < wish.diffuse_share:
            stop = min(start + rng.uniform(*wish.diffuse_mm), path.curve.length_mm - 2.0)
        if start < reached or any(start < b and stop > a for a, b in free):
            continue
        reached = stop + 4.0
        i, k = int(start / STEP_MM), int(stop / STEP_MM)
        inwards = hump_of(n, i, k, rng)
        outwards = 0.5 * (inwards + hump_of(n, i, k, rng))
        lumen_radius *= np.clip(1 - narrowing(rng, chosen) * inwards, 0, 1)
        worst = int(np.argmax(outwards))
        growth = rng.uniform(*wish.growth[int(rng.choice(3, p=wish.growth_shares))])
        target = float((radius[worst] + normal[worst]) ** 2 * (1 + growth))
        inner = float(lumen_radius[worst] + normal[worst])
        lobes, side, spread = _lobes(rng, n, wish, inner, target)
        thick = _thickness(lobes[worst], inner, target, wish)
        extra = np.maximum(extra, thick * outwards[:, None] * lobes)
        inside = (np.arange(n) >= i) & (np.arange(n) <= k)
        towards, uneven = np.where(inside, side, towards), np.where(inside, inwards, uneven)
        plans.append(Plan(i, k, str(rng.choice(COMPOSITIONS, p=chosen.compositions)), spread))
    lumen_radius = np.where(lumen_radius < 0.12, 0.0, lumen_radius)
    shape = uneven_circle(rng, n, rng.uniform(0.01, 0.08))
    shape *= 1 + uneven[:, None] * (uneven_circle(rng, n, 0.12) - 1)
    lumen = lumen_radius[:, None] * np.maximum(shape, 0.4)
    bumps = gaussian_filter(rng.standard_normal((n, ANGLES)), (4, 3), mode=("nearest", "wrap"))
    bumps *= rng.uniform(0.02, 0.12) / max(bumps.std(), 1e-6)
    wall = lumen + normal[:, None] + extra * (1 + bumps)
    lumen, wall = smoothed(lumen, wall, normal, closed=lumen_radius <= 0)
    return tissue_table(
        rng,
        path,
        chosen,
        contrast_hu,
        lumen=lumen,
        wall=wall,
        normal=normal,
        towards=towards,
        plans=plans,
        segment=segment,
    )
