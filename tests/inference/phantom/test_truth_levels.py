"""The truth of a tree: every level adds up from the tables, and an analytic vessel gives analytic numbers."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from inference.centreline import read_centrelines
from inference.phantom import SCENARIOS, generate, write_case
from inference.phantom.curve import curve_through
from inference.phantom.patient import make_patient
from inference.phantom.table import ANGLES, LAYERS, TrueLesion, VesselTable
from inference.phantom.truth_levels import (
    PLAQUE,
    VOLUMES,
    lesion_rows,
    row_volumes,
    section_rows,
    tree_truth_document,
)
from inference.vocabulary import SEGMENTS, territory_of


@pytest.fixture(scope="module")
def phantom():
    return generate(2, "tree_tiny")


@pytest.fixture(scope="module")
def truth(phantom):
    return tree_truth_document(phantom.vessels, phantom.patient, seed=2, scenario="tree_tiny")


def ring_table(radius_of_bend: float | None) -> VesselTable:
    """Lumen 1 mm, wall 2 mm; one lesion of 10 mm where half of the circumference is plaque, outer half calcified."""
    if radius_of_bend is None:
        points = np.stack(
            [0 * np.linspace(0, 40, 400), 0 * np.linspace(0, 40, 400), np.linspace(0, 40, 400)], 1
        )
    else:
        a = np.linspace(0, 40 / radius_of_bend, 600)
        points = radius_of_bend * np.stack([np.cos(a), np.sin(a), 0 * a], 1)
    curve = curve_through(points)
    n = len(curve.points)
    plaque = np.zeros((n, ANGLES), bool)
    plaque[60:101, : ANGLES // 2] = True
    hu = np.full((n, ANGLES, LAYERS), 60.0, np.float32)
    hu[:, :, LAYERS // 2 :] = 700.0
    hu[:, :, 0] = 10.0
    return VesselTable(
        name="LAD",
        curve=curve,
        lumen=np.full((n, ANGLES), 1.0, np.float32),
        wall=np.full((n, ANGLES), 2.0, np.float32),
        plaque=plaque,
        hu=hu,
        lumen_hu=np.full(n, 400.0, np.float32),
        normal_wall_mm=np.full(n, 0.5, np.float32),
        lesions=(TrueLesion(1, 15.0, 25.0, "mixed"),),
        segment=("pLAD",) * 80 + ("mLAD",) * (n - 80),
    )


def test_an_analytic_vessel_gives_analytic_volumes():
    table = ring_table(None)
    (row,) = lesion_rows(table)
    assert row["tpv_true"] == pytest.approx(0.5 * np.pi * (4 - 1) * 10)
    assert row["cp_true"] == pytest.approx(0.5 * np.pi * (4 - 1.5**2) * 10)
    assert row["lap_true"] == pytest.approx(0.5 * np.pi * ((1 + 1 / 12) ** 2 - 1) * 10, rel=1e-5)
    assert row["vessel_true"] == pytest.approx(np.pi * 4 * 10)
    assert row["lumen_true"] == pytest.approx(np.pi * 10)
    assert row["tpv_burden_percent"] == pytest.approx(37.5)
    assert row["mla_mm2"] == pytest.approx(np.pi, rel=1e-5)
    assert row["mld_mm"] == pytest.approx(2.0, rel=1e-5)
    assert row["diameter_stenosis_percent"] == pytest.approx(0.0, abs=1e-4)
    assert row["segment"] == "mLAD"
    assert row["length_mm"] == 10.0
    section = section_rows(table)[18]
    assert section["position_mm"] == 18.0
    assert section["segment"] == "pLAD"
    assert section["wall_area_mm2"] == pytest.approx(np.pi * 4, abs=1e-4)
    assert section["plaque_area_mm2"] == pytest.approx(0.5 * np.pi * 3, abs=1e-4)


def test_a_bent_vessel_follows_pappus():
    """A whole ring is unchanged by the bend; half a ring gains or loses what Pappus says."""
    table = ring_table(20.0)
    k = np.linalg.norm(table.curve.curvature, axis=1)[70:90]
    assert k == pytest.approx(1 / 20, rel=0.01)
    volumes = row_volumes(table)
    assert volumes["vessel_true"][1:-1].sum() == pytest.approx(
        np.pi * 4 * 0.25 * (len(table.lumen) - 2), rel=1e-6
    )
    angle = 2 * np.pi * np.arange(ANGLES) / ANGLES
    c = table.curve.curvature
    inwards = (c[:, :1] * np.cos(angle) + c[:, 1:] * np.sin(angle))[60:101, : ANGLES // 2]
    area, moment = np.pi / ANGLES * (4 - 1), 2 * np.pi / ANGLES * (8 - 1) / 3
    weight = np.ones(41)
    weight[[0, -1]] = 0.5
    expected = ((area - inwards * moment).sum(1) * weight).sum() * 0.25
    assert volumes["tpv_true"].sum() == pytest.approx(expected, rel=1e-6)
    assert abs(expected / (0.5 * np.pi * 3 * 10) - 1) > 0.001


def test_levels_add_up(truth, phantom):
    for name in PLAQUE:
        lesions = sum(x[name] for x in truth["lesions"])
        for level in ("segments", "vessels", "territories"):
            rows = sum(x[name] for x in truth[level])
            unnamed = sum(
                row_volumes(t)[name][[s == "" for s in t.segment]].sum() for t in phantom.vessels.values()
            )
            assert rows + (unnamed if level == "segments" else 0) == pytest.approx(
                lesions, rel=1e-9, abs=1e-9
            )
        assert truth["patient"][name] == pytest.approx(lesions)
    for name in VOLUMES:
        assert sum(x[name] for x in truth["vessels"]) == pytest.approx(truth["patient"][name])
    assert truth["patient"]["tpv_burden_percent"] == pytest.approx(
        100 * truth["patient"]["tpv_true"] / truth["patient"]["vessel_true"]
    )
    assert truth["patient"]["lesions"] == len(truth["lesions"]) > 3
    for row in truth["territories"]:
        mine = [x for x in truth["lesions"] if territory_of(x["vessel"]) == row["territory"]]
        assert row["lesions"] == len(mine)
        assert row["worst_diameter_stenosis_percent"] == max(
            (x["diameter_stenosis_percent"] for x in mine), default=None
        )


def test_segments_are_those_of_the_scheme(truth):
    numbers = {s.short: s.number for s in SEGMENTS}
    assert all(numbers[x["segment"]] == x["number"] for x in truth["segments"])
    found = {x["segment"] for x in truth["segments"]}
    posterior = {
        "right": {"R-PDA", "R-PLB"},
        "left": {"L-PDA", "L-PLB"},
        "co-dominant": {"R-PDA", "L-PLB"},
    }[truth["dominance"]]
    assert found & {"R-PDA", "R-PLB", "L-PDA", "L-PLB"} == posterior


def test_the_case_holds_files_that_agree(phantom, truth, tmp_path):
    write_case(phantom, tmp_path)
    stored = json.loads((tmp_path / "truth.json").read_text())
    assert stored["patient"] == pytest.approx(truth["patient"])
    assert stored["units"]["*_mm2"] == "mm2"
    lines = {x.vessel: x for x in read_centrelines(tmp_path / "centrelines.csv")}
    assert set(lines) == set(phantom.vessels) == set(stored["sections"])
    with (tmp_path / "lesions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(stored["lesions"])
    for row, lesion in zip(rows, stored["lesions"], strict=True):
        assert float(row["end_mm"]) == pytest.approx(lesion["end_mm"], abs=0.006)
        assert lesion["end_mm"] <= lines[row["vessel"]].length_mm + 0.3


def test_same_seed_same_patient(phantom):
    again = generate(2, "tree_tiny")
    assert again.volume.hu.tobytes() == phantom.volume.hu.tobytes()
    assert again.patient.findings == phantom.patient.findings
    assert again.patient.header == phantom.patient.header


def test_positions_of_a_stepped_scan_count_along_its_centreline():
    """Findings and lesions are placed on the centreline as the image shows it, jumps included."""
    from dataclasses import replace

    scenario = replace(
        SCENARIOS["tree_tiny"],
        tree=replace(
            SCENARIOS["tree_tiny"].tree,
            step_share=1.0,
            steps=(2, 2),
            step_mm=(2.5, 3.0),
            stent_share=1.0,
            motion_share=1.0,
            bridge_share=1.0,
        ),
    )
    patient = make_patient(4, scenario)
    tables = {t.name: t for t in patient.tables if t.tracked}
    truth = tree_truth_document(tables, patient, seed=4, scenario="tree_tiny")
    assert len(truth["artefacts"]["step"]) == 2
    assert truth["artefacts"]["motion"]
    longest = max(tables.values(), key=lambda t: t.curve.position[-1] - t.curve.length_mm)
    assert longest.curve.position[-1] > longest.curve.length_mm + 1.0
    plain = {(t.name, x.number): x for t in tables.values() for x in t.lesions}
    moved = 0
    for row in truth["lesions"]:
        table, lesion = tables[row["vessel"]], plain[row["vessel"], row["lesion"]]
        at = table.curve.position[round(lesion.start_mm / 0.25)]
        assert row["start_mm"] == pytest.approx(at)
        moved += row["start_mm"] > lesion.start_mm + 0.5
    assert moved
    index = {}
    for table in tables.values():
        rows = np.flatnonzero(table.lumen_area() > 3.0)
        index[table.name] = np.rint(patient.volume.to_index(table.curve.points[rows])).astype(int)
    k = np.concatenate(list(index.values()))
    hu = patient.volume.hu[k[:, 2], k[:, 1], k[:, 0]]
    assert np.median(hu) > 0.75 * patient.settings["contrast_hu"]
