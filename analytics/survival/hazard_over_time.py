"""Whether a hazard ratio changes with time, to look at: scaled Schoenfeld residuals with their smooth.

Each event gives one residual in units of the coefficient; a curve through them estimates β(t) (Grambsch and Therneau
1994). The smooth is a restricted cubic spline of the transformed time, its band is pointwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import normal_quantile
from analytics.result import DRAWING, Finding, no_values
from analytics.survival.design import design
from analytics.survival.partial_likelihood import RiskSets, maximise
from analytics.survival.proportional_hazards import transformed_times
from analytics.survival.residuals import scaled_schoenfeld
from analytics.survival.spline import restricted_cubic_basis

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
KNOTS = (0.05, 0.5, 0.95)
"""Quantiles of the events' transformed times: three knots can bend once, which is what a changing effect does first."""
LEAST_EVENTS = 8
"""A smooth of three coefficients then keeps five degrees of freedom for its band."""


@dataclass(frozen=True, kw_only=True)
class HazardOverTime(Finding):
    """Residuals (events,) of one covariate at the events' times, the fitted coefficient and the smooth over ``grid``.

    ``smooth_reason`` says why there is no smooth.
    """

    covariate: str
    events: int
    coefficient: float | None = None
    smooth_reason: str | None = None
    time_unit: str = "years"
    times: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    residuals: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    rows: NDArray[np.int64] = field(
        default_factory=lambda: np.empty(0, np.int64), repr=False, compare=False, metadata=DRAWING
    )
    grid: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    smooth: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    half_width: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)

    def sentence(self) -> str:
        """What is drawn, and of how many."""
        if self.reason:
            return f"{self.method} of {self.covariate}: {self.reason}; {self.counted()}."
        smooth = "with a restricted cubic spline and its pointwise 95 % band"
        if self.smooth_reason:
            smooth = f"without a smooth ({self.smooth_reason})"
        return (
            f"{self.method} of {self.covariate}, one per event ({self.events}), {smooth}; the dashed line is the model's log "
            f"hazard ratio; {self.counted()}."
        )


def hazard_over_time_of(
    time: Array,
    event: Array,
    covariates: Mapping[str, Array],
    *,
    covariate: str,
    unit: str = "patient",
    time_unit: str = "years",
    simulated: bool = False,
) -> HazardOverTime:
    """Scaled Schoenfeld residuals of one of the covariates of a Cox model (Efron).

    Raises
    ------
    AnalyticsError
        As :func:`analytics.survival.cox.cox_of`.
    """
    kept = ~np.isnan(np.column_stack([time, event, *covariates.values()])).any(axis=1)
    rows = design(time, event, covariates)
    events = int((rows.event == 1).sum())
    common: dict[str, Any] = {
        "method": "Scaled Schoenfeld residuals",
        "n": len(rows.time),
        "unit": unit,
        "dropped": rows.dropped,
        "covariate": covariate,
        "events": events,
        "time_unit": time_unit,
        "simulated": simulated,
    }
    why = rows.refusal()
    if why is not None:
        return HazardOverTime(reason=why, **common)
    if events < LEAST_EVENTS:
        return HazardOverTime(reason=f"{events} events; {LEAST_EVENTS} are needed", **common)
    risk = RiskSets(rows.time, np.asarray(rows.event == 1), rows.centred, None, True)
    fit = maximise(risk)
    if fit.covariance is None:
        return HazardOverTime(reason="the model has no finite maximum", **common)
    j = list(covariates).index(covariate)
    residuals = scaled_schoenfeld(risk, fit)[:, j]
    at = transformed_times(risk, "km")
    times = risk.time[risk.event_order]
    grid, smooth, half = _smoothed(at, residuals, times)
    return HazardOverTime(
        coefficient=float(fit.beta[j]),
        smooth_reason=None if len(grid) else "too few distinct event times",
        times=times,
        residuals=residuals,
        rows=np.flatnonzero(kept)[risk.event_order],
        grid=grid,
        smooth=smooth,
        half_width=half,
        **common,
    )


def _smoothed(at: Array, residuals: Array, times: Array) -> tuple[Array, Array, Array]:
    """Least-squares spline of the residuals over the transformed time, at the distinct event times."""
    knots = np.unique(np.quantile(at, KNOTS))
    if len(knots) < 3:
        return np.empty(0), np.empty(0), np.empty(0)
    x = np.column_stack([np.ones(len(at)), restricted_cubic_basis(at, knots)])
    inverse = np.linalg.pinv(x.T @ x)
    beta = inverse @ x.T @ residuals
    spread = float(((residuals - x @ beta) ** 2).sum()) / max(len(at) - x.shape[1], 1)
    grid, first = np.unique(times, return_index=True)
    drawn = x[first]
    half = Z * np.sqrt(np.maximum((drawn @ inverse * drawn).sum(1), 0) * spread)
    return grid, drawn @ beta, half
