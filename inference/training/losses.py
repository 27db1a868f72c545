"""Cross-entropy and Dice against shares of pixels, for both tasks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def task_targets(soft: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 3, H, W) shares of outer wall, lumen, plaque → class shares of task 1 (B, 2, …) and task 2 (B, 3, …)."""
    wall, lumen, plaque = soft[:, :1], soft[:, 1:2], soft[:, 2:3]
    return torch.cat([1 - wall, wall], 1), torch.cat([(1 - lumen - plaque).clamp(min=0), lumen, plaque], 1)


def soft_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of logits (B, C, H, W) against class shares of the same shape."""
    return -(target * functional.log_softmax(logits, 1)).sum(1).mean()


def soft_dice(probability: Tensor, target: Tensor) -> Tensor:
    """1 − Dice over the whole batch, one value a class; denominators of squares, so that exact shares cost nothing."""
    both = (probability * target).sum((0, 2, 3))
    each = (probability.square() + target.square()).sum((0, 2, 3))
    return 1 - (2 * both + 1) / (each + 1)


def segmentation_loss(logits: Tensor, soft: Tensor) -> Tensor:
    """Both tasks: 2 × cross-entropy + Dice of outer wall, lumen and plaque."""
    first, second = task_targets(soft)
    a, b = logits[:, :2], logits[:, 2:]
    dice = (
        soft_dice(functional.softmax(a, 1), first)[1] + soft_dice(functional.softmax(b, 1), second)[1:].sum()
    )
    return 2 * (soft_cross_entropy(a, first) + soft_cross_entropy(b, second)) + dice
