"""U-Nets: 2-D (one section), 2.5-D (eleven neighbouring sections enter as channels), 3-D (convolved along the vessel).

All three label a section from itself and, but for the 2-D one, exactly five neighbours on either side; they have
about as many parameters as one another.

Input sections are 64 × 64 pixels of HU, normalised by ``normalise``. The five output maps are logits:
two of task 1 (outside, inside the outer wall) and three of task 2 (background, lumen, plaque).
The network looks at the middle 48 × 48 pixels (15 mm), in training as in use: no coronary wall reaches further
from its centreline, and the rest of the field costs as much again. Outside, the logits say background.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .extents import PINNED, TOLD

REACH = 5  # sections to either side
SEEN = 48  # pixels across that the network looks at
SURE = 8.0  # logit of background outside what it looks at
OUTPUTS = 5  # two classes of task 1, three of task 2
HU_LOW, HU_HIGH = -300.0, 1300.0  # from fat to dense calcium; part of the stored weights


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


class UNet2D(nn.Module):
    """Encoder and decoder over four scales with skips; deep supervision from the half-size decoder map."""

    inputs = 1
    told = 0  # numbers a section that it may be told beside the image (``extents.py``)
    pinned = 0  # maps a section of borders that somebody has drawn (``extents.py``)

    def __init__(self, channels: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = channels
        self.down1, self.down2 = Block(self.inputs + self.told + self.pinned, a), Block(a, b)
        self.down3, self.bottom = Block(b, c), Block(c, d)
        self.up3, self.up2, self.up1 = Block(d + c, c), Block(c + b, b), Block(b + a, a)
        self.head = nn.Conv2d(a, OUTPUTS, 1)
        self.deep = nn.Conv2d(b, OUTPUTS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 64, 64) sections of one vessel in order → (N, 5, 64, 64) logits."""
        return unseen(self.stretches(with_halo(seen(x)))[0], x.shape[-1])

    def windows(self, x: Tensor) -> Tensor:
        """(G, T + 10, h, w) → (G·T, 1, h, w): what a section is labelled from."""
        return x[:, REACH : x.shape[1] - REACH].flatten(0, 1)[:, None]

    def stretches(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(G, T + 10, h, w) stretches with their halo → (G·T, 5, h, w) logits and (G·T, 5, h/2, w/2) deep logits."""
        return self.labelled(self.windows(x))

    def labelled(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Encoder and decoder: (N, inputs, h, w) → (N, 5, h, w) logits and (N, 5, h/2, w/2) deep logits."""
        s1 = self.down1(windows.contiguous(memory_format=torch.channels_last))
        s2 = self.down2(functional.max_pool2d(s1, 2))
        s3 = self.down3(functional.max_pool2d(s2, 2))
        y = self.bottom(functional.max_pool2d(s3, 2))
        y = self.up3(torch.cat([functional.interpolate(y, scale_factor=2.0), s3], 1))
        y2 = self.up2(torch.cat([functional.interpolate(y, scale_factor=2.0), s2], 1))
        y1 = self.up1(torch.cat([functional.interpolate(y2, scale_factor=2.0), s1], 1))
        return self.head(y1), self.deep(y2)


class UNet25D(UNet2D):
    """The 2-D U-Net given eleven neighbouring sections as channels."""

    inputs = 2 * REACH + 1

    def windows(self, x: Tensor) -> Tensor:
        """(G, T + 10, h, w) → (G·T, 11, h, w)."""
        return stack_neighbours(x)


class UNet25DGiven(UNet25D):
    """The 2.5-D U-Net, which may be told where somebody has marked lesions (``told``), as two flat maps.

    Without marks both are 0, and it finds plaque by the image alone.
    """

    told = TOLD

    def begin_with(self, plain: nn.Module) -> None:
        """Take over the weights of a network with fewer inputs; what it was not told weighs nothing at first."""
        state = plain.state_dict()
        first = state["down1.0.weight"]
        more = self.inputs + self.told + self.pinned - first.shape[1]
        state["down1.0.weight"] = torch.cat([first, first.new_zeros(len(first), more, 3, 3)], 1)
        self.load_state_dict(state)

    def forward(self, x: Tensor, told: Tensor | None = None) -> Tensor:
        """(N, 1, 64, 64) sections of one vessel in order, and (N, 2) what is told of them → (N, 5, 64, 64) logits."""
        return unseen(
            self.stretches(with_halo(seen(x)), None if told is None else told[None])[0], x.shape[-1]
        )

    def stretches(self, x: Tensor, told: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As the plain network; ``told`` (G, T, 2) for the sections between the halos."""
        windows = self.windows(x)
        flat = windows.new_zeros(len(windows), self.told) if told is None else told.flatten(0, 1)
        maps = flat.to(windows.dtype)[:, :, None, None].expand(-1, -1, *windows.shape[-2:])
        return self.labelled(torch.cat([windows, maps], 1))


class UNet25DPinned(UNet25DGiven):
    """The network that may be told of lesions, which may also be told of borders that somebody has drawn (``pinned``)."""

    pinned = PINNED

    def forward(self, x: Tensor, told: Tensor | None = None, pins: Tensor | None = None) -> Tensor:
        """As before; ``pins`` (N, 2, 64, 64) pinned borders of the sections."""
        near = None if pins is None else seen(pins)[None]
        logits = self.stretches(with_halo(seen(x)), None if told is None else told[None], near)[0]
        return unseen(logits, x.shape[-1])

    def stretches(
        self, x: Tensor, told: Tensor | None = None, pins: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """As before; ``pins`` (G, T, 2, h, w) for the sections between the halos."""
        windows = self.windows(x)
        shape = windows.shape[-2:]
        flat = windows.new_zeros(len(windows), self.told) if told is None else told.flatten(0, 1)
        maps = flat.to(windows.dtype)[:, :, None, None].expand(-1, -1, *shape)
        drawn = windows.new_zeros(len(windows), self.pinned, *shape) if pins is None else pins.flatten(0, 1)
        return self.labelled(torch.cat([windows, maps, drawn.to(windows.dtype)], 1))


class Block3D(nn.Sequential):
    """Two convolutions of 3 × 3 pixels; where ``along``, the first also takes three sections, unpadded."""

    def __init__(self, inputs: int, outputs: int, *, along: bool) -> None:
        super().__init__(
            nn.Conv3d(inputs, outputs, (3 if along else 1, 3, 3), padding=(0, 1, 1), bias=False),
            nn.BatchNorm3d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv3d(outputs, outputs, (1, 3, 3), padding=(0, 1, 1), bias=False),
            nn.BatchNorm3d(outputs),
            nn.ReLU(inplace=True),
        )


class UNet3D(nn.Module):
    """As the 2-D U-Net, convolved along the vessel too; sections are never pooled, so that none is lost.

    Five unpadded convolutions along the vessel use up exactly the five neighbours on either side.
    """

    told = 0
    pinned = 0

    def __init__(self, channels: tuple[int, int, int, int] = (13, 26, 52, 76)) -> None:
        super().__init__()
        a, b, c, d = channels
        self.down1, self.down2 = Block3D(1, a, along=True), Block3D(a, b, along=True)
        self.down3, self.bottom = Block3D(b, c, along=True), Block3D(c, d, along=True)
        self.up3 = Block3D(d + c, c, along=False)
        self.up2 = Block3D(c + b, b, along=True)
        self.up1 = Block3D(b + a, a, along=False)
        self.head = nn.Conv3d(a, OUTPUTS, 1)
        self.deep = nn.Conv3d(b, OUTPUTS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 64, 64) sections of one vessel in order → (N, 5, 64, 64) logits."""
        return unseen(self.stretches(with_halo(seen(x)))[0], x.shape[-1])

    def stretches(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(G, T + 10, h, w) stretches with their halo → (G·T, 5, h, w) logits and (G·T, 5, h/2, w/2) deep logits."""

        def halved(maps: Tensor) -> Tensor:
            return functional.max_pool3d(maps, (1, 2, 2))

        def joined(coarse: Tensor, skip: Tensor) -> Tensor:
            spare = (skip.shape[2] - coarse.shape[2]) // 2
            fine = functional.interpolate(coarse, scale_factor=(1.0, 2.0, 2.0))
            return torch.cat([fine, skip[:, :, spare : skip.shape[2] - spare]], 1)

        s1 = self.down1(x[:, None])
        s2 = self.down2(halved(s1))
        s3 = self.down3(halved(s2))
        y = self.up3(joined(self.bottom(halved(s3)), s3))
        y2 = self.up2(joined(y, s2))
        y1 = self.up1(joined(y2, s1))
        return tuple(m.transpose(1, 2).flatten(0, 1) for m in (self.head(y1), self.deep(y2)))
