"""The forest of cheapest paths from the aorta over a volume of cubes, and the branches that are worth keeping in it.

Dijkstra's algorithm over 26 neighbours, with a queue of buckets. The cost of a millimetre is 1 / (ε + s), where s is the
speed (0…1: how much a voxel looks like the axis of a vessel). A path that has run ``gap_mm`` without vessel ends there,
so that the search stays near vessels and takes a fraction of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

# Cost of a millimetre at no speed is 1/EPSILON, fifty times that of a sure vessel: by hand, no figure was kept.
EPSILON = 0.02
BUCKETS = 1 << 15
"""Of less than a step's least cost each; the last takes all that is dearer, several thousand millimetres of vessel."""
FREE, SOURCE, BLOCKED = 0, 1, 2  # states of a voxel


@dataclass(frozen=True)
class Forest:
    """Cheapest paths.

    Parameters
    ----------
    shape : of the volume. before : flat predecessor of each voxel, −1 at sources and where no path came.
    order : flat voxels in the order in which they were settled; a predecessor stands before its successors.
    """

    shape: tuple[int, int, int]
    before: np.ndarray
    order: np.ndarray

    def path(self, voxel: int) -> np.ndarray:
        """Return the flat voxels from the source to this one."""
        way = [voxel]
        while self.before[way[-1]] >= 0:
            way.append(int(self.before[way[-1]]))
        return np.array(way[::-1])


def grow_forest(
    speed: np.ndarray,
    state: np.ndarray,
    toll: np.ndarray,
    *,
    step_mm: float,
    least_speed: float,
    gap_mm: float,
) -> Forest:
    """Find the cheapest paths from all sources.

    Parameters
    ----------
    speed : (nk, nj, ni) float32, 0…1. state : same shape, uint8: FREE, SOURCE or BLOCKED.
    toll : (nk,) float32, the cost of leaving a source in each slice.
    least_speed : below it a voxel is no vessel; a path ends after ``gap_mm`` of such voxels.
    """
    before, order = _forest(
        np.ascontiguousarray(speed),
        np.ascontiguousarray(state),
        np.ascontiguousarray(toll, np.float32),
        step_mm,
        least_speed,
        gap_mm,
    )
    return Forest(shape=speed.shape, before=before, order=order)


@numba.njit(cache=True, nogil=True)
def _forest(  # noqa: C901, PLR0915 - a compiled kernel: calls cost, and it is one loop
    speed: np.ndarray, state: np.ndarray, toll: np.ndarray, step: float, least: float, most_gap: float
) -> tuple[np.ndarray, np.ndarray]:
    nk, nj, ni = speed.shape
    flat_speed, flat_state = speed.ravel(), state.ravel()
    total = nk * nj * ni
    distance = np.full(total, np.inf, np.float32)
    gap = np.zeros(total, np.float32)
    before = np.full(total, -1, np.int32)
    done = np.zeros(total, np.bool_)
    order = np.empty(1 << 16, np.int32)
    settled = 0
    # Buckets narrower than the cheapest step: what stands in one bucket cannot improve its like, in any order.
    width = 0.9 * step / (1.0 + EPSILON)
    heads = np.full(BUCKETS, -1, np.int32)
    values, following = np.empty(1 << 18, np.int32), np.empty(1 << 18, np.int32)
    size = 0
    for k in range(1, nk - 1):
        for j in range(1, nj - 1):
            for i in range(1, ni - 1):
                v = (k * nj + j) * ni + i
                if flat_state[v] != 1 or _is_inner(flat_state, v, ni, ni * nj):
                    continue
                distance[v] = toll[k]
                bucket = min(int(toll[k] / width), BUCKETS - 1)
                if size == len(values):
                    values, following = _grown(values), _grown(following)
                values[size], following[size] = v, heads[bucket]
                heads[bucket] = size
                size += 1
    reach = np.empty(27, np.float32)
    offset = np.empty(27, np.int64)
    for n in range(27):
        dk, dj, di = n // 9 - 1, (n // 3) % 3 - 1, n % 3 - 1
        reach[n] = step * np.sqrt(np.float32(dk * dk + dj * dj + di * di))
        offset[n] = (dk * nj + dj) * ni + di
    for bucket in range(BUCKETS):
        while heads[bucket] >= 0:
            entry = heads[bucket]
            heads[bucket] = following[entry]
            here = values[entry]
            if done[here]:
                continue
            done[here] = True
            if settled == len(order):
                order = _grown(order)
            order[settled] = here
            settled += 1
            k, j, i = here // (nj * ni), (here // ni) % nj, here % ni
            if k < 1 or j < 1 or i < 1 or k >= nk - 1 or j >= nj - 1 or i >= ni - 1:
                continue
            slow = 1.0 / (EPSILON + flat_speed[here])
            for n in range(27):
                there = here + offset[n]
                if done[there] or flat_state[there] != 0:
                    continue
                fast = flat_speed[there]
                wide = 0.0
                if fast < least:
                    wide = gap[here] + reach[n]
                    if wide > most_gap:
                        continue
                new = distance[here] + 0.5 * reach[n] * (slow + 1.0 / (EPSILON + fast))
                if new < distance[there]:
                    distance[there] = new
                    gap[there] = wide
                    before[there] = here
                    if size == len(values):
                        values, following = _grown(values), _grown(following)
                    into = max(min(int(new / width), BUCKETS - 1), bucket)
                    values[size], following[size] = there, heads[into]
                    heads[into] = size
                    size += 1
    return before, _useful(flat_speed, before, order[:settled], least)


