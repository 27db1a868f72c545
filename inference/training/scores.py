"""Dice of a network on cached vessels."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from inference.networks import probabilities
from inference.networks.extents import told
from inference.section_grid import SPACING_ALONG

from .batches import lesion_extents
from .data import CachedVessel

STRUCTURES = ("wall", "lumen", "plaque")


def dice_of_vessels(
    network: nn.Module,
    vessels: list[CachedVessel],
    *,
    every: int = 1,
    block: int = 48,
    given: bool = False,
) -> dict[str, float]:
    """Dice over all pixels of the vessels for the filled outer wall, lumen and plaque (majority of a pixel).

    ``every`` > 1 takes every so-many-th block of sections only, each with its true neighbours. ``given``: the network
    is told where the lesions lie, and plaque counts inside them alone.
    """
    both, each = np.zeros(3), np.zeros(3)
    for vessel in vessels:
        extents = lesion_extents(np.flatnonzero(vessel.soft[:, 2].any(axis=(1, 2)))) if given else None
        marked = told(np.arange(len(vessel.hu)) * SPACING_ALONG, extents)
        for first in range(0, len(vessel.hu), block * every):
            stop = min(first + block, len(vessel.hu))
            low, high = max(0, first - 5), min(len(vessel.hu), stop + 5)
            hu = torch.from_numpy(np.ascontiguousarray(vessel.hu[low:high]).astype(np.float32))
            known = torch.from_numpy(marked[low:high])
            wall, lumen, plaque = probabilities(network, hu, marked=known)
            part = slice(first - low, stop - low)
            found = (
                wall[part] > 0.5,
                (lumen[part] > plaque[part]) & (lumen[part] + plaque[part] > 0.5),
                (plaque[part] >= lumen[part]) & (lumen[part] + plaque[part] > 0.5),
            )
            if given:
                found = (*found[:2], found[2] & (marked[first:stop, 1] > -1e-6)[:, None, None])
            for n in range(3):
                true = np.asarray(vessel.soft[first:stop, n]) > 127
                both[n] += (found[n] & true).sum()
                each[n] += found[n].sum() + true.sum()
    return {name: float(2 * both[n] / max(each[n], 1.0)) for n, name in enumerate(STRUCTURES)}
