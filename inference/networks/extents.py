"""What a network is told of lesions that somebody has marked: two numbers a section.

Measured inside given extents, plaque is certain to be there: a faint outer wall is then looked for rather than taken
for none. The first number is 1 where extents are known and 0 where nobody has marked any; the second is the distance
to the nearest end of a lesion along the vessel, positive inside, in units of ``REACH_MM`` and cut off there.

And of borders that somebody has drawn: two maps a section, outer wall and lumen, of the nearest section whose borders are
pinned. A correction of one section is so carried along the vessel by the network, as far as the image agrees.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TOLD = 2  # numbers a section
REACH_MM = 6.0  # the network does not look farther; part of its stored weights
PINNED = 2  # maps a section
PINNED_MM = 4.0  # along the vessel a pinned border says nothing farther away; part of the stored weights


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


def pinned(pins_mm: NDArray[np.floating], borders: Tensor, arc_mm: NDArray[np.floating]) -> Tensor:
    """What a network is told of borders that are pinned in some sections.

    Parameters
    ----------
    pins_mm : (P,) positions of the pinned sections along the vessel, mm. borders : (P, 2, h, w) shares inside outer wall
    and lumen there, 0 … 1. arc_mm : (S,) positions of the sections that are asked for.

    Returns
    -------
    (S, 2, h, w) float32: of the nearest pinned section 1 inside and −1 outside, less with its distance, 0 beyond 4 mm.
    """
    away = np.abs(np.asarray(arc_mm)[:, None] - np.asarray(pins_mm)[None, :])
    nearest = away.argmin(1)
    weight = np.clip(1 - away[np.arange(len(nearest)), nearest] / PINNED_MM, 0.0, 1.0).astype(np.float32)
    said = 2.0 * borders[torch.from_numpy(nearest).to(borders.device)] - 1.0
    return said * torch.from_numpy(weight).to(borders.device)[:, None, None, None]
