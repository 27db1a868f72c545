"""Walls and lesions: draws the truth table of one vessel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from .curve import STEP_MM
from .paths import Path
from .scenario import Scenario
from .table import ANGLES, LAYERS, TrueLesion, VesselTable

Array = NDArray[np.float64]
THETA = 2 * np.pi * np.arange(ANGLES) / ANGLES
THICKER_MM = 0.25  # plaque is where the wall is this much thicker than normal wall (definitions)
START_RADIUS = {
    "LM": (1.9, 2.5),
    "LAD": (1.6, 2.1),
    "LCx": (1.45, 1.95),
    "RCA": (1.6, 2.3),
    "D1": (0.95, 1.35),
    "D2": (0.85, 1.2),
    "OM1": (0.95, 1.4),
    "OM2": (0.85, 1.25),
    "R-PDA": (0.95, 1.3),
    "RI": (0.95, 1.35),
    "R-PLB": (0.85, 1.25),
    "L-PDA": (0.85, 1.25),
    "L-PLB": (0.85, 1.25),
    "AM": (0.6, 0.9),
    "side": (0.45, 0.8),
    "septal": (0.5, 0.9),
}
END_RADIUS = {
    "LM": (1.8, 2.3),
    "LAD": (0.75, 1.0),
    "LCx": (0.75, 1.05),
    "RCA": (1.1, 1.5),
    "D1": (0.6, 0.8),
    "D2": (0.55, 0.75),
    "OM1": (0.6, 0.85),
    "OM2": (0.55, 0.8),
    "R-PDA": (0.65, 0.85),
    "RI": (0.6, 0.8),
    "R-PLB": (0.6, 0.8),
    "L-PDA": (0.6, 0.8),
    "L-PLB": (0.6, 0.8),
    "AM": (0.4, 0.5),
    "side": (0.3, 0.4),
    "septal": (0.3, 0.4),
}
COMPOSITIONS = ("noncalcified", "lipid", "calcified", "mixed")


@dataclass(frozen=True)
class Plan:
    """A lesion to be: first and last row, composition, and how far round its plaque reaches (1 = one side)."""

    first: int
    last: int
    composition: str
    spread: float


def waves(rng: np.random.Generator, n: int, sigma_mm: float, size: float) -> Array:
    """A smooth random function along the vessel with standard deviation ``size``."""
    x = gaussian_filter1d(rng.standard_normal(n + 400), sigma_mm / STEP_MM)[200 : 200 + n]
    return np.asarray(x * size * np.sqrt(2 * np.sqrt(np.pi) * sigma_mm / STEP_MM))


def hump_of(n: int, start: int, stop: int, rng: np.random.Generator) -> Array:
    """0 … 1 … 0 between two rows: an uneven, flat-topped bell with some waviness."""
    x = (np.arange(n) - start) / max(1, stop - start)
    peak, flat = rng.uniform(0.3, 0.7), rng.uniform(0.0, 0.35)
    left, right = peak * (1 - flat), (1 - peak) * (1 - flat)
    y = np.where(x < left, x / left, np.where(x > 1 - right, (1 - x) / right, 1.0))
    y = np.sin(0.5 * np.pi * np.clip(y, 0, 1)) ** rng.uniform(0.8, 2.0)
    return y * (1 - 0.25 * np.abs(waves(rng, n, 1.5, 0.5)).clip(0, 1))


def outer_circle(radius: Array, offset: Array, towards: Array) -> Array:
    """Polar radius of circles whose centres lie ``offset`` towards an angle, seen from the origin."""
    a = THETA[None, :] - towards[:, None]
    e = offset[:, None]
    return e * np.cos(a) + np.sqrt(np.maximum(radius[:, None] ** 2 - (e * np.sin(a)) ** 2, 1e-9))


def uneven_circle(rng: np.random.Generator, n: int, amount: float) -> Array:
    """(n, 64) factors about 1 that make a circle oval and uneven, turning slowly along the vessel."""
    out = np.ones((n, ANGLES))
    for k, size in ((2, 1.0), (3, 0.35), (4, 0.2)):
        phase = waves(rng, n, 12.0, 1.2) + rng.uniform(0, 6.28)
        out += (amount * size * (0.5 + 0.5 * np.abs(waves(rng, n, 5.0, 1.0))).clip(0, 1.6))[:, None] * np.cos(
            k * (THETA[None, :] - phase[:, None])
        )
    return out


def places(rng: np.random.Generator, length_mm: float, chosen: Scenario) -> list[tuple[float, float]]:
    """Extents of the lesions to be: not closer than 4 mm to one another, clear of both ends."""
    at = rng.uniform(1.5, 9.0)
    out: list[tuple[float, float]] = []
    while True:
        size = float(np.clip(rng.lognormal(*chosen.lesion_log_mm), 4.0, 28.0))
        size = min(size, 0.75 * length_mm)
        if at + size > length_mm - 2.0:
            return out
        out.append((at, at + size))
        at += size + 4.0 + rng.exponential(max(0.5, rng.uniform(*chosen.lesion_every_mm) - size - 4.0))


def paint_tissue(
    rng: np.random.Generator,
    hu: NDArray[np.float32],
    rows: slice,
    side: float,
    kind: str,
    chosen: Scenario,
    spread: float,
) -> None:
    """Put lipid cores and calcium nodules into one lesion's cells."""
    n = rows.stop - rows.start
    s = (np.arange(n) * STEP_MM)[:, None, None]
    depth = ((np.arange(LAYERS) + 0.5) / LAYERS)[None, None, :]

    def near(angle: float) -> Array:
        return ((THETA - angle + np.pi) % (2 * np.pi) - np.pi)[None, :, None]

    block = hu[rows]
    long = n * STEP_MM
    if kind in ("lipid", "mixed") or (kind == "noncalcified" and rng.random() < 0.25):
        for _ in range(int(rng.integers(1, 3))):
            centre, angle = rng.uniform(0.25, 0.75) * long, side + rng.normal(0, 0.3 * spread)
            half, width, thick = (
                rng.uniform(*chosen.lipid_long) * long,
                rng.uniform(*chosen.lipid_wide) * spread,
                rng.uniform(*chosen.lipid_thick),
            )
            q = (
                ((s - centre) / half) ** 2
                + (near(angle) / width) ** 2
                + ((depth - rng.uniform(*chosen.lipid_depth)) / thick) ** 2
            )
            core = (
                rng.uniform(*chosen.lipid_hu)
                + gaussian_filter(rng.standard_normal(block.shape), (3, 2, 1)) * 25
            )
            np.copyto(block, np.minimum(core, 29.0), where=q < 1, casting="same_kind")
    if kind in ("calcified", "mixed"):
        spots = int(rng.integers(2, 6)) if kind == "calcified" else int(rng.integers(1, 4))
        for _ in range(spots):
            centre, angle = rng.uniform(0.1, 0.9) * long, side + rng.normal(0, 0.6 * spread)
            half = min(
                rng.uniform(0.5, 3.5 if kind == "calcified" else 1.8) * chosen.calcium_size, 0.45 * long
            )
            width = rng.uniform(0.25, 1.0) * chosen.calcium_size
            thick = rng.uniform(0.2, 0.65 if kind == "calcified" else 0.4) * chosen.calcium_size
            q = (
                ((s - centre) / half) ** 2
                + (near(angle) / width) ** 2
                + ((depth - rng.uniform(0.25, 0.8)) / thick) ** 2
            )
            q = q * np.exp(0.5 * gaussian_filter(rng.standard_normal(block.shape), (2, 2, 1)) * 4)
            dense = rng.uniform(*chosen.calcium_hu)
            np.copyto(
                block,
                (dense * (1 - 0.35 * q)).clip(chosen.least_calcium_hu, None),
                where=q < 1,
                casting="same_kind",
            )


