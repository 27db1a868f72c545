"""Two-point mode: the cheapest path through contrast between two points.

Cost of a voxel is low where HU is like the contrast at the ends, and high outside; Dijkstra's algorithm on a crop
(26 neighbours, binary heap) finds the path, which is then recentred by the bright mass around it and smoothed.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from inference.centreline.lines import Centreline
from inference.errors import CentrelineError
from inference.sampling import at_index, at_points
from inference.scan import Volume

# Chosen by hand; no figure was kept.
MARGIN_MM = 25.0  # around both points, for detours
STEP_MM = 0.6  # of the grid that is searched
LEAST_CONTRAST_HU = 110.0  # at both ends
OUTSIDE_SHARE = 0.2  # of the way without contrast before the path is refused


@numba.njit(cache=True, nogil=True)
def _dijkstra(cost: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:  # noqa: C901, PLR0915 - a compiled kernel: calls cost, and it is one loop
    """Return predecessors (flat index) of the cheapest paths from start until end is settled."""
    nk, nj, ni = cost.shape
    total = nk * nj * ni
    distance = np.full(total, np.inf, np.float32)
    before = np.full(total, -1, np.int32)
    done = np.zeros(total, np.bool_)
    capacity = 1 << 16
    heap_d = np.empty(capacity, np.float32)
    heap_v = np.empty(capacity, np.int32)
    size = 1
    first = (start[0] * nj + start[1]) * ni + start[2]
    goal = (end[0] * nj + end[1]) * ni + end[2]
    distance[first] = 0.0
    heap_d[0], heap_v[0] = 0.0, first
    while size > 0:
        d, here = heap_d[0], heap_v[0]
        size -= 1
        if size > 0:
            md, mv = heap_d[size], heap_v[size]
            i = 0
            while True:
                child = 2 * i + 1
                if child >= size:
                    break
                if child + 1 < size and heap_d[child + 1] < heap_d[child]:
                    child += 1
                if heap_d[child] >= md:
                    break
                heap_d[i], heap_v[i] = heap_d[child], heap_v[child]
                i = child
            heap_d[i], heap_v[i] = md, mv
        if done[here]:
            continue
        done[here] = True
        if here == goal:
            break
        k = here // (nj * ni)
        j = (here // ni) % nj
        i0 = here % ni
        for dk in range(-1, 2):
            for dj in range(-1, 2):
                for di in range(-1, 2):
                    kk, jj, ii = k + dk, j + dj, i0 + di
                    if kk < 0 or jj < 0 or ii < 0 or kk >= nk or jj >= nj or ii >= ni:
                        continue
                    there = (kk * nj + jj) * ni + ii
                    if done[there]:
                        continue
                    length = np.sqrt(np.float32(dk * dk + dj * dj + di * di))
                    new = d + length * 0.5 * (cost[k, j, i0] + cost[kk, jj, ii])
                    if new < distance[there]:
                        distance[there] = new
                        before[there] = here
                        if size == capacity:
                            capacity *= 2
                            grown_d = np.empty(capacity, np.float32)
                            grown_v = np.empty(capacity, np.int32)
                            grown_d[:size], grown_v[:size] = heap_d[:size], heap_v[:size]
                            heap_d, heap_v = grown_d, grown_v
                        at = size
                        size += 1
                        while at > 0:
                            parent = (at - 1) // 2
                            if heap_d[parent] <= new:
                                break
                            heap_d[at], heap_v[at] = heap_d[parent], heap_v[parent]
                            at = parent
                        heap_d[at], heap_v[at] = new, there
    return before


def trace(volume: Volume, start: np.ndarray, end: np.ndarray, vessel: str) -> Centreline:
    """Trace a vessel between two points.

    Parameters
    ----------
    start, end : (3,) LPS mm, in the lumen of the proximal and the distal end.
    vessel : path name.

    Raises
    ------
    CentrelineError
        ``point-outside``; ``no-centreline-found`` when an end is not in contrast or the path leaves it.
    """
    ends = np.stack([np.asarray(start, float), np.asarray(end, float)])
    index = volume.to_index(ends)
    size = np.array(volume.hu.shape[::-1])
    for which, at in zip(("start", "end"), index, strict=True):
        if (at < 0).any() or (at > size - 1).any():
            raise CentrelineError(
                "point-outside", f"{vessel}: the {which} point lies outside the scan (LPS, mm).", which
            )
    if np.linalg.norm(ends[1] - ends[0]) < 3.0:
        raise CentrelineError("no-centreline-found", f"{vessel}: the two points are less than 3 mm apart.")
    spacing = np.array(volume.spacing_mm)
    corners = volume.to_index(
        np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
        * (np.ptp(ends, axis=0) + 2 * MARGIN_MM)
        + ends.min(0)
        - MARGIN_MM
    )
    low = np.clip(np.floor(corners.min(0)).astype(int), 0, size - 1)
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 1, size)
    counts = np.maximum(((high - 1 - low) * spacing / STEP_MM).astype(int) + 1, 2)
    grid = [np.linspace(low[d], high[d] - 1, counts[d]) for d in range(3)]
    crop = volume.hu[low[2] : high[2], low[1] : high[1], low[0] : high[0]].astype(np.float32)
    where = np.meshgrid(grid[2] - low[2], grid[1] - low[1], grid[0] - low[0], indexing="ij")
    hu = at_index(crop, np.stack(where))
    hu = gaussian_filter(hu, 0.8)
    scale = np.array([(high[d] - 1 - low[d]) / (counts[d] - 1) for d in range(3)])
    nodes = np.clip(np.rint((index - low) / scale).astype(int), 0, counts - 1)[:, ::-1]
    level = np.array([_brightest(hu, node) for node in nodes])
    for which, value in zip(("start", "end"), level, strict=True):
        if value < LEAST_CONTRAST_HU:
            raise CentrelineError(
                "no-centreline-found",
                f"{vessel}: there is no contrast at the {which} point ({value:.0f} HU): place it in the lumen.",
                which,
            )
    target = float(level.mean())
    limit = 0.5 * target
    # Cheap inside vessel-like HU, dear in muscle and fat; a little dearer in chambers brighter than the vessel.
    below = np.clip((target - hu) / (target - limit), 0, None)
    cost = (
        (0.05 + below**3 + 0.3 * np.clip((hu - 1.4 * target) / target, 0, 1))
        .clip(0.05, 30)
        .astype(np.float32)
    )
    before = _dijkstra(cost, nodes[0], nodes[1])
    at = int(np.ravel_multi_index(tuple(nodes[1]), hu.shape))
    path = [at]
    while before[at] >= 0:
        at = int(before[at])
        path.append(at)
    kji = np.array(np.unravel_index(path[::-1], hu.shape), float).T
    along = at_index(hu, kji.T)
    if (along < limit).mean() > OUTSIDE_SHARE:
        raise CentrelineError(
            "no-centreline-found",
            f"{vessel}: between the two points {100 * (along < limit).mean():.0f} % of the way has no contrast; "
            "set the points closer, or give the centreline as a file.",
        )
    points = volume.to_patient(kji[:, ::-1] * scale + low)
    points = _recentred(volume, points, target)
    points[0], points[-1] = ends[0], ends[1]
    return Centreline(vessel, points)


def _brightest(hu: np.ndarray, node: np.ndarray) -> float:
    around = tuple(slice(max(n - 1, 0), n + 2) for n in node)
    return float(hu[around].max())


def _recentred(volume: Volume, points: np.ndarray, target: float) -> np.ndarray:
    """Move each point to the centre of bright mass within 1.5 mm across the path, twice, and smooth along it."""
    for _ in range(2):
        points = gaussian_filter1d(points, 2.0, axis=0, mode="nearest")
        tangent = np.gradient(points, axis=0)
        tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
        offsets = (
            np.array([[x, y, z] for x in range(-3, 4) for y in range(-3, 4) for z in range(-3, 4)]) * 0.5
        )
        offsets = offsets[np.linalg.norm(offsets, axis=1) <= 1.5]
        across = offsets[None] - (offsets[None] * tangent[:, None]).sum(-1, keepdims=True) * tangent[:, None]
        around = points[:, None] + across
        hu = at_points(volume, around)
        weight = np.clip(hu / target - 0.5, 0, 0.6)
        total = weight.sum(1, keepdims=True)
        shift = (weight[..., None] * across).sum(1) / np.maximum(total, 1e-6)
        points = points + np.where(total > 1e-3, shift, 0)
    return gaussian_filter1d(points, 2.0, axis=0, mode="nearest")
