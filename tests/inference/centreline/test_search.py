"""Parts of the search on shapes whose answer is known: a tube, a ball, a wall, a fork."""

from __future__ import annotations

import numpy as np
import pytest

from inference.centreline.aorta import find_tubes
from inference.centreline.arteries import arterial_part, venous_runs
from inference.centreline.centring import centred
from inference.centreline.geodesic import BLOCKED, SOURCE, grow_forest
from inference.centreline.isotropic import Grid, extent, resample
from inference.centreline.tree import Branch
from inference.centreline.vesselness import speed, vesselness
from inference.scan import Volume

STEP = 0.5
BLOOD, FAT = 400.0, -90.0


def blurred(distance: np.ndarray, high: float = BLOOD, low: float = FAT) -> np.ndarray:
    """HU of a body with soft edges; ``distance`` is positive inside, mm."""
    share = np.clip(0.5 + distance, 0, 1)
    return (low + (high - low) * share).astype(np.float32)


def axes(n: int) -> tuple[np.ndarray, ...]:
    return tuple(np.meshgrid(*[(np.arange(n) - n / 2) * STEP] * 3, indexing="ij"))


def test_a_tubes_axis_responds_with_a_quarter_of_its_height_and_its_direction() -> None:
    z, y, x = axes(60)
    along = np.array([0.6, 0.0, 0.8])  # k, j, i
    across = np.sqrt(np.maximum(x**2 + y**2 + z**2 - (along[0] * z + along[2] * x) ** 2, 0))
    hu = (FAT + (BLOOD - FAT) * np.exp(-0.5 * across**2)).astype(np.float32)
    found = vesselness(hu, step_mm=STEP, floor_hu=5.0, ceiling_hu=600.0)
    centre = (30, 30, 30)
    assert found.value[centre] == pytest.approx((BLOOD - FAT) / 4, rel=0.12)
    direction = found.direction[centre] / 127.0
    assert abs(direction @ along) > 0.98


def test_a_wall_and_a_ball_are_slow_beside_a_tube() -> None:
    z, y, x = axes(72)
    tube = 1.5 - np.hypot(y + 11, z)
    ball = 9.0 - np.sqrt(x**2 + (y - 8) ** 2 + z**2)
    hu = blurred(np.maximum(tube, ball))
    found = vesselness(hu, step_mm=STEP, floor_hu=5.0, ceiling_hu=600.0)
    fast = speed(found, hu, np.zeros(hu.shape, np.uint8), step_mm=STEP, blood_hu=BLOOD)
    assert fast[36, 14, 20:52].min() > 0.6
    assert fast[:, 34:, :].max() < 0.45


def test_cheapest_paths_follow_a_fork_leave_a_wall_alone_and_stop_at_gaps() -> None:
    fast = np.zeros((9, 40, 40), np.float32)
    fast[4, 5, 2:35] = 1.0
    fast[4, 5:30, 20] = 1.0
    fast[4, 5, 27:33] = 0.0  # 3 mm without vessel
    state = np.zeros(fast.shape, np.uint8)
    state[4, 4:7, 1:3] = SOURCE
    state[4, 20, 20] = BLOCKED
    forest = grow_forest(fast, state, np.zeros(9, np.float32), step_mm=STEP, least_speed=0.15, gap_mm=2.0)
    reached = np.zeros(fast.size, bool)
    reached[forest.order] = True
    reached = reached.reshape(fast.shape)
    assert reached[4, 19, 20]
    assert reached[4, 28, 20]  # around the blocked voxel
    assert not reached[4, 20, 20]
    assert not reached[4, 5, 34]
    path = forest.path(int(np.ravel_multi_index((4, 15, 20), fast.shape)))
    kji = np.stack(np.unravel_index(path, fast.shape), axis=1)
    assert (kji[:, 0] == 4).all()
    assert np.abs(kji[2:14, 1] - 5).max() <= 1


def bent_tube(radius: float = 1.4) -> tuple[Volume, np.ndarray]:
    """A tube on a quarter circle of 25 mm in an anisotropic scan, and its axis."""
    affine = np.diag([0.4, 0.4, 0.6, 1.0])
    affine[:3, 3] = [-5.0, -5.0, -6.0]
    k, j, i = np.meshgrid(np.arange(20), np.arange(90), np.arange(90), indexing="ij")
    points = np.stack([i, j, k], -1) @ affine[:3, :3].T + affine[:3, 3]
    ring = np.hypot(np.hypot(points[..., 0], points[..., 1]) - 25.0, points[..., 2])
    hu = blurred((radius - ring) / 1.2 * 1.2)
    angle = np.linspace(0.1, 1.4, 90)
    axis = np.stack([25 * np.cos(angle), 25 * np.sin(angle), np.zeros(90)], axis=1)
    return Volume(hu=np.round(hu).astype(np.int16), affine=affine), axis


