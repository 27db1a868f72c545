"""The scanner: filters, blooming, halos, motion, steps that move image and truth together, stents."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from inference.centreline import Centreline
from inference.phantom import SCENARIOS
from inference.phantom.curve import curve_through
from inference.phantom.filters import blur, weights
from inference.phantom.grid import Grid
from inference.phantom.layers import Layer, coarse_points, near_vessels, paint_layers
from inference.phantom.patient import _steps
from inference.phantom.scanner import (
    DENSE_HU,
    Motion,
    Step,
    bloom_and_halo,
    move,
    scan,
    shift_slabs,
    shifted_curve,
    slab_shifts,
)
from inference.phantom.stents import Stent, paint_stent, place_stent, strut_points
from inference.phantom.table import ANGLES, LAYERS, TrueLesion, VesselTable
from inference.phantom.tissue import fill_tissue
from inference.phantom.truth import soft_targets, truth_read
from inference.scan import Volume
from inference.straightening import straighten

GRID = Grid(shape=(60, 64, 64), origin=np.array([-16.0, -16.0, -15.0]), pixel_mm=0.5, slice_mm=0.5)


def straight_table(radius: float = 1.5, wall: float = 0.6, *, tilt: float = 0.25) -> VesselTable:
    """A straight tube along z, a little oblique, 28 mm long, of 400 HU blood and 80 HU wall."""
    z = np.linspace(-14, 14, 300)
    curve = curve_through(np.stack([tilt * z, 0 * z, z], axis=1))
    n = len(curve.points)
    return VesselTable(
        name="LAD",
        curve=curve,
        lumen=np.full((n, ANGLES), radius, np.float32),
        wall=np.full((n, ANGLES), radius + wall, np.float32),
        plaque=np.zeros((n, ANGLES), bool),
        hu=np.full((n, ANGLES, LAYERS), 80.0, np.float32),
        lumen_hu=np.full(n, 400.0, np.float32),
        normal_wall_mm=np.full(n, wall, np.float32),
        lesions=(),
        segment=("pLAD",) * n,
    )


def painted(table: VesselTable, grid: Grid = GRID) -> np.ndarray:
    out = np.full(grid.shape, -90.0, np.float32)
    fill_tissue(out, grid=grid, tables=[table])
    return out


def test_blur_is_a_gaussian_of_unit_weight():
    rng = np.random.default_rng(1)
    image = rng.standard_normal((20, 30, 40)).astype(np.float32)
    ours, theirs = blur(image, 0.9, 1.7), gaussian_filter(image.astype(float), (0.9, 1.7, 1.7), truncate=3.0)
    assert np.abs(ours - theirs)[4:-4, 6:-6, 6:-6].max() < 0.004
    assert blur(np.full((9, 9, 9), 7.0, np.float32), 1.0, 2.0) == pytest.approx(7.0, abs=1e-4)
    w = weights(1.3)
    assert w[0] + 2 * w[1:].sum() == pytest.approx(1.0)


def test_a_ball_on_the_coarse_grid_has_its_volume():
    points = coarse_points(GRID)
    out = np.zeros(GRID.shape, np.float32)
    paint_layers(
        out,
        grid=GRID,
        layers=[Layer((10.0 - np.linalg.norm(points, axis=-1)).astype(np.float32), 100.0)],
    )
    assert out.sum(dtype=float) / 100 * 0.125 == pytest.approx(4 / 3 * np.pi * 1000, rel=0.03)
    assert out.max() == pytest.approx(100.0)


def test_distance_to_vessels_is_measured_from_their_walls():
    distance, row = near_vessels(GRID, np.array([[0.0, 0.0, 1.0]]), np.array([2.0]), reach_mm=6.0)
    points = coarse_points(GRID)
    exact = np.linalg.norm(points - [0, 0, 1.0], axis=-1) - 2.0
    assert distance[exact < 6] == pytest.approx(exact[exact < 6], abs=1e-4)
    assert (distance[exact >= 6] == 6.0).all()
    assert (row[exact >= 6] == -1).all()


def test_painted_tube_holds_what_its_table_integrates():
    table = straight_table()
    scene = painted(table) + 90.0
    expected = (400 + 90) * table.lumen_volumes().sum()
    expected += (80 + 90) * (table.vessel_volumes() - table.lumen_volumes()).sum()
    assert scene.sum(dtype=float) * 0.125 == pytest.approx(expected, rel=0.015)


def test_blooming_spreads_what_is_dense_and_the_halo_darkens_around_it():
    def scene() -> np.ndarray:
        out = np.full(GRID.shape, 50.0, np.float32)
        out[28:31, 30:33, 30:33] = 1200.0
        return out

    voxels = np.argwhere(scene() > 0).astype(np.int32)
    settings = {"grid": GRID, "voxels": voxels, "bloom_mm": 1.2, "halo_mm": 1.6}
    bloomed, dark, plain = scene(), scene(), scene()
    bloom_and_halo(bloomed, bloom=0.4, halo=0.0, **settings)
    bloom_and_halo(dark, bloom=0.0, halo=0.5, **settings)
    added = (bloomed - plain).sum(dtype=float)
    assert added == pytest.approx(0.4 * 27 * (1200 - DENSE_HU), rel=0.02)
    assert bloomed[29, 31, 28] > 60
    assert dark[29, 31, 27] < 45
    assert dark.max() <= 1200
    soft = np.full(GRID.shape, 300.0, np.float32)
    bloom_and_halo(soft, bloom=0.4, halo=0.5, **settings)
    assert (soft == 300.0).all()  # blood and soft tissue do neither


def test_motion_blurs_one_stretch_about_its_true_place():
    table = straight_table(tilt=0.0)
    scene = painted(table)
    motion = Motion("LAD", 14.0, 20.0, (4.0, 0.0, 0.0))
    moved = move(scene, grid=GRID, curve=table.curve, motion=motion)
    middle, far = 36, 2
    assert np.array_equal(moved[far], scene[far])
    x = np.arange(64) * 0.5 - 16

    def spread(plane: np.ndarray) -> tuple[float, float]:
        w = (plane + 90.0).sum(0)
        mean = (w * x).sum() / w.sum()
        return float(mean), float(np.sqrt((w * (x - mean) ** 2).sum() / w.sum()))

    before, after = spread(scene[middle]), spread(moved[middle])
    assert after[0] == pytest.approx(before[0], abs=0.1)  # the mean place is the true one
    assert after[1] > before[1] + 0.4


def test_a_step_moves_image_and_truth_together():
    """After the step the true contours lie where the image shows the vessel, on both sides of it."""
    table = straight_table(tilt=0.25)
    border = 6
    steps = (Step(0.0, 99.0, (2.5, -1.5)),)
    shifts = slab_shifts(GRID, steps)
    assert set(map(tuple, shifts)) == {(0, 0), (5, -3)}
    wide = Grid(
        shape=(60, 64 + 2 * border, 64 + 2 * border),
        origin=GRID.origin - [border * 0.5, border * 0.5, 0],
        pixel_mm=0.5,
        slice_mm=0.5,
    )
    still = painted(table)
    image = shift_slabs(painted(table, wide), shifts=shifts, border=border)
    assert (
        np.abs(image[:30] - still[:30]) < 0.01
    ).mean() > 0.999  # a subsample on the border may round otherwise
    assert (np.abs(image[40, 10:50, 10:50] - still[40, 13:53, 5:45]) < 0.01).mean() > 0.99

    curve = shifted_curve(table.curve, grid=GRID, shifts=shifts)
    assert np.allclose(curve.own_points, table.curve.points)
    moved = VesselTable(**{**table.__dict__, "curve": curve})
    assert np.array_equal(moved.vessel_volumes(), table.vessel_volumes())  # the vessel itself is as it was
    jump = np.diff(curve.position).max()
    assert jump == pytest.approx(np.hypot(2.5, 1.5), abs=0.35)
    index = np.rint((curve.points - GRID.origin) / 0.5).astype(int)[8:-8]
    assert (image[index[:, 2], index[:, 1], index[:, 0]] > 300).all()

    volume = Volume(hu=np.rint(image).astype(np.int16), affine=GRID.affine)
    vessel = straighten(volume, Centreline(vessel="LAD", points=curve.points))
    lumen, blood = soft_targets(moved, vessel)[..., 1] > 127, vessel.hu > 240
    dice = 2 * (lumen & blood).sum((1, 2)) / np.maximum(lumen.sum((1, 2)) + blood.sum((1, 2)), 1)
    assert 2 * (lumen & blood).sum() / (lumen.sum() + blood.sum()) > 0.92  # the sections across the step too
    assert np.median(dice) > 0.92
    area = np.pi * (truth_read(moved, vessel).contours.lumen_radius.astype(float) ** 2).mean(1)
    assert np.median(area) == pytest.approx(np.pi * 1.5**2, rel=0.02)


def test_without_steps_nothing_moves():
    assert not slab_shifts(GRID, ()).any()
    assert _steps(np.random.default_rng(1), GRID, SCENARIOS["motion"].tree) == ()
    steps = _steps(np.random.default_rng(1), GRID, SCENARIOS["step"].tree)
    assert 2 <= len(steps) <= 4
    assert all(b.from_z_mm == pytest.approx(a.to_z_mm) for a, b in pairwise(steps))


def test_noise_has_the_asked_size_and_is_correlated():
    flat = np.full(GRID.shape, 100.0, np.float32)
    image = scan(
        np.random.default_rng(2),
        flat,
        grid=GRID,
        psf_plane_mm=0.7,
        psf_along_mm=0.8,
        noise_hu=30.0,
        grain_mm=0.4,
        overshoot=0.1,
    ).astype(float)
    assert image.std() == pytest.approx(30.0, rel=0.1)
    assert image.mean() == pytest.approx(100.0, abs=1.0)
    off = image - image.mean()
    assert (off[:, :, 1:] * off[:, :, :-1]).mean() / off.var() > 0.5


def test_point_spread_is_a_full_width_at_half_maximum():
    scene = np.zeros(GRID.shape, np.float32)
    scene[30, 32, 32] = 60000.0
    image = scan(
        np.random.default_rng(2),
        scene,
        grid=GRID,
        psf_plane_mm=2.0,
        psf_along_mm=2.0,
        noise_hu=0.001,
        grain_mm=0.3,
        overshoot=0.0,
    ).astype(float)
    line = image[30, 32]
    half = np.interp(-0.5 * line.max(), -line[32:40], np.arange(8) * 0.5)
    assert 2 * half == pytest.approx(2.0, abs=0.15)


@pytest.fixture(scope="module")
def diseased():
    """A 60 mm tube with a lesion of 50 % at 20–30 mm."""
    z = np.linspace(0, 60, 600)
    curve = curve_through(np.stack([0 * z, 0 * z, z], axis=1))
    n = len(curve.points)
    lumen = np.full((n, ANGLES), 1.6, np.float32)
    rows = slice(80, 121)
    lumen[rows] = 0.8
    plaque = np.zeros((n, ANGLES), bool)
    plaque[rows] = True
    return VesselTable(
        name="LAD",
        curve=curve,
        lumen=lumen,
        wall=np.full((n, ANGLES), 2.1, np.float32),
        plaque=plaque,
        hu=np.full((n, ANGLES, LAYERS), 80.0, np.float32),
        lumen_hu=np.full(n, 400.0, np.float32),
        normal_wall_mm=np.full(n, 0.5, np.float32),
        lesions=(TrueLesion(1, 20.0, 30.0, "noncalcified"),),
        segment=("pLAD",) * n,
    )


def test_a_stent_opens_the_lumen_and_presses_plaque_outwards(diseased):
    placed = [place_stent(np.random.default_rng(seed), diseased) for seed in range(12)]
    assert all(placed)
    for table, stent in placed:
        rows = table.rows(stent.start_mm + 1.0, stent.end_mm - 1.0)
        radius = np.sqrt(table.lumen_area() / np.pi)
        assert stent.radius_mm == pytest.approx(1.6, rel=0.1)
        if stent.restenosis_percent == 0:
            assert (radius[rows] > 1.45).all()
        assert (table.wall >= table.lumen).all()
        outside = np.ones(len(radius), bool)
        outside[table.rows(stent.start_mm - 2.0, stent.end_mm + 2.0)] = False
        assert np.array_equal(table.lumen[outside], diseased.lumen[outside])
        covered = any(x.start_mm < stent.end_mm and x.end_mm > stent.start_mm for x in table.lesions)
        assert stent.in_lesion == covered
        for lesion in table.lesions:
            assert table.plaque[table.rows(lesion.start_mm, lesion.end_mm)].any(axis=1)[[0, -1]].all()
    assert any(s.in_lesion for _, s in placed)
    assert any(s.restenosis_percent > 0 for _, s in placed)


def test_no_stent_where_there_is_no_room(diseased):
    narrow = VesselTable(
        **{**diseased.__dict__, "lumen": diseased.lumen * np.float32(0.4), "wall": diseased.wall}
    )
    assert place_stent(np.random.default_rng(1), narrow) is None
    assert place_stent(np.random.default_rng(1), diseased, free=((0.0, 60.0),)) is None


def test_metal_keeps_its_mass_and_lies_on_the_stents_radius(diseased):
    stent = Stent("LAD", 15.0, 30.0, 1.6, 30000.0, 0.008, True, 0.0)
    points = strut_points(np.random.default_rng(4), diseased, stent)
    assert np.hypot(points[:, 0], points[:, 1]) == pytest.approx(1.6, abs=0.03)
    assert points[:, 2].min() > 14.5
    assert points[:, 2].max() < 30.5
    grid = Grid(shape=(130, 20, 20), origin=np.array([-4.0, -4.0, -2.0]), pixel_mm=0.4, slice_mm=0.5)
    out = np.zeros(grid.shape, np.float32)
    voxels = paint_stent(out, grid=grid, points=points, stent=stent)
    assert out.sum(dtype=float) * 0.08 == pytest.approx(30000.0 * 0.008 * 0.05 * len(points), rel=1e-3)
    assert (out[tuple(voxels.T)] > 0).all()
    assert (out > 0).sum() == (out[tuple(voxels.T)] > 0).sum()
    with pytest.raises(ValueError, match="extent"):
        Stent("LAD", 15.0, 10.0, 1.6, 30000.0, 0.008, True, 0.0)
