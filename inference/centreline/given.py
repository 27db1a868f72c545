"""Centrelines that a person or another program gave, held against the scan before anything is measured along them.

What no number can come of is refused in words: a line that turns back on itself, a long way without a vessel, a line
through the aorta or a chamber, one beside every vessel, two lines along one stretch. What can be put right is put right
and told: a line that was drawn from its end to its origin is turned round, a branch that was drawn from the ostium begins
where it leaves its parent. All else that is odd is a doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from inference.centreline.aorta import STEP_MM as TUBE_STEP_MM
from inference.centreline.aorta import Tube, find_tubes
from inference.centreline.isotropic import extent
from inference.centreline.isotropic import resample as to_cubes
from inference.centreline.lines import Centreline, resample
from inference.doubts import Doubt
from inference.errors import CentrelineError
from inference.sampling import at_points
from inference.scan import Volume
from inference.vocabulary import VESSELS

STEP_MM = 0.5  # of the points that are looked at; an artery of 1 mm is two of them wide
CHORD_MM, FOLD_COSINE = 1.5, -0.85
"""A line folds where the chords before and after a point meet at less than 32°: no artery does, a pasted piece does."""
CLOSE_MM, APART_MM, LEAST_DOUBLED_MM = 0.8, 8.0, 3.0
"""Within its own lumen again (CLOSE) after so much way (APART), for so long: the line runs twice along one stretch."""
MOST_SPUR_MM, MOST_SPURS = 5.0, 3
"""A way there and back that is no longer is cut out: one of 18 clinical paths has one of 3 mm."""
GAP_MM, GAP_STEPS = 6.0, 4.0
"""A step is a gap if it is longer than both: hand-clicked points lie up to 6 mm apart, and evenly."""
EMPTY_MM = 5.0  # of a gap without contrast: longer than a tight stenosis between two points is
REACH_MM = 1.5  # beside the line, in which its lumen is looked for: centrelines are drawn up to 1 mm off
FILLED = 0.5  # of the vessels' own contrast; half of it is where a lumen's edge lies
OUTSIDE_SHARES = (0.25, 0.6)
"""Share of a line without lumen from which it is doubted, and refused: occlusions are up to 30 mm of a 120 mm artery."""
WIDE_MM, WIDE_FILLED, WIDE_SHARE = 5.0, 0.7, 0.85
"""A sphere of this radius (10 mm wide, more than an ectatic artery) that is filled so much, to such a share."""
LEAST_WIDE_MM, MOST_WIDE_MM, MOST_WIDE_SHARE = 3.0, 15.0, 0.3
"""Such a stretch is doubted from the first on, and refused where it is both longer and a larger share: no aneurysm is."""
AT_AORTA_MM, OFF_AORTA_MM, AT_PARENT_MM = 4.0, 12.0, 2.0
"""An end so near to the aorta's wall or to another line begins there; one farther off than the second does not."""
SAME_MM, MOST_SHARED_MM, LEAST_SHARED_MM = 0.5, 10.0, 7.0
"""Two lines closer than this are in one lumen; past a fork they are for less than 7 mm (truth of 20 simulated patients)."""
MAIN = ("LM", "LAD", "LCx", "RCA")
_PARENTS = {
    "LAD": ("LM",),
    "LCx": ("LM",),
    "RI": ("LM", "LAD", "LCx"),
    "D1": ("LAD",),
    "D2": ("LAD",),
    "OM1": ("LCx",),
    "OM2": ("LCx",),
    "L-PDA": ("LCx", "L-PLB"),
    "L-PLB": ("LCx", "L-PDA"),
    "R-PDA": ("RCA", "R-PLB"),
    "R-PLB": ("RCA", "R-PDA"),
    "AM": ("RCA",),
}
"""The vessels on which each begins."""
TUBES = 2  # the ascending and the descending aorta are the longest and roundest


@dataclass(frozen=True)
class Given:
    """Checked centrelines.

    Parameters
    ----------
    lines : as they are measured. moved : vessels whose positions are not those of the given line any more.
    """

    lines: tuple[Centreline, ...]
    doubts: tuple[Doubt, ...]
    moved: frozenset[str] = frozenset()


