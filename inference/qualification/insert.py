"""The cardiac calcification insert of QRM: where its rod and its nine cylinders of hydroxyapatite lie in a scan.

The insert is a soft cylinder of 10 cm. On its axis lies a rod of 200 mg/cc, 2 cm wide. Elsewhere along it three rows of
cylinders point outwards, 120° from each other, of 800, 400 and 200 mg/cc; in each row the diameters (equal to the
lengths) are 5, 3 and 1 mm, the largest outermost. All axes run along the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np
from scipy.ndimage import find_objects, gaussian_filter, label, maximum_filter, uniform_filter1d

from inference.errors import VolumeError
from inference.scan import Volume

DENSITIES_MG_CC = (800.0, 400.0, 200.0)  # the maker's
DIAMETERS_MM = (5.0, 3.0, 1.0)  # the maker's, equal to the lengths
ROD_MG_CC = 200.0  # the maker's
# How the rod is told from bones and tables: 2 cm wide, round, even, of 200 mg/cc at any tube voltage, in soft material. The
# bounds are wide about what 200 mg/cc measures at 70–140 kVp (230–420 HU above the insert); by hand, on one real scan.
ROD_HU = (180.0, 600.0)
ROD_DIAMETER_MM = (16.0, 24.0)
LEAST_ROD_MM = 6.0
LEAST_FILL = 0.9
SOFT_HU = (-60.0, 160.0)
RING_MM = (14.0, 22.0)  # around the rod's axis, soft all round
# How the three largest cylinders are told from noise: so far from the rod's axis, so bright, 120° apart, in falling order.
REACH_MM = (30.0, 44.0)
LEAST_ABOVE_HU = 45.0
TURN_DEGREES, TURN_ERROR = 120.0, 14.0
RADIUS_ERROR_MM = 3.5
MOST_PEAKS = 12
SLAB_MM = 3.0  # what slices are averaged over, so that thin ones are no noisier
PLANE_MM = 0.8  # SD in plane, for the same reason
PEAK_MM = 8.0  # peaks nearer than this are one
RATIO = (1.35, 4.0)  # of one cylinder's peak to that of half its density


@dataclass(frozen=True)
class Cylinder:
    """One cylinder: what it holds, and its centre (LPS mm)."""

    mg_cc: float
    diameter_mm: float
    centre: tuple[float, float, float]

    @property
    def volume_mm3(self) -> float:
        """Volume of a cylinder as long as it is wide."""
        return float(np.pi / 4 * self.diameter_mm**3)

    @property
    def mass_mg(self) -> float:
        """Hydroxyapatite, mg."""
        return self.volume_mm3 * self.mg_cc / 1000


@dataclass(frozen=True)
class Insert:
    """Where the insert lies: the rod (centre LPS mm, diameter and length in mm) and the nine cylinders."""

    rod_centre: tuple[float, float, float]
    rod_diameter_mm: float
    rod_length_mm: float
    cylinders: tuple[Cylinder, ...]


@dataclass(frozen=True)
class _Rod:
    middle: np.ndarray  # row, column
    first: int
    last: int
    diameter_mm: float


def find_insert(volume: Volume) -> Insert:
    """Find the insert. Its axis must run along the table, across the slices.

    Raises
    ------
    VolumeError
        ``no-rod``, ``no-cylinders``: this is no scan of that phantom, or parts of it are missing.
    """
    rod = _find_rod(volume)
    pixel, slab = float(np.mean(volume.spacing_mm[:2])), volume.spacing_mm[2]
    size = max(1, round(SLAB_MM / slab))
    mean = uniform_filter1d(volume.hu.astype(np.float32), size, axis=0, mode="nearest")
    smooth = gaussian_filter(mean, (0, PLANE_MM / pixel, PLANE_MM / pixel))
    peaks = _peaks(smooth, rod, pixel, size)
    triple = _triple(peaks, rod, pixel, slab)
    if triple is None:
        raise VolumeError(
            "no-cylinders",
            f"A rod of 2 cm was found, but no three cylinders 120° apart at {REACH_MM[0]:.0f} to {REACH_MM[1]:.0f} mm from its axis, "
            f"each about twice as bright as the next ({len(peaks)} bright spots lie there). Send the whole insert, with slices across "
            "its axis, the rod and the cylinders in one series.",
        )
    slice_at = float(np.mean([p[0] for p in triple]))
    outermost = np.array([p[1:3] for p in triple])
    axis = _middle_of(outermost)
    cylinders = []
    for mg_cc, place in zip(DENSITIES_MG_CC, outermost, strict=True):
        inwards = (axis - place) / 3
        for n, diameter in enumerate(DIAMETERS_MM):
            row, column = place + n * inwards
            if n < len(DIAMETERS_MM) - 1:  # the smallest is too faint to be centred
                row, column = _centred(mean, slice_at, np.array([row, column]), pixel)
            x, y, z = volume.to_patient(np.array([column, row, slice_at]))
            cylinders.append(Cylinder(mg_cc, diameter, (float(x), float(y), float(z))))
    x, y, z = volume.to_patient(np.array([rod.middle[1], rod.middle[0], (rod.first + rod.last) / 2]))
    length = (rod.last - rod.first + 1) * slab
    return Insert((float(x), float(y), float(z)), rod.diameter_mm, length, tuple(cylinders))


def _find_rod(volume: Volume) -> _Rod:
    """The longest round, even disc of the rod's size and HU in neighbouring slices."""
    pixel, slab = float(np.mean(volume.spacing_mm[:2])), volume.spacing_mm[2]
    best: _Rod | None = None
    runs: list[_Rod] = []
    for k, plane in enumerate(volume.hu):
        runs_here: list[_Rod] = []
        for middle, diameter in _discs(plane.astype(np.float32), pixel):
            before = next((r for r in runs if np.hypot(*(r.middle - middle)) * pixel < 3.0), None)
            runs_here.append(_Rod(middle, before.first if before else k, k, diameter))
        runs = runs_here
        for run in runs:
            if best is None or run.last - run.first > best.last - best.first:
                best = run
    if best is None or (best.last - best.first + 1) * slab < LEAST_ROD_MM:
        raise VolumeError(
            "no-rod",
            "No rod of 200 mg/cc was found: nothing in these slices is round, even, 2 cm wide, 180 to 600 HU and surrounded by soft "
            "material. Send a scan of the QRM cardiac calcification insert (nine cylinders and the calibration rod), slices across "
            "its axis.",
        )
    return best


