"""Batches: short stretches of vessels, turned, mirrored, reversed, shifted, brightened."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.networks.unet import REACH, SEEN, normalise

from .data import CachedVessel


class Sampler:
    """Draws batches of stretches; plaque is drawn more often than it is found."""

    def __init__(
        self,
        vessels: list[CachedVessel],
        *,
        seed: int,
        stretches: int,
        sections: int,
        plaque_share: float,
    ) -> None:
        if not vessels:
            raise ValueError("there are no vessels to draw from")
        self.vessels, self.stretches, self.sections = vessels, stretches, sections
        self.plaque_share = plaque_share
        self.rng = np.random.default_rng(seed)
        self.length = np.array([len(v.hu) for v in vessels], float)
        self.plaque = [np.flatnonzero(v.soft[:, 2, ::2, ::2].any(axis=(1, 2))) for v in vessels]
        self.with_plaque = np.array([len(p) for p in self.plaque], float)

    def batch(self) -> tuple[Tensor, Tensor]:
        """Normalised sections (G, T + 10, 48, 48) with halo, and shares (G·T, 3, 48, 48)."""
        x, y = zip(*(self._stretch() for _ in range(self.stretches)))
        hu = torch.from_numpy(np.stack(x))
        return normalise(hu), torch.from_numpy(np.concatenate(y)).float().div_(255.0)

    def _stretch(self) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        rng = self.rng
        if rng.random() < self.plaque_share and self.with_plaque.sum():
            n = int(rng.choice(len(self.vessels), p=self.with_plaque / self.with_plaque.sum()))
            middle = int(rng.choice(self.plaque[n])) + int(rng.integers(-6, 7))
        else:
            n = int(rng.choice(len(self.vessels), p=self.length / self.length.sum()))
            middle = int(rng.integers(0, len(self.vessels[n].hu)))
        vessel = self.vessels[n]
        last = len(vessel.hu) - 1
        at = np.clip(middle - self.sections // 2 + np.arange(-REACH, self.sections + REACH), 0, last)
        edge = (vessel.hu.shape[-1] - SEEN) // 2
        r, c = edge + rng.integers(-2, 3, 2)
        hu = vessel.hu[at][:, r : r + SEEN, c : c + SEEN].astype(np.float32)
        soft = vessel.soft[at[REACH:-REACH]][:, :, r : r + SEEN, c : c + SEEN]
        if rng.random() < 0.5:
            hu, soft = hu[::-1], soft[::-1]
        if rng.random() < 0.5:
            hu, soft = hu[..., ::-1], soft[..., ::-1]
        turns = int(rng.integers(0, 4))
        hu, soft = np.rot90(hu, turns, (-2, -1)), np.rot90(soft, turns, (-2, -1))
        hu = hu * np.float32(rng.uniform(0.93, 1.07)) + np.float32(rng.normal(0, 10))
        if rng.random() < 0.3:
            hu = hu + rng.standard_normal(hu.shape, dtype=np.float32) * np.float32(rng.uniform(0, 12))
        return np.ascontiguousarray(hu, np.float32), np.ascontiguousarray(soft)
