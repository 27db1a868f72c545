"""Centreline and volume → straightened vessel, exact both ways.

Sections every 0.3 mm along the path, 64 × 64 pixels of 0.3125 mm across (20 mm field of view), on
rotation-minimising frames by double reflection (Wang et al., ACM Trans. Graph. 2008;27:2). Coordinates are DICOM
patient LPS in mm.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numba
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from inference.centreline.lines import Centreline
from inference.errors import StraighteningError
from inference.sampling import trilinear
from inference.scan import Volume
from inference.section_grid import MIDDLE, PIXELS, SPACING_ACROSS, SPACING_ALONG

AIR_HU = -1024
"""Outside the scan."""
_SMOOTHING_MM = 1.0  # SD along the path; by hand, no figure was kept


@dataclass(frozen=True)
class StraightenedVessel:
    """One vessel on cross-sections perpendicular to its centreline.

    Parameters
    ----------
    vessel : str
        Path name, e.g. ``"LAD"``.
    hu : (S, 64, 64) int16
        [section, row = v, column = u]; pixel (r, c) lies at u = (c − 31.5)·0.3125, v = (r − 31.5)·0.3125 mm.
    centre, axis_u, axis_v : (S, 3) float64
        The section's centre and in-plane unit axes, LPS mm.
    curvature : (S, 2) float64
        Components of the centreline's curvature vector along u and v, 1/mm: it points to the centre of curvature.
    segment : tuple of S str
        SCCT short name of each section, empty where unknown.

    Raises
    ------
    StraighteningError
        Shapes disagree or fewer than two sections.
    """

    vessel: str
    hu: np.ndarray
    centre: np.ndarray
    axis_u: np.ndarray
    axis_v: np.ndarray
    curvature: np.ndarray
    segment: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.hu)
        shapes = {
            "hu": (n, PIXELS, PIXELS),
            "centre": (n, 3),
            "axis_u": (n, 3),
            "axis_v": (n, 3),
            "curvature": (n, 2),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise StraighteningError(
                    "bad-vessel", f"{self.vessel}: {name} has shape {getattr(self, name).shape}, not {shape}."
                )
        if len(self.segment) != n or n < 2:
            raise StraighteningError(
                "bad-vessel", f"{self.vessel}: {n} sections, {len(self.segment)} segment names."
            )

    @property
    def sections(self) -> int:
        """Number of cross-sections."""
        return len(self.hu)

    @property
    def arc_length(self) -> np.ndarray:
        """(S,) mm from the path's first point."""
        return np.arange(self.sections) * SPACING_ALONG

    @property
    def tangent(self) -> np.ndarray:
        """(S, 3) unit vectors along the path, u × v."""
        return np.cross(self.axis_u, self.axis_v)

    def to_patient(self, section: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Map (section index, u mm, v mm) to LPS mm, linearly between sections. Returns (..., 3)."""
        section, u, v = np.broadcast_arrays(
            np.asarray(section, float), np.asarray(u, float), np.asarray(v, float)
        )
        low = np.clip(np.floor(section).astype(int), 0, self.sections - 2)
        t = (section - low)[..., None]

        def between(a: np.ndarray) -> np.ndarray:
            return np.asarray(a[low] * (1 - t) + a[low + 1] * t)

        return np.asarray(
            between(self.centre) + u[..., None] * between(self.axis_u) + v[..., None] * between(self.axis_v)
        )

    def from_patient(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Map LPS points (..., 3) to (section, u mm, v mm): the nearest section's plane, then Newton along the path."""
        points = np.asarray(points, float)
        flat = points.reshape(-1, 3)
        section = cKDTree(self.centre).query(flat)[1].astype(float)
        for _ in range(12):
            low = np.clip(np.floor(section).astype(int), 0, self.sections - 2)
            t = (section - low)[:, None]
            centre = self.centre[low] * (1 - t) + self.centre[low + 1] * t
            au = self.axis_u[low] * (1 - t) + self.axis_u[low + 1] * t
            av = self.axis_v[low] * (1 - t) + self.axis_v[low + 1] * t
            normal = np.cross(au, av)
            offset = flat - centre
            step = (offset * normal).sum(1) / (normal * normal).sum(1) / SPACING_ALONG
            kappa = self.curvature[low]
            gram = np.stack([(au * au).sum(1), (au * av).sum(1), (av * av).sum(1)])
            det = gram[0] * gram[2] - gram[1] ** 2
            pu, pv = (offset * au).sum(1), (offset * av).sum(1)
            u = (gram[2] * pu - gram[1] * pv) / det
            v = (gram[0] * pv - gram[1] * pu) / det
            stretch = np.clip(1.0 - (kappa[:, 0] * u + kappa[:, 1] * v), 0.2, 5.0)
            section = np.clip(section + step / stretch, -20.0, self.sections + 19.0)
        shape = points.shape[:-1]
        return section.reshape(shape), u.reshape(shape), v.reshape(shape)

    def reversed(self) -> StraightenedVessel:
        """Return the same vessel read from its end; axis v turns so that u × v still runs along the path."""
        return StraightenedVessel(
            vessel=self.vessel,
            hu=np.ascontiguousarray(self.hu[::-1, ::-1, :]),
            centre=self.centre[::-1].copy(),
            axis_u=self.axis_u[::-1].copy(),
            axis_v=-self.axis_v[::-1],
            curvature=self.curvature[::-1] * np.array([1.0, -1.0]),
            segment=self.segment[::-1],
        )

    def to_bytes(self) -> bytes:
        """Return the vessel as a compressed npz."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            vessel=self.vessel,
            hu=self.hu,
            centre=self.centre,
            axis_u=self.axis_u,
            axis_v=self.axis_v,
            curvature=self.curvature,
            segment=np.array(self.segment, dtype=np.str_),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> StraightenedVessel:
        """Read what ``to_bytes`` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as z:
            return cls(
                vessel=str(z["vessel"]),
                hu=z["hu"],
                centre=z["centre"],
                axis_u=z["axis_u"],
                axis_v=z["axis_v"],
                curvature=z["curvature"],
                segment=tuple(str(s) for s in z["segment"]),
            )


def resample(line: Centreline) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Resample a centreline by arc length.

    The points are lightly smoothed (Gaussian, σ 1 mm along the path, ends kept), then a cubic spline by arc length is
    evaluated every 0.3 mm.

    Returns
    -------
    points : (S, 3) LPS mm. curvature_vector : (S, 3) 1/mm. segments : S names.
    """
    points = np.asarray(line.points, float)
    keep = np.r_[True, np.linalg.norm(np.diff(points, axis=0), axis=1) > 1e-6]
    points = points[keep]
    segments = np.array(line.segments)[keep]
    if len(points) < 2:
        raise StraighteningError(
            "short-centreline", f"{line.vessel}: the centreline has fewer than two distinct points."
        )
    s = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    if s[-1] < 4 * SPACING_ALONG:
        raise StraighteningError(
            "short-centreline", f"{line.vessel}: the centreline is only {s[-1]:.1f} mm long."
        )
    fine = np.linspace(0.0, s[-1], max(int(np.ceil(s[-1] / 0.1)) + 1, 8))
    dense = np.stack([np.interp(fine, s, points[:, k]) for k in range(3)], axis=1)
    step = fine[1] - fine[0]
    straight = dense[0] + (dense[-1] - dense[0]) * (fine / s[-1])[:, None]
    # Smoothing what is left over the chord, mirrored oddly at both ends, keeps the end points where they are.
    rest = dense - straight
    m = min(len(rest) - 1, int(4 * _SMOOTHING_MM / step))
    padded = np.concatenate([-rest[m:0:-1], rest, -rest[-2 : -m - 2 : -1]])
    smooth = gaussian_filter1d(padded, _SMOOTHING_MM / step, axis=0)[m : m + len(rest)] + straight
    for _ in range(2):
        arc = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(smooth, axis=0), axis=1))]
        spline = CubicSpline(arc, smooth, axis=0)
        at = np.linspace(0.0, arc[-1], len(smooth))
        smooth = spline(at)
    arc = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(smooth, axis=0), axis=1))]
    spline = CubicSpline(arc, smooth, axis=0)
    positions = np.arange(0.0, arc[-1] + 1e-9, SPACING_ALONG)
    d1, d2 = spline(positions, 1), spline(positions, 2)
    speed2 = (d1 * d1).sum(1, keepdims=True)
    curvature = (d2 - d1 * ((d1 * d2).sum(1, keepdims=True) / speed2)) / speed2
    names = segments[np.clip(np.searchsorted(s, positions * (s[-1] / arc[-1])), 0, len(segments) - 1)]
    return spline(positions), curvature, tuple(str(n) for n in names)


def frames(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rotation-minimising in-plane axes u, v (S, 3) of a polyline (S, 3), u × v along the path."""
    tangent = np.gradient(points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    u = np.empty_like(points)
    helper = np.eye(3)[np.argmin(np.abs(tangent[0]))]
    first = helper - tangent[0] * (helper @ tangent[0])
    u[0] = first / np.linalg.norm(first)
    for i in range(len(points) - 1):
        v1 = points[i + 1] - points[i]
        c1 = v1 @ v1
        ul = u[i] - (2 / c1) * (v1 @ u[i]) * v1
        tl = tangent[i] - (2 / c1) * (v1 @ tangent[i]) * v1
        v2 = tangent[i + 1] - tl
        c2 = v2 @ v2
        following = ul if c2 < 1e-18 else ul - (2 / c2) * (v2 @ ul) * v2
        following -= tangent[i + 1] * (following @ tangent[i + 1])
        u[i + 1] = following / np.linalg.norm(following)
    return u, np.cross(tangent, u)


@numba.njit(cache=True, nogil=True)
def _sample(
    hu: np.ndarray, inverse: np.ndarray, centre: np.ndarray, u: np.ndarray, v: np.ndarray, outside: int
) -> np.ndarray:
    sections, n = len(centre), PIXELS
    out = np.empty((sections, n, n), np.int16)
    depth, rows, columns = hu.shape
    for s in range(sections):
        for r in range(n):
            b = (r - MIDDLE) * SPACING_ACROSS
            for c in range(n):
                a = (c - MIDDLE) * SPACING_ACROSS
                x = centre[s, 0] + a * u[s, 0] + b * v[s, 0]
                y = centre[s, 1] + a * u[s, 1] + b * v[s, 1]
                z = centre[s, 2] + a * u[s, 2] + b * v[s, 2]
                i = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2] * z + inverse[0, 3]
                j = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2] * z + inverse[1, 3]
                k = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2] * z + inverse[2, 3]
                if i < 0 or j < 0 or k < 0 or i > columns - 1 or j > rows - 1 or k > depth - 1:
                    out[s, r, c] = outside
                    continue
                out[s, r, c] = int(np.rint(trilinear(hu, i, j, k)))
    return out


def straighten(volume: Volume, line: Centreline) -> StraightenedVessel:
    """Cut a volume along a centreline (trilinear; outside the volume −1024 HU).

    Raises
    ------
    StraighteningError
        ``short-centreline``; ``centreline-outside`` when more than a tenth of the path leaves the volume.
    """
    points, curvature, segments = resample(line)
    index = volume.to_index(points)
    size = np.array(volume.hu.shape[::-1])
    outside = ((index < 0) | (index > size - 1)).any(axis=1)
    if outside.mean() > 0.1:
        raise StraighteningError(
            "centreline-outside",
            f"{line.vessel}: {100 * outside.mean():.0f} % of the centreline lies outside the scan. "
            "Check that the points are DICOM patient coordinates (LPS, mm) of this series.",
        )
    u, v = frames(points)
    hu = _sample(volume.hu, np.linalg.inv(volume.affine), points, u, v, AIR_HU)
    bend = np.stack([(curvature * u).sum(1), (curvature * v).sum(1)], axis=1)
    return StraightenedVessel(line.vessel, hu, points, u, v, bend, segments)