def _discs(plane: np.ndarray, pixel: float) -> list[tuple[np.ndarray, float]]:
    """(row and column, diameter in mm) of what in one slice could be the rod."""
    smooth = gaussian_filter(plane, 0.6 / pixel)
    names, _ = label((smooth > ROD_HU[0]) & (smooth < ROD_HU[1]))
    rows, columns = np.ogrid[: plane.shape[0], : plane.shape[1]]
    found = []
    for number, place in enumerate(find_objects(names), start=1):
        sides = [(part.stop - part.start) * pixel for part in place]
        if not all(ROD_DIAMETER_MM[0] <= side <= ROD_DIAMETER_MM[1] for side in sides):
            continue
        area = int((names[place] == number).sum())
        diameter = 2 * float(np.sqrt(area * pixel**2 / np.pi))
        if area < LEAST_FILL * np.pi / 4 * sides[0] * sides[1] / pixel**2:
            continue
        middle = np.array([(part.start + part.stop - 1) / 2 for part in place])
        far = np.hypot(rows - middle[0], columns - middle[1]) * pixel
        ring = smooth[(far > RING_MM[0]) & (far < RING_MM[1])]
        if len(ring) and SOFT_HU[0] < np.percentile(ring, 2) and np.percentile(ring, 98) < SOFT_HU[1]:
            found.append((middle, diameter))
    return found


def _peaks(smooth: np.ndarray, rod: _Rod, pixel: float, size: int) -> list[tuple[float, float, float, float]]:
    """(slice, row, column, HU above the insert) of bright spots about the rod's axis, the brightest first."""
    rows, columns = smooth.shape[1:]
    r, c = np.ogrid[:rows, :columns]
    far = np.hypot(r - rod.middle[0], c - rod.middle[1]) * pixel
    ring = (far >= REACH_MM[0]) & (far <= REACH_MM[1])
    high = maximum_filter(smooth, (2 * size + 1, *[2 * round(PEAK_MM / 2 / pixel) + 1] * 2))
    top = (smooth == high) & ring
    out = []
    for k, row, column in np.argwhere(top):
        if rod.first - size <= k <= rod.last + size:
            continue
        above = float(smooth[k, row, column] - np.median(smooth[k][ring]))
        if above > LEAST_ABOVE_HU:
            out.append((float(k), float(row), float(column), above))
    return sorted(out, key=lambda p: -p[3])[:MOST_PEAKS]


def _triple(
    peaks: list[tuple[float, float, float, float]], rod: _Rod, pixel: float, slab: float
) -> list[tuple[float, float, float, float]] | None:
    """The three largest cylinders, densest first: of those that fit, the brightest."""
    best = None
    for three in permutations(peaks, 3):
        places = np.array([p[1:3] for p in three])
        deep = [p[0] * slab for p in three]
        above = [p[3] for p in three]
        if max(deep) - min(deep) > SLAB_MM + slab:
            continue
        if not all(RATIO[0] < a / b < RATIO[1] for a, b in pairwise(above)):
            continue
        out = (places - rod.middle) * pixel
        angle = np.degrees(np.arctan2(out[:, 0], out[:, 1]))
        turns = [abs((angle[n] - angle[n - 1] + 180) % 360 - 180) for n in range(3)]
        radii = np.hypot(*out.T)
        if max(abs(t - TURN_DEGREES) for t in turns) > TURN_ERROR or np.ptp(radii) > RADIUS_ERROR_MM:
            continue
        if best is None or sum(above) > sum(p[3] for p in best):
            best = list(three)
    return best


def _middle_of(three: np.ndarray) -> np.ndarray:
    """Centre (2,) of the circle through three points (3, 2)."""
    a, b, c = three
    lines = 2 * np.array([b - a, c - a])
    return np.asarray(np.linalg.solve(lines, [b @ b - a @ a, c @ c - a @ a]))


def _centred(mean: np.ndarray, slice_at: float, place: np.ndarray, pixel: float) -> np.ndarray:
    """The centre of gravity of what is bright within 4 mm of a place; the place itself where that lies 2 mm away."""
    plane = mean[round(slice_at)]
    reach = round(4.0 / pixel)
    row, column = np.rint(place).astype(int)
    part = plane[row - reach : row + reach + 1, column - reach : column + reach + 1]
    r, c = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    above = np.clip(part - np.median(part) - 0.4 * (part.max() - np.median(part)), 0, None)
    shift = np.array([(r * above).sum(), (c * above).sum()]) / max(float(above.sum()), 1e-9)
    found = np.array([row, column]) + shift
    return np.asarray(found if np.hypot(*(found - place)) * pixel < 2.0 else place)
