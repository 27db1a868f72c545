"""Centrelines found by themselves: volume in, named vessels with segments, radii and a quality each out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from inference.centreline.arteries import CHAMBER_RADIUS_MM, arterial_part, venous_runs
from inference.centreline.artery_points import log_odds
from inference.centreline.centring import centred
from inference.centreline.handover import hand_over
from inference.centreline.heart_frame import Flat, find_frame, flatten
from inference.centreline.lines import Centreline
from inference.centreline.naming import Names, name_vessels
from inference.centreline.plausibility import odd_courses, unexplained, unsure_names
from inference.centreline.quality import (
    check_heart,
    credible,
    cut_off,
    leaving,
    quality,
    shortfalls,
    told_dominance,
)
from inference.centreline.segments import segment_names
from inference.centreline.tree import Branch, RawTree, centred_tree, find_tree, without
from inference.doubts import Doubt, told
from inference.scan import Volume
from inference.vocabulary import VESSELS

Progress = Callable[[float], None]
ORDER = ("LM", "LAD", "LCx", "RCA", *(v for v in VESSELS if v not in ("LM", "LAD", "LCx", "RCA")))
"""Parents before their branches; R-PLB may begin on R-PDA's origin, which is the RCA's end."""
# A line that is shorter is no vessel; veins are taken out of the search at most so often. By hand, no figure was kept.
LEAST_POINTS, LEAST_EXTENT_MM = 4, 2.0
MOST_SEARCHES = 2


@dataclass(frozen=True)
class Unnamed:
    """A branch of 15 mm or more that took no name: it is kept, and not measured.

    Parameters
    ----------
    parent : vessel from which it comes, by itself or through other branches; empty for a trunk of its own.
    at_mm : where on the parent. points : (n, 3) LPS mm, from its origin.
    """

    parent: str
    at_mm: float
    points: np.ndarray

    @property
    def length_mm(self) -> float:
        """Length along the points."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())

    @property
    def doubt(self) -> Doubt:
        """The doubt that tells of it, with the place of its end."""
        x, y, z = (float(value) for value in self.points[-1])
        at = self.at_mm if self.parent else None
        return Doubt("unnamed_branch", self.parent, None, at, at, self.length_mm, place=(x, y, z))


