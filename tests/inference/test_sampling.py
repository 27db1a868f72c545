"""Values between voxels: exact where the image is linear, and at the border what the sampler says it does."""

from __future__ import annotations

import numpy as np
import pytest

from inference.sampling import (
    at_index,
    at_points,
    bilinear,
    bilinear_flat,
    held,
    trilinear,
    trilinear_fast,
)
from inference.scan import Volume

SHAPE = (5, 6, 7)
K, J, I = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
RAMP = (100 * K + 10 * J + I).astype(np.int16)


@pytest.mark.parametrize("sampler", [trilinear, trilinear_fast])
def test_a_ramp_is_met_between_its_voxels(sampler: object) -> None:
    assert callable(sampler)
    assert sampler(RAMP, 2.25, 3.5, 1.75) == pytest.approx(175 + 35 + 2.25, rel=1e-12)
    assert sampler(RAMP, 6.0, 5.0, 4.0) == RAMP[4, 5, 6]
    assert sampler(RAMP, 0.0, 0.0, 0.0) == 0.0


def test_an_index_outside_is_held_a_thousandth_before_the_last_voxel() -> None:
    assert held(-3.0, 7) == 0.0
    assert held(2.5, 7) == 2.5
    assert held(40.0, 7) == 7 - 1.001
    assert trilinear(RAMP, held(40.0, 7), 0.0, 0.0) == pytest.approx(5.999, rel=1e-12)


def test_sections_are_sampled_by_column_and_row() -> None:
    picture = RAMP[2]
    assert bilinear(picture, 1.5, 3.25) == pytest.approx(200 + 32.5 + 1.5, rel=1e-12)


def test_a_flat_image_stays_exactly_flat() -> None:
    flat = np.full((8, 8), 130.1, np.float32)
    rng = np.random.default_rng(3)
    for x, y in rng.uniform(-1, 8, (200, 2)):
        assert bilinear_flat(flat, x, y) == float(np.float32(130.1))


def test_beyond_the_edge_the_flat_sampler_gives_the_edge() -> None:
    square = RAMP[1, :6, :6]
    assert bilinear_flat(square, 9.0, 2.0) == square[2, 5]
    assert bilinear_flat(square, -4.0, 7.5) == square[5, 0]


def test_many_places_at_once_continue_at_the_border() -> None:
    found = at_index(RAMP, np.array([[1.5, 9.0], [2.0, -1.0], [3.0, 6.0]]))
    assert found.dtype == np.float32
    assert found.tolist() == [173.0, 406.0]


def test_points_of_the_patient_meet_their_voxels() -> None:
    affine = np.array([[0.0, -0.5, 0.0, 20.0], [0.4, 0.0, 0.0, -7.0], [0.0, 0.0, 0.8, 3.0], [0, 0, 0, 1.0]])
    volume = Volume(hu=RAMP, affine=affine)
    index = np.array([[1.0, 2.0, 3.0], [4.5, 0.5, 2.25]])
    assert at_points(volume, volume.to_patient(index)[None]) == pytest.approx(np.array([[321.0, 234.5]]))
