"""What is odd about a named tree as a whole: courses that no artery has, names that fit badly, vessels that no line follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import find_objects, label

from inference.centreline.geodesic import FREE
from inference.centreline.heart_frame import Flat
from inference.centreline.naming import Names
from inference.centreline.tree import Branch, RawTree
from inference.doubts import Doubt

SURE_NAME = 0.8
"""Share of what was tried that gives a vessel its name; below it the name is doubted. In true trees with a missing or a
shortened vessel half of the wrong names lie below."""
HALF_A_HEART = (
    0.7  # of a left vessel's confidence, where no right artery was found: the frame rests on half the groove
)
WINDOW_MM = 15.0  # over which radius and contrast are taken, longer than most lesions
SETTLED_MM = 10.0  # behind the ostium, from which a way's own width is known
WIDER, BRIGHTER = 1.25, 1.25
"""Wider or brighter than anywhere before by this share, over a whole window: none of 20 simulated patients' arteries is."""
LENGTH_MM = {
    "LM": (0.0, 45.0),
    "LAD": (45.0, 190.0),
    "LCx": (25.0, 150.0),
    "RCA": (40.0, 180.0),
    "R-PDA": (15.0, 100.0),
    "R-PLB": (8.0, 75.0),
    "L-PDA": (15.0, 100.0),
    "L-PLB": (8.0, 90.0),
    "D1": (10.0, 110.0),
    "D2": (10.0, 100.0),
    "OM1": (10.0, 110.0),
    "OM2": (10.0, 100.0),
    "RI": (10.0, 110.0),
    "AM": (10.0, 90.0),
}
"""Lengths of each vessel between which nearly all hearts lie; by hand from anatomy, about 1.5 times what phantoms have."""
LEAST_RCA_TO_CRUX_MM = 70.0  # of a right coronary artery that gives a posterior descending branch
SURE_SPEED, FILLED = 0.5, (0.75, 1.25)
"""A voxel is a vessel like the arteries where it is as fast as this and holds such a share of the aorta's HU; veins hold
0.7 and less."""
LEAST_LENGTH_MM, NEAR_MM, EXPLAINED_MM = 15.0, 40.0, 3.0
"""A piece without a line is told of from this length on, so near to the tree, and outside so much of its lines. On 25
simulated patients two pieces are told of, both veins."""


def unsure_names(names: Names) -> tuple[list[Doubt], dict[str, float]]:
    """Return doubts of names and dominance, and each vessel's confidence, 0…1."""
    whole = "RCA" in names.ways
    left = ("LAD", "LCx", "RI", "D1", "D2", "OM1", "OM2", "L-PDA", "L-PLB")
    confidence = {
        vessel: share * (HALF_A_HEART if vessel in left and not whole else 1.0)
        for vessel, share in names.confidence.items()
    }
    doubts = [
        Doubt("name_unsure", vessel, measure=round(100 * share))
        for vessel, share in confidence.items()
        if share < SURE_NAME
    ]
    if names.dominance == "unknown":
        doubts.append(Doubt("dominance_unknown"))
    return doubts, confidence


def odd_courses(tree: Flat, names: Names) -> list[Doubt]:
    """Return doubts of vessels that widen or brighten along their way, or whose length fits no such vessel."""
    out = []
    for vessel, named in names.ways.items():
        way = tree.path(int(named.points[-1]))
        own = float(tree.step_mm[named.points[1:]].sum())
        along = np.cumsum(tree.step_mm[way])
        start = float(along[-1]) - own
        for code, values, limit in (
            ("widens", tree.radius_mm[way], WIDER),
            ("brightens", tree.hu[way], BRIGHTER),
        ):
            at, rise = _rise(along, values, start, limit)
            if rise > 0:
                out.append(
                    Doubt(
                        code,
                        vessel,
                        start_mm=at - start,
                        end_mm=min(at - start + WINDOW_MM, own),
                        measure=rise,
                    )
                )
        low, high = LENGTH_MM[vessel]
        if vessel == "RCA" and "R-PDA" in names.ways:
            low = LEAST_RCA_TO_CRUX_MM
        if not low <= own <= high:
            out.append(
                Doubt(
                    "unlikely_course",
                    vessel,
                    detail=f"It is {own:.0f} mm long; usual are {low:.0f} to {high:.0f} mm.",
                )
            )
    return out


def _rise(along: np.ndarray, values: np.ndarray, start_mm: float, limit: float) -> tuple[float, float]:
    """Where a window lies above all windows before it by more than a limit, and by how much; 0 where none does."""
    highest, at = 0.0, SETTLED_MM
    while at + WINDOW_MM <= along[-1]:
        level = float(np.median(values[(along >= at) & (along <= at + WINDOW_MM)]))
        if highest > 0 and level > limit * highest and at >= start_mm:
            return at, level - highest
        before = (along >= max(at - WINDOW_MM, 0.0)) & (along <= at)
        highest = max(highest, float(np.median(values[before])))
        at += 1.0
    return 0.0, 0.0


def unexplained(raw: RawTree, kept: Sequence[Branch]) -> list[Doubt]:
    """Return doubts of vessels filled like arteries beside the tree that no line follows, with place and length."""
    low, high = (share * raw.tube.hu for share in FILLED)
    sure = (raw.speed > SURE_SPEED) & (raw.state == FREE) & (raw.grid.hu > low) & (raw.grid.hu < high)
    lines = np.concatenate([branch.points for branch in kept])
    reach = int(np.ceil(EXPLAINED_MM / raw.grid.step_mm))
    cube = np.argwhere(np.ones((2 * reach + 1,) * 3, bool)) - reach
    ball = cube[np.linalg.norm(cube, axis=1) * raw.grid.step_mm <= EXPLAINED_MM]
    around = (np.rint(raw.grid.to_index(lines)).astype(int)[::2, None] + ball).reshape(-1, 3)
    sure[tuple(around[((around >= 0) & (around < sure.shape)).all(1)].T)] = False
    pieces, _ = label(sure, np.ones((3, 3, 3), int))
    out = []
    for number, box in enumerate(find_objects(pieces), start=1):
        if max(side.stop - side.start for side in box) * raw.grid.step_mm * np.sqrt(3) < LEAST_LENGTH_MM:
            continue
        inside = np.argwhere(pieces[box] == number) + [side.start for side in box]
        points = raw.grid.to_patient(inside)
        middle = points.mean(0)
        length = float(np.ptp((points - middle) @ np.linalg.svd(points - middle, full_matrices=False)[2][0]))
        near = float(np.linalg.norm(lines - middle, axis=1).min())
        if length >= LEAST_LENGTH_MM and near <= NEAR_MM:
            place = points[np.linalg.norm(points - middle, axis=1).argmin()]
            out.append(
                Doubt(
                    "unexplained_vessel",
                    measure=length,
                    place=(float(place[0]), float(place[1]), float(place[2])),
                )
            )
    return out
