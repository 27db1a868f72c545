"""Centrelines as files of other programs: VTK (``.vtk``, ``.vtp``), CAT08 text (``.txt``) and CSV.

The ending of the file's name chooses. Coordinates are LPS mm; a VTK file that says ``SPACE=RAS`` in its title (as 3D
Slicer writes) is turned over. VTK carries vessel names per line, SCCT segment numbers and radii per point; CAT08 text
is one vessel a file, ``x y z radius`` per row (``x y z`` and the reference's ``x y z radius deviation`` are read too), and
a CSV without column names is read like it. Lines without a name take those that are given with the file; a single one
takes the vessel in which the file's name ends (``case7-LAD.txt``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from inference.centreline.lines import Centreline, read_centrelines, write_centrelines
from inference.centreline.polydata import Polydata, read_vtk, read_vtp, vtk_text, vtp_text
from inference.errors import CentrelineError
from inference.vocabulary import SEGMENTS, VESSELS

RADIUS_NAMES = ("radius_mm", "radius", "radii", "Radius", "MaximumInscribedSphereRadius")
NUMBER_OF = {s.short: s.number for s in SEGMENTS} | {"": 0}
SHORT_OF = {number: short for short, number in NUMBER_OF.items()}
ENDINGS = (".csv", ".vtk", ".vtp", ".txt")
LEFT_OUT = "-"
"""Stands for the name of a line that is not to be read."""


def export_centrelines(path: Path | str, lines: Sequence[Centreline]) -> None:
    """Write centrelines in the format of the file's ending; ``.txt`` (CAT08) takes exactly one.

    Raises
    ------
    CentrelineError
        ``unknown-format``, ``one-vessel-a-file``, ``empty``.
    """
    path = Path(path)
    ending = check_ending(path)
    if not lines:
        raise CentrelineError("empty", f"{path.name}: there is no centreline to write.")
    if ending == ".csv":
        write_centrelines(path, lines)
    elif ending == ".txt":
        if len(lines) != 1:
            raise CentrelineError(
                "one-vessel-a-file", f"{path.name}: CAT08 text holds one vessel a file, not {len(lines)}."
            )
        path.write_text(cat08_text(lines[0]), encoding="ascii")
    else:
        data = _polydata(lines)
        path.write_text(vtk_text(data) if ending == ".vtk" else vtp_text(data), encoding="utf-8")


def import_centrelines(path: Path | str, *, vessels: Sequence[str] = ()) -> list[Centreline]:
    """Read centrelines from ``.csv``, ``.vtk``, ``.vtp`` or ``.txt``.

    Parameters
    ----------
    vessels : path names of the lines in the file's order, for files that name none (CAT08, other programs' VTK); a line
        that is named ``-`` is left out.

    Raises
    ------
    CentrelineError
        ``no-such-file``, ``unknown-format``, ``unnamed-lines``, ``unknown-vessel``, ``bad-file`` naming the row.
    """
    return import_files([Path(path)], vessels=vessels)


def import_files(paths: Sequence[Path], *, vessels: Sequence[str] = ()) -> list[Centreline]:
    """Read the centrelines of one scan from one file or several, as :func:`import_centrelines` does.

    Parameters
    ----------
    vessels : path names of all lines in the files' order.
    """
    unknown = [v for v in vessels if v not in (*VESSELS, LEFT_OUT)]
    if unknown:
        raise CentrelineError("unknown-vessel", f"“{unknown[0]}” is not one of {', '.join(VESSELS)}.")
    read = [(path.name, _lines_of(path)) for path in paths]
    if not vessels:
        return [line for name, lines in read for line in _named(name, lines)]
    lines = [line for _, more in read for line in more]
    names = ", ".join(name for name, _ in read)
    if len(vessels) != len(lines):
        lengths = ", ".join(f"{line.length_mm:.0f} mm" for line in lines)
        raise CentrelineError(
            "unnamed-lines",
            f"{names}: {len(lines)} lines ({lengths}), but {len(vessels)} vessel names were given; “{LEFT_OUT}” leaves a line out.",
        )
    kept = [replace(line, vessel=v) for line, v in zip(lines, vessels, strict=True) if v != LEFT_OUT]
    if not kept:
        raise CentrelineError("empty", f"{names}: every line was left out.")
    return kept


def _lines_of(path: Path) -> list[Centreline]:
    """Read a file's lines, named or not."""
    ending = check_ending(path)
    if not path.is_file():
        raise CentrelineError("no-such-file", f"There is no centreline file {path.name}.", path.name)
    if ending == ".csv" and not _is_bare(path):
        return read_centrelines(path)
    if ending in (".csv", ".txt"):
        return [_from_cat08(path)]
    return _lines(read_vtk(path) if ending == ".vtk" else read_vtp(path))


