"""Phantoms: the same bytes from the same seed, tables that integrate to what is painted, headers that read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from inference.phantom import SCENARIOS, Scenario, generate, lesion_truth, soft_targets, write_case
from inference.phantom.grid import Grid
from inference.phantom.main_vessels.surroundings import claims, fill_vessels
from inference.straightening import straighten

LIPID = ("name", "lipid_long", "lipid_wide", "lipid_depth", "lipid_thick")


@pytest.fixture(scope="module")
def tiny():
    return generate(3, "tiny")


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tiny):
    again, other = generate(3, "tiny"), generate(4, "tiny")
    assert tiny.volume.hu.tobytes() == again.volume.hu.tobytes()
    assert tiny.volume.affine.tolist() == again.volume.affine.tolist()
    assert other.volume.hu.tobytes() != tiny.volume.hu.tobytes()


def test_scenarios_differ_in_settings_not_only_in_seed():
    train, test = SCENARIOS["train"], SCENARIOS["test"]
    assert (train.contrast_hu, train.salt, train.psf_plane_mm) != (
        test.contrast_hu,
        test.salt,
        test.psf_plane_mm,
    )
    twins = ("lipid", "remodelled", "_blur")  # the same patients, one setting changed
    apart = {n: s for n, s in SCENARIOS.items() if not any(t in n for t in twins)}
    assert len({s.salt for s in apart.values()}) == len(apart)


def test_scenarios_rich_in_lipid_are_the_same_patients_with_larger_cores():
    for name in ("tree_train", "tree_train_soft_tissue"):
        plain, rich = SCENARIOS[name], SCENARIOS[name.replace("tree_train", "tree_train_lipid")]
        assert rich.salt == plain.salt
        assert rich.lipid_thick[1] > plain.lipid_thick[1]
        assert replace(rich, **{k: getattr(plain, k) for k in LIPID}) == plain
        wide = SCENARIOS[name.replace("tree_train", "tree_train_remodelled")]
        assert replace(wide, name=rich.name, remodelling=rich.remodelling) == rich


def test_unknown_scenario_and_negative_seed_are_refused():
    with pytest.raises(ValueError, match="tiny"):
        generate(1, "moon")
    with pytest.raises(ValueError, match="negative"):
        generate(-1, "tiny")
    with pytest.raises(ValueError, match="add up"):
        Scenario(name="wrong", salt=1, surroundings=(0.5, 0.5, 0.5))


def test_table_volume_with_the_jacobian_equals_painted_voxels(tiny):
    """The tube is painted white on a fine grid; its voxels count what the table integrates."""
    table = tiny.vessels["LAD"]
    white = replace(table, hu=np.full_like(table.hu, 1000.0), lumen_hu=np.full_like(table.lumen_hu, 1000.0))
    low = table.curve.points.min(0) - 6
    shape = np.ceil((table.curve.points.max(0) + 6 - low) / 0.25).astype(int)
    grid = Grid(shape=(int(shape[2]), int(shape[1]), int(shape[0])), origin=low, pixel_mm=0.25, slice_mm=0.25)
    out = np.zeros(grid.shape, np.float32)
    fill_vessels(out, grid=grid, tables=(white,), near=claims(grid, (white,)))
    painted = float(out.sum(dtype=np.float64)) / 1000 * 0.25**3
    exact = float(table.vessel_volumes().sum())
    straight = float(table.wall_area().sum() * 0.25)
    assert painted == pytest.approx(exact, rel=0.015)
    assert exact != pytest.approx(straight, rel=1e-4)  # the curvature matters


def test_cells_add_up_to_wall_minus_lumen(tiny):
    for table in tiny.vessels.values():
        cells = table.cell_volumes().sum((1, 2))
        assert cells == pytest.approx((table.vessel_volumes() - table.lumen_volumes()).sum(1), rel=1e-6)


def test_lesion_truth_is_consistent(tiny):
    rows = [lesion_truth(t, one) for t in tiny.vessels.values() for one in t.lesions]
    assert rows
    for row in rows:
        assert row["tpv_true"] == pytest.approx(row["ncp_true"] + row["cp_true"])
        assert 0 <= row["lap_true"] <= row["ncp_true"]
        assert row["tpv_true"] + row["lumen_true"] <= row["vessel_true"] + 1e-6
        assert row["end_mm"] - row["start_mm"] >= 1.5
        assert 0 <= row["diameter_stenosis_percent"] <= 100


def test_plaque_lies_inside_lesions_and_is_thicker_than_normal_wall(tiny):
    for table in tiny.vessels.values():
        inside = np.zeros(len(table.lumen), bool)
        for one in table.lesions:
            inside[table.rows(one.start_mm, one.end_mm)] = True
        assert not table.plaque[~inside].any()
        excess = table.wall - table.lumen - table.normal_wall_mm[:, None]
        assert (excess[table.plaque] > 0.25).all()


def test_truth_read_gives_the_tables_areas_on_the_true_centreline(tiny):
    table = tiny.vessels["LAD"]
    line = next(x for x in tiny.centrelines if x.vessel == "LAD")
    vessel = straighten(tiny.volume, line)
    read = tiny.truth_read(vessel)
    area = (read.contours.lumen_radius.astype(float) ** 2).sum(1) * np.pi / 64
    expected = np.interp(vessel.arc_length, table.curve.arc_length, table.lumen_area())
    inner = slice(5, len(area) - 5)
    assert area[inner] == pytest.approx(expected[inner], rel=0.06, abs=0.08)
    assert len(read.lesions) == len(table.lesions)
    assert read.lesions[0].start_mm == pytest.approx(table.lesions[0].start_mm, abs=0.4)


def test_truth_follows_a_displaced_centreline(tiny):
    """A displaced centreline sees the same vessel area, and soft labels agree with the contours."""
    line = next(x for x in tiny.stored_points(1.0) if x.vessel == "LAD")
    true = next(x for x in tiny.centrelines if x.vessel == "LAD")
    distance = np.linalg.norm(line.points - true.points, axis=1)
    assert np.sqrt((distance**2).mean()) == pytest.approx(1.0, abs=0.02)
    vessel = straighten(tiny.volume, line)
    read = tiny.truth_read(vessel)
    soft = soft_targets(tiny.vessels["LAD"], vessel).astype(float) / 255
    from_pixels = soft[..., 0].sum((1, 2)) * 0.3125**2
    plain = np.array([n for n in range(len(vessel.hu)) if n not in read.contours.masks])
    from_radii = (read.contours.wall_radius.astype(float) ** 2).sum(1) * np.pi / 64
    assert np.median(np.abs(from_radii[plain] / from_pixels[plain] - 1)) < 0.02
    assert (soft[..., 1] + soft[..., 2] <= soft[..., 0] + 0.01).all()


def test_the_case_reads_back_as_dicom(tiny, tmp_path):
    from inference.scan import read_series

    write_case(tiny, tmp_path)
    files = sorted((tmp_path / "dicom").iterdir())
    header = pydicom.dcmread(files[0])
    assert header.PatientID == "PHANTOM-3"
    assert "SIMULATED" in header.StudyDescription
    volume = read_series(tmp_path / "dicom")
    assert np.array_equal(volume.hu, tiny.volume.hu)
    assert np.allclose(volume.affine, tiny.volume.affine, atol=1e-3)
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert {"vessel", "lesion", "start_mm", "end_mm", "tpv_true", "mla_mm2"} <= set(truth["lesions"][0])
    with pytest.raises(FileExistsError, match="not empty"):
        write_case(tiny, tmp_path)


def test_a_bright_lumen_lies_where_the_centreline_says(tiny):
    """Orientation: HU at the true centreline is blood, in the volume's own coordinates."""
    table = tiny.vessels["LAD"]
    points = table.curve.points[table.lumen_area() > 2.5]
    index = np.rint(tiny.volume.to_index(points)).astype(int)
    hu = tiny.volume.hu[index[:, 2], index[:, 1], index[:, 0]]
    assert np.median(hu) > 0.75 * tiny.settings["contrast_hu"]


def test_dicom_bytes_are_stable(tiny, tmp_path):
    def digest(folder):
        write_case(tiny, folder)
        return hashlib.sha256(
            b"".join(p.read_bytes() for p in sorted((folder / "dicom").iterdir()))
        ).hexdigest()

    assert digest(tmp_path / "a") == digest(tmp_path / "b")
