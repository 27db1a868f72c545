"""Clinical centrelines of other programs read as they are, and those that are joined pieces are refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inference.centreline import Centreline
from inference.centreline.formats import import_centrelines
from inference.centreline.given import check_shapes
from inference.errors import CentrelineError
from inference.vocabulary import VESSELS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FOLDER = DATA / "real" / "coronary_centrelines_bluefern"


@pytest.mark.parametrize(("name", "count", "points"), [("227A", 7, 739), ("721A", 3, 357)])
def test_clinical_vtk_centrelines_are_read(name: str, count: int, points: int) -> None:
    names = ("LM", "LAD", "D1", "D2", "LCx", "OM1", "OM2")[:count]
    lines = import_centrelines(FOLDER / f"{name}_Centreline.vtk", vessels=names)
    assert [x.vessel for x in lines] == list(names)
    assert sum(len(x.points) for x in lines) >= points
    assert all(0.2 < np.median(x.radius_mm) < 4 for x in lines if x.radius_mm is not None)
    assert all(x.radius_mm is not None for x in lines)


def test_vtk_of_today_is_read(tmp_path: Path) -> None:
    script = DATA / "reported" / "make_inputs.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, capture_output=True)
    (line,) = import_centrelines(tmp_path / "lad-vtk-5.1.vtk", vessels=["LAD"])
    assert line.radius_mm == pytest.approx(1.5)


def test_a_phantoms_unstructured_grid_is_read() -> None:
    lines = import_centrelines(
        DATA / "real" / "coronary_static_phantom" / "Centerlines.vtk", vessels=VESSELS[:11]
    )
    assert [round(x.length_mm) for x in lines[:3]] == [99, 24, 17]


@pytest.mark.parametrize(("name", "count"), [("lca_cl", 5), ("rca_cl", 4), ("ao_cl", 1)])
def test_xml_of_another_program_is_read(name: str, count: int) -> None:
    file = DATA / "real" / "ivus_ccta_multimodars" / "examples" / "data" / f"{name}.vtp"
    lines = import_centrelines(file, vessels=VESSELS[:count])
    assert all(x.radius_mm is not None and x.radius_mm.max() < 25 for x in lines)


@pytest.mark.parametrize("name", ["lca", "rca"])
def test_a_table_of_joined_paths_is_read_and_refused(name: str) -> None:
    file = DATA / "real" / "ivus_ccta_multimodars" / "examples" / "data" / f"centerline_{name}.csv"
    lines = import_centrelines(file, vessels=["LAD"])
    with pytest.raises(CentrelineError, match="turns back on itself"):
        check_shapes(lines)


def test_clinical_paths_do_not_turn_back() -> None:
    """Eighteen expert paths of two patients, one with a short spur, and those of three more files."""
    points = np.load(DATA / "real" / "orcascore_centrelines" / "ORCA_centerlines.npy")
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    paths = [Centreline("LAD", path) for path in np.split(points, np.flatnonzero(steps > 2.0) + 1)]
    assert len(paths) == 18
    paths += import_centrelines(FOLDER / "227A_Centreline.vtk", vessels=VESSELS[:7])
    paths += import_centrelines(
        DATA / "real" / "coronary_static_phantom" / "Centerlines.vtk", vessels=VESSELS[:11]
    )
    for path in paths:
        check_shapes([path])
