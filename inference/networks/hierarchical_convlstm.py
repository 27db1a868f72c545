"""A hierarchical convolutional LSTM network after Lin et al., Lancet Digit Health 2022;4:e256.

Two branches share one encoder that sees each section once. Branch 1 is recurrent: convolutional LSTMs run from
either side over exactly five neighbours, at half and at quarter size, and a decoder with full-size skips brings
their states back. Branch 2 is a dense block at full size over the section with its raw neighbours, the encoder's
stem and branch 1's map. Each branch labels both tasks; per task an attention map decides how much each counts.

Against the published figure the recurrence stands at two scales, finer than a quarter, and the full-size dense
branch is given the neighbours: at a quarter alone it did not see thin plaque.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .unet import OUTPUTS, REACH, Block, seen, stack_neighbours, unseen, with_halo


class ConvLSTM(nn.Module):
    """One direction of a convolutional LSTM (Shi et al., NeurIPS 2015) over a window that ends at each section."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.from_input = nn.Conv2d(inputs, 4 * hidden, 3, padding=1)
        self.from_state = nn.Conv2d(hidden, 4 * hidden, 3, padding=1, bias=False)
        with torch.no_grad():
            self.from_input.bias[hidden : 2 * hidden] = 1.0  # type: ignore[index]  # remember at first

    def forward(self, x: Tensor, groups: int, backwards: bool) -> Tensor:
        """(G·L, C, h, w) features of stretches with halo → (G·T, hidden, h, w) states after exactly 5 neighbours."""
        gates = self.from_input(x)
        long = gates.shape[0] // groups
        t = long - 2 * REACH
        gates = gates.view(groups, long, *gates.shape[1:])
        state = memory = None
        for step in range(REACH + 1):
            first = 2 * REACH - step if backwards else step
            now = gates[:, first : first + t].flatten(0, 1).contiguous(memory_format=torch.channels_last)
            if state is not None:
                now = now + self.from_state(state)
            i, f, o, g = now.chunk(4, 1)
            memory = torch.sigmoid(i) * torch.tanh(g) + (
                torch.sigmoid(f) * memory if memory is not None else 0.0
            )
            state = torch.sigmoid(o) * torch.tanh(memory)
        if state is None:
            raise ValueError("a pass needs at least one group of sections")
        return state


class BothWays(nn.Module):
    """ConvLSTMs from proximal and from distal, joined."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.proximal, self.distal = ConvLSTM(inputs, hidden), ConvLSTM(inputs, hidden)

    def forward(self, x: Tensor, groups: int) -> Tensor:
        """States of both directions, side by side."""
        return torch.cat([self.proximal(x, groups, False), self.distal(x, groups, True)], 1)


class DenseBlock(nn.Module):
    """Each layer sees all maps before it (Huang et al., CVPR 2017)."""

    def __init__(self, inputs: int, first: int = 16, growth: int = 12, layers: int = 3) -> None:
        super().__init__()
        sizes = [first + n * growth for n in range(layers)]
        self.entry = nn.Sequential(
            nn.Conv2d(inputs, first, 3, padding=1, bias=False), nn.BatchNorm2d(first), nn.ReLU()
        )
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(n, growth, 3, padding=1, bias=False), nn.BatchNorm2d(growth), nn.ReLU())
            for n in sizes
        )
        self.outputs = sizes[-1] + growth

    def forward(self, x: Tensor) -> Tensor:
        """The maps of all layers, joined."""
        maps: Tensor = self.entry(x)
        for layer in self.layers:
            maps = torch.cat([maps, layer(maps)], 1)
        return maps


class HierarchicalConvLSTM(nn.Module):
    """Shared encoder, recurrent branch, dense branch, attention per task."""

    reach = REACH
    told = 0
    pinned = 0

    def __init__(
        self, channels: tuple[int, int, int] = (16, 32, 64), hidden: tuple[int, int] = (8, 32)
    ) -> None:
        super().__init__()
        a, b, c = channels
        self.stem, self.halved, self.quartered = Block(1, a), Block(a, b), Block(b, c)
        self.recurrent_half, self.recurrent_quarter = BothWays(b, hidden[0]), BothWays(c, hidden[1])
        self.up_half = Block(2 * hidden[1] + 2 * hidden[0] + b, b)
        self.up_full = Block(b + a, a)
        self.head_1 = nn.Conv2d(a, OUTPUTS, 1)
        self.dense = DenseBlock(2 * REACH + 1 + 2 * a)
        self.head_2 = nn.Conv2d(self.dense.outputs, OUTPUTS, 1)
        self.attention = nn.Conv2d(self.dense.outputs + a, 2, 1)
        self.deep = nn.Conv2d(b, OUTPUTS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 64, 64) sections of one vessel in order → (N, 5, 64, 64) logits."""
        return unseen(self.stretches(with_halo(seen(x)))[0], x.shape[-1])

    def stretches(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(G, T + 10, h, w) stretches with their halo → (G·T, 5, h, w) logits and (G·T, 5, h/2, w/2) deep logits."""
        groups, long = x.shape[:2]

        def middle(maps: Tensor) -> Tensor:
            part = maps.view(groups, long, *maps.shape[1:])[:, REACH : long - REACH].flatten(0, 1)
            return part.contiguous(memory_format=torch.channels_last)

        every = x.flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)
        s1 = self.stem(every)
        s2 = self.halved(functional.max_pool2d(s1, 2))
        s3 = self.quartered(functional.max_pool2d(s2, 2))
        state_2, state_3 = self.recurrent_half(s2, groups), self.recurrent_quarter(s3, groups)
        y2 = self.up_half(
            torch.cat([functional.interpolate(state_3, scale_factor=2.0), state_2, middle(s2)], 1)
        )
        own = middle(s1)
        y1 = self.up_full(torch.cat([functional.interpolate(y2, scale_factor=2.0), own], 1))
        maps = self.dense(
            torch.cat([stack_neighbours(x).contiguous(memory_format=torch.channels_last), own, y1], 1)
        )
        first, second = self.head_1(y1), self.head_2(maps)
        share = torch.sigmoid(self.attention(torch.cat([maps, y1], 1)))
        wall = share[:, :1] * first[:, :2] + (1 - share[:, :1]) * second[:, :2]
        inner = share[:, 1:] * first[:, 2:] + (1 - share[:, 1:]) * second[:, 2:]
        return torch.cat([wall, inner], 1), self.deep(y2)
