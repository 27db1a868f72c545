"""Round, bright, upright tubes of the size of an aorta: candidates for the ascending aorta.

In each axial slice of a coarse grid every connected area above one of several levels is a disc where it fills most of
its circumscribed circle. Discs of neighbouring slices with like centres, radii and HU are chained into tubes. Which
tube is the ascending aorta is decided later, by the coronary arteries that leave it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import find_objects, gaussian_filter, label

from inference.centreline.isotropic import Grid

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
STEP_MM = 1.5  # cubes in which tubes are looked for
LEVELS_HU = (
    160.0,
    200.0,
    250.0,
    310.0,
    380.0,
    460.0,
)  # from weak contrast to strong, each about a quarter above the last
RADIUS_MM = (7.5, 24.0)  # of a disc
LEAST_FILL = 0.68  # share of its circumscribed circle
LEAST_LENGTH_MM = 12.0  # of a tube
MOST_TUBES = 6  # the ascending and the descending aorta, chambers and great veins


@dataclass(frozen=True)
class Tube:
    """A round tube along the patient's axis.

    Parameters
    ----------
    centres : (n, 3) LPS mm, from the feet upwards. radii_mm : (n,). hu : blood, the median over the inner half.
    fill : mean share of the circumscribed circle that is filled, 0…1.
    """

    centres: np.ndarray
    radii_mm: np.ndarray
    hu: float
    fill: float

    @property
    def length_mm(self) -> float:
        """From the first to the last centre."""
        return float(np.linalg.norm(self.centres[-1] - self.centres[0]))

    @property
    def direction(self) -> np.ndarray:
        """Unit vector from the feet upwards, along the tube."""
        way = self.centres[-1] - self.centres[0]
        return np.asarray(way / np.linalg.norm(way))


@dataclass(frozen=True)
class _Disc:
    slice: int
    centre: np.ndarray
    radius_mm: float
    hu: float
    spread: float
    fill: float


def find_tubes(grid: Grid) -> list[Tube]:
    """Return at most six tubes, the longest and roundest first.

    Parameters
    ----------
    grid : cubes of about 1.5 mm over the whole scan.
    """
    smooth = gaussian_filter(grid.hu, 0.6, mode="nearest")
    discs = [_discs(grid, smooth, k) for k in range(grid.hu.shape[0])]
    tubes: list[Tube] = []
    while len(tubes) < MOST_TUBES:
        chain = _best_chain(discs)
        centres = np.array([d.centre for d in chain])
        if len(chain) < 3 or np.linalg.norm(centres[-1] - centres[0]) < LEAST_LENGTH_MM:
            break
        tubes.append(
            Tube(
                centres=centres,
                radii_mm=np.array([d.radius_mm for d in chain]),
                hu=float(np.median([d.hu for d in chain])),
                fill=float(np.mean([d.fill for d in chain])),
            )
        )
        for disc in chain:
            near = [d for d in discs[disc.slice] if np.linalg.norm(d.centre - disc.centre) > disc.radius_mm]
            discs[disc.slice] = near
    return tubes


def _discs(grid: Grid, smooth: np.ndarray, k: int) -> list[_Disc]:
    """The discs of one slice; of nested ones, that with the steepest border stands for all."""
    plane = smooth[k]
    found = []
    for level in LEVELS_HU:
        names, count = label(plane > level)
        if count == 0:
            continue
        for n, box in enumerate(find_objects(names), start=1):
            tall, wide = (b.stop - b.start for b in box)
            if not (2 * RADIUS_MM[0] <= max(tall, wide) * STEP_MM <= 2.4 * RADIUS_MM[1]):
                continue
            area = np.argwhere(names[box] == n)
            radius = float(np.sqrt(len(area) / np.pi)) * grid.step_mm
            if not RADIUS_MM[0] <= radius <= RADIUS_MM[1]:
                continue
            middle = area.mean(0)
            off = np.linalg.norm(area - middle, axis=1)
            fill = len(area) / (np.pi * (off.max() + 0.5) ** 2)
            if fill < LEAST_FILL:
                continue
            inner = area[off <= 0.6 * off.max()]
            values = plane[box][inner[:, 0], inner[:, 1]]
            at = np.array([k, box[0].start + middle[0], box[1].start + middle[1]])
            found.append(
                _Disc(
                    slice=k,
                    centre=grid.to_patient(at),
                    radius_mm=radius,
                    hu=float(np.median(values)),
                    spread=float(values.std()),
                    fill=fill,
                )
            )
    return found


def _worth(disc: _Disc) -> float:
    """How much a disc looks like a blood-filled circle, 0…1."""
    even = 1.0 / (1.0 + (disc.spread / (0.12 * max(disc.hu, 1.0))) ** 2)
    return float((disc.fill - 0.5) / 0.5 * even)


def _best_chain(discs: list[list[_Disc]]) -> list[_Disc]:
    """The chain of discs of greatest worth, by dynamic programming over the slices; one slice may be skipped."""
    score: list[list[float]] = []
    before: list[list[tuple[int, int]]] = []
    best, end = 0.0, (-1, -1)
    for k, here in enumerate(discs):
        score.append([])
        before.append([])
        for n, disc in enumerate(here):
            value, link = _worth(disc), (-1, -1)
            for gap in (1, 2):
                for m, below in enumerate(discs[k - gap] if k >= gap else ()):
                    if not _alike(below, disc, gap):
                        continue
                    total = score[k - gap][m] + _worth(disc) - 0.3 * abs(below.radius_mm - disc.radius_mm)
                    if total > value:
                        value, link = total, (k - gap, m)
            score[k].append(value)
            before[k].append(link)
            if value > best:
                best, end = value, (k, n)
    chain: list[_Disc] = []
    while end[0] >= 0:
        chain.append(discs[end[0]][end[1]])
        end = before[end[0]][end[1]]
    return chain[::-1]


def _alike(below: _Disc, above: _Disc, gap: int) -> bool:
    shift = float(np.linalg.norm((above.centre - below.centre)[:2]))
    return (
        shift <= 2.0 * gap * STEP_MM
        and abs(above.radius_mm - below.radius_mm) <= 2.0 * gap
        and abs(above.hu - below.hu) <= 0.15 * max(above.hu, below.hu)
    )
