"""Predicted risk of an event by a horizon, from a Cox model: apparent, or without having seen the patient (folds)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.errors import AnalyticsError
from analytics.resampling import SEED
from analytics.survival.design import design
from analytics.survival.partial_likelihood import RiskSets, maximise

Array = NDArray[np.float64]
FOLDS = 10
"""Little bias with tolerable variance (Kohavi 1995)."""


@dataclass(frozen=True)
class RiskModel:
    """Coefficients per covariate, the covariates' means, and the baseline hazard summed up to the horizon."""

    names: tuple[str, ...]
    coefficients: Array
    centre: Array
    cumulative_hazard: float
    horizon: float

    def linear_predictor(self, covariates: Mapping[str, Array]) -> Array:
        """Σ β (x − mean): (n,); NaN where a covariate is missing."""
        x = np.column_stack([np.asarray(covariates[name], np.float64) for name in self.names])
        result: Array = (x - self.centre) @ self.coefficients
        return result

    def risk(self, covariates: Mapping[str, Array]) -> Array:
        """Probability of the event by the horizon, other ends of follow-up being censoring: (n,)."""
        with np.errstate(over="ignore"):
            result: Array = -np.expm1(-self.cumulative_hazard * np.exp(self.linear_predictor(covariates)))
        return result


def fit_risk(
    time: Array, event: Array, covariates: Mapping[str, Array], *, horizon: float
) -> RiskModel | str:
    """Fit a Cox model (Efron) with its baseline hazard (as R's survfit for Efron's ties); a text says why not.

    Raises AnalyticsError for negative times, events other than 0/1, or a horizon that is not above 0.
    """
    if not horizon > 0:
        raise AnalyticsError(f"The horizon must be above 0, not {horizon}.")
    rows = design(time, event, covariates)
    why = rows.refusal()
    if why is not None:
        return why
    risk = RiskSets(rows.time, np.asarray(rows.event == 1), rows.centred, None, True)
    fit = maximise(risk)
    if fit.covariance is None:
        return "the model has no finite maximum, or its covariates are collinear"
    steps = 1 / risk.risk_sums(np.exp(rows.centred @ fit.beta)[:, None])[:, 0]
    upto = risk.time[risk.event_order] <= horizon
    return RiskModel(rows.names, fit.beta, rows.x.mean(axis=0), float(steps[upto].sum()), horizon)


def folds(event: Array, number: int, seed: int) -> NDArray[np.int64]:
    """Fold of each patient, events spread evenly over the folds."""
    rng = np.random.default_rng([seed, 11])
    fold = np.empty(len(event), np.int64)
    for value in (True, False):
        rows = np.flatnonzero((event == 1) == value)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % number
    return fold


def cross_validated_risk(
    time: Array,
    event: Array,
    covariates: Mapping[str, Array],
    *,
    horizon: float,
    number: int = FOLDS,
    seed: int = SEED,
) -> Array | str:
    """Risk of each patient from a model fitted without the patient's fold: (n,); a text says why there is none."""
    fold = folds(event, number, seed)
    result = np.full(len(time), np.nan)
    for k in range(number):
        inside = fold == k
        model = fit_risk(
            time[~inside],
            event[~inside],
            {n: np.asarray(v)[~inside] for n, v in covariates.items()},
            horizon=horizon,
        )
        if isinstance(model, str):
            return f"without fold {k + 1}: {model}"
        result[inside] = model.risk({n: np.asarray(v)[inside] for n, v in covariates.items()})
    return result
