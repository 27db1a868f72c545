"""Harrell's C of a risk score, with the infinitesimal-jackknife standard error."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

ROWS_AT_ONCE = 512


def concordance(
    time: NDArray[np.float64], event: NDArray[np.bool_], risk: NDArray[np.float64]
) -> tuple[float, float] | None:
    """C and its standard error: the share of comparable pairs whose earlier event has the higher risk.

    A pair is comparable when one has an event before the other's time, or at it while the other is censored.
    Tied risks count one half. None without comparable pairs.
    """
    n = len(time)
    pairs_of, concordant_of = np.zeros(n), np.zeros(n)
    for chunk in np.array_split(np.flatnonzero(event), max(1, int(event.sum()) // ROWS_AT_ONCE + 1)):
        later = (time[None, :] > time[chunk, None]) | ((time[None, :] == time[chunk, None]) & ~event[None, :])
        agree = (risk[None, :] < risk[chunk, None]) + 0.5 * (risk[None, :] == risk[chunk, None])
        agree = agree * later
        pairs_of += later.sum(0)
        concordant_of += agree.sum(0)
        pairs_of[chunk] += later.sum(1)
        concordant_of[chunk] += agree.sum(1)
    pairs = pairs_of.sum() / 2
    if not pairs:
        return None
    c = float(concordant_of.sum() / 2 / pairs)
    influence = (concordant_of - c * pairs_of) / pairs
    return c, math.sqrt(float((influence**2).sum()))