def check_given(volume: Volume, lines: Sequence[Centreline]) -> Given:
    """Hold given centrelines against the scan.

    Raises
    ------
    CentrelineError
        ``doubled-back``, ``gap``, ``not-coronary``, ``outside-vessels``, ``shared-stretch``, ``vessel-twice``.
    """
    check_shapes(lines)
    low, high = extent(volume)
    tubes = find_tubes(to_cubes(volume, step_mm=TUBE_STEP_MM, low=low, high=high))[:TUBES]
    straight = [_without_spurs(line) for line in lines]
    spurs = [doubt for _, more in straight for doubt in more]
    lines, turned = _turned([line for line, _ in straight], tubes)
    lines, cut = _apart(lines)
    level = tubes[0].hu if tubes else _contrast(volume, lines)
    _check_space(volume, lines, level)
    doubts = [*spurs, *turned, *cut, *_off_ostium(lines, tubes)]
    for line in lines:
        doubts += _gaps(volume, line, level)
        doubts += _wide(volume, line)
        doubts += _beside(volume, line, level)
    return Given(tuple(lines), tuple(doubts), frozenset(doubt.vessel for doubt in (*spurs, *turned, *cut)))


def check_shapes(lines: Sequence[Centreline]) -> None:
    """Refuse what is wrong whatever the scan: a vessel given twice, a line that turns back on itself.

    Raises
    ------
    CentrelineError
        ``vessel-twice``, ``doubled-back``.
    """
    names = [line.vessel for line in lines]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CentrelineError("vessel-twice", f"{', '.join(twice)} came twice: give each vessel once.")
    for line in lines:
        _without_spurs(line)


def _without_spurs(line: Centreline) -> tuple[Centreline, list[Doubt]]:
    """Cut out short ways there and back, as drawing over a fork leaves them; refuse a line that turns back for longer."""
    told: list[Doubt] = []
    for _ in range(MOST_SPURS + 1):
        points = resample(line.points, STEP_MM)
        at = _fold(points)
        if at is None:
            return line, told
        tip = min(round(at / STEP_MM), len(points) - 1)
        spur = _spur(points, tip)
        if spur is None or len(told) == MOST_SPURS:
            break
        start, stop = (STEP_MM * n for n in spur)
        along = line.positions_mm
        kept = (along <= start) | (along >= stop)
        line = replace(
            line,
            points=line.points[kept],
            segments=tuple(s for s, k in zip(line.segments, kept, strict=True) if k),
            radius_mm=None if line.radius_mm is None else line.radius_mm[kept],
        )
        told.append(Doubt("spur_cut", line.vessel, start_mm=start, end_mm=start, measure=(stop - start) / 2))
    raise CentrelineError(
        "doubled-back",
        f"{line.vessel}: the line turns back on itself {at:.0f} mm from its first point, near {_place(points[tip])}, as pieces do "
        "that were pasted one after the other. Stretches would count twice: give the line once, from its origin to its end.",
    )


def _spur(points: np.ndarray, tip: int) -> tuple[int, int] | None:
    """First and last point of a short way there and back about a tip; None where it is no short one."""
    reach = round(MOST_SPUR_MM / STEP_MM)
    before = np.arange(max(tip - reach, 0), tip)
    after = np.arange(tip + 1, min(tip + reach + 1, len(points)))
    if len(before) == 0 or len(after) == 0 or after[-1] == len(points) - 1:
        return None
    off = np.linalg.norm(points[before][:, None] - points[after], axis=2)
    close = np.argwhere(off < CLOSE_MM)
    if len(close) == 0:
        return None
    first, last = close[np.argmax(after[close[:, 1]] - before[close[:, 0]])]
    i, j = int(before[first]), int(after[last])
    ends_within = (i > before[0] + 2 or before[0] == 0) and j < after[-1] - 2
    return (i, j) if ends_within else None


def _fold(points: np.ndarray) -> float | None:
    """How far along the line turns back or runs through its own lumen again, mm; None where it does not."""
    if len(points) < 3:
        return None
    reach = round(CHORD_MM / STEP_MM)
    if len(points) > 2 * reach:
        before = _unit(points[reach:-reach] - points[: -2 * reach])
        after = _unit(points[2 * reach :] - points[reach:-reach])
        folds = np.flatnonzero((before * after).sum(1) < FOLD_COSINE)
        if len(folds):
            return float(STEP_MM * (reach + folds[0]))
    pairs = cKDTree(points).query_pairs(CLOSE_MM, output_type="ndarray")
    again = pairs[np.abs(pairs[:, 0] - pairs[:, 1]) * STEP_MM > APART_MM]
    doubled = np.unique(again.max(1)) if len(again) else np.zeros(0, int)
    return float(STEP_MM * doubled[0]) if len(doubled) * STEP_MM > LEAST_DOUBLED_MM else None


