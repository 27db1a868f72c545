"""Edits of a centreline by a person: each function returns a new centreline and leaves the given one as it was.

Points are LPS mm. An inserted or appended point takes its segment from its neighbour; radii that an edit makes
unknown are interpolated from the neighbours, so that a later recentring has somewhere to start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from inference.centreline.lines import Centreline
from inference.errors import CentrelineError
from inference.vocabulary import SEGMENTS, VESSELS

End = Literal["proximal", "distal"]
SEGMENT_NAMES = frozenset(s.short for s in SEGMENTS) | {""}


def insert_point(line: Centreline, point: np.ndarray) -> Centreline:
    """Insert a point between the two neighbours whose connection passes nearest to it.

    Parameters
    ----------
    point : (3,) LPS mm.

    Raises
    ------
    CentrelineError
        ``bad-point``: not three finite numbers, or a point that stands there already.
    """
    new = _point(line, point)
    start, way = line.points[:-1], np.diff(line.points, axis=0)
    share = ((new - start) * way).sum(1) / np.maximum((way * way).sum(1), 1e-12)
    off = np.linalg.norm(start + np.clip(share, 0, 1)[:, None] * way - new, axis=1)
    at = int(np.argmin(off)) + 1
    if np.linalg.norm(line.points - new, axis=1).min() < 1e-6:
        raise CentrelineError("bad-point", f"{line.vessel}: there is a point at this place already.")
    radius = None
    if line.radius_mm is not None:
        radius = np.insert(line.radius_mm, at, 0.5 * (line.radius_mm[at - 1] + line.radius_mm[at]))
    return Centreline(
        vessel=line.vessel,
        points=np.insert(line.points, at, new, axis=0),
        segments=(*line.segments[:at], line.segments[at - 1], *line.segments[at:]),
        radius_mm=radius,
    )


def move_point(line: Centreline, index: int, point: np.ndarray, *, reach_mm: float = 0.0) -> Centreline:
    """Move a point; its neighbours follow within ``reach_mm`` along the line, less with distance (raised cosine).

    Raises
    ------
    CentrelineError
        ``no-such-point``, ``bad-point``.
    """
    at = _index(line, index)
    new = _point(line, point)
    if reach_mm < 0:
        raise CentrelineError("bad-point", f"{line.vessel}: the reach must not be below 0 mm.")
    along = np.abs(line.positions_mm - line.positions_mm[at])
    share = np.where(along < reach_mm, 0.5 * (1 + np.cos(np.pi * along / max(reach_mm, 1e-9))), 0.0)
    share[at] = 1.0
    return replace(line, points=line.points + share[:, None] * (new - line.points[at]))


def delete_point(line: Centreline, index: int) -> Centreline:
    """Delete one point.

    Raises
    ------
    CentrelineError
        ``no-such-point``; ``too-few-points`` where two points are left.
    """
    at = _index(line, index)
    if len(line.points) == 2:
        raise CentrelineError(
            "too-few-points",
            f"{line.vessel}: a centreline needs two points; delete the whole vessel instead.",
        )
    return Centreline(
        vessel=line.vessel,
        points=np.delete(line.points, at, axis=0),
        segments=line.segments[:at] + line.segments[at + 1 :],
        radius_mm=None if line.radius_mm is None else np.delete(line.radius_mm, at),
    )


def extend(line: Centreline, points: np.ndarray, *, end: End = "distal") -> Centreline:
    """Add points beyond an end; ``trace`` finds them between the end and a click.

    Parameters
    ----------
    points : (m, 3) or (3,) LPS mm, ordered away from the line's end; a first point that repeats the end is left out.

    Raises
    ------
    CentrelineError
        ``bad-point``: not finite, or nothing beyond the end.
    """
    if end not in ("proximal", "distal"):
        raise CentrelineError("bad-point", f"{line.vessel}: an end is “proximal” or “distal”, not “{end}”.")
    more = np.atleast_2d(np.asarray(points, float))
    if more.ndim != 2 or more.shape[1] != 3 or not np.isfinite(more).all():
        raise CentrelineError("bad-point", f"{line.vessel}: points need x, y and z in mm.")
    edge = -1 if end == "distal" else 0
    if np.linalg.norm(more[0] - line.points[edge]) < 1e-6:
        more = more[1:]
    if len(more) == 0:
        raise CentrelineError("bad-point", f"{line.vessel}: there is no point beyond the {end} end.")
    names = (line.segments[edge],) * len(more)
    radius = None if line.radius_mm is None else np.full(len(more), line.radius_mm[edge])
    if end == "distal":
        parts, segments = [line.points, more], line.segments + names
        radii = [line.radius_mm, radius]
    else:
        parts, segments = [more[::-1], line.points], names + line.segments
        radii = [radius, line.radius_mm]
    return Centreline(
        vessel=line.vessel,
        points=np.concatenate(parts),
        segments=segments,
        radius_mm=None if radius is None else np.concatenate([r for r in radii if r is not None]),
    )


def relabel(
    line: Centreline,
    *,
    vessel: str | None = None,
    segments: Mapping[tuple[float, float], str] | None = None,
) -> Centreline:
    """Give another vessel's name, or segments to stretches.

    Parameters
    ----------
    vessel : path name; the segments are emptied unless they are given too, because they belonged to the old name.
    segments : {(start_mm, end_mm): SCCT short name}; points within a stretch (ends included) take the name, an empty
        name clears it, all others keep theirs.

    Raises
    ------
    CentrelineError
        ``unknown-vessel``, ``unknown-segment``, ``bad-stretch``.
    """
    if vessel is not None and vessel not in VESSELS:
        raise CentrelineError("unknown-vessel", f"“{vessel}” is not one of {', '.join(VESSELS)}.")
    changed = vessel is not None and vessel != line.vessel
    names = [""] * len(line.points) if changed else list(line.segments)
    along = line.positions_mm
    for (start, stop), name in (segments or {}).items():
        if name not in SEGMENT_NAMES:
            known = ", ".join(s.short for s in SEGMENTS)
            raise CentrelineError("unknown-segment", f"{line.vessel}: “{name}” is not one of {known}.")
        if not (np.isfinite([start, stop]).all() and start <= stop):
            raise CentrelineError("bad-stretch", f"{line.vessel}: {start}–{stop} mm is not a stretch.")
        for n in np.flatnonzero((along >= start - 1e-9) & (along <= stop + 1e-9)):
            names[n] = name
    return replace(line, vessel=vessel or line.vessel, segments=tuple(names))


def _index(line: Centreline, index: int) -> int:
    if not 0 <= index < len(line.points):
        raise CentrelineError(
            "no-such-point",
            f"{line.vessel}: there is no point {index}; points count from 0 to {len(line.points) - 1}.",
        )
    return index


def _point(line: Centreline, point: np.ndarray) -> np.ndarray:
    new = np.asarray(point, float)
    if new.shape != (3,) or not np.isfinite(new).all():
        raise CentrelineError("bad-point", f"{line.vessel}: a point needs x, y and z in mm.")
    return new
