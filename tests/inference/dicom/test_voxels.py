"""Contours on the CT's grid: volumes to the voxel, in the right place, whatever the grid's orientation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from inference.composition_profiles import PROFILES
from inference.contours import ANGLES, PIXEL_RADIUS, VesselContours
from inference.dicom.labels import VesselVoxels, voxelise
from inference.dicom.voxels import Grid
from inference.quantification import Lesion, VesselRead, quantify
from inference.section_grid import SPACING_ALONG
from inference.straightening import StraightenedVessel
from tests.inference.dicom.cases import centres, diseased, grid_around
from tests.inference.quantification.solids import bent, tube, value, with_plaque

FIXED = PROFILES["fixed"]


def check(found: VesselVoxels, vessel: StraightenedVessel, read: VesselRead, grid: Grid) -> None:
    """Every label's volume is the measured one to a voxel, and labels nest as they should."""
    rows = quantify(vessel, read, FIXED)
    lumen = value(rows, "vessel", "lumen_volume")
    assert len(found.lumen) * grid.voxel_mm3 == pytest.approx(lumen, rel=2e-3, abs=grid.voxel_mm3)
    both = (len(found.lumen) + len(found.wall)) * grid.voxel_mm3
    assert both == pytest.approx(value(rows, "vessel", "vessel_volume"), rel=2e-3, abs=grid.voxel_mm3)
    assert not np.isin(found.lumen, found.wall).any()
    for lesion in found.lesions:
        for keys, metric in (
            (lesion.plaque, "total_plaque_volume"),
            (lesion.noncalcified, "noncalcified_plaque_volume"),
            (lesion.calcified, "calcified_plaque_volume"),
            (lesion.low_attenuation, "low_attenuation_plaque_volume"),
        ):
            (row,) = [r for r in rows if r.lesion == lesion.number and r.metric == metric]
            assert len(keys) * grid.voxel_mm3 == pytest.approx(row.value, rel=5e-3, abs=1.5 * grid.voxel_mm3)
        assert np.isin(lesion.plaque, found.wall).all()
        assert np.isin(lesion.low_attenuation, lesion.noncalcified).all()


@pytest.mark.parametrize("radius", [None, 12.0, 30.0])
@pytest.mark.parametrize(
    "turn", [Rotation.identity(), Rotation.from_euler("xyz", [20, -35, 70], degrees=True)]
)
def test_voxels_lie_where_the_contours_lie(radius: float | None, turn: Rotation) -> None:
    vessel, read = diseased(radius=radius)
    volume, grid = grid_around(vessel, turn=turn)
    found = voxelise(vessel, read, FIXED, grid)
    check(found, vessel, read, grid)
    # A voxel whose centre lies deeper inside than half its diagonal must be there, one as far outside must not.
    near = 0.5 * np.linalg.norm(volume.spacing_mm)
    all_keys = np.arange(volume.hu.size)
    section, u, v = vessel.from_patient(centres(all_keys, volume))
    inside = (section > 1) & (section < vessel.sections - 2)
    distance, lumen = np.hypot(u, v), np.isin(all_keys, found.lumen)
    assert lumen[inside & (distance < 1.5 - near)].all()
    assert not lumen[distance > 1.5 + near].any()
    plaque = np.isin(all_keys, found.lesions[0].plaque)
    covered = (section * SPACING_ALONG > 9.5) & (section * SPACING_ALONG < 26.5)
    deep = covered & (v > near) & (distance > 1.5 + near) & (distance < 3.0 - near)
    assert deep.sum() > 50
    assert plaque[deep].all()
    assert not plaque[(distance < 1.5 - near) | (distance > 3.0 + near) | (v < -near)].any()
    dense = np.isin(all_keys, found.lesions[0].calcified)
    assert (section[dense] > 48).all()
    assert (section[dense] < 71).all()


@settings(max_examples=15, deadline=None)
@given(
    lumen=st.floats(0.3, 2.0),
    normal=st.floats(0.0, 0.6),
    thick=st.floats(0.3, 2.0),
    share=st.integers(8, 64),
    spacing=st.tuples(st.floats(0.3, 0.6), st.floats(0.3, 0.6), st.floats(0.3, 0.9)),
    turn=st.integers(0, 2**32 - 1),
    radius=st.sampled_from([None, 10.0, 25.0]),
)
def test_volumes_agree_for_any_lesion(
    lumen: float,
    normal: float,
    thick: float,
    share: int,
    spacing: tuple[float, float, float],
    turn: int,
    radius: float | None,
) -> None:
    vessel = bent(70, radius)
    contours = with_plaque(tube(70, lumen, lumen + normal), 20, 50, lumen + thick, np.arange(ANGLES) < share)
    read = VesselRead("LAD", contours, (Lesion(1, 6.1, 14.8),))
    _, grid = grid_around(vessel, spacing, Rotation.random(rng=turn))
    check(voxelise(vessel, read, FIXED, grid), vessel, read, grid)


def test_sections_in_pixels_count_like_the_others() -> None:
    vessel, read = diseased()
    disc = np.zeros((64, 64), np.uint8)
    disc[PIXEL_RADIUS < 3.0] = 3
    disc[PIXEL_RADIUS < 1.5] = 1
    contours = replace(read.contours, masks={section: disc for section in range(40, 60)})
    read = replace(read, contours=contours)
    _, grid = grid_around(vessel)
    found = voxelise(vessel, read, FIXED, grid)
    check(found, vessel, read, grid)


def test_excluded_stretches_and_what_lies_outside_are_left_out() -> None:
    vessel, read = diseased()
    excluded = replace(read, excluded=((0.0, 15.0, "motion"),))
    volume, grid = grid_around(vessel)
    found = voxelise(vessel, excluded, FIXED, grid)
    check(found, vessel, excluded, grid)
    section, _, _ = vessel.from_patient(centres(found.lumen, volume))
    assert section.min() * SPACING_ALONG > 14.5
    cut = replace(volume, hu=volume.hu[:, : volume.hu.shape[1] // 2])
    part = voxelise(vessel, read, FIXED, Grid.of(cut)).lesions[0]
    whole = voxelise(vessel, read, FIXED, grid).lesions[0]
    assert part.outside_mm3 > 0
    volumes = [len(keys) * grid.voxel_mm3 for keys in (part.plaque, whole.plaque)]
    assert volumes[0] + part.outside_mm3 == pytest.approx(volumes[1], abs=2 * grid.voxel_mm3)
    away = volume.affine.copy()
    away[:3, 3] += 500
    nowhere = voxelise(vessel, read, FIXED, Grid.of(replace(volume, affine=away)))
    assert [len(x) for x in (nowhere.lumen, nowhere.wall, nowhere.lesions[0].plaque)] == [0, 0, 0]


def test_a_lesion_without_plaque_has_no_voxels() -> None:
    vessel = bent(60, None)
    read = VesselRead(
        "LAD",
        VesselContours(*([np.full((60, ANGLES), 1.5)] * 2), np.zeros((60, ANGLES), bool)),
        (Lesion(1, 3, 9),),
    )
    _, grid = grid_around(vessel)
    found = voxelise(vessel, read, FIXED, grid)
    assert len(found.lesions[0].plaque) == 0
    assert len(found.wall) == 0
