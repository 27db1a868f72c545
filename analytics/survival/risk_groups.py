"""Patients in groups of similar predicted risk, as calibration is tested and drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.result import Interval

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
TENTHS = 10
"""Groups of a calibration: Hosmer and Lemeshow's (1980) deciles of risk."""


@dataclass(frozen=True)
class RiskGroup:
    """Predicted and observed risk of patients of similar prediction."""

    n: int
    predicted: float
    observed: float
    interval: Interval | None


def risk_tenths(risk: Array, groups: int = TENTHS) -> list[Rows]:
    """Rows of each group of equal size by rising prediction (ties by row); groups without rows are left out."""
    return [rows for rows in np.array_split(np.argsort(risk, kind="stable"), groups) if len(rows)]


def risk_groups(
    risk: Array, observed: Callable[[Rows], tuple[float, Interval | None]], groups: int = TENTHS
) -> tuple[RiskGroup, ...]:
    """Each group's mean prediction beside what was ``observed`` in its rows, with that interval."""
    return tuple(
        RiskGroup(len(rows), float(risk[rows].mean()), *observed(rows)) for rows in risk_tenths(risk, groups)
    )
