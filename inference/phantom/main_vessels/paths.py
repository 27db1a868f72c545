"""The main arteries and a few side branches: their ways over the heart's surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from inference.phantom.anatomy import Heart
from inference.phantom.curve import STEP_MM, curve_through
from inference.phantom.paths import Path, route
from inference.phantom.scenario import Scenario

Array = NDArray[np.float64]


def _depth(rng: np.random.Generator, chosen: Scenario) -> float:
    """How far outside the muscle: in fat, on the surface, or inside (a bridge)."""
    kind = rng.choice(3, p=chosen.surroundings)
    return float([rng.uniform(*depth) for depth in chosen.depths_mm][kind])


def make_paths(rng: np.random.Generator, heart: Heart, chosen: Scenario) -> tuple[Path, ...]:  # noqa: C901 - what is drawn, in the order of the draws
    """The coronary tree on this heart; a branch starts at its origin, LM ends at the bifurcation."""
    j = rng.normal(0, 3.0, 24)
    fork = (44 + j[0], 24 + j[1])
    scale = chosen.length_scale
    axis = heart.aorta_to - heart.aorta_from
    axis = axis / np.linalg.norm(axis)

    def ostium(towards: Array, height: float) -> Array:
        at = heart.aorta_from + height * axis
        out = towards - at
        out -= (out @ axis) * axis
        return at + out / np.linalg.norm(out) * (heart.aorta_mm - 0.5)

    paths: list[Path] = []

    def add(
        name: str,
        knots: list[tuple[float, float]],
        *,
        depth: float,
        start: Array | None = None,
        parent: str = "",
        origin: float = 0.0,
        tracked: bool = True,
        wander: float = 1.0,
    ) -> Path:
        curve, lat, lon, out = route(
            rng,
            heart,
            knots=knots,
            depth=depth,
            start=start,
            wander=wander,
            length_scale=1.0 if name == "LM" else scale,
        )
        path = Path(name, curve, lat, lon, out, tracked, parent, origin)
        paths.append(path)
        return path

    d_left = max(0.5, _depth(rng, chosen))
    end = heart.surface(np.radians(fork[0]), np.radians(fork[1]), np.asarray(d_left))
    first = ostium(end, 8.0 * chosen.heart_scale)
    bulge = (first + end) / 2 + rng.normal(0, 1.0, 3)
    paths.append(
        Path(
            "LM",
            curve_through(
                make_interp_spline([0, 0.5, 1], np.stack([first, bulge, end]), k=2)(np.linspace(0, 1, 60))
            ),
            np.zeros(2),
            np.zeros(2),
            np.zeros(2),
            True,
        )
    )

    lad = add(
        "LAD",
        [fork, (26 + j[2], 6 + j[3]), (0, j[4]), (-34, -3 + j[5]), (-62 + j[6], -8 + j[7])],
        depth=_depth(rng, chosen),
        start=paths[0].curve.points[-1],
    )
    names = set(chosen.vessels)

    def branch(
        name: str,
        parent: Path,
        fraction: float,
        ways: list[tuple[float, float]],
        *,
        tracked: bool = True,
    ) -> None:
        at = int(fraction * (len(parent.curve.points) - 1))
        knot = (float(np.degrees(parent.lat[at])), float(np.degrees(parent.lon[at])))
        add(
            name,
            [knot, *ways],
            depth=_depth(rng, chosen),
            start=parent.curve.points[at],
            parent=parent.name,
            origin=at * STEP_MM,
            tracked=tracked,
        )

    if "D1" in names:
        branch(
            "D1",
            lad,
            rng.uniform(0.2, 0.3),
            [(4 + j[8], 16 + j[9]), (-18, 24 + j[9]), (-40 + j[10], 27 + j[9])],
        )
    if "D2" in names:
        branch("D2", lad, rng.uniform(0.42, 0.52), [(-20 + j[11], 12 + j[12]), (-44 + j[13], 18 + j[12])])
    if "LCx" in names:
        far = rng.uniform(105, 145)
        lcx = add(
            "LCx",
            [fork, (30 + j[14], 56), (21 + j[15], 84), (15 + j[16], far)],
            depth=_depth(rng, chosen),
            start=paths[0].curve.points[-1],
        )
        if "OM1" in names:
            branch(
                "OM1",
                lcx,
                rng.uniform(0.28, 0.42),
                [(2 + j[17], 66 + j[18]), (-18, 70 + j[18]), (-40, 64 + j[18])],
            )
        if "OM2" in names:
            branch("OM2", lcx, rng.uniform(0.6, 0.75), [(-6 + j[19], 108), (-32, 106 + j[19])])
    if "RCA" in names:
        d_right = _depth(rng, chosen)
        near = heart.surface(np.radians(34), np.radians(-48), np.asarray(d_right))
        rca = add(
            "RCA",
            [(34 + j[20], -48), (24, -72 + j[21]), (14, -104), (9 + j[22], -138), (8, -166 + j[23])],
            depth=d_right,
            start=ostium(near, 7.0 * chosen.heart_scale),
        )
        if "R-PDA" in names:
            branch("R-PDA", rca, 1.0, [(-12, -176), (-34 + j[8], -178), (-52, -180 + j[9])])
        if chosen.side_branches:
            branch("AM", rca, rng.uniform(0.45, 0.6), [(-10 + j[5], -82), (-34, -70 + j[6])], tracked=False)
    if chosen.side_branches:
        for _ in range(int(rng.integers(2, 5))):
            f = float(rng.uniform(0.1, 0.85))
            lat0 = float(np.degrees(lad.lat[int(f * (len(lad.lat) - 1))]))
            side = rng.choice([-1.0, 1.0])
            branch(
                "side",
                lad,
                f,
                [(lat0 - 10, side * rng.uniform(14, 20)), (lat0 - 24, side * rng.uniform(22, 32))],
                tracked=False,
            )
    return tuple(paths)
