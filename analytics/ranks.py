"""Ranks with ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ties:
    """Values sorted into groups of equal ones: ``place`` (n,) is each value's group, ``counts`` the groups' sizes."""

    place: NDArray[np.int64]
    counts: NDArray[np.int64]

    def ranks(self) -> NDArray[np.float64]:
        """Ranks from 1; ties share their mean rank."""
        midrank: NDArray[np.float64] = (np.cumsum(self.counts) - (self.counts - 1) / 2)[self.place]
        return midrank

    def above(self, summed: NDArray[np.float64]) -> NDArray[np.float64]:
        """For each value, Σ of ``summed`` over the larger values; equal ones count one half."""
        totals = np.bincount(self.place, weights=summed, minlength=len(self.counts))
        found: NDArray[np.float64] = (totals.sum() - np.cumsum(totals) + totals / 2)[self.place]
        return found


def ties(values: NDArray[np.float64]) -> Ties:
    """Sort values into groups of equal ones."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return Ties(place, counts)


def average_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; ties share their mean rank."""
    return ties(values).ranks()