def calibre(
    rng: np.random.Generator, path: Path, chosen: Scenario, parent_radius: float | None
) -> tuple[Array, Array]:
    """Draw a healthy vessel: lumen radius and thickness of its normal wall, (n,) mm each."""
    n = len(path.curve.points)
    first, last = rng.uniform(*START_RADIUS[path.name]), rng.uniform(*END_RADIUS[path.name])
    if parent_radius is not None:
        first = min(first, 0.95 * parent_radius)
    scale = 0.85 + 0.15 * chosen.heart_scale
    first, last = first * scale, min(last * scale, first)
    radius = first + (last - first) * np.linspace(0, 1, n) ** rng.uniform(0.7, 1.3)
    radius = radius * (1 + waves(rng, n, 4.0, 0.03).clip(-0.08, 0.08))
    return radius, rng.uniform(*chosen.normal_wall_mm) * (0.75 + 0.25 * radius / 2.0)


def narrowing(rng: np.random.Generator, chosen: Scenario) -> float:
    """Share of its radius that a lesion's lumen loses; above 1 it is closed."""
    chance = rng.random()
    if chance < chosen.closed_share:
        return 1.15
    if chance < chosen.closed_share + chosen.severe_share:
        return float(rng.uniform(0.5, 0.85))
    return float(rng.beta(1.3, 2.2) * 0.65)


