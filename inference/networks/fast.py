"""How a network is stored to be fast: channels last, and for use batch normalisation folded into convolutions."""

from __future__ import annotations

import copy
import itertools

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def laid_out(network: nn.Module) -> nn.Module:
    """The network with its weights stored channels last, as two- and three-dimensional convolutions like them."""
    deep = any(isinstance(module, nn.Conv3d) for module in network.modules())
    return network.to(memory_format=torch.channels_last_3d if deep else torch.channels_last)  # type: ignore[call-overload, no-any-return]


def folded(network: nn.Module) -> nn.Module:
    """A copy whose convolutions carry the normalisation that follows them; outputs agree within rounding."""
    fast = copy.deepcopy(network).eval()
    for module in list(fast.modules()):
        if not isinstance(module, nn.Sequential):
            continue
        children = list(module.named_children())
        for (name, conv), (after, norm) in itertools.pairwise(children):
            if isinstance(conv, nn.Conv2d | nn.Conv3d) and isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d):
                setattr(module, name, fuse_conv_bn_eval(conv, norm))
                setattr(module, after, nn.Identity())
    return fast
