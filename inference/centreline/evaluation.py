"""How well a centreline follows a reference: the measures of the Rotterdam framework (CAT08).

Source: Schaap M. et al., Standardized evaluation methodology and reference database for evaluating coronary artery
centerline extraction algorithms, Med Image Anal 2009;13:701–714. Both centrelines are sampled every 0.03 mm and put
in correspondence: the ordered set of connections, from start to start and end to end, whose summed length is smallest.
A point is right where one of its connections is shorter than the reference's radius at its other end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from inference.centreline.lines import Centreline, resample
from inference.errors import CentrelineError

# Sampling, the free start and the relevant width are those of the framework (Schaap et al., 2009).
SAMPLING_MM = 0.03
FREE_START_MM = 5.0
"""OF forgives errors in the first 5 mm."""
RELEVANT_RADIUS_MM = 0.75
"""OT ends at the last place where the reference is 1.5 mm wide."""
JOIN_MM = 1.0  # stored branches start on a point of their parent; a millimetre allows for rounding and other programs


@dataclass(frozen=True)
class Overlap:
    """The measures of one vessel.

    Parameters
    ----------
    ov : overlap, 0…1. of : overlap until the first error, 0…1. ot : overlap of the part at least 1.5 mm wide, 0…1.
    ai : mean length of the connections inside the vessel, mm; NaN where none is.
    ad : mean length of all connections, mm.
    """

    ov: float
    of: float
    ot: float
    ai: float
    ad: float


NOTHING = Overlap(ov=0.0, of=0.0, ot=0.0, ai=float("nan"), ad=float("nan"))
"""The measures of a vessel that was not found."""


def evaluate(
    found: Centreline, reference: Centreline, *, sampling_mm: float = SAMPLING_MM, clip: bool = True
) -> Overlap:
    """Compare a centreline with a reference that has radii.

    Parameters
    ----------
    reference : with ``radius_mm`` (the annotated lumen radius).
    sampling_mm : distance of the samples of both lines; time and memory grow with its inverse square.
    clip : leave out what lies before the reference's start, as the framework does.

    Raises
    ------
    CentrelineError
        ``no-radius``: the reference has none.
    """
    if reference.radius_mm is None:
        raise CentrelineError(
            "no-radius", f"{reference.vessel}: the reference centreline needs a radius per point."
        )
    ref = resample(reference.points, sampling_mm)
    radius = np.interp(
        np.linspace(0, reference.length_mm, len(ref)), reference.positions_mm, reference.radius_mm
    )
    line = resample(found.points, sampling_mm)
    if clip:
        line = _clipped(line, ref, 2.0 * radius[0])
    a, b = _correspondence(ref, line)
    length = np.linalg.norm(ref[a] - line[b], axis=1)
    inside = length < radius[a]
    right_ref = np.zeros(len(ref), bool)
    right_line = np.zeros(len(line), bool)
    right_ref[a[inside]] = True
    right_line[b[inside]] = True
    wide = np.flatnonzero(radius >= RELEVANT_RADIUS_MM)
    last = int(wide[-1]) if len(wide) else -1
    stop = int(b[a <= last].max()) if last >= 0 else -1
    return Overlap(
        ov=_share(right_ref, right_line),
        of=_until_first_error(right_ref, sampling_mm),
        ot=_share(right_ref[: last + 1], right_line[: stop + 1]),
        ai=float(length[inside].mean()) if inside.any() else float("nan"),
        ad=float(length.mean()),
    )


def _share(right_ref: np.ndarray, right_line: np.ndarray) -> float:
    """Overlap: right points of both lines over all points of both (the Dice of the framework)."""
    total = len(right_ref) + len(right_line)
    return float((right_ref.sum() + right_line.sum()) / total) if total else float("nan")


def _until_first_error(right: np.ndarray, sampling_mm: float) -> float:
    free = round(FREE_START_MM / sampling_mm)
    wrong = np.flatnonzero(~right[free:])
    return float((free + wrong[0]) / len(right)) if len(wrong) else 1.0


def _clipped(line: np.ndarray, ref: np.ndarray, radius_mm: float) -> np.ndarray:
    """Leave out what comes before the line first passes a disc across the reference's start.

    The disc has twice the vessel's radius; a line that never passes it is kept whole.
    """
    along = ref[min(len(ref) - 1, 30)] - ref[0]
    along = along / max(np.linalg.norm(along), 1e-9)
    side = (line - ref[0]) @ along
    off = np.linalg.norm((line - ref[0]) - side[:, None] * along, axis=1)
    through = np.flatnonzero((side[:-1] < 0) & (side[1:] >= 0) & (off[1:] <= radius_mm))
    kept = line[through[0] + 1 :] if len(through) else line
    return kept if len(kept) >= 2 else line


def _correspondence(ref: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of both ends of every connection, in order."""
    step = _steps(np.ascontiguousarray(ref), np.ascontiguousarray(line))
    a, b = _trace_back(step)
    return a[::-1], b[::-1]


