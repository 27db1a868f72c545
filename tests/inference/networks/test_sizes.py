"""What a network that has seen vessels at many sizes draws hangs little on a vessel's size: large plaque is drawn as small is.

Before that training the largest of these was drawn at 0.37 of its area. The limits are what was reached; the aim is 3 %.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from inference.networks import load_network, segment

SECTIONS = 60
OFFSET = (np.arange(64) - 31.5) * 0.3125


def vessel(scale: float, outer_mm: float, plaque_hu: float) -> SimpleNamespace:
    """A lumen of 1.3 mm radius at the edge of a disc of plaque in fat over 12 mm, all of it ``scale`` times as large."""
    u, v = np.meshgrid(OFFSET / scale, OFFSET / scale)
    along = (np.arange(SECTIONS) - SECTIONS / 2) * 0.3 / scale
    grown = 1.8 + (outer_mm - 1.8) * np.exp(-((along / 5.0) ** 4))
    hu = np.full((SECTIONS, 64, 64), -95.0)
    hu[np.hypot(u[None] - (grown - 1.8)[:, None, None], v[None]) < grown[:, None, None]] = plaque_hu
    hu[:, np.hypot(u, v) < 1.3] = 420.0
    hu = gaussian_filter(hu, np.array([0.35 / 0.3, 0.35 / 0.3125, 0.35 / 0.3125]) * scale)
    noise = gaussian_filter(np.random.default_rng(3).standard_normal(hu.shape), (0.6, 1.0, 1.0))
    return SimpleNamespace(hu=(hu + 15 * noise / noise.std()).astype(np.int16), inside=np.abs(along) < 3.5)


@pytest.fixture(scope="module")
def network():
    torch.set_num_threads(1)
    return load_network("unet_2_5d_pinned")[0]


@pytest.mark.parametrize(("outer_mm", "plaque_hu"), [(2.4, 80.0), (3.0, 60.0), (3.2, 110.0)])
def test_a_vessel_seen_larger_or_smaller_has_the_same_areas(network, outer_mm, plaque_hu):
    areas = {}
    for scale in (0.7, 1.0, 1.4):
        seen = vessel(scale, outer_mm, plaque_hu)
        middle = SECTIONS / 2 * 0.3
        wall, lumen, _ = segment(seen, network, extents=[(middle - 6.0 * scale, middle + 6.0 * scale)])
        pixels = np.array([wall[seen.inside].sum((1, 2)).mean(), lumen[seen.inside].sum((1, 2)).mean()])
        areas[scale] = pixels * 0.3125**2 / scale**2
    true = np.pi * outer_mm**2
    assert areas[1.0][0] == pytest.approx(true, rel=0.1)
    for scale in (0.7, 1.4):
        wall, lumen = areas[scale] / areas[1.0]
        assert wall == pytest.approx(1.0, abs=0.06)
        assert lumen == pytest.approx(1.0, abs=0.12)
