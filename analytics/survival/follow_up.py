"""Follow-up: times and events of a table, with the messages that bad ones deserve, and who is still followed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.errors import AnalyticsError


class FollowedGroup:
    """What curves of one group know of its follow-up.

    Attributes
    ----------
    n : how many they are
    follow_up : (n,) every observed time, sorted
    """

    n: int
    follow_up: NDArray[np.float64]

    def at_risk_at(self, t: float) -> int:
        """How many are still followed without any event just before t."""
        return self.n - int(np.searchsorted(self.follow_up, t, "left"))


def check(
    time: NDArray[np.float64],
    event: NDArray[np.float64],
    *,
    time_name: str = "time",
    event_name: str = "event",
    causes: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Float arrays of equal length with times >= 0 and events 0 or 1, or 0 … ``causes`` where causes compete.

    NaN is allowed: the caller drops and counts.

    Raises AnalyticsError naming column and row otherwise.
    """
    time, event = np.asarray(time, np.float64), np.asarray(event, np.float64)
    if time.shape != event.shape:
        raise AnalyticsError(f"Times and events differ in length: {time.shape} and {event.shape}.")
    negative = np.flatnonzero(time < 0)
    if negative.size:
        raise AnalyticsError(
            f"Column {time_name!r}, row {negative[0] + 1}: the time {time[negative[0]]:g} is negative."
        )
    odd = np.flatnonzero(~np.isnan(event) & ~np.isin(event, range(causes + 1)))
    if odd.size:
        known = "neither 0 nor 1" if causes == 1 else f"none of {', '.join(map(str, range(causes + 1)))}"
        raise AnalyticsError(f"Column {event_name!r}, row {odd[0] + 1}: {event[odd[0]]:g} is {known}.")
    return time, event
