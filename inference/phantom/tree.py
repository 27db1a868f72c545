"""A whole coronary tree: which vessels there are, by dominance, and where each runs on the heart.

Latitude and longitude are those of ``Heart.surface``: the apex lies at −90°, the atrioventricular groove near 10–30°,
the anterior interventricular groove at longitude 0°, the posterior one at 180°; left is positive. The right coronary
artery crosses the acute margin near −100°. Extents of the vessels follow the SCCT model (see ``segments``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.spatial import cKDTree

from .anatomy import Heart
from .curve import STEP_MM, curve_through
from .paths import Path
from .settings import Scenario, TreeSettings

Array = NDArray[np.float64]
Knots = list[tuple[float, float]]
DOMINANCES = ("right", "left", "co-dominant")
POSTERIOR = {
    "right": ("R-PDA", "R-PLB"),
    "left": ("L-PDA", "L-PLB"),
    "co-dominant": ("R-PDA", "L-PLB"),
}
TRIES = 12
CLEAR_MM = 3.6  # between the centrelines of two vessels, away from their common origin


@dataclass(frozen=True)
class Bridge:
    """A stretch that dips into the myocardium: extent along the vessel and greatest depth below its surface, mm."""

    vessel: str
    start_mm: float
    end_mm: float
    depth_mm: float


@dataclass(frozen=True)
class Tree:
    """All paths (a parent stands before its branches), dominance, bridges, and where the RCA meets the acute margin."""

    paths: tuple[Path, ...]
    dominance: str
    bridges: tuple[Bridge, ...]
    acute_margin_mm: float

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tracked vessels."""
        return tuple(p.name for p in self.paths if p.tracked)


def spherical(heart: Heart, points: Array) -> tuple[Array, Array, Array]:
    """Latitude and longitude (degrees) and depth outside the muscle's surface (mm) of patient points."""
    local = points @ heart.frame.T
    r = np.linalg.norm(local, axis=-1)
    lat, lon = np.arcsin(local[..., 2] / r), np.arctan2(local[..., 1], local[..., 0])
    surface = np.linalg.norm(heart.surface(lat, lon), axis=-1)
    return np.degrees(lat), np.degrees(lon), r - surface


