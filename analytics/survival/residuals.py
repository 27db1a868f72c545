"""Residuals of a Cox model and the robust (sandwich) covariance that they give.

Martingale, deviance, score and Schoenfeld residuals with Efron's or Breslow's ties (Therneau and Grambsch 2000,
chapters 4 and 7); the covariance clustered by patient is that of Lin and Wei (1989).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.survival.partial_likelihood import Array, Fit, RiskSets


class Exposure(NamedTuple):
    """What a row was exposed to: ``hazard`` (n,) and ``mean`` (n, p), its integral of hazard times the mean."""

    hazard: Array
    mean: Array


def _weights(risk: RiskSets, fit: Fit) -> Array:
    eta = risk.x @ fit.beta
    weights: Array = np.exp(eta - eta.max())
    return weights


def _exposure(risk: RiskSets, fit: Fit, weights: Array) -> Exposure:
    """Cumulative hazard over every row's stretch at risk; a dying row shares its tied hazard as Efron says."""
    times, group, fraction = risk.ties
    hazard = 1 / risk.risk_sums(weights[:, None])[:, 0]
    steps = np.column_stack([hazard, hazard[:, None] * fit.terms.mean])
    end, begin = risk.axis
    on_axis = times[group]
    upto = np.concatenate([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)])
    total = upto[np.searchsorted(on_axis, end, "right")]
    if begin is not None:
        total = total - upto[np.searchsorted(on_axis, begin, "right")]
    spared = np.column_stack([np.bincount(group, fraction * s, len(times)) for s in steps.T])
    total[risk.event_order] -= spared[group]
    return Exposure(total[:, 0], total[:, 1:])


def _mean_at_ties(risk: RiskSets, fit: Fit) -> Array:
    """The risk set's mean at every event, averaged over the events of its time."""
    times, group, _ = risk.ties
    size = np.bincount(group)
    mean = np.column_stack([np.bincount(group, m, len(times)) / size for m in fit.terms.mean.T])
    result: Array = mean[group]
    return result


def martingale(risk: RiskSets, fit: Fit) -> Array:
    """Observed minus expected events of every row; they add up to 0."""
    weights = _weights(risk, fit)
    result: Array = risk.event - weights * _exposure(risk, fit, weights).hazard
    return result


def deviance(risk: RiskSets, fit: Fit) -> Array:
    """Martingale residuals made symmetric."""
    m = martingale(risk, fit)
    event = risk.event.astype(float)
    inside = m + np.where(risk.event, np.log(np.maximum(event - m, np.finfo(float).tiny)), 0.0)
    result: Array = np.sign(m) * np.sqrt(np.maximum(-2 * inside, 0.0))
    return result


def schoenfeld(risk: RiskSets, fit: Fit) -> Array:
    """Covariates of every event minus the mean of its risk set (events, p), in ``risk.event_order``."""
    result: Array = risk.x[risk.event_order] - _mean_at_ties(risk, fit)
    return result


def scaled_schoenfeld(risk: RiskSets, fit: Fit) -> Array:
    """Schoenfeld residuals in units of the coefficient: their smooth over time is β(t).

    Raises ValueError when the model was not estimable.
    """
    covariance, residuals = fit.known_covariance, schoenfeld(risk, fit)
    result: Array = residuals @ covariance * len(residuals) + fit.beta
    return result


def score_residuals(risk: RiskSets, fit: Fit) -> Array:
    """Contribution of every row to the score (n, p); they add up to 0 at the maximum."""
    weights = _weights(risk, fit)
    exposure = _exposure(risk, fit, weights)
    result = -weights[:, None] * (risk.x * exposure.hazard[:, None] - exposure.mean)
    result[risk.event_order] += schoenfeld(risk, fit)
    return result


def robust_covariance(risk: RiskSets, fit: Fit, cluster: NDArray[np.int64], clusters: int) -> Array | None:
    """Sandwich covariance with rows summed within clusters coded from 0; None when the model was not estimable."""
    if fit.covariance is None:
        return None
    by_row = score_residuals(risk, fit)
    sums = np.column_stack([np.bincount(cluster, u, clusters) for u in by_row.T]) @ fit.covariance
    result: Array = sums.T @ sums
    return result
