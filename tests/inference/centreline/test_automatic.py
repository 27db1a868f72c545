"""Centrelines found in a simulated scan: names, places, radii, quality, failures and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from inference.centreline.automatic import Found, find_centrelines
from inference.centreline.evaluation import evaluate
from inference.centreline.lines import Centreline
from inference.errors import RefusedScan
from inference.phantom import generate
from inference.phantom.phantom import Phantom
from inference.scan import Volume


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return generate(5, "tree_tiny")


@pytest.fixture(scope="module")
def found(phantom: Phantom) -> Found:
    return find_centrelines(phantom.volume)


def truth(phantom: Phantom, vessel: str) -> Centreline:
    table = phantom.vessels[vessel]
    return Centreline(vessel, table.curve.points, table.segment, np.sqrt(table.lumen_area() / np.pi))


def test_vessels_carry_their_names_and_lie_in_their_lumen(phantom: Phantom, found: Found) -> None:
    assert phantom.patient is not None
    assert found.dominance == phantom.patient.findings.dominance
    lines = {line.vessel: line for line in found.lines}
    assert {"LM", "LAD", "LCx", "RCA"} <= set(lines)
    scores = [evaluate(lines[v], truth(phantom, v), sampling_mm=0.1) for v in ("LAD", "LCx", "RCA")]
    assert np.mean([s.ov for s in scores]) > 0.85
    assert np.mean([s.ai for s in scores]) < 0.3


def test_branches_start_on_their_parents_and_lines_have_what_they_need(found: Found) -> None:
    lines = {line.vessel: line for line in found.lines}
    for child, parent in (("LAD", "LM"), ("LCx", "LM"), ("D1", "LAD")):
        assert cKDTree(lines[parent].points).query(lines[child].points[0])[0] < 1e-6
    for line in found.lines:
        assert line.radius_mm is not None
        assert 0.2 < np.median(line.radius_mm) < 3.5
        steps = np.linalg.norm(np.diff(line.points, axis=0), axis=1)
        assert steps.max() < 1.5
        assert 0.0 <= found.quality[line.vessel] <= 1.0
    assert set(lines["RCA"].segments) <= {"pRCA", "mRCA", "dRCA"}
    assert [x.vessel for x in found.lines][:2] == ["LM", "LAD"]


def test_the_same_scan_gives_the_same_lines(phantom: Phantom, found: Found) -> None:
    again = find_centrelines(phantom.volume)
    for a, b in zip(found.lines, again.lines, strict=True):
        assert np.array_equal(a.points, b.points)


def test_a_lost_vessel_is_named(phantom: Phantom) -> None:
    """Without the right coronary artery's contrast the rest is found and the loss is told."""
    hu = phantom.volume.hu.copy()
    axis = phantom.vessels["RCA"].curve.points
    index = np.indices(hu.shape)[::-1].reshape(3, -1).T
    near = cKDTree(axis).query(phantom.volume.to_patient(index), distance_upper_bound=4.5)[0]
    hu.ravel()[np.isfinite(near)] = -80
    found = find_centrelines(Volume(hu, phantom.volume.affine))
    assert "RCA" not in {line.vessel for line in found.lines}
    told = {doubt.vessel: doubt for doubt in found.doubts}
    assert told["RCA"].code == "not_found"
    assert "RCA" in " ".join(found.warnings)


@pytest.mark.parametrize("kind", ["air", "soft tissue", "noise"])
def test_scans_without_an_aorta_are_refused_by_name(kind: str) -> None:
    rng = np.random.default_rng(0)
    hu = {
        "air": np.full((40, 60, 60), -1000),
        "soft tissue": rng.normal(40, 15, (40, 60, 60)),
        "noise": rng.normal(0, 300, (40, 60, 60)),
    }[kind]
    volume = Volume(hu.astype(np.int16), np.diag([0.8, 0.8, 1.0, 1.0]))
    with pytest.raises(RefusedScan) as error:
        find_centrelines(volume)
    assert error.value.code == "no-aorta"
    assert "contrast" in str(error.value)


@pytest.mark.parametrize(("root_mm", "code"), [(15, "no-coronary"), (0, "no-aortic-root")])
def test_an_aorta_without_coronary_arteries_or_root_is_refused_by_name(root_mm: int, code: str) -> None:
    k, j, i = np.meshgrid(np.arange(60), np.arange(100), np.arange(100), indexing="ij")
    aorta = (np.hypot(j - 50, i - 50) < 18) & (k >= root_mm)
    hu = np.where(aorta, 380, 40) + np.random.default_rng(0).normal(0, 15, k.shape)
    volume = Volume(hu.astype(np.int16), np.diag([0.8, 0.8, 1.0, 1.0]))
    with pytest.raises(RefusedScan) as error:
        find_centrelines(volume)
    assert error.value.code == code


def test_progress_rises_and_may_cancel(phantom: Phantom) -> None:
    class StopError(Exception):
        pass

    def stop(fraction: float) -> None:
        raise StopError

    with pytest.raises(StopError):
        find_centrelines(phantom.volume, progress=stop)
