"""Lungs are found with the vessels in them; the heart's surface is not taken for one."""

from __future__ import annotations

import numpy as np

from inference.centreline.lungs import lungs


def test_vessels_in_a_lung_belong_to_it_and_arteries_on_the_heart_do_not() -> None:
    step = 0.5
    z, y, x = np.meshgrid(*[np.arange(120) * step] * 3, indexing="ij")
    hu = np.where(x < 30, 50.0, -860.0)  # heart up to 30 mm, lung beyond
    hu[np.hypot(x - 45, y - 30) < 2.5] = 350  # a vessel in the lung
    hu[np.hypot(x - 29, y - 30) < 1.5] = 350  # an artery on the surface
    found = lungs(hu.astype(np.float32), step_mm=step)
    assert found[(np.hypot(x - 45, y - 30) < 2) & (z > 10) & (z < 50)].all()
    assert not found[x < 31].any()
    assert found[(x > 34) & (x < 58)].mean() > 0.95


def test_a_volume_without_air_has_no_lung() -> None:
    assert not lungs(np.full((40, 40, 40), 50, np.float32), step_mm=0.5).any()
