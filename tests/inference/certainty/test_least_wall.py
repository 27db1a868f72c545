"""An outer wall that encloses less than the healthy vessel beside it leaves is assumed, and only then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.certainty.least_wall import LEAST_SHARE, assume_least_wall
from inference.contours import VesselContours
from inference.quantification import Lesion

LESION = Lesion(1, 9.0, 21.0)


def drawn(wall_inside: float, lumen_inside: float = 0.6) -> VesselContours:
    """A vessel of 1.5 mm lumen and 2.0 mm outer wall, 30 mm long, with other radii inside the lesion."""
    at = np.arange(100) * 0.3
    inside = (at >= LESION.start_mm) & (at <= LESION.end_mm)
    lumen, wall = np.where(inside, lumen_inside, 1.5), np.where(inside, wall_inside, 2.0)
    shape = np.ones((100, 64), np.float32)
    return VesselContours(
        lumen_radius=(lumen[:, None] * shape).astype(np.float32),
        wall_radius=(wall[:, None] * shape).astype(np.float32),
        plaque=inside[:, None] & np.zeros((100, 64), bool),
    )


def test_a_wall_drawn_along_a_narrow_lumen_is_assumed_to_be_the_least_that_remodelling_leaves():
    contours, assumed = assume_least_wall(drawn(0.9), [LESION])
    assert assumed[30:71].all()
    assert not assumed[:30].any()
    area = (contours.wall_radius[50].astype(float) ** 2).mean()
    assert area == pytest.approx(LEAST_SHARE * 4.0, rel=1e-5)
    assert contours.plaque[50].all()
    np.testing.assert_array_equal(contours.lumen_radius, drawn(0.9).lumen_radius)


def test_a_vessel_that_tapers_is_judged_by_what_lies_on_either_side():
    tapering = drawn(0.9)
    wall, lumen = tapering.wall_radius.copy(), tapering.lumen_radius.copy()
    wall[72:], lumen[72:] = 1.4, 1.0
    contours, _ = assume_least_wall(replace(tapering, wall_radius=wall, lumen_radius=lumen), [LESION])
    area = (contours.wall_radius.astype(float) ** 2).mean(1)
    assert area[32] > area[50] > area[68] > LEAST_SHARE * 1.4**2


@pytest.mark.parametrize("radius", [1.9, 2.0, 3.5])
def test_a_wall_that_can_be_true_stays(radius):
    before = drawn(radius)
    contours, assumed = assume_least_wall(before, [LESION])
    assert contours is before
    assert not assumed.any()


def test_nothing_is_assumed_where_no_healthy_vessel_says_how_wide_it_was():
    before = drawn(0.9)
    contours, assumed = assume_least_wall(before, [Lesion(1, 0.0, 30.0)])
    assert contours is before
    assert not assumed.any()
    masked = replace(before, masks={50: np.ones((64, 64), np.uint8)})
    contours, assumed = assume_least_wall(masked, [LESION])
    assert not assumed[50]
    assert assumed[49]