def _turned(lines: Sequence[Centreline], tubes: Sequence[Tube]) -> tuple[list[Centreline], list[Doubt]]:
    """Turn lines round whose far end lies at the aorta, or on another line, and whose near end lies at neither."""
    out, told = [], []
    for line in lines:
        ends = line.points[[0, -1]]
        aorta = _off_tubes(ends, tubes)
        others = _off_lines(ends, [x for x in lines if x is not line])
        parent = _off_lines(
            ends, [x for x in lines if x is not line and x.vessel in _PARENTS.get(line.vessel, ())]
        )
        at_aorta = aorta[1] <= AT_AORTA_MM and aorta[0] > OFF_AORTA_MM and line.vessel in MAIN
        at_parent = parent[1] <= AT_PARENT_MM and parent[0] > AT_AORTA_MM
        fed = line.vessel == "LM" and others[0] <= AT_PARENT_MM < others[1] and aorta[1] < aorta[0]
        if at_aorta or at_parent or fed:
            radius = None if line.radius_mm is None else line.radius_mm[::-1]
            line = replace(line, points=line.points[::-1], segments=line.segments[::-1], radius_mm=radius)
            told.append(Doubt("turned_round", line.vessel))
        out.append(line)
    return out, told


def _apart(lines: Sequence[Centreline]) -> tuple[list[Centreline], list[Doubt]]:
    """Let branches begin where they leave a main vessel, or each other; refuse lines that meet again farther on."""
    ranked = sorted(lines, key=lambda x: (x.vessel not in MAIN, VESSELS.index(x.vessel)))
    done: list[Centreline] = []
    told = []
    for line in ranked:
        if not done:
            done.append(line)
            continue
        points = resample(line.points, STEP_MM)
        others = np.concatenate([resample(x.points, STEP_MM) for x in done])
        near = np.asarray(cKDTree(others).query(points)[0] < SAME_MM)
        first = int(np.argmin(near)) if not near.all() else len(near)
        shared = STEP_MM * float(near[first:].sum())
        if first == len(near) or shared > MOST_SHARED_MM:
            along = float(STEP_MM * (np.flatnonzero(near)[-1]))
            raise CentrelineError(
                "shared-stretch",
                f"{line.vessel} runs along another given line up to {along:.0f} mm from its first point, {STEP_MM * near.sum():.0f} mm "
                "in all: plaque there would count twice. Let each branch begin where it leaves its parent.",
            )
        if first * STEP_MM > LEAST_SHARED_MM:
            line = _from(line, first * STEP_MM)
            told.append(Doubt("shared_start", line.vessel, measure=first * STEP_MM))
        done.append(line)
    order = {line.vessel: n for n, line in enumerate(lines)}
    return sorted(done, key=lambda x: order[x.vessel]), told


def _from(line: Centreline, start_mm: float) -> Centreline:
    """Return what of a line lies beyond a position."""
    first = min(int(np.searchsorted(line.positions_mm, start_mm)), len(line.points) - 2)
    radius = None if line.radius_mm is None else line.radius_mm[first:]
    return replace(line, points=line.points[first:], segments=line.segments[first:], radius_mm=radius)


def _check_space(volume: Volume, lines: Sequence[Centreline], level: float) -> None:
    """Refuse lines that lie in vessels only when x and y change sign: RAS instead of LPS."""

    def empty(sign: Sequence[float]) -> float:
        points = np.concatenate([resample(x.points, 4 * STEP_MM) for x in lines])
        return float((_peak(volume, points * sign) < FILLED * level).mean())

    as_given = empty((1, 1, 1))
    if as_given > OUTSIDE_SHARES[0] and empty((-1, -1, 1)) < OUTSIDE_SHARES[0] / 2:
        raise CentrelineError(
            "ras",
            f"{100 * as_given:.0f} % of the lines lie in no vessel, but they all do when x and y change sign: the file is in RAS. "
            "Write it in DICOM patient coordinates (LPS), or, for VTK, say SPACE=RAS in the title.",
        )


def _contrast(volume: Volume, lines: Sequence[Centreline]) -> float:
    """HU of the vessels' lumen: the median over all lines of the brightest beside each point."""
    return float(np.median(np.concatenate([_peak(volume, resample(x.points, 2 * STEP_MM)) for x in lines])))


def _gaps(volume: Volume, line: Centreline, level: float) -> list[Doubt]:
    """Doubt long steps between points, and refuse one across which there is no vessel."""
    steps = np.linalg.norm(np.diff(line.points, axis=0), axis=1)
    along = line.positions_mm
    out = []
    for n in np.flatnonzero((steps > GAP_MM) & (steps > GAP_STEPS * np.median(steps))):
        way = resample(line.points[n : n + 2], STEP_MM)
        empty = STEP_MM * float((_peak(volume, way) < FILLED * level).sum())
        if empty > EMPTY_MM:
            raise CentrelineError(
                "gap",
                f"{line.vessel}: points {n + 1} and {n + 2} lie {steps[n]:.0f} mm apart, near {_place(line.points[n])}, and {empty:.0f} mm "
                "of the straight way between them run through no vessel. Give points at most 2 mm apart, or two vessels.",
            )
        out.append(
            Doubt("given_gap", line.vessel, None, float(along[n]), float(along[n + 1]), float(steps[n]))
        )
    return out


