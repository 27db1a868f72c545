"""Plaque of any shape and size: wider than the world, and still a table that integrates exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.phantom import SCENARIOS
from inference.phantom.curve import curve_through
from inference.phantom.lesions import THICKER_MM
from inference.phantom.paths import Path
from inference.phantom.scanner import scan
from inference.phantom.truth import lesion_truth
from inference.phantom.wide_lesions import build_wide_table
from tests.inference.phantom.test_scanner import GRID, painted, straight_table

WIDE = SCENARIOS["tree_train_wide"]


def a_path(name: str = "LAD", length_mm: float = 90.0) -> Path:
    t = np.linspace(0, length_mm, 200)
    points = np.stack([8 * np.sin(t / 25), 5 * np.cos(t / 30), t], axis=1)
    n = len(curve_through(points).points)
    return Path(name, curve_through(points), np.zeros(n), np.zeros(n), np.zeros(n), tracked=True)


def tables(seeds: range) -> list:
    return [build_wide_table(np.random.default_rng(seed), a_path(), WIDE, 400.0) for seed in seeds]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_walls_hold_their_bounds_and_marks_their_rule(seed):
    table = build_wide_table(np.random.default_rng(seed), a_path(), WIDE, 400.0)
    thick = table.wall - table.lumen
    wish = WIDE.wide
    assert wish is not None
    assert thick.min() >= 0.04
    assert thick.max() <= wish.thickness_mm + 1.6  # lobes have bumps of up to a fifth and a normal wall below
    assert np.sqrt((table.wall.astype(float) ** 2).mean(1)).max() <= wish.outer_mm + 0.6
    beyond = thick > table.normal_wall_mm[:, None] + THICKER_MM
    assert not (table.plaque & ~beyond).any()
    for lesion in table.lesions:
        rows = table.rows(lesion.start_mm, lesion.end_mm)
        assert (table.plaque[rows] == beyond[rows]).mean() > 0.999
        truth = lesion_truth(table, lesion)
        assert 0 < truth["tpv_true"] < truth["vessel_true"]


def test_the_world_is_wider_than_displaced_circles():
    """Among a few vessels: walls thicker than 4 mm, areas grown more than twofold, large discs, plaque at the ostium."""
    drawn = tables(range(40))
    thickest, growth, first = [], [], []
    for table in drawn:
        first += [x.start_mm for x in table.lesions[:1]]
        outer = table.wall_area()
        free = ~table.plaque.any(1)
        normal = np.median(outer[free]) if free.any() else outer.min()
        for lesion in table.lesions:
            rows = table.rows(lesion.start_mm, lesion.end_mm)
            thickest.append((table.wall - table.lumen)[rows].max())
            growth.append(outer[rows].max() / normal)
    assert np.mean(np.array(thickest) > 3.0) > 0.05
    assert max(thickest) > 4.0
    assert np.mean(np.array(growth) > 2.0) > 0.1
    assert np.mean(np.array(growth) < 1.4) > 0.2
    assert min(first) <= 1.5


def test_a_seed_is_a_table_and_no_lesion_lies_where_none_may():
    one, two = (
        build_wide_table(np.random.default_rng(5), a_path(), WIDE, 400.0, free=((0.0, 45.0),))
        for _ in range(2)
    )
    assert np.array_equal(one.wall, two.wall)
    assert np.array_equal(one.hu, two.hu)
    assert all(lesion.start_mm >= 40.0 for lesion in one.lesions)
    whole = build_wide_table(np.random.default_rng(5), a_path(), WIDE, 400.0, free=((0.0, 90.0),))
    assert not whole.lesions
    assert not whole.plaque.any()


def test_a_point_spread_with_a_skirt_keeps_what_it_spreads_and_reaches_farther():
    table = straight_table()
    scene = painted(table)
    quiet = {"noise_hu": 0.01, "grain_mm": 0.3, "psf_plane_mm": 0.9, "psf_along_mm": 0.9, "overshoot": 0.0}
    plain, skirt = (
        scan(np.random.default_rng(1), scene.copy(), grid=GRID, tails=tails, **quiet).astype(float)
        for tails in (0.0, 0.35)
    )
    assert skirt[20:40].mean() == pytest.approx(plain[20:40].mean(), rel=0.01)
    middle, beside = (30, 32, 32), (30, 32, 38)
    assert skirt[middle] < plain[middle] - 5
    assert skirt[beside] > plain[beside] + 5


def test_shares_of_growth_add_up():
    with pytest.raises(ValueError, match="add up"):
        replace(WIDE.wide, growth_shares=(0.5, 0.5, 0.5))
