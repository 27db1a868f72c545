"""Centrelines of an exam as stored files: points along each vessel, or two points a vessel to trace between."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from inference.errors import InferenceError
from inference.vocabulary import VESSELS
from plaquelab.analysis.models import CentrelineSet
from plaquelab.errors import Refusal
from plaquelab.storage import store

if TYPE_CHECKING:
    from inference.centreline import Centreline
    from inference.centreline.given import Given
    from inference.scan import Volume

FROM_FILE = "file"
TWO_POINT = "two-point"
STORED_POINTS = "stored points"
SOURCES = (FROM_FILE, TWO_POINT, STORED_POINTS)

Point = tuple[float, float, float]


class CentrelineInputError(Refusal):
    """The centrelines that a person gave cannot be used. The text says where and why."""

    code = "bad-input"


@dataclass(frozen=True)
class TwoPoints:
    """Start and end of a vessel's path in LPS mm."""

    vessel: str
    start: Point
    end: Point

    def __post_init__(self) -> None:
        if self.vessel not in VESSELS:
            raise CentrelineInputError(f"“{self.vessel}” is no vessel: use one of {', '.join(VESSELS)}.")
        if sum((a - b) ** 2 for a, b in zip(self.start, self.end, strict=True)) < 25.0:
            raise CentrelineInputError(f"{self.vessel}: the two points lie less than 5 mm apart.")


def read_csv(data: bytes) -> list[Centreline]:
    """Read a stored centreline file (``vessel,segment,x_mm,y_mm,z_mm``).

    Raises
    ------
    CentrelineInputError
        With the row that is wrong.
    """
    return read_files([("centrelines.csv", data)])


def read_files(files: Sequence[tuple[str, bytes]], *, vessels: Sequence[str] = ()) -> list[Centreline]:
    """Read one scan's centrelines from files as they were sent: CSV, VTK, VTP or CAT08 text.

    Parameters
    ----------
    files : name and content of each. vessels : which vessels the lines are, in the files' order, where they do not say.

    Raises
    ------
    CentrelineInputError
        With the file and the row or section that is wrong; a vessel that came twice; a line that turns back on itself.
    """
    from inference.centreline.formats import import_files  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.centreline.given import check_shapes  # noqa: PLC0415  as above

    with tempfile.TemporaryDirectory(prefix="centrelines-") as folder:
        paths = []
        for number, (name, data) in enumerate(files):
            path = Path(folder) / str(number) / Path(name.replace("\\", "/")).name
            path.parent.mkdir()
            path.write_bytes(data)
            paths.append(path)
        try:
            lines = import_files(paths, vessels=vessels)
            check_shapes(lines)
        except InferenceError as error:
            raise CentrelineInputError(str(error)) from error
    return lines


def write_csv(lines: Sequence[Centreline]) -> bytes:
    """Return the file of the given centrelines."""
    from inference.centreline import write_centrelines  # noqa: PLC0415  loads SciPy and numba, which few pages need

    with tempfile.TemporaryDirectory(prefix="centrelines-") as folder:
        path = Path(folder) / "centrelines.csv"
        write_centrelines(path, lines)
        return path.read_bytes()


def points_json(points: Sequence[TwoPoints]) -> bytes:
    """Return the file of the given pairs of points."""
    body = {p.vessel: {"start": list(p.start), "end": list(p.end)} for p in points}
    return json.dumps(body, sort_keys=True).encode()


def load(centrelines: CentrelineSet, *, volume: Volume) -> Given:
    """Return the set's centrelines in LPS mm, traced where only two points were given, and held against the scan.

    Raises
    ------
    inference.errors.CentrelineError
        No number can come of them.
    """
    from inference.centreline import trace  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.centreline.given import check_given  # noqa: PLC0415  as above

    data = store().get(centrelines.path)
    if centrelines.source != TWO_POINT:
        return check_given(volume, read_csv(data))
    pairs: Mapping[str, Mapping[str, list[float]]] = json.loads(data)
    traced = [
        trace(volume, np.asarray(pair["start"], float), np.asarray(pair["end"], float), vessel)
        for vessel, pair in pairs.items()
    ]
    return check_given(volume, traced)
