"""Clinical centrelines of another program read as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.centreline.formats import import_centrelines

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "real" / "coronary_centrelines_bluefern"


@pytest.mark.parametrize(("name", "count", "points"), [("227A", 7, 739), ("721A", 3, 357)])
def test_clinical_vtk_centrelines_are_read(name: str, count: int, points: int) -> None:
    names = ("LM", "LAD", "D1", "D2", "LCx", "OM1", "OM2")[:count]
    lines = import_centrelines(FOLDER / f"{name}_Centreline.vtk", vessels=names)
    assert [x.vessel for x in lines] == list(names)
    assert sum(len(x.points) for x in lines) >= points
    assert all(0.2 < np.median(x.radius_mm) < 4 for x in lines if x.radius_mm is not None)
    assert all(x.radius_mm is not None for x in lines)
