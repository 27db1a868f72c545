"""Where the lungs are: their vessels are as bright as coronary arteries and many, and none of them is one.

A lung is air with what lies within it: gaps in the air of up to 8 mm are closed, so that the vessels inside count as
lung, and its outer two millimetres are given back, so that an artery on the heart's surface is not.
"""

from __future__ import annotations

import numpy as np

from inference.centreline.chambers import within
from inference.centreline.isotropic import halved

# Chosen by hand on tree_train and tree_validation; no figure of each was kept. What the whole search reaches stands in
# docs/validation-inference.md, automatic centrelines (overlap 0.915 on tree_test, 0.961 without the one patient lost).
AIR_HU = -450.0  # between lung (about −850 HU) and fat (about −100)
GAP_MM = 4.0  # vessels of the lung are narrower than twice this
SKIN_MM = 2.0  # given back to the heart


def lungs(hu: np.ndarray, *, step_mm: float) -> np.ndarray:
    """Return whether each voxel lies in a lung or in the air outside.

    Parameters
    ----------
    hu : (nk, nj, ni) cubes. step_mm : edge of a cube; the work is done at four times it.
    """
    coarse = halved(halved(hu))
    step = 4 * step_mm
    air = within(coarse < AIR_HU, GAP_MM / step)
    inner = ~within(~air, (GAP_MM + SKIN_MM) / step)
    out = np.zeros(hu.shape, bool)
    for axis in range(3):
        inner = np.repeat(inner, 4, axis=axis)
    part = tuple(slice(0, n) for n in inner.shape)
    out[part] = inner
    return out
