"""Centreline files: there and back in every format, other programs' files, and files that are wrong."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from inference.centreline import Centreline
from inference.centreline.formats import cat08_text, export_centrelines, import_centrelines, import_files
from inference.errors import CentrelineError


def tree() -> list[Centreline]:
    rng = np.random.default_rng(3)
    out = []
    for vessel, names, n in (("LM", ("LM",) * 4, 4), ("LAD", ("pLAD",) * 3 + ("mLAD",) * 3, 6)):
        out.append(
            Centreline(vessel, np.cumsum(rng.normal(0, 1, (n, 3)), axis=0), names, rng.uniform(1, 2, n))
        )
    return out


@pytest.mark.parametrize("ending", ["vtk", "vtp"])
def test_polydata_there_and_back(tmp_path: Path, ending: str) -> None:
    export_centrelines(tmp_path / f"tree.{ending}", tree())
    back = import_centrelines(tmp_path / f"tree.{ending}")
    for got, was in zip(back, tree(), strict=True):
        assert got.vessel == was.vessel
        assert got.segments == was.segments
        assert np.abs(got.points - was.points).max() < 1e-4
        assert got.radius_mm == pytest.approx(was.radius_mm, abs=1e-4)


def test_cat08_text_there_and_back(tmp_path: Path) -> None:
    line = tree()[1]
    export_centrelines(tmp_path / "vessel1.txt", [line])
    assert len(cat08_text(line).splitlines()[0].split()) == 4
    (back,) = import_centrelines(tmp_path / "vessel1.txt", vessels=["LAD"])
    assert np.abs(back.points - line.points).max() < 1e-4
    # the framework's reference has five columns, a plain result three
    (tmp_path / "reference.txt").write_text("0 0 0 1.5 0.2\n1 0 0 1.4 0.2\n")
    (reference,) = import_centrelines(tmp_path / "reference.txt", vessels=["RCA"])
    assert reference.radius_mm == pytest.approx([1.5, 1.4])
    (tmp_path / "result.txt").write_text("0 0 0\n1 0 0\n")
    assert import_centrelines(tmp_path / "result.txt", vessels=["RCA"])[0].radius_mm is None


def test_csv_there_and_back(tmp_path: Path) -> None:
    export_centrelines(tmp_path / "tree.csv", tree())
    assert [x.vessel for x in import_centrelines(tmp_path / "tree.csv")] == ["LM", "LAD"]
    assert (tmp_path / "tree.csv").read_text().splitlines()[0] == "vessel,segment,x_mm,y_mm,z_mm"


LEGACY = """# vtk DataFile Version 3.0
{title}
ASCII
DATASET POLYDATA
POINTS 3 float
1 2 3 4 5 6
7 8 9
LINES 1 4
3 0 1 2
POINT_DATA 3
SCALARS radii double
LOOKUP_TABLE default
1 1.5 2
"""


def test_another_programs_vtk_needs_names_and_may_be_ras(tmp_path: Path) -> None:
    file = tmp_path / "other.vtk"
    file.write_text(LEGACY.format(title="vtk output"))
    with pytest.raises(CentrelineError) as error:
        import_centrelines(file)
    assert error.value.code == "unnamed-lines"
    (line,) = import_centrelines(file, vessels=["LAD"])
    assert line.points.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert line.radius_mm == pytest.approx([1, 1.5, 2])
    file.write_text(LEGACY.format(title="3D Slicer output. SPACE=RAS"))
    (line,) = import_centrelines(file, vessels=["LAD"])
    assert line.points[0].tolist() == [-1, -2, 3]


LEGACY_51 = """# vtk DataFile Version 5.1
vtk output
ASCII
DATASET POLYDATA
POINTS 5 float
1 2 3 4 5 6 7 8 9
10 11 12 13 14 15
METADATA
INFORMATION 0

LINES 3 5
OFFSETS vtktypeint64
0 3 5
CONNECTIVITY vtktypeint64
0 1 2 3 4

