"""Batches: short stretches of vessels, turned, mirrored, reversed, shifted, scaled, brightened, some with pinned borders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from inference.networks.extents import pinned, told
from inference.networks.unet import REACH, SEEN, normalise
from inference.section_grid import SPACING_ALONG

from .data import PLAQUE_FROM_MM, CachedVessel

MARKED_OFF_MM = 0.4  # standard deviation of a marked lesion's ends
# How much larger or smaller a vessel is seen, along and across alike, and across alone. Networks that never saw a vessel scaled drew
# outer walls of 3.5–4 mm radius at 0.17 of their area, those below 2.5 mm at 0.96 (another generator, two patients).
SCALED = (0.6, 1.8)
SCALED_ACROSS = (0.8, 1.25)
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
        scaled_share: float = 0.0,
        across_share: float = 0.0,
        pinned_share: float = 0.0,
        reads: Sequence[CachedVessel] = (),
        reads_share: float = 0.0,
        device: torch.device | str = "cpu",
    ) -> None:
        if not vessels or (reads_share > 0 and not reads):
            raise ValueError("there are no vessels to draw from")
        self.stretches, self.sections = stretches, sections
        self.plaque_share, self.told_share = plaque_share, told_share
        self.scaled_share, self.across_share, self.pinned_share = scaled_share, across_share, pinned_share
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

    def batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Normalised sections (G, T + 10, 48, 48) with halo, what is told of them (G, T, 2), pinned borders (G, T, 2, 48, 48), shares (G·T, 3, 48, 48)."""
        x, known, pins, y = zip(*(self._stretch() for _ in range(self.stretches)))
        return normalise(torch.stack(x)), torch.stack(known), torch.stack(pins), torch.cat(y)

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

    def _told(self, n: int, rows: NDArray[np.float64], scale: float) -> NDArray[np.float32]:
        """What is told of these sections: nothing, or where lesions lie as a reader would mark them, a little off."""
        at = rows * SPACING_ALONG * scale
        if self.rng.random() >= self.told_share:
            return told(at, None)
        off = self.rng.normal(0.0, MARKED_OFF_MM, (len(self.extents[n]), 2))
        return told(at, [tuple(x) for x in scale * np.asarray(self.extents[n]).reshape(-1, 2) + off])

    def _scales(self) -> tuple[float, float]:
        """How many times as large a vessel is seen, along and across."""
        rng, low, high = self.rng, *np.log(SCALED)
        along = float(np.exp(rng.uniform(low, high))) if rng.random() < self.scaled_share else 1.0
        across = float(rng.uniform(*SCALED_ACROSS)) if rng.random() < self.across_share else 1.0
        return along, along * across

    def _stretch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rng = self.rng
        n, middle = self._where()
        along, across = self._scales()
        last = len(self.hu[n]) - 1
        step = np.arange(-REACH, self.sections + REACH)
        rows: NDArray[np.float64] = np.clip(middle + (step - self.sections // 2) / along, 0, last)
        view = _View.drawn(rng, self.hu[n].shape[-1], across)
        hu = view.of(_between(self.hu[n], rows)[:, None])[:, 0]
        mine = rows[REACH:-REACH]
        channel = 2 if self.soft[n].shape[1] == 3 else _plaque_rule(along)
        soft = view.of(_between(self.soft[n], mine, (0, 1, channel)))
        known = torch.from_numpy(self._told(n, mine, along)).to(self.device)
        pins = self._pins(n, mine, along, view)
        turns = [axis for axis in (0, -1) if rng.random() < 0.5]
        if 0 in turns:
            known = known.flip(0)
        quarter = int(rng.integers(0, 4))
        hu, soft, pins = (torch.rot90(part.flip(turns), quarter, (-2, -1)) for part in (hu, soft, pins))
        hu = hu * float(rng.uniform(0.93, 1.07)) + float(rng.normal(0, 10))
        if rng.random() < 0.3:
            dice = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
            noise = torch.randn(hu.shape, generator=dice, device=self.device)
            hu = hu + noise * float(rng.uniform(0, 12))
        return hu, known, pins, soft.div_(255.0)

    def _pins(self, n: int, rows: NDArray[np.float64], scale: float, view: _View) -> Tensor:
        """(T, 2, 48, 48) pinned borders of these sections: none, or those of up to three sections in or near the stretch."""
        none = torch.zeros((len(rows), 2, SEEN, SEEN), device=self.device)
        if self.rng.random() >= self.pinned_share:
            return none
        at = np.sort(self.rng.integers(-8, len(rows) + 8, int(self.rng.integers(1, 4))))
        where = np.clip(rows[0] + at / scale, 0, len(self.hu[n]) - 1)
        borders = view.of(_between(self.soft[n], where, (0, 1))).div_(255.0)
        return pinned((where * scale * SPACING_ALONG), borders, rows * scale * SPACING_ALONG)


@dataclass(frozen=True)
class _View:
    """A part of a section that is seen: a crop, or, scaled, the corners of a grid of samples (−1 … 1)."""

    row: int
    column: int
    grid: Tensor | None

    @classmethod
    def drawn(cls, rng: np.random.Generator, size: int, across: float) -> _View:
        """A view that is shifted by up to two pixels, and where it is scaled turned by any angle too."""
        edge = (size - SEEN) // 2
        shift = rng.integers(-2, 3, 2)
        if abs(across - 1.0) < 1e-6:
            return cls(int(edge + shift[0]), int(edge + shift[1]), None)
        angle = rng.uniform(0, 2 * np.pi)
        span = (SEEN - 1) / (size - 1) / across
        turn = span * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        off = 2.0 * shift[:, None] / (size - 1)
        theta = torch.from_numpy(np.hstack([turn, off]).astype(np.float32))[None]
        return cls(0, 0, functional.affine_grid(theta, [1, 1, SEEN, SEEN], align_corners=True))

    def of(self, maps: Tensor) -> Tensor:
        """(n, C, s, s) → (n, C, 48, 48); beyond the edge its last pixel goes on."""
        if self.grid is None:
            return maps[..., self.row : self.row + SEEN, self.column : self.column + SEEN]
        grid = self.grid.to(maps.device).expand(len(maps), -1, -1, -1)
        return functional.grid_sample(maps, grid, padding_mode="border", align_corners=True)


def _between(maps: Tensor, rows: NDArray[np.float64], channels: tuple[int, ...] | None = None) -> Tensor:
    """Maps at fractional rows, linear between two, in float32."""
    low = np.floor(rows).astype(np.int64)
    high = np.minimum(low + 1, len(maps) - 1)
    share = torch.from_numpy((rows - low).astype(np.float32)).to(maps.device)

    def at(index: NDArray[np.int64]) -> Tensor:
        part = maps[torch.from_numpy(index).to(maps.device)]
        return (part if channels is None else part[:, list(channels)]).float()

    first = at(low)
    if not share.any():
        return first
    return first + (at(high) - first) * share.reshape(-1, *(1,) * (first.ndim - 1))


def _plaque_rule(scale: float) -> int:
    """Which channel of the shares says what is plaque in a vessel that is seen so many times as large."""
    limits = np.array(PLAQUE_FROM_MM)
    return 2 + int(np.argmin(np.abs(np.log(limits) - np.log(PLAQUE_FROM_MM[0] / scale))))


def lesion_extents(rows: NDArray[np.int64]) -> list[tuple[float, float]]:
    """(start, end) in mm of the lesions of a vessel, from the numbers of its sections with plaque, rising."""
    if not len(rows):
        return []
    parts = np.split(rows, np.flatnonzero(np.diff(rows) * SPACING_ALONG >= GAP_MM) + 1)
    return [(float(part[0]) * SPACING_ALONG, float(part[-1]) * SPACING_ALONG) for part in parts]
