"""The curve of censoring, from which inverse-probability weights are made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def uncensored_before(
    time: Array, event: NDArray[np.bool_], at: Array, *, events_first: bool = True
) -> Array:
    """G(t−): the Kaplan–Meier probability of being uncensored just before each of the times ``at``.

    With ``events_first`` (the convention of every survival curve here) those with an event at t are no longer at risk
    of the censorings at t; some programs leave them in.
    """
    order, censored = np.sort(time), np.sort(time[~event])
    times, number = np.unique(censored, return_counts=True)
    at_risk = (len(time) - np.searchsorted(order, times, "left")).astype(float)
    if events_first:
        events = np.sort(time[event])
        at_risk -= np.searchsorted(events, times, "right") - np.searchsorted(events, times, "left")
    curve = np.concatenate([[1.0], np.cumprod(1 - number / at_risk)])
    result: Array = curve[np.searchsorted(times, at, "left")]
    return result
