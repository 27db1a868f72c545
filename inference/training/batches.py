"""Batches: short stretches of vessels, turned, mirrored, reversed, shifted, brightened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.networks.extents import told
from inference.networks.unet import REACH, SEEN, normalise
from inference.section_grid import SPACING_ALONG

from .data import CachedVessel

MARKED_OFF_MM = 0.4  # standard deviation of a marked lesion's ends
GAP_MM = 1.0  # stretches of plaque closer than this are one lesion (definitions)


class Sampler:
    """Draws batches of stretches; plaque is drawn more often than it is found.

    ``reads`` are vessels of a second kind, a lab's own, of which ``reads_share`` of the stretches come.

    Choices come from one NumPy generator, so that a run is repeatable; sections are cut and turned where they lie:
    in the memory-mapped cache, or on the accelerator, which holds them all.
    """

    def __init__(
        self,
        vessels: list[CachedVessel],
        *,
        seed: int,
        stretches: int,
        sections: int,
        plaque_share: float,
        told_share: float = 0.5,
        reads: Sequence[CachedVessel] = (),
        reads_share: float = 0.0,
        device: torch.device | str = "cpu",
    ) -> None:
        if not vessels or (reads_share > 0 and not reads):
            raise ValueError("there are no vessels to draw from")
        self.stretches, self.sections = stretches, sections
        self.plaque_share, self.told_share = plaque_share, told_share
        self.device = torch.device(device)
        self.rng = np.random.default_rng(seed)
        self.reads_share, self.first_read = reads_share, len(vessels)
        vessels = [*vessels, *reads]
        self.plaque = [np.flatnonzero(v.soft[:, 2, ::2, ::2].any(axis=(1, 2))) for v in vessels]
        self.extents = [lesion_extents(rows) for rows in self.plaque]
        self.hu = [torch.from_numpy(v.hu).to(self.device) for v in vessels]
        self.soft = [torch.from_numpy(v.soft).to(self.device) for v in vessels]
        pools = (range(self.first_read), range(self.first_read, len(vessels)))
        self.by_length = [np.cumsum([len(self.hu[n]) for n in pool]) for pool in pools]
        self.by_plaque = [np.cumsum([len(self.plaque[n]) for n in pool]) for pool in pools]

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised sections (G, T + 10, 48, 48) with halo, what is told of them (G, T, 2), shares (G·T, 3, 48, 48)."""
        x, known, y = zip(*(self._stretch() for _ in range(self.stretches)))
        return normalise(torch.stack(x)), torch.stack(known), torch.cat(y).float().div_(255.0)

    def _where(self) -> tuple[int, int]:
        """A vessel, and the section in the middle of the stretch."""
        rng = self.rng
        pool = int(rng.random() < self.reads_share) if self.reads_share else 0
        plaque, length, first = self.by_plaque[pool], self.by_length[pool], pool * self.first_read
        if rng.random() < self.plaque_share and plaque[-1]:
            n = first + int(np.searchsorted(plaque, rng.integers(plaque[-1]), side="right"))
            return n, int(rng.choice(self.plaque[n])) + int(rng.integers(-6, 7))
        n = first + int(np.searchsorted(length, rng.integers(length[-1]), side="right"))
        return n, int(rng.integers(0, len(self.hu[n])))

    def _told(self, n: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """What is told of these sections: nothing, or where lesions lie as a reader would mark them, a little off."""
        if self.rng.random() >= self.told_share:
            return told(rows * SPACING_ALONG, None)
        off = self.rng.normal(0.0, MARKED_OFF_MM, (len(self.extents[n]), 2))
        return told(
            rows * SPACING_ALONG, [tuple(x) for x in np.asarray(self.extents[n]).reshape(-1, 2) + off]
        )

    def _stretch(self) -> tuple[Tensor, Tensor, Tensor]:
        rng = self.rng
        n, middle = self._where()
        last = len(self.hu[n]) - 1
        rows: NDArray[np.int64] = np.clip(
            middle - self.sections // 2 + np.arange(-REACH, self.sections + REACH), 0, last
        )
        edge = (self.hu[n].shape[-1] - SEEN) // 2
        r, c = (edge + rng.integers(-2, 3, 2)).tolist()
        at = torch.from_numpy(rows).to(self.device)
        hu = self.hu[n][at, r : r + SEEN, c : c + SEEN].float()
        soft = self.soft[n][at[REACH:-REACH], :, r : r + SEEN, c : c + SEEN]
        known = torch.from_numpy(self._told(n, rows[REACH:-REACH])).to(self.device)
        turns = [axis for axis in (0, -1) if rng.random() < 0.5]
        known = known.flip(0) if 0 in turns else known
        quarter = int(rng.integers(0, 4))
        hu, soft = (torch.rot90(part.flip(turns), quarter, (-2, -1)) for part in (hu, soft))
        hu = hu * float(rng.uniform(0.93, 1.07)) + float(rng.normal(0, 10))
        if rng.random() < 0.3:
            dice = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
            noise = torch.randn(hu.shape, generator=dice, device=self.device)
            hu = hu + noise * float(rng.uniform(0, 12))
        return hu, known, soft


def lesion_extents(rows: NDArray[np.int64]) -> list[tuple[float, float]]:
    """(start, end) in mm of the lesions of a vessel, from the numbers of its sections with plaque, rising."""
    if not len(rows):
        return []
    parts = np.split(rows, np.flatnonzero(np.diff(rows) * SPACING_ALONG >= GAP_MM) + 1)
    return [(float(part[0]) * SPACING_ALONG, float(part[-1]) * SPACING_ALONG) for part in parts]