@dataclass
class _Builder:
    rng: np.random.Generator
    heart: Heart
    chosen: Scenario
    settings: TreeSettings
    paths: list[Path] = field(default_factory=list)

    def named(self, name: str) -> Path:
        return next(p for p in self.paths if p.name == name)

    def own_depth(self) -> float:
        kind = self.rng.choice(3, p=self.chosen.surroundings)
        return float(self.rng.uniform(*self.chosen.depths_mm[kind]))

    def path(
        self,
        name: str,
        start: Array,
        knots: Knots,
        *,
        tracked: bool,
        parent: str,
        origin_mm: float,
        depth: float,
        dive: float | None = None,
        bridge: tuple[float, float, float] | None = None,
    ) -> Path:
        """One tortuous way from ``start`` through knots (degrees); ``dive`` is the depth at its far end."""
        rng, heart = self.rng, self.heart
        lat0, lon0, depth0 = (float(x) for x in spherical(heart, start))
        if lon0 - knots[0][1] > 180:
            lon0 -= 360
        if lon0 - knots[0][1] < -180:
            lon0 += 360
        k = np.radians(np.array([(lat0, lon0), *knots]))
        gaps = np.linalg.norm(np.diff(k, axis=0) * [1.0, 0.8], axis=1)
        x = np.concatenate([[0], np.cumsum(np.sqrt(gaps))])  # centripetal: no overshoot between uneven knots
        fine = np.linspace(0, x[-1], 240)
        way = make_interp_spline(x, k, k=min(3, len(k) - 1))(fine)
        lat, lon = way[:, 0], way[:, 1]
        t = np.linspace(0, 1, 240)
        span = float(gaps.sum()) * 42.0 * self.chosen.heart_scale
        fade = np.clip(t * span / 12.0, 0, 1)
        for _ in range(3):
            waves = max(0.7, span / rng.uniform(18, 45))
            size = np.radians(rng.uniform(0.4, 2.0))
            lat = lat + fade * size * np.sin(2 * np.pi * waves * t + rng.uniform(0, 6.28))
            lon = lon + fade * size * np.sin(2 * np.pi * waves * t + rng.uniform(0, 6.28))
        ease = np.clip(t * span / 14.0, 0, 1)
        ease = ease * ease * (3 - 2 * ease)
        target = depth + rng.uniform(0.1, 0.9) * np.sin(
            2 * np.pi * rng.uniform(0.5, 2) * t + rng.uniform(0, 6.28)
        )
        if dive is not None:
            target = depth + (dive - depth) * t
        out = depth0 + (target - depth0) * ease
        if bridge is not None:
            first, last, below = bridge
            middle, half = 0.5 * (first + last), 0.5 * (last - first)
            q = np.clip((half + 5.0 - np.abs(t * span - middle)) / 10.0, 0, 1)
            q = q * q * (3 - 2 * q)
            out = out * (1 - q) - below * q
        points = heart.surface(lat, lon, out)
        points[0] = start
        curve = curve_through(points)
        at = spherical(heart, curve.points)
        return Path(name, curve, *at, tracked, parent, origin_mm)

    def clearance(self, path: Path) -> float:
        """Smallest distance to other vessels beyond 12 mm from its own origin, mm."""
        if not self.paths or len(path.curve.points) < 60:
            return 99.0
        far = path.curve.points[48::3]
        others = np.concatenate([p.curve.points[::3] for p in self.paths])
        return float(np.min(cKDTree(others).query(far)[0]))

    def grow(
        self,
        name: str,
        parent: Path,
        at: int,
        ways: Knots,
        *,
        tracked: bool = True,
        jitter: float = 3.0,
        dive: float | None = None,
        must: bool = True,
    ) -> None:
        """Add a branch that keeps clear of the others; one that may be missing is left out where none fits."""
        start = parent.curve.points[at]
        depth = self.own_depth()

        def attempt(n: int) -> tuple[float, Path]:
            size = jitter * (1 + 0.25 * n)
            knots = [
                (
                    a + self.rng.normal(0, size * 0.6),
                    b + self.rng.normal(0, size * (0.5 + 0.5 * i / len(ways))),
                )
                for i, (a, b) in enumerate(ways)
            ]
            one = self.path(
                name,
                start,
                knots,
                tracked=tracked,
                parent=parent.name,
                origin_mm=at * STEP_MM,
                depth=depth,
                dive=dive,
            )
            return self.clearance(one), one

        clear, path = attempt(0)
        for n in range(1, TRIES):
            if clear >= CLEAR_MM:
                break
            clear, path = max((clear, path), attempt(n), key=lambda tried: tried[0])
        if clear >= CLEAR_MM or must:
            self.paths.append(path)