def smoothed(lumen: Array, wall: Array, normal: Array, *, closed: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Lumen and wall (n, 64) mm without edges, the wall nowhere thinner than most of a normal one.

    normal : (n,) mm of normal wall. closed : (n,) rows without a lumen.
    """
    wall = np.maximum(wall, lumen + 0.85 * normal[:, None])
    wall = gaussian_filter(wall, (1.5, 1.0), mode=("nearest", "wrap"))
    lumen = np.minimum(gaussian_filter(lumen, (1.5, 1.0), mode=("nearest", "wrap")), wall - 0.05)
    lumen[closed] = 0.0
    return lumen, wall


def build_table(
    rng: np.random.Generator,
    path: Path,
    chosen: Scenario,
    contrast_hu: float,
    parent_radius: float | None = None,
    segment: tuple[str, ...] = (),
    free: tuple[tuple[float, float], ...] = (),
) -> VesselTable:
    """Draw walls, lesions and tissue of one path; no lesion is drawn into the extents (mm) of ``free``.

    Lesion extents and plaque marks follow definitions.md: inside a lesion, the angles whose wall is more than
    0.25 mm thicker than the normal wall.
    """
    curve, n = path.curve, len(path.curve.points)
    radius, normal = calibre(rng, path, chosen, parent_radius)
    lumen_radius, outer_radius = radius.copy(), radius + normal
    offset, towards = np.zeros(n), np.full(n, rng.uniform(0, 6.28))
    uneven = np.full(n, 0.0)
    plans: list[Plan] = []
    for start, stop in places(rng, curve.length_mm, chosen) if path.tracked else []:
        if any(start < b and stop > a for a, b in free):
            continue
        i, k = int(start / STEP_MM), int(stop / STEP_MM)
        hump = hump_of(n, i, k, rng)
        narrow = narrowing(rng, chosen)
        grow = rng.uniform(*chosen.remodelling)
        if narrow < 0.25:
            grow = max(grow, rng.uniform(0.12, 0.4))
        lumen_radius *= np.clip(1 - narrow * hump, 0, 1)
        outer_radius *= np.sqrt(np.maximum(1 + grow * hump, 0.5))
        side = rng.uniform(0, 2 * np.pi)
        eccentric = rng.uniform(0.0, 1.0) ** 0.6
        room = np.maximum(outer_radius - lumen_radius - normal, 0)
        inside = (np.arange(n) >= i) & (np.arange(n) <= k)
        offset = np.where(inside, eccentric * room, offset)
        towards = np.where(inside, side + waves(rng, n, 6.0, 0.35), towards)
        uneven = np.where(inside, hump, uneven)
        kind = str(rng.choice(COMPOSITIONS, p=chosen.compositions))
        plans.append(Plan(i, k, kind, 1.0 if eccentric > 0.5 else 1.8))
    lumen_radius = np.where(lumen_radius < 0.12, 0.0, lumen_radius)
    round_lumen = uneven_circle(rng, n, rng.uniform(0.01, 0.05)) * (
        1 + uneven[:, None] * (uneven_circle(rng, n, 0.10) - 1)
    )
    lumen = lumen_radius[:, None] * np.maximum(round_lumen, 0.4)
    wall = outer_circle(outer_radius, offset, towards) * (1 + 0.5 * (round_lumen - 1))
    bumps = gaussian_filter(rng.standard_normal((n, ANGLES)), (4, 3), mode=("nearest", "wrap"))
    wall += uneven[:, None] * 0.10 * bumps / max(bumps.std(), 1e-6)
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


def tissue_table(
    rng: np.random.Generator,
    path: Path,
    chosen: Scenario,
    contrast_hu: float,
    *,
    lumen: Array,
    wall: Array,
    normal: Array,
    towards: Array,
    plans: list[Plan],
    segment: tuple[str, ...],
) -> VesselTable:
    """Fill walls with tissue and say which plaque is which lesion.

    lumen, wall : (n, 64) mm; normal : (n,) mm of normal wall; towards : (n,) rad, the side on which plaque lies.
    """
    n = len(lumen)
    thick = wall - lumen > normal[:, None] + THICKER_MM
    tissue = rng.uniform(*chosen.wall_hu)
    texture = gaussian_filter(
        rng.standard_normal((n, ANGLES, LAYERS)), (3, 3, 1), mode=("nearest", "wrap", "nearest")
    )
    texture *= rng.uniform(6, 14) / texture.std()
    hu = (tissue + texture).astype(np.float32)
    plaque = np.zeros((n, ANGLES), bool)
    lesions: list[TrueLesion] = []
    for plan in plans:
        i, k, kind = plan.first, plan.last, plan.composition
        rows = np.flatnonzero(thick[i : k + 1].any(axis=1)) + i
        if len(rows) == 0 or (rows[-1] - rows[0]) * STEP_MM < 1.5:
            continue
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        plaque[part] = thick[part]
        fibrous = rng.uniform(*chosen.fibrous_hu)
        np.copyto(hu[part], fibrous + texture[part], where=plaque[part][..., None], casting="same_kind")
        cells = hu[part].copy()
        paint_tissue(
            rng, cells, slice(0, len(cells)), float(np.mean(towards[part])), kind, chosen, plan.spread
        )
        np.copyto(hu[part], cells, where=plaque[part][..., None])
        lesions.append(TrueLesion(len(lesions) + 1, part.start * STEP_MM, (part.stop - 1) * STEP_MM, kind))
    blood = contrast_hu * (1 - rng.uniform(0, 0.12) * np.linspace(0, 1, n)) + waves(rng, n, 4.0, 4.0)
    return VesselTable(
        name=path.name,
        curve=path.curve,
        lumen=lumen.astype(np.float32),
        wall=wall.astype(np.float32),
        plaque=plaque,
        hu=hu,
        lumen_hu=blood.astype(np.float32),
        normal_wall_mm=normal.astype(np.float32),
        lesions=tuple(lesions),
        segment=segment or ("",) * n,
        tracked=path.tracked,
    )
