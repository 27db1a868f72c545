"""A vessel seen smaller: sizes shrink as they should, and what comes back lies where it was."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from inference.networks import segment_smaller
from inference.networks.scales import SMALLER, brought_back, made_smaller
from inference.networks.unet import REACH

OFFSET = (np.arange(64) - 31.5) * 0.3125
RADIUS = np.hypot(OFFSET, OFFSET[:, None])


def cylinder(radius: float, first: int, after: int, sections: int = 90) -> np.ndarray:
    """300 HU inside a radius (mm) between two sections, −100 HU elsewhere, soft by a pixel."""
    inside = np.clip(0.5 + (radius - RADIUS) / 0.3125, 0, 1)
    hu = np.full((sections, 64, 64), -100.0)
    hu[first:after] += 400 * inside
    return hu.astype(np.int16)


def filled(image: np.ndarray) -> float:
    """Pixels above half-way."""
    return float((image > 100).sum())


def test_across_and_along_a_vessel_shrinks_by_the_same() -> None:
    hu = cylinder(3.0, 30, 60)
    small = made_smaller(hu)
    assert small.dtype == np.int16
    assert len(small) == np.ceil(89 / SMALLER) + 1
    whole, less = filled(hu[45]), filled(small[30])
    assert abs(less * SMALLER**2 / whole - 1) < 0.05
    along = (small[:, 32, 32] > 100).sum()
    assert abs(along * SMALLER - 30) <= 1.5


def test_what_is_brought_back_lies_where_it_was() -> None:
    hu = cylinder(2.5, 30, 60)
    again = brought_back(made_smaller(hu).astype(np.float32), len(hu))
    assert again.shape == hu.shape
    assert abs(filled(again[45]) / filled(hu[45]) - 1) < 0.04
    np.testing.assert_allclose(again[10], -100, atol=1)
    at = np.flatnonzero(again[:, 32, 32] > 100)
    assert abs(at[0] - 30) <= 1
    assert abs(at[-1] - 59) <= 1


class Bright(torch.nn.Module):
    """Calls everything above 100 HU vessel, and everything inside what it is told plaque."""

    told = 2

    def __init__(self) -> None:
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def stretches(self, x, marked):
        one = x[:, REACH:-REACH].flatten(0, 1)[:, None]
        sure = 20 * (one - (100 - 180) / 400)
        inside = 8 * marked[0, :, 1, None, None, None].expand_as(one)
        return torch.cat([-sure, sure, -sure, 0 * one, inside], 1), inside


def test_a_stretch_says_what_the_whole_says_and_is_told_of_lesions_where_they_lie() -> None:
    vessel = SimpleNamespace(hu=cylinder(2.5, 20, 80, 100))
    extents = [(10.0, 15.0)]
    whole = segment_smaller(vessel, Bright(), slice(0, 100), extents=extents, arithmetic="float32")
    part = segment_smaller(vessel, Bright(), slice(37, 61), extents=extents, arithmetic="float32")
    for all_of_it, some in zip(whole, part, strict=True):
        assert some.shape == (24, 64, 64)
        # A stretch that begins elsewhere is resampled at other places: within a section it says the same.
        assert np.abs(all_of_it[37:61] - some).mean() < 0.02
    plaque = whole[2][:, 32, 32]
    assert abs(int(np.argmax(plaque)) - 12.5 / 0.3) < 2
    assert abs(filled(whole[0][50] * 200) / filled(vessel.hu[50]) - 1) < 0.06