def _row_facing(path: Path, lon: float) -> int:
    """The row nearest to a longitude (degrees), beyond the first eighth."""
    off = np.abs((path.lon - lon + 180) % 360 - 180)
    off[: len(path.curve.points) // 8] = 999.0
    return int(np.argmin(off))


def _row(path: Path, *, mm: float) -> int:
    """The row nearest to a position, not at either end."""
    return int(np.clip(round(mm / STEP_MM), 4, len(path.curve.points) - 5))


def make_tree(rng: np.random.Generator, heart: Heart, chosen: Scenario) -> Tree:  # noqa: C901, PLR0915 - what is drawn, in the order of the draws
    """Draw dominance, vessels and their ways.

    Right dominance has R-PDA and R-PLB, left L-PDA and L-PLB, co-dominance R-PDA and L-PLB (definitions.md).
    """
    settings = chosen.whole_tree
    k = chosen.heart_scale
    build = _Builder(rng, heart, chosen, settings)
    dominance = DOMINANCES[int(rng.choice(3, p=settings.dominance))]
    # The first diagonal and the first marginal are D1 and OM1 by definition: only the second ones can be missing.
    lacks = {name for name in ("D2", "OM2") if rng.random() < settings.missing_share}
    ramus = rng.random() < settings.ramus_share
    bridged = rng.random() < settings.bridge_share
    axis = heart.aorta_to - heart.aorta_from
    axis = axis / np.linalg.norm(axis)

    def ostium(towards: Array, above_base: float) -> Array:
        """On the aorta's wall, facing a point: ``above_base`` mm above the muscle's base, in the fat."""
        up = heart.frame[2]
        at = heart.aorta_from + (heart.base_mm + above_base - heart.aorta_from @ up) / (axis @ up) * axis
        out = towards - at
        out -= (out @ axis) * axis
        return np.asarray(at + out / np.linalg.norm(out) * (heart.aorta_mm - 0.5))

    def on(lat: float, lon: float, depth: float) -> Array:
        return np.asarray(heart.surface(np.radians(lat), np.radians(lon), depth))

    fork = on(43 + rng.normal(0, 2), 30 + rng.normal(0, 3), 5.0)
    first = ostium(fork, 9.0 * k)
    long = min(rng.uniform(7.5, 15.0) * max(k, 0.75), 0.8 * float(np.linalg.norm(fork - first)))
    end = first + (fork - first) * long / np.linalg.norm(fork - first)
    bulge = (first + end) / 2 + rng.normal(0, 0.7, 3)
    main = curve_through(
        make_interp_spline([0, 0.5, 1], np.stack([first, bulge, end]), k=2)(np.linspace(0, 1, 60))
    )
    build.paths.append(Path("LM", main, *spherical(heart, main.points), True))
    lm = build.paths[0]
    tip = len(main.points) - 1

    # left anterior descending: the anterior interventricular groove, in some around the apex
    apex = rng.uniform(-80, -62)
    j = rng.normal(0, 2.5, 6)
    bridge = None
    if bridged:
        size = rng.uniform(*settings.bridge_mm) * k
        begin = rng.uniform(36, 56) * k
        bridge = (begin, begin + size, rng.uniform(1.8, 3.8))
    lad = build.path(
        "LAD",
        main.points[tip],
        [(31 + j[0], 10 + 0.5 * j[1]), (2, j[2]), (-33, -3 + j[3]), (0.5 * apex - 29, -4), (apex, -8 + j[4])],
        tracked=True,
        parent="LM",
        origin_mm=tip * STEP_MM,
        depth=max(build.own_depth(), 1.2) if bridged else build.own_depth(),
        bridge=bridge,
    )
    build.paths.append(lad)

    # left circumflex: the left atrioventricular groove, as far as dominance asks
    far = {"right": rng.uniform(98, 132), "left": rng.uniform(168, 176), "co-dominant": rng.uniform(140, 152)}
    ways = [(31.0, 55.0), (22.0, 84.0), (15.0, 108.0), (11.0, 132.0), (9.0, 156.0)]
    stop = far[dominance]
    kept = [w for w in ways if w[1] < stop - 10] + [(9.0 + 0.12 * max(0.0, 140 - stop), stop)]
    build.grow("LCx", lm, tip, kept, jitter=2.0)
    lcx = build.paths[-1]

    # right coronary artery: the right atrioventricular groove to the crux, or short where the left is dominant
    near = on(36, -48, 4.0)
    start = ostium(near, 3.5 * k)
    stop = -rng.uniform(118, 136) if dominance == "left" else -rng.uniform(164, 172)
    ways = [(36.0, -48.0), (25.0, -72.0), (15.0, -103.0), (10.0, -136.0)]
    kept = [w for w in ways if w[1] > stop + 12] + [(8.5 + 0.1 * max(0.0, stop + 160), stop)]
    kept = [(a + rng.normal(0, 2), b + rng.normal(0, 2)) for a, b in kept]
    rca = build.path(
        "RCA", start, kept, tracked=True, parent="", origin_mm=0.0, depth=max(0.5, build.own_depth())
    )
    build.paths.append(rca)
    margin = _row_facing(rca, rng.normal(-101, 3))

    crux = len(rca.curve.points) - 1
    posterior = POSTERIOR[dominance]
    if "R-PDA" in posterior:
        build.grow("R-PDA", rca, crux, [(-12, -177), (-33, -178), (-52, -180)], jitter=2.0)
    if "R-PLB" in posterior:
        build.grow("R-PLB", rca, crux, [(7, -190), (-6, -204), (-26, -210)], jitter=2.5)
    last = len(lcx.curve.points) - 1
    if "L-PDA" in posterior:
        build.grow("L-PDA", lcx, last, [(-12, 178), (-33, 180), (-52, 182)], jitter=2.0)
    if "L-PLB" in posterior:
        at = last if dominance == "co-dominant" else _row_facing(lcx, rng.uniform(138, 148))
        knot = float(lcx.lon[at] % 360)
        build.grow("L-PLB", lcx, at, [(-8, knot - 4), (-26, knot - 8), (-40, knot - 10)], jitter=2.5)

    if ramus:
        build.grow("RI", lm, tip, [(28, 42), (2, 44), (-24, 42)], jitter=2.0)
    long = lcx.curve.length_mm
    at = _row(lcx, mm=rng.uniform(0.28, 0.40) * min(long, 62 * k))
    build.grow("OM1", lcx, at, [(4, lcx.lon[at] + 12), (-17, 70), (-40, 65)])
    if "OM2" not in lacks:
        at = _row(lcx, mm=rng.uniform(0.62, 0.78) * min(long, 66 * k))
        build.grow("OM2", lcx, at, [(-4, lcx.lon[at] + 8), (-30, lcx.lon[at] + 8)])
    size = lad.curve.length_mm
    at = _row(lad, mm=rng.uniform(0.18, 0.30) * size)
    build.grow("D1", lad, at, [(lad.lat[at] - 14, 17), (-16, 24), (-38, 28)])
    if "D2" not in lacks:
        at = _row(lad, mm=rng.uniform(0.40, 0.52) * size)
        build.grow("D2", lad, at, [(lad.lat[at] - 13, 11), (-42, 17)])
    if rng.random() < settings.acute_marginal_share:
        at = int(np.clip(margin + rng.integers(-20, 20), 40, crux - 20))
        build.grow("AM", rca, at, [(-6, rca.lon[at] + 8), (-32, rca.lon[at] + 22)])

    # small branches without a name: septals, further diagonals and marginals, conus and right ventricular branches
    spots = ["septal"] * int(rng.integers(settings.septals[0], settings.septals[1] + 1))
    spots += list(
        rng.choice(
            ["diagonal", "right", "marginal", "conus"],
            size=int(rng.integers(settings.extra_branches[0], settings.extra_branches[1] + 1)),
        )
    )
    for kind in spots:
        if kind == "septal":
            at = _row(lad, mm=rng.uniform(0.14, 0.6) * size)
            lat = float(lad.lat[at])
            one = [(lat - 8, lad.lon[at] + 2), (lat - rng.uniform(14, 24), lad.lon[at] + 2)]
            build.grow("septal", lad, at, one, tracked=False, jitter=1.0, dive=-rng.uniform(4, 8), must=False)
        elif kind == "diagonal":
            at = _row(lad, mm=rng.uniform(0.3, 0.8) * size)
            lat = float(lad.lat[at])
            build.grow("side", lad, at, [(lat - 10, 14), (lat - 24, 24)], tracked=False, must=False)
        elif kind == "right":
            at = _row(lad, mm=rng.uniform(0.2, 0.7) * size)
            lat = float(lad.lat[at])
            build.grow("side", lad, at, [(lat - 6, -14), (lat - 14, -28)], tracked=False, must=False)
        elif kind == "marginal":
            at = _row(lcx, mm=rng.uniform(0.45, 0.95) * long)
            lon = float(lcx.lon[at] % 360)
            build.grow("side", lcx, at, [(-4, lon + 4), (-20, lon + 6)], tracked=False, must=False)
        else:
            at = _row(rca, mm=rng.uniform(8, 30) * k)
            lat, lon = float(rca.lat[at]), float(rca.lon[at])
            build.grow(
                "side", rca, at, [(lat - 14, lon + 6), (lat - 28, lon + 14)], tracked=False, must=False
            )
    return Tree(
        paths=tuple(build.paths),
        dominance=dominance,
        bridges=_bridges(lad) if bridge is not None else (),
        acute_margin_mm=margin * STEP_MM,
    )


def _bridges(lad: Path) -> tuple[Bridge, ...]:
    """The stretch of the LAD whose centreline lies below the muscle's surface, as it came out."""
    n = len(lad.depth)
    below = np.flatnonzero((lad.depth < 0.0) & (np.arange(n) > 0.2 * n) & (np.arange(n) < 0.9 * n))
    if len(below) == 0:
        return ()
    runs = np.split(below, np.flatnonzero(np.diff(below) > 1) + 1)
    run = max(runs, key=lambda x: float(-lad.depth[x].min()))
    return (Bridge("LAD", float(run[0] * STEP_MM), float(run[-1] * STEP_MM), float(-lad.depth[run].min())),)