@numba.njit(cache=True, nogil=True)
def _steps(ref: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Dynamic programming: the step by which the cheapest correspondence reaches each pair."""
    n, m = len(ref), len(line)
    step = np.zeros((n, m), np.uint8)
    before = np.empty(m, np.float64)
    here = np.empty(m, np.float64)
    for i in range(n):
        for j in range(m):
            d = np.sqrt(
                (ref[i, 0] - line[j, 0]) ** 2 + (ref[i, 1] - line[j, 1]) ** 2 + (ref[i, 2] - line[j, 2]) ** 2
            )
            if i == 0 and j == 0:
                here[j] = d
            elif i == 0:
                here[j] = here[j - 1] + d
                step[i, j] = 1
            elif j == 0:
                here[j] = before[j] + d
                step[i, j] = 2
            else:
                best, way = before[j - 1], 0
                if here[j - 1] < best:
                    best, way = here[j - 1], 1
                if before[j] < best:
                    best, way = before[j], 2
                here[j] = best + d
                step[i, j] = way
        before, here = here, before
    return step


@numba.njit(cache=True, nogil=True)
def _trace_back(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    i, j = step.shape[0] - 1, step.shape[1] - 1
    a = np.empty(i + j + 1, np.int64)
    b = np.empty(i + j + 1, np.int64)
    count = 0
    while True:
        a[count], b[count] = i, j
        count += 1
        if i == 0 and j == 0:
            break
        way = step[i, j]
        if way != 1:
            i -= 1
        if way != 2:
            j -= 1
    return a[:count], b[:count]


def from_ostium(lines: Sequence[Centreline], vessel: str) -> Centreline | None:
    """Join a stored vessel to the vessels it comes from, back to the ostium, as the framework's references run.

    Parameters
    ----------
    lines : all vessels of one tree; a branch starts within 1 mm of a point of its parent. None where the vessel is missing.
    """
    named = {line.vessel: line for line in lines}
    if vessel not in named:
        return None
    line, met = named[vessel], {vessel}
    points, radius = line.points, line.radius_mm
    while True:
        start = points[0]
        parent = next((x for x in lines if x.vessel not in met and _leaves(x, start)), None)
        if parent is None:
            break
        met.add(parent.vessel)
        at = int(np.linalg.norm(parent.points - start, axis=1).argmin())
        points = np.concatenate([parent.points[:at], points])
        before = parent.radius_mm
        radius = None if radius is None or before is None else np.concatenate([before[:at], radius])
    return Centreline(vessel, points, radius_mm=radius)


def _leaves(parent: Centreline, start: np.ndarray) -> bool:
    """Whether a vessel that starts here is a branch of ``parent``: the start is on it, and not its own start."""
    off = np.linalg.norm(parent.points - start, axis=1)
    return bool(off.min() <= JOIN_MM and parent.positions_mm[int(off.argmin())] > JOIN_MM)
