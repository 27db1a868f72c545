"""Smooth space curves: resampling, smoothing, rotation-minimising frames, curvature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

STEP_MM = 0.25
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Slabs:
    """How a stepped scan lies shifted in plane: slice n, at z = first + n·slice (LPS mm), by ``shift_mm[n]`` (x, y)."""

    first_mm: float
    slice_mm: float
    shift_mm: Array

    def at(self, z: Array) -> Array:
        """(n, 2) mm by which what lies at these heights is shifted."""
        k = np.floor((np.asarray(z) - self.first_mm) / self.slice_mm + 0.5).astype(int)
        return np.asarray(self.shift_mm[k.clip(0, len(self.shift_mm) - 1)])


@dataclass(frozen=True)
class Curve:
    """A centreline every 0.25 mm with its frames.

    points, tangent, u, v : (n, 3) LPS mm; curvature : (n, 2) 1/mm, the curvature vector along u and v; slabs : how a
    stepped scan has moved the points, None where it has not. Rows stay 0.25 mm of vessel apart.
    """

    points: Array
    tangent: Array
    u: Array
    v: Array
    curvature: Array
    slabs: Slabs | None = None

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or self.points.shape[1] != 3 or len(self.points) < 8:
            raise ValueError("a curve needs at least eight points of three coordinates")

    @property
    def arc_length(self) -> Array:
        """(n,) mm from the first point."""
        return np.arange(len(self.points), dtype=np.float64) * STEP_MM

    @property
    def length_mm(self) -> float:
        """Length along the points."""
        return (len(self.points) - 1) * STEP_MM

    @property
    def own_points(self) -> Array:
        """(n, 3) LPS mm: the points before a stepped scan moved them."""
        if self.slabs is None:
            return self.points
        out = self.points.copy()
        out[:, :2] -= self.slabs.at(out[:, 2])
        return out

    @property
    def position(self) -> Array:
        """(n,) mm along the points as they lie in the image: the arc length, and across every step its jump."""
        if self.slabs is None:
            return self.arc_length
        return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.points, axis=0), axis=1))])


def resample(points: Array, step_mm: float) -> Array:
    """Points at equal arc length; the last point is the last whole step."""
    s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    keep = np.concatenate([[True], np.diff(s) > 1e-9])
    at = np.arange(0.0, s[-1] + 1e-9, step_mm)
    return np.stack([np.interp(at, s[keep], points[keep, k]) for k in range(3)], axis=1)


def smooth(points: Array, sigma_mm: float) -> Array:
    """Gaussian smoothing along the curve that keeps both ends where they are (odd reflection)."""
    n = min(len(points) - 1, int(5 * sigma_mm / STEP_MM))
    head = 2 * points[0] - points[n:0:-1]
    tail = 2 * points[-1] - points[-2 : -n - 2 : -1]
    long = np.concatenate([head, points, tail])
    return gaussian_filter1d(long, sigma_mm / STEP_MM, axis=0)[n : n + len(points)]


def rotation_minimising_frames(points: Array) -> tuple[Array, Array, Array]:
    """Tangents and two normals by double reflection (Wang et al., ACM Trans Graph 2008;27:2)."""
    t = np.gradient(points, axis=0)
    t /= np.linalg.norm(t, axis=1, keepdims=True)
    start = np.eye(3)[np.argmin(np.abs(t[0]))]
    u = np.empty_like(points)
    u[0] = np.cross(t[0], start)
    u[0] /= np.linalg.norm(u[0])
    for i in range(len(points) - 1):
        a = points[i + 1] - points[i]
        c = a @ a
        reflected = u[i] - (2 / c) * (a @ u[i]) * a
        tangent = t[i] - (2 / c) * (a @ t[i]) * a
        b = t[i + 1] - tangent
        c2 = b @ b
        u[i + 1] = reflected - (2 / c2) * (b @ reflected) * b if c2 > 1e-18 else reflected
        u[i + 1] -= (u[i + 1] @ t[i + 1]) * t[i + 1]
        u[i + 1] /= np.linalg.norm(u[i + 1])
    return t, u, np.cross(t, u)


def curve_through(points: Array, *, max_curvature: float = 0.15) -> Curve:
    """The curve near these points whose curvature nowhere exceeds the limit (1/mm).

    A tube of 4 mm radius must not fold, so sharp bends are smoothed until they fit.
    """
    p = resample(points, STEP_MM)
    sigma = 1.5
    for _ in range(12):
        q = resample(smooth(p, sigma), STEP_MM)
        t, u, v = rotation_minimising_frames(q)
        bend = np.gradient(t, STEP_MM, axis=0)
        bend = gaussian_filter1d(bend, 2.0, axis=0)
        if np.linalg.norm(bend, axis=1).max() <= max_curvature:
            break
        sigma *= 1.3
    curvature = np.stack([(bend * u).sum(1), (bend * v).sum(1)], axis=1)
    return Curve(points=q, tangent=t, u=u, v=v, curvature=curvature)