@dataclass(frozen=True)
class Found:
    """What was found.

    Parameters
    ----------
    lines : named vessels in the usual order; LM ends at the bifurcation, a branch starts at its origin. LPS mm, a point
        every 0.5 mm, with radius (mm) and SCCT segment.
    quality : by vessel, 0…1: the share of the line that is expected to lie in its vessel, less where the name is unsure or
        the vessel ends early.
    dominance : ``right``, ``left``, ``co-dominant`` or ``unknown``.
    doubts : what makes the scan or a vessel doubtful: what should be there and was not found, what ends too early.
    unnamed : branches that took no name.
    blood_hu : HU of the ascending aorta. timings_s : seconds per step.
    """

    lines: tuple[Centreline, ...]
    quality: dict[str, float]
    dominance: str
    blood_hu: float
    doubts: tuple[Doubt, ...] = ()
    unnamed: tuple[Unnamed, ...] = ()
    timings_s: dict[str, float] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the scan and its vessels doubtful, in words."""
        return told(self.doubts)

    def summary(self) -> dict[str, Any]:
        """Return what a person or a program should know beside the points."""
        return {
            "source": "automatic",
            "dominance": self.dominance,
            "blood_hu": round(self.blood_hu, 1),
            "timings_s": self.timings_s,
            "vessels": [
                {
                    "vessel": line.vessel,
                    "length_mm": round(line.length_mm, 1),
                    "segments": list(dict.fromkeys(s for s in line.segments if s)),
                    "quality": round(self.quality[line.vessel], 3),
                }
                for line in self.lines
            ],
            "not_annotated": [d.vessel for d in self.doubts if d.code == "not_found"],
            "unnamed": [
                {
                    "parent": branch.parent,
                    "at_mm": round(branch.at_mm, 1),
                    "length_mm": round(branch.length_mm, 1),
                    "points": branch.points.round(2).tolist(),
                }
                for branch in self.unnamed
            ],
            "doubts": [doubt.to_dict() for doubt in self.doubts],
        }


def silent(fraction: float) -> None:
    """Tell nobody."""


def find_centrelines(volume: Volume, *, progress: Progress = silent) -> Found:
    """Find the coronary arteries of a contrast-enhanced scan and name them.

    Parameters
    ----------
    progress : called with 0…1; may raise to cancel.

    Raises
    ------
    RefusedScan
        ``no-aorta``, ``no-aortic-root``, ``no-coronary``.
    """
    clock, timings = time.perf_counter(), {}

    def lap(step: str, fraction: float) -> None:
        nonlocal clock
        now = time.perf_counter()
        timings[step] = round(now - clock, 3)
        clock = now
        progress(fraction)

    raw = find_tree(volume)
    lap("search", 0.6)
    raw, kept = arteries_of(volume, raw)
    lap("veins", 0.85)
    beside = unexplained(raw, kept)
    tree = hand_over(flatten(kept))
    frame = find_frame(tree)
    unusual = check_heart(frame, raw.tube, raw.descending)
    names = name_vessels(tree, frame)
    segments = segment_names(tree, frame, names)
    lap("names", 0.95)
    lines, scores = _finished(volume, tree, names, segments, raw.tube.hu)
    lap("centre", 1.0)
    borders = leaving(volume, lines)
    dominance = told_dominance(names.dominance, borders)
    unsure, confidence = unsure_names(replace(names, dominance=dominance))
    unnamed = _unnamed(tree, names, lines)
    return Found(
        lines=lines,
        quality={
            line.vessel: scores[line.vessel] * credible(line, confidence[line.vessel]) for line in lines
        },
        dominance=dominance,
        unnamed=unnamed,
        doubts=(
            *unusual,
            *beside,
            *cut_off(borders),
            *shortfalls(lines, scores, dominance),
            *(
                doubt
                for doubt in (*unsure, *odd_courses(tree, names))
                if not doubt.vessel or doubt.vessel in scores
            ),
            *(branch.doubt for branch in unnamed),
        ),
        blood_hu=raw.tube.hu,
        timings_s=timings,
    )


def arteries_of(volume: Volume, raw: RawTree) -> tuple[RawTree, list[Branch]]:
    """Return the arterial branches, searched again without veins as long as one of them is reached through a vein."""
    branches = centred_tree(volume, raw)
    veins, arteries = venous_runs(branches, raw.tube.hu)
    whole = raw
    for _ in range(MOST_SEARCHES):
        raw = without(whole, veins, arteries)
        branches = centred_tree(volume, raw)
        kept = arterial_part(branches)
        if len(venous_runs(kept, raw.tube.hu)[0]) == 0:
            break
        more, arteries = venous_runs(branches, raw.tube.hu)
        veins = np.concatenate([veins, more])
    return raw, kept


def _finished(
    volume: Volume, tree: Flat, names: Names, segments: dict[str, tuple[str, ...]], blood_hu: float
) -> tuple[tuple[Centreline, ...], dict[str, float]]:
    """Centre each vessel as a whole and start it on its parent's line."""
    done: dict[str, Centreline] = {}
    scores: dict[str, float] = {}
    for vessel in (v for v in ORDER if v in names.ways):
        way = names.ways[vessel].points
        points = tree.points[way]
        parent = _parent(names, vessel, done)
        if parent is not None:
            points = np.concatenate([_nearest(parent, points[0])[None], points[1:]])
        if len(points) < LEAST_POINTS or np.ptp(points, axis=0).max() < LEAST_EXTENT_MM:
            continue
        line, outline = centred(volume, points, blood_hu=blood_hu, fixed_start=parent is not None)
        if float(np.median(outline.radius_mm)) > CHAMBER_RADIUS_MM - 0.2:
            continue  # a chamber's edge, not an artery
        share = np.linspace(0, 1, len(line))
        given = np.linspace(0, 1, len(way))
        labels = tuple(segments[vessel][int(np.abs(given - s).argmin())] for s in share)
        done[vessel] = Centreline(vessel, line, labels, outline.radius_mm)
        scores[vessel] = quality(log_odds(volume, line, outline, blood_hu), outline.clear)
    ordered = tuple(done[v] for v in VESSELS if v in done)
    return ordered, {line.vessel: scores[line.vessel] for line in ordered}


def _unnamed(tree: Flat, names: Names, lines: Sequence[Centreline]) -> tuple[Unnamed, ...]:
    """The branches without a name, with their places on the finished lines."""
    done = {line.vessel: line for line in lines}
    out = []
    for vessel, way in names.unnamed:
        points = tree.points[way.points]
        parent = done.get(vessel)
        off = None if parent is None else np.linalg.norm(parent.points - points[0], axis=1)
        at = 0.0 if parent is None or off is None else float(parent.positions_mm[int(off.argmin())])
        out.append(Unnamed(vessel if parent is not None else "", at, points))
    return tuple(out)


def _parent(names: Names, vessel: str, done: dict[str, Centreline]) -> Centreline | None:
    """The finished line on which a vessel starts."""
    start = int(names.ways[vessel].points[0])
    for other, line in done.items():
        if start in names.ways[other].points:
            return line
    return None


def _nearest(line: Centreline, point: np.ndarray) -> np.ndarray:
    return np.asarray(line.points[int(np.linalg.norm(line.points - point, axis=1).argmin())])
