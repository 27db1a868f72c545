"""Calibration and Brier score of predicted risks at a horizon, with censoring.

Observed risk is Kaplan–Meier's in groups of equal size by prediction. The Brier score weights by the inverse
probability of being uncensored (Graf and others 1999); scaled, it is compared with Kaplan–Meier without any marker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.result import DRAWING, Finding, Interval, Result, unless
from analytics.rounding import half_up
from analytics.survival.censoring import uncensored_before
from analytics.survival.concordance import complete
from analytics.survival.kaplan_meier import kaplan_meier, no_interval
from analytics.survival.risk_groups import TENTHS, RiskGroup, risk_groups

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SurvivalCalibration(Result):
    """``estimate`` is the ratio of observed to expected risk at the horizon (1 is perfect)."""

    horizon: float
    brier: float | None = None
    brier_null: float | None = None
    groups: tuple[RiskGroup, ...] = field(default=(), metadata=DRAWING)

    caption = Finding.caption

    @property
    def brier_scaled(self) -> float | None:
        """1 − Brier / (Brier without a marker)."""
        return 1 - self.brier / self.brier_null if self.brier is not None and self.brier_null else None

    def sentence(self) -> str:
        """Observed/expected and Brier score."""
        text = super().sentence()
        if self.brier is None or self.brier_scaled is None:
            return text
        scaled = f"scaled {half_up(self.brier_scaled, 3)}"
        return f"{text[:-1]}; Brier score {half_up(self.brier, 3)} ({scaled})."

    def to_dict(self) -> dict[str, Any]:
        """JSON form with the scaled Brier score."""
        return super().to_dict() | {"brier_scaled": self.brier_scaled}


def brier_at(time: Array, event: NDArray[np.bool_], risk: Array, horizon: float) -> float:
    """Brier score of predicted risks (n,) at the horizon, weighted for censoring. Needs complete rows."""
    case, free = event & (time <= horizon), time > horizon
    g = uncensored_before(time, event, np.where(case, time, horizon))
    g_after = uncensored_before(time, event, np.array([np.nextafter(horizon, np.inf)]))[0]
    weight = np.where(free, np.divide(1.0, g_after) if g_after > 0 else 0.0, 0.0)
    weight = weight + np.divide(1.0, g, out=np.zeros(len(g)), where=case & (g > 0))
    return float((weight * (case - risk) ** 2).mean())


def survival_calibration_of(
    time: Array,
    event: Array,
    risk: Array,
    *,
    horizon: float,
    groups: int = TENTHS,
    unit: str = "patient",
    time_unit: str = "years",
    simulated: bool = False,
) -> SurvivalCalibration:
    """Calibration of predicted risks (n,) of an event by ``horizon``; incomplete rows are dropped and counted.

    Raises
    ------
    AnalyticsError
        For negative times or events other than 0/1.
    """
    time, event, (risk,), dropped = complete(time, event, risk)
    happened = np.asarray(event == 1)
    common: dict[str, Any] = {
        "method": f"observed/expected risk at {horizon:g} {time_unit} (Kaplan–Meier)",
        "n": len(time),
        "unit": unit,
        "dropped": dropped,
        "horizon": horizon,
        "simulated": simulated,
    }
    if not len(time) or time.max() < horizon:
        return SurvivalCalibration(estimate=None, reason="nobody is followed up to the horizon", **common)
    curve = kaplan_meier(time, event)
    observed, limits = curve.incidence_at(horizon)
    expected = float(risk.mean())
    common |= {
        "brier": brier_at(time, happened, risk, horizon),
        "brier_null": brier_at(time, happened, np.full(len(time), observed), horizon),
        "groups": risk_groups(
            risk, lambda rows: kaplan_meier(time[rows], event[rows]).incidence_at(horizon), groups
        ),
    }
    if expected <= 0:
        return SurvivalCalibration(estimate=None, reason="the predicted risks are all 0", **common)
    interval = None
    if limits is not None:
        interval = Interval(
            limits.low / expected, limits.high / expected, "log-log, predictions taken as known"
        )
    why = unless(interval, no_interval(observed))
    return SurvivalCalibration(estimate=observed / expected, interval=interval, interval_reason=why, **common)
