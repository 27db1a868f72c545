"""Train the perceptron of ``artery_points`` on lines that the search found in patients whose arteries are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import nn

from inference.centreline.artery_points import FEATURES, RADII, Perceptron, seen_across
from inference.centreline.centring import outlines
from inference.centreline.tree import Branch
from inference.scan import Volume

# The recipe of the stored weights (artery_points.md); choices were made on tree_validation.
INSIDE_MM, BESIDE_MM = 0.25, 1.5
"""A point is an artery's up to its radius (at least 0.75 mm) and this; up to the second distance it counts as neither."""
LEAST_RADIUS_MM = 0.75
OWN_START = 4
"""Points at a branch's start lie in its parent."""
HIDDEN, EPOCHS, BATCH, RATE, DECAY, SEED = 32, 16, 1024, 3e-3, 1e-2, 0
GAIN_SD, JITTER = 0.06, 0.05
"""The aorta's HU is taken to be a little off, and every feature too."""


@dataclass(frozen=True)
class Examples:
    """Points of one patient: features (n, 32), whether each lies in an artery (n,), and how much it counts (n,)."""

    seen: np.ndarray
    artery: np.ndarray
    weight: np.ndarray


def examples(
    volume: Volume,
    branches: Iterable[Branch],
    arteries: Sequence[tuple[np.ndarray, np.ndarray]],
    blood_hu: float,
) -> Examples:
    """Label the points of found branches.

    Parameters
    ----------
    arteries : of every true artery, small ones included, its points (n, 3) LPS mm and radii (n,) mm.
    """
    near = cKDTree(np.concatenate([p for p, _ in arteries]))
    radius = np.maximum(np.concatenate([r for _, r in arteries]), LEAST_RADIUS_MM)
    seen, artery = [], []
    for branch in branches:
        found = outlines(volume, branch.points, blood_hu)
        off, nearest = near.query(branch.points)
        off = off - radius[nearest]
        clear = (off <= INSIDE_MM) | (off > BESIDE_MM)
        clear[:OWN_START] = False
        seen.append(seen_across(volume, branch.points, found, blood_hu)[clear])
        artery.append(off[clear] <= INSIDE_MM)
    labels = np.concatenate(artery)
    return Examples(np.concatenate(seen), labels, np.full(len(labels), 1.0 / max(len(labels), 1)))


def train(patients: Sequence[Examples]) -> Perceptron:
    """Return weights; the same examples give the same weights on the same machine."""
    seen = np.concatenate([p.seen for p in patients])
    mean, scale = seen.mean(0), seen.std(0) + 1e-6
    weight = torch.tensor(np.concatenate([p.weight for p in patients]) * len(seen) / len(patients)).float()
    x = torch.tensor(seen).float()
    y = torch.tensor(np.concatenate([p.artery for p in patients])).float()
    middle, spread = torch.tensor(mean).float(), torch.tensor(scale).float()
    is_hu = torch.ones(FEATURES)
    is_hu[list(RADII)] = 0.0
    generator = torch.Generator().manual_seed(SEED)
    torch.manual_seed(SEED)
    first_layer, last = nn.Linear(FEATURES, HIDDEN), nn.Linear(HIDDEN, 1)
    net = nn.Sequential(first_layer, nn.SiLU(), last)
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    for _ in range(EPOCHS):
        order = torch.randperm(len(x), generator=generator)
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            gain = 1.0 + GAIN_SD * torch.randn(len(rows), 1, generator=generator) * is_hu
            given = (x[rows] * gain - middle) / spread
            given = given + JITTER * torch.randn(given.shape, generator=generator)
            loss = nn.functional.binary_cross_entropy_with_logits(net(given)[:, 0], y[rows], weight[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        schedule.step()
    with torch.no_grad():
        return Perceptron(
            mean=mean,
            scale=scale,
            hidden=first_layer.weight.numpy().astype(float),
            hidden_bias=first_layer.bias.numpy().astype(float),
            out=last.weight[0].numpy().astype(float),
            bias=last.bias.numpy().astype(float),
        )