@numba.njit(cache=True, nogil=True)
def _is_inner(state: np.ndarray, v: int, row: int, plane: int) -> bool:
    """Whether a source has no neighbour that is not one."""
    return bool(
        state[v - 1] == 1
        and state[v + 1] == 1
        and state[v - row] == 1
        and state[v + row] == 1
        and state[v - plane] == 1
        and state[v + plane] == 1
    )


@numba.njit(cache=True, nogil=True)
def _grown(a: np.ndarray) -> np.ndarray:
    out = np.empty(2 * len(a), np.int32)
    out[: len(a)] = a
    return out


@numba.njit(cache=True, nogil=True)
def _useful(speed: np.ndarray, before: np.ndarray, order: np.ndarray, least: float) -> np.ndarray:
    """Leave out voxels from which no path leads to a vessel."""
    keep = np.zeros(len(speed), np.bool_)
    count = 0
    for n in range(len(order) - 1, -1, -1):
        v = order[n]
        if keep[v] or speed[v] >= 2 * least:
            count += not keep[v]
            keep[v] = True
            p = before[v]
            if p >= 0 and not keep[p]:
                keep[p] = True
                count += 1
    out = np.empty(count, np.int32)
    at = 0
    for n in range(len(order)):
        if keep[order[n]]:
            out[at] = order[n]
            at += 1
    return out[:at]


@numba.njit(cache=True, nogil=True)
def best_end(
    before: np.ndarray,
    order: np.ndarray,
    speed: np.ndarray,
    explained: np.ndarray,
    shape: tuple[int, int, int],
    step: float,
    toll: float,
    gain: np.ndarray,
) -> tuple[int, float]:
    """The voxel whose path gains most beyond what is explained, and its gain.

    A millimetre of path gains its speed less ``toll``; explained voxels gain nothing and start anew. ``gain`` is work
    space of one float32 per voxel.
    """
    nj, ni = shape[1], shape[2]
    best, at = np.float32(0.0), -1
    for n in range(len(order)):
        v = order[n]
        if explained[v] or before[v] < 0:
            gain[v] = 0.0
            continue
        p = before[v]
        dk, dj, di = v // (nj * ni) - p // (nj * ni), (v // ni) % nj - (p // ni) % nj, v % ni - p % ni
        length = step * np.sqrt(np.float32(dk * dk + dj * dj + di * di))
        g = gain[p] + length * (speed[v] - toll)
        gain[v] = g
        if g > best:
            best, at = g, v
    return at, float(best)