POINT_DATA 5
SCALARS MaximumInscribedSphereRadius double
LOOKUP_TABLE default
1 1.5 2 0.7 0.8
"""


def test_vtk_as_it_is_written_since_version_9(tmp_path: Path) -> None:
    file = tmp_path / "new.vtk"
    file.write_text(LEGACY_51)
    first, second = import_centrelines(file, vessels=["LAD", "D1"])
    assert first.points.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert second.points.tolist() == [[10, 11, 12], [13, 14, 15]]
    assert second.radius_mm == pytest.approx([0.7, 0.8])


def test_lines_of_an_unstructured_grid_and_of_a_bare_table(tmp_path: Path) -> None:
    grid = LEGACY.format(title="x").replace("POLYDATA", "UNSTRUCTURED_GRID")
    grid = grid.replace("LINES 1 4\n3 0 1 2\n", "CELLS 2 6\n3 0 1 2\n1 0\nCELL_TYPES 2\n4\n1\n")
    (tmp_path / "grid.vtk").write_text(grid)
    (line,) = import_centrelines(tmp_path / "grid.vtk", vessels=["LAD"])
    assert line.points.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    for text in ("1.0,2,3\n4,5,6\n", "1.0;2;3\n4;5;6\n"):
        (tmp_path / "bare.csv").write_text(text)
        (line,) = import_centrelines(tmp_path / "bare.csv", vessels=["RCA"])
        assert line.points.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_files_name_or_a_list_says_which_vessels_its_lines_are(tmp_path: Path) -> None:
    for vessel in ("LAD", "R-PDA"):
        (tmp_path / f"case7-{vessel}.txt").write_text("0 0 0\n1 0 0\n")
    files = [tmp_path / f"case7-{vessel}.txt" for vessel in ("LAD", "R-PDA")]
    assert [x.vessel for x in import_files(files)] == ["LAD", "R-PDA"]
    assert [x.vessel for x in import_files(files, vessels=["-", "RCA"])] == ["RCA"]
    with pytest.raises(CentrelineError, match="left out"):
        import_files(files, vessels=["-", "-"])
    (tmp_path / "salad.txt").write_text("0 0 0\n1 0 0\n")
    with pytest.raises(CentrelineError, match=r"salad.txt does not say"):
        import_files([tmp_path / "salad.txt"])


def encoded(values: np.ndarray, *, zipped: bool) -> str:
    raw = values.tobytes()
    if not zipped:
        return base64.b64encode(struct.pack("<I", len(raw)) + raw).decode()
    small = zlib.compress(raw)
    head = struct.pack("<IIII", 1, 32768, len(raw), len(small))
    return base64.b64encode(head).decode() + base64.b64encode(small).decode()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("appended", [False, True])
def test_binary_xml_polydata(tmp_path: Path, zipped: bool, appended: bool) -> None:
    points = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9.5]], "<f4")
    blocks = [encoded(x, zipped=zipped) for x in (points, np.array([0, 1, 2], "<i8"), np.array([3], "<i8"))]
    if appended:
        offsets = np.cumsum([0] + [len(b) for b in blocks])
        body = [f'format="appended" offset="{o}"/>' for o in offsets[:3]]
        tail = f'<AppendedData encoding="base64">_{"".join(blocks)}</AppendedData>'
    else:
        body, tail = [f'format="binary">{b}</DataArray>' for b in blocks], ""
    zip_name = 'compressor="vtkZLibDataCompressor"' if zipped else ""
    (tmp_path / "a.vtp").write_text(
        f'<VTKFile type="PolyData" byte_order="LittleEndian" {zip_name}><PolyData>'
        f'<Piece NumberOfPoints="3" NumberOfLines="1"><Points><DataArray type="Float32" NumberOfComponents="3" {body[0]}</Points>'
        f'<Lines><DataArray type="Int64" Name="connectivity" {body[1]}<DataArray type="Int64" Name="offsets" {body[2]}</Lines>'
        f"</Piece></PolyData>{tail}</VTKFile>"
    )
    (line,) = import_centrelines(tmp_path / "a.vtp", vessels=["RCA"])
    assert line.points == pytest.approx(points)


@pytest.mark.parametrize(
    ("name", "text", "code", "where"),
    [
        ("a.vtk", "hello", "bad-file", "header"),
        ("a.vtk", LEGACY.format(title="x").replace("ASCII", "BINARY"), "bad-file", "row 3"),
        ("a.vtk", LEGACY.format(title="x").replace("7 8 9", "7 8 nine"), "bad-file", "POINTS"),
        ("a.vtk", LEGACY.format(title="x").replace("3 0 1 2", "3 0 1 7"), "bad-file", "line 1"),
        ("a.vtk", LEGACY.format(title="x").split("LINES")[0], "bad-file", "LINES"),
        ("a.vtk", LEGACY_51.replace("0 3 5", "0 7 5"), "bad-file", "offsets"),
        ("a.vtk", LEGACY_51.replace("CONNECTIVITY", "POINTS"), "bad-file", "CONNECTIVITY"),
        ("a.vtp", "<VTKFile", "bad-file", "row 1"),
        ("a.vtp", '<!DOCTYPE x [<!ENTITY a "b">]><VTKFile/>', "bad-file", "header"),
        ("a.vtp", '<VTKFile type="ImageData"/>', "bad-file", "root"),
        ("a.txt", "0 0 0\n1 0\n", "bad-file", "row 2"),
        ("a.txt", "0 0 0\n1 x 0\n", "bad-file", "row 2"),
        ("a.txt", "\n", "empty", "a.txt"),
        ("a.stl", "solid", "unknown-format", "a.stl"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, name: str, text: str, code: str, where: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CentrelineError) as error:
        import_centrelines(tmp_path / name, vessels=["LAD"])
    assert error.value.code == code
    assert where in str(error.value)


def test_wrong_requests_are_named(tmp_path: Path) -> None:
    with pytest.raises(CentrelineError, match="one vessel a file"):
        export_centrelines(tmp_path / "a.txt", tree())
    with pytest.raises(CentrelineError, match="no centreline"):
        export_centrelines(tmp_path / "a.vtk", [])
    with pytest.raises(CentrelineError, match=r"There is no centreline file gone.vtk"):
        import_centrelines(tmp_path / "gone.vtk")
    export_centrelines(tmp_path / "a.vtk", tree())
    with pytest.raises(CentrelineError, match="2 lines"):
        import_centrelines(tmp_path / "a.vtk", vessels=["LAD"])
    with pytest.raises(CentrelineError, match="aorta"):
        import_centrelines(tmp_path / "a.vtk", vessels=["aorta", "LAD"])
