"""A centreline and its CSV form: ``vessel,segment,x_mm,y_mm,z_mm`` in DICOM patient LPS."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.errors import CentrelineError
from inference.vocabulary import VESSELS

COLUMNS = ("vessel", "segment", "x_mm", "y_mm", "z_mm")


@dataclass(frozen=True)
class Centreline:
    """An ordered path from the proximal to the distal end.

    Parameters
    ----------
    vessel : path name, e.g. ``"LAD"``.
    points : (n, 3) float64, LPS mm.
    segments : SCCT short name per point, empty where unknown.
    radius_mm : (n,) float64, lumen radius per point; None where nobody measured it.
    """

    vessel: str
    points: np.ndarray
    segments: tuple[str, ...] = ()
    radius_mm: np.ndarray | None = None

    def __post_init__(self) -> None:
        points = np.asarray(self.points, float)
        if points.ndim != 2 or points.shape[1:] != (3,) or len(points) < 2:
            raise CentrelineError(
                "bad-centreline", f"{self.vessel}: a centreline needs at least two points of x, y, z."
            )
        if not np.isfinite(points).all():
            raise CentrelineError("bad-centreline", f"{self.vessel}: a point is not a number.")
        object.__setattr__(self, "points", points)
        if not self.segments:
            object.__setattr__(self, "segments", ("",) * len(points))
        if len(self.segments) != len(points):
            raise CentrelineError(
                "bad-centreline", f"{self.vessel}: {len(points)} points but {len(self.segments)} segments."
            )
        if self.radius_mm is not None:
            radius = np.asarray(self.radius_mm, float)
            if radius.shape != (len(points),) or not np.isfinite(radius).all() or (radius < 0).any():
                raise CentrelineError(
                    "bad-centreline",
                    f"{self.vessel}: radii must be one number per point, in mm, not below 0.",
                )
            object.__setattr__(self, "radius_mm", radius)

    @property
    def positions_mm(self) -> np.ndarray:
        """Arc length of each point from the first, mm, shape (n,)."""
        return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.points, axis=0), axis=1))])

    @property
    def length_mm(self) -> float:
        """Length along the points."""
        return float(self.positions_mm[-1])


def resample(points: np.ndarray, step_mm: float) -> np.ndarray:
    """Return points at equal distances of about ``step_mm`` along a polyline, both ends kept; LPS mm."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0, along[-1], max(2, round(along[-1] / step_mm) + 1))
    return np.stack([np.interp(at, along, points[:, d]) for d in range(3)], axis=1)


def read_centrelines(source: Path | str | bytes) -> list[Centreline]:
    """Read centrelines from a CSV file or from its bytes, in the order in which vessels first appear.

    Raises
    ------
    CentrelineError
        Naming the row: missing columns, text in numbers, a vessel that is not one of the paths.
    """
    if isinstance(source, bytes):
        name, text = "the centreline file", source.decode("utf-8-sig", errors="replace")
    else:
        path = Path(source)
        if not path.is_file():
            raise CentrelineError("no-such-file", f"There is no centreline file {path.name}.", path.name)
        name, text = path.name, path.read_text(encoding="utf-8-sig", errors="replace")
    reader = csv.DictReader(io.StringIO(text))
    missing = [c for c in COLUMNS if c not in (reader.fieldnames or [])]
    if missing:
        raise CentrelineError(
            "missing-columns",
            f"{name}: column {', '.join(missing)} is missing; the first row must name {','.join(COLUMNS)}.",
        )
    found: dict[str, tuple[list[list[float]], list[str]]] = {}
    for number, row in enumerate(reader, start=2):
        vessel = (row["vessel"] or "").strip()
        if vessel not in VESSELS:
            raise CentrelineError(
                "unknown-vessel",
                f"{name}, row {number}: “{vessel}” is not one of {', '.join(VESSELS)}.",
                f"row {number}",
            )
        try:
            point = [float(row[c]) for c in ("x_mm", "y_mm", "z_mm")]
        except (TypeError, ValueError):
            raise CentrelineError(
                "not-a-number", f"{name}, row {number}: x_mm, y_mm and z_mm must be numbers.", f"row {number}"
            ) from None
        points, segments = found.setdefault(vessel, ([], []))
        points.append(point)
        segments.append((row["segment"] or "").strip())
    if not found:
        raise CentrelineError("empty", f"{name} holds no points.")
    return [
        Centreline(vessel, np.array(points), tuple(segments)) for vessel, (points, segments) in found.items()
    ]


def write_centrelines(path: Path | str, lines: Sequence[Centreline]) -> None:
    """Write centrelines as CSV with 0.1 µm."""
    with Path(path).open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for line in lines:
            for point, segment in zip(line.points, line.segments, strict=True):
                writer.writerow([line.vessel, segment, *(f"{x:.4f}" for x in point)])
