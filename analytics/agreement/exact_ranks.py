"""Exact permutation distributions of rank sums, ties included: by counting, with midranks doubled to whole numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MOST_SIGNED, MOST_PAIRED_RANKS = 300, 120
"""Largest samples whose exact distribution is counted: pairs of a signed-rank, units of a rank-sum test."""


def signed_rank_p(ranks: Array, positive_sum: float) -> float:
    """Two-sided p of the sum of positive ranks when every sign is a coin toss."""
    doubled = np.rint(2 * ranks).astype(np.int64)
    distribution = np.zeros(int(doubled.sum()) + 1)
    distribution[0] = 1.0
    reached = 0
    for rank in doubled:
        reached += int(rank)
        distribution[rank : reached + 1] += distribution[: reached + 1 - rank].copy()
        distribution[: reached + 1] /= 2
    observed = round(2 * positive_sum)
    low, high = distribution[: observed + 1].sum(), distribution[observed:].sum()
    return float(min(1.0, 2 * min(low, high)))


def rank_sum_p(ranks: Array, chosen: int, observed: float) -> tuple[float, float]:
    """Two-sided p of the sum of ``chosen`` of the ranks: by distance from the mean, and twice the smaller tail."""
    doubled = np.rint(2 * ranks).astype(np.int64)
    if 2 * chosen > len(doubled):  # the smaller group is quicker to count
        return rank_sum_p(ranks, len(ranks) - chosen, float(ranks.sum()) - observed)
    total = int(np.sort(doubled)[len(doubled) - chosen :].sum()) + 1
    ways = np.zeros((chosen + 1, total))
    ways[0, 0] = 1.0
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, : total - rank].copy()
    probability = ways[chosen] / ways[chosen].sum()
    value, centre = round(2 * observed), chosen * float(doubled.mean())
    distance = np.abs(np.arange(total) - centre)
    deviation = float(probability[distance >= abs(value - centre) - 1e-9].sum())
    tails = probability[: value + 1].sum(), probability[value:].sum()
    return min(1.0, deviation), float(min(1.0, 2 * min(tails)))