def cat08_text(line: Centreline) -> str:
    """Return one vessel as CAT08 text: ``x y z`` and, where it is known, the radius, in mm."""
    columns = line.points if line.radius_mm is None else np.column_stack([line.points, line.radius_mm])
    return "".join(" ".join(f"{x:.4f}" for x in row) + "\n" for row in columns)


def check_ending(path: Path) -> str:
    """Return the ending of a centreline file, or say which there are."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise CentrelineError(
            "unknown-format", f"{path.name}: centreline files end in {', '.join(ENDINGS)}.", path.name
        )
    return ending


def _is_bare(path: Path) -> bool:
    """Whether a CSV file begins with numbers instead of names of columns."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        words = file.readline().replace(";", ",").split(",")
    try:
        return len([float(word) for word in words]) >= 3
    except ValueError:
        return False


def _from_cat08(path: Path) -> Centreline:
    rows: list[list[float]] = []
    separator = "," if path.suffix.lower() == ".csv" else None
    for number, text in enumerate(
        path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), start=1
    ):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            row = [float(x) for x in text.replace(";", separator or ";").split(separator)]
        except ValueError:
            row = []
        if len(row) not in (3, 4, 5) or (rows and len(row) != len(rows[0])):
            raise CentrelineError(
                "bad-file",
                f"{path.name}, row {number}: a row holds x y z, or x y z radius, as numbers in mm.",
                f"row {number}",
            )
        rows.append(row)
    if not rows:
        raise CentrelineError("empty", f"{path.name} holds no points.", path.name)
    table = np.array(rows)
    return Centreline("", table[:, :3], radius_mm=table[:, 3] if table.shape[1] > 3 else None)


def _named(name: str, lines: list[Centreline]) -> list[Centreline]:
    """Check the lines' names; a single one without takes that in which the file's name ends."""
    if len(lines) == 1 and not lines[0].vessel and (own := _vessel_of(name)):
        return [replace(lines[0], vessel=own)]
    for number, line in enumerate(lines, start=1):
        if not line.vessel:
            raise CentrelineError(
                "unnamed-lines",
                f"{name} does not say which vessels its {len(lines)} lines are: give a vessel name for each.",
                f"line {number}",
            )
        if line.vessel not in VESSELS:
            raise CentrelineError(
                "unknown-vessel",
                f"{name}, line {number}: “{line.vessel}” is not one of {', '.join(VESSELS)}.",
                f"line {number}",
            )
    return lines


def _vessel_of(name: str) -> str:
    """The vessel in which a file's name ends, after anything but a letter; empty where there is none."""
    stem = Path(name).stem
    for vessel in sorted(VESSELS, key=len, reverse=True):
        before = stem[: -len(vessel)]
        if stem.lower().endswith(vessel.lower()) and not before[-1:].isalnum():
            return vessel
    return ""


def _polydata(lines: Sequence[Centreline]) -> Polydata:
    sizes = [len(line.points) for line in lines]
    cells = [np.arange(last - n, last) for n, last in zip(sizes, np.cumsum(sizes), strict=True)]
    points = {
        "radius_mm": np.concatenate(
            [np.zeros(len(x.points)) if x.radius_mm is None else x.radius_mm for x in lines]
        ),
        "segment": np.array([float(NUMBER_OF.get(s, 0)) for line in lines for s in line.segments]),
    }
    return Polydata(
        points=np.concatenate([line.points for line in lines]),
        cells=cells,
        point_data=points,
        names=[line.vessel for line in lines],
    )


def _lines(data: Polydata) -> list[Centreline]:
    radius = next((data.point_data[n] for n in RADIUS_NAMES if n in data.point_data), None)
    segment = data.point_data.get("segment")
    out = []
    for number, cell in enumerate(data.cells):
        mm = None if radius is None else radius[cell]
        out.append(
            Centreline(
                vessel=data.names[number] if number < len(data.names) else "",
                points=data.points[cell],
                segments=() if segment is None else tuple(SHORT_OF.get(round(x), "") for x in segment[cell]),
                radius_mm=mm if mm is not None and mm.any() else None,
            )
        )
    return out
