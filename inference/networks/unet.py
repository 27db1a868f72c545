"""A 2.5-D U-Net: eleven neighbouring sections enter as channels, the middle one is labelled.

Input sections are 64 × 64 pixels of HU, normalised by ``normalise``. The five output maps are logits:
two of task 1 (outside, inside the outer wall) and three of task 2 (background, lumen, plaque).
The network looks at the middle 48 × 48 pixels (15 mm), in training as in use: no coronary wall reaches further
from its centreline, and the rest of the field costs as much again. Outside, the logits say background.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REACH = 5  # sections to either side
SEEN = 48  # pixels across that the network looks at
SURE = 8.0  # logit of background outside what it looks at
OUTPUTS = 5
HU_LOW, HU_HIGH = -300.0, 1300.0


def normalise(hu: Tensor) -> Tensor:
    """HU clipped to −300…1300 and scaled so that −300 is −1.2 and the lumen lies near 1."""
    return hu.clamp(HU_LOW, HU_HIGH).sub(180.0).div(400.0)


def stack_neighbours(x: Tensor, reach: int = REACH) -> Tensor:
    """(G, T + 2·reach, H, W) sections with a halo → (G·T, 2·reach + 1, H, W) windows."""
    g, long, h, w = x.shape
    t = long - 2 * reach
    windows = x.unfold(1, 2 * reach + 1, 1)  # (G, T, H, W, window)
    return windows.permute(0, 1, 4, 2, 3).reshape(g * t, 2 * reach + 1, h, w)


def with_halo(x: Tensor, reach: int = REACH) -> Tensor:
    """(N, 1, H, W) sections of one vessel → (1, N + 2·reach, H, W), ends repeated."""
    flat = x[:, 0]
    return torch.cat([flat[:1].expand(reach, -1, -1), flat, flat[-1:].expand(reach, -1, -1)])[None]


def seen(x: Tensor) -> Tensor:
    """The middle 48 × 48 pixels."""
    edge = (x.shape[-1] - SEEN) // 2
    return x[..., edge : edge + SEEN, edge : edge + SEEN]


def unseen(logits: Tensor, size: int) -> Tensor:
    """Logits of the middle put back into the whole field, which is background elsewhere."""
    out = logits.new_full((*logits.shape[:2], size, size), -SURE)
    out[:, [0, 2]] = SURE
    edge = (size - SEEN) // 2
    out[..., edge : edge + SEEN, edge : edge + SEEN] = logits
    return out


class Block(nn.Sequential):
    """Two 3 × 3 convolutions, each with batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class UNet25D(nn.Module):
    """Encoder and decoder over four scales with skips; deep supervision from the half-size decoder map."""

    reach = REACH

    def __init__(self, channels: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = channels
        self.down1, self.down2 = Block(2 * REACH + 1, a), Block(a, b)
        self.down3, self.bottom = Block(b, c), Block(c, d)
        self.up3, self.up2, self.up1 = Block(d + c, c), Block(c + b, b), Block(b + a, a)
        self.head = nn.Conv2d(a, OUTPUTS, 1)
        self.deep = nn.Conv2d(b, OUTPUTS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 64, 64) sections of one vessel in order → (N, 5, 64, 64) logits."""
        return unseen(self.stretches(with_halo(seen(x)))[0], x.shape[-1])

    def stretches(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(G, T + 10, h, w) stretches with their halo → (G·T, 5, h, w) logits and (G·T, 5, h/2, w/2) deep logits."""
        s1 = self.down1(stack_neighbours(x).contiguous(memory_format=torch.channels_last))
        s2 = self.down2(F.max_pool2d(s1, 2))
        s3 = self.down3(F.max_pool2d(s2, 2))
        y = self.bottom(F.max_pool2d(s3, 2))
        y = self.up3(torch.cat([F.interpolate(y, scale_factor=2.0), s3], 1))
        y2 = self.up2(torch.cat([F.interpolate(y, scale_factor=2.0), s2], 1))
        y1 = self.up1(torch.cat([F.interpolate(y2, scale_factor=2.0), s1], 1))
        return self.head(y1), self.deep(y2)