def _wide(volume: Volume, line: Centreline) -> list[Doubt]:
    """Doubt stretches that are wider than a coronary artery, and refuse a line that runs through such a cavity."""
    points = resample(line.points, 2 * STEP_MM)
    shell = points[:, None] + WIDE_MM * _DIRECTIONS
    centre = at_points(volume, points)
    wide = (at_points(volume, shell) > WIDE_FILLED * centre[:, None]).mean(1) > WIDE_SHARE
    wide &= centre > 0
    step = line.length_mm / max(len(points) - 1, 1)
    length = step * float(wide.sum())
    if length > MOST_WIDE_MM and wide.mean() > MOST_WIDE_SHARE:
        raise CentrelineError(
            "not-coronary",
            f"{line.vessel}: over {length:.0f} of {line.length_mm:.0f} mm the line runs through a space that is filled with contrast "
            f"and wider than {2 * WIDE_MM:.0f} mm: the aorta or a chamber, not a coronary artery. Check the file and its vessel's name.",
        )
    return [
        Doubt("too_wide", line.vessel, start_mm=step * first, end_mm=step * last, measure=2 * WIDE_MM)
        for first, last in _runs(wide)
        if step * (last - first) >= LEAST_WIDE_MM
    ]


def _beside(volume: Volume, line: Centreline, level: float) -> list[Doubt]:
    """Doubt a line a part of which has no lumen near it, and refuse one that lies in no vessel."""
    empty = _peak(volume, resample(line.points, 2 * STEP_MM)) < FILLED * level
    share = float(empty.mean())
    if share > OUTSIDE_SHARES[1]:
        raise CentrelineError(
            "outside-vessels",
            f"{line.vessel}: {100 * share:.0f} % of the line have no contrast-filled vessel within {REACH_MM:.1f} mm. Check that the "
            "points are DICOM patient coordinates (LPS, mm) of this series, and that this vessel is filled.",
        )
    return [Doubt("outside_lumen", line.vessel, measure=100 * share)] if share > OUTSIDE_SHARES[0] else []


def _off_ostium(lines: Sequence[Centreline], tubes: Sequence[Tube]) -> list[Doubt]:
    """Doubt lines that begin neither at the aorta nor at another line; nothing where no aorta was found."""
    out = []
    for line in lines if tubes else ():
        start = line.points[:1]
        off = float(
            min(_off_tubes(start, tubes)[0], _off_lines(start, [x for x in lines if x is not line])[0])
        )
        if off > OFF_AORTA_MM / 2:
            out.append(Doubt("off_ostium", line.vessel, measure=off))
    return out


def _peak(volume: Volume, points: np.ndarray) -> np.ndarray:
    """Return the brightest HU at each point and round it."""
    return np.asarray(at_points(volume, points[:, None] + REACH_MM * _AROUND).max(1))


def _off_tubes(points: np.ndarray, tubes: Sequence[Tube]) -> np.ndarray:
    """Distance of points from the nearest tube's wall, mm; 0 inside, infinite without tubes."""
    if not tubes:
        return np.full(len(points), np.inf)
    centres, radii = (np.concatenate([getattr(t, name) for t in tubes]) for name in ("centres", "radii_mm"))
    return np.asarray(np.maximum(np.linalg.norm(points[:, None] - centres, axis=2) - radii, 0.0).min(1))


def _off_lines(points: np.ndarray, lines: Sequence[Centreline]) -> np.ndarray:
    if not lines:
        return np.full(len(points), np.inf)
    return np.asarray(cKDTree(np.concatenate([resample(x.points, STEP_MM) for x in lines])).query(points)[0])


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    return [(int(first), int(last) - 1) for first, last in edges.reshape(-1, 2)]


def _unit(ways: np.ndarray) -> np.ndarray:
    return np.asarray(ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-9))


def _place(point: np.ndarray) -> str:
    return "({:.0f}, {:.0f}, {:.0f})".format(*point)


_CUBE = np.array([[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)], float)
_DIRECTIONS = _unit(_CUBE[np.abs(_CUBE).sum(1) > 0])
_AROUND = np.concatenate([[[0.0, 0.0, 0.0]], _DIRECTIONS / 2, _DIRECTIONS])
