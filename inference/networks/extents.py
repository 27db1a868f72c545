"""What a network is told of lesions that somebody has marked: two numbers a section.

Measured inside given extents, plaque is certain to be there: a faint outer wall is then looked for rather than taken
for none. The first number is 1 where extents are known and 0 where nobody has marked any; the second is the distance
to the nearest end of a lesion along the vessel, positive inside, in units of ``REACH_MM`` and cut off there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TOLD = 2  # numbers a section
REACH_MM = 6.0  # the network does not look farther; part of its stored weights


def told(arc_mm: NDArray[np.floating], extents: Sequence[tuple[float, float]] | None) -> NDArray[np.float32]:
    """What a network is told of every section.

    Parameters
    ----------
    arc_mm : (S,) positions of the sections along the vessel, mm.
    extents : (start, end) of every lesion, mm, in no order; empty = there is none; None = nobody has said.

    Returns
    -------
    (S, 2) float32: known 0 or 1, and the signed distance to the nearest lesion's end −1 … 1, 0 where unknown.
    """
    out = np.zeros((len(arc_mm), TOLD), np.float32)
    if extents is None:
        return out
    inside = np.full(len(arc_mm), -REACH_MM)
    for start, end in extents:
        inside = np.maximum(inside, np.minimum(arc_mm - start, end - arc_mm))
    out[:, 0], out[:, 1] = 1.0, np.clip(inside / REACH_MM, -1.0, 1.0)
    return out
