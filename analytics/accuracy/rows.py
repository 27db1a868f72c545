"""Rows of which a marker (or several) and a yes-or-no outcome are known, and what was dropped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.errors import AnalyticsError
from analytics.result import Dropped

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Complete(NamedTuple):
    """``kept`` (n,) marks the complete rows; ``markers`` and ``case`` hold these alone."""

    kept: Flags
    markers: tuple[Array, ...]
    case: Flags
    dropped: tuple[Dropped, ...]


def complete(outcome: Array, *markers: Array, name: str = "outcome") -> Complete:
    """Rows in which the outcome (0/1) and all markers are known.

    Raises
    ------
    AnalyticsError
        For columns of different length and for outcomes other than 0/1.
    """
    y, columns = np.asarray(outcome, np.float64), [np.asarray(m, np.float64) for m in markers]
    if any(m.shape != y.shape for m in columns):
        shapes = " and ".join(str(m.shape) for m in (*columns, y))
        raise AnalyticsError(f"Marker and outcome differ in length: {shapes}.")
    kept = np.asarray(~(np.isnan(y) | np.isnan(columns).any(axis=0)))
    odd = y[kept & ~np.isin(y, (0, 1))]
    if odd.size:
        raise AnalyticsError(f"Column {name!r}: the outcome must be 0 or 1, found {odd[0]:g}.")
    missing = int((~kept).sum())
    dropped = (Dropped(missing, "marker or outcome is missing"),) if missing else ()
    return Complete(kept, tuple(m[kept] for m in columns), y[kept] == 1, dropped)