def test_a_displaced_path_comes_back_to_the_axis_with_the_radius() -> None:
    volume, axis = bent_tube()
    away = axis + [0.5, -0.4, 0.5]
    line, found = centred(volume, away, blood_hu=BLOOD)
    off = np.hypot(np.hypot(line[:, 0], line[:, 1]) - 25.0, line[:, 2])
    assert off[4:-4].max() < 0.2
    assert np.median(found.radius_mm) == pytest.approx(1.4, abs=0.2)
    assert np.median(found.hu) == pytest.approx(BLOOD, rel=0.05)


def test_a_branchs_first_point_stays() -> None:
    volume, axis = bent_tube()
    start = axis[0] + [0.8, 0.0, 0.0]
    line, _ = centred(volume, np.concatenate([start[None], axis[3:]]), blood_hu=BLOOD, fixed_start=True)
    assert line[0] == pytest.approx(start)


def test_resampling_a_turned_scan_keeps_places_and_values() -> None:
    """A sagittal scan: columns run backwards, rows downwards."""
    affine = np.array([[0, 0, 0.7, -10.0], [0.5, 0, 0, 4.0], [0, -0.5, 0, 30.0], [0, 0, 0, 1.0]])
    hu = np.random.default_rng(0).integers(-100, 400, (24, 30, 28)).astype(np.int16)
    volume = Volume(hu=hu, affine=affine)
    low, high = extent(volume)
    assert low == pytest.approx([-10, 4, 15.5])
    assert high == pytest.approx([6.1, 17.5, 30])
    grid = resample(volume, step_mm=0.5, low=low, high=high)
    assert grid.to_index(grid.to_patient(np.array([3.0, 4.0, 5.0]))) == pytest.approx([3, 4, 5])
    ijk = np.array([9, 12, 10])
    at = np.rint(grid.to_index(volume.to_patient(ijk))).astype(int)
    value = volume.to_index(grid.to_patient(at))
    assert grid.hu[tuple(at)] == pytest.approx(trilinear(hu, value), abs=0.5)


def trilinear(hu: np.ndarray, ijk: np.ndarray) -> float:
    from scipy.ndimage import map_coordinates

    return float(map_coordinates(hu.astype(float), ijk[::-1, None], order=1)[0])


def test_an_upright_tube_is_found_among_other_bodies() -> None:
    n = 60
    z, y, x = np.meshgrid(*[(np.arange(n) - n / 2) * 1.5] * 3, indexing="ij")
    aorta = 14.0 - np.hypot(x + 15 + 0.1 * z, y - 5)
    block = 25.0 - np.maximum(np.maximum(np.abs(x - 20), np.abs(y)), np.abs(z))
    hu = blurred(np.maximum(aorta, block) / 3.0)
    tubes = find_tubes(Grid(hu, np.full(3, -45.0), 1.5))
    best = max(tubes, key=lambda t: t.fill * t.length_mm)
    assert np.median(best.radii_mm) == pytest.approx(14, abs=1)
    middle = best.centres[len(best.centres) // 2]
    assert middle[0] == pytest.approx(-15 - 0.1 * middle[2], abs=1)
    assert middle[1] == pytest.approx(5, abs=1)


def branch(
    n: int, radius: float, odds: float, *, share: float = 0.9, parent: int = -1, origin: int = 0
) -> Branch:
    points = np.column_stack([np.arange(n) * 0.5, np.full(n, 10.0 * parent), np.zeros(n)])
    ones = np.ones(n)
    return Branch(points, radius * ones, share * BLOOD * ones, ones, odds * ones, parent, origin)


def test_veins_and_chambers_are_cut_off_and_what_lies_behind_a_vein_is_kept_with_it() -> None:
    artery = branch(120, 1.5, 4.0)
    vein = branch(80, 1.3, -3.0, share=0.45, parent=0, origin=50)
    thin = branch(40, 0.6, 1.0, share=0.6, parent=0, origin=70)
    chamber = branch(40, 3.0, 2.0, parent=0, origin=90)
    kept = arterial_part([artery, vein, thin, chamber])
    assert [len(b.points) for b in kept] == [120, 40]
    behind = branch(120, 0.9, 3.0, parent=1, origin=20)
    kept = arterial_part([artery, vein, behind])
    assert [len(b.points) for b in kept] == [120, 21, 120]
    assert [b.parent for b in kept] == [-1, 0, 1]
    veins, arteries = venous_runs([artery, vein, behind], BLOOD)
    assert len(veins) == 80 - 2 * 5  # but for what may belong to an artery at either end
    assert len(arteries) == 240
