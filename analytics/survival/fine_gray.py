"""Fine and Gray's (1999) proportional hazards of the subdistribution.

A row that had a competing event stays at risk, with the weight G(t−)/G(T−) of still being uncensored; G is the
Kaplan–Meier curve of censoring. Breslow ties; the sandwich covariance accounts for G being estimated. All sums over
risk sets are cumulative because the weight is a product of a function of t and one of T.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.survival.kaplan_meier import kaplan_meier
from analytics.survival.partial_likelihood import Array, EventTerms, Fit


def _from_the_end(values: Array) -> Array:
    """Sum from every row to the last, and 0 beyond it: (n + 1, m)."""
    result: Array = np.concatenate([np.cumsum(values[::-1], axis=0)[::-1], np.zeros((1, values.shape[1]))])
    return result


def _from_the_start(values: Array) -> Array:
    """Sum of the rows before every row, and of all: (n + 1, m)."""
    result: Array = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return result


@dataclass(frozen=True)
class SubdistributionRiskSets:
    """Rows sorted by time for the weighted partial likelihood; see :func:`subdistribution_risk_sets`.

    time : (n,); event : (n,) 0 censored, 1 the outcome, 2 a competing event; x : (n, p) centred covariates
    uncensored : (n,) G(T−) of every row
    """

    time: Array
    event: Array
    x: Array
    uncensored: Array

    @cached_property
    def events(self) -> NDArray[np.int64]:
        """Rows with the outcome."""
        return np.flatnonzero(self.event == 1)

    @cached_property
    def _first_at(self) -> NDArray[np.int64]:
        """For every row, the first row of its time."""
        return np.searchsorted(self.time, self.time, "left")

    def _risk_sums(self, columns: Array) -> Array:
        """Sum of ``columns`` (n, m) over the weighted risk set of every event: (events, m)."""
        start = self._first_at[self.events]
        competing = (self.event == 2)[:, None] * columns / self.uncensored[:, None]
        gone = _from_the_start(competing)[start]
        result: Array = _from_the_end(columns)[start] + self.uncensored[self.events][:, None] * gone
        return result

    def _weights(self, beta: Array) -> tuple[Array, Array, float]:
        eta = self.x @ beta
        shift = float(eta.max())
        return np.asarray(np.exp(eta - shift), np.float64), np.asarray(eta, np.float64), shift

    def terms(self, beta: Array) -> EventTerms:
        """Evaluate at ``beta``."""
        p = self.x.shape[1]
        weight, eta, shift = self._weights(beta)
        products = (self.x[:, :, None] * self.x[:, None, :]).reshape(len(weight), p * p)
        sums = self._risk_sums(weight[:, None] * np.column_stack([np.ones(len(weight)), self.x, products]))
        total, mean = sums[:, 0], sums[:, 1 : p + 1] / sums[:, :1]
        second = (sums[:, p + 1 :] / sums[:, :1]).reshape(-1, p, p)
        value = float((eta[self.events] - shift).sum() - np.log(total).sum())
        return EventTerms(value, mean, second - mean[:, :, None] * mean[:, None, :])

    def score(self, terms: EventTerms) -> Array:
        """First derivative."""
        result: Array = (self.x[self.events] - terms.mean).sum(0)
        return result

    def information(self, terms: EventTerms) -> Array:
        """Minus the second derivative."""
        result: Array = terms.variance.sum(0)
        return result

    def _hazard_steps(self, fit: Fit) -> tuple[Array, Array]:
        """Weights of all rows and, per event, the steps of the hazard and of hazard times mean: (events, 1 + p)."""
        weight, _, _ = self._weights(fit.beta)
        hazard = 1 / self._risk_sums(weight[:, None])[:, 0]
        return weight, np.column_stack([hazard, hazard[:, None] * fit.terms.mean])

    def influences(self, fit: Fit) -> Array:
        """Contribution of every row to the score, with the part that it has through G: (n, p)."""
        weight, steps = self._hazard_steps(fit)
        own = self._own_part(fit, weight, steps)
        return own + self._censoring_part(weight, steps)

    def _own_part(self, fit: Fit, weight: Array, steps: Array) -> Array:
        event_times = self.time[self.events]
        after = np.searchsorted(event_times, self.time, "right")
        seen = _from_the_start(steps)[after]
        tail = _from_the_end(steps * self.uncensored[self.events][:, None])[after]
        competing = (self.event == 2)[:, None]
        exposure = seen + competing * tail / self.uncensored[:, None]
        part = -weight[:, None] * (self.x * exposure[:, :1] - exposure[:, 1:])
        part[self.events] += self.x[self.events] - fit.terms.mean
        result: Array = part
        return result

    def _censoring_part(self, weight: Array, steps: Array) -> Array:
        """Martingale of censoring against q(u)/π(u), where q(u) sums T < u <= t (Fine and Gray 1999, section 4)."""
        n = len(self.time)
        gone = (self.event == 2) * weight / self.uncensored
        left = _from_the_start(np.column_stack([gone, gone[:, None] * self.x]))[self._first_at]
        event_times = self.time[self.events]
        tail = _from_the_end(steps * self.uncensored[self.events][:, None])[
            np.searchsorted(event_times, self.time, "left")
        ]
        at_risk = (n - self._first_at).astype(float)
        q = (left[:, 1:] * tail[:, :1] - left[:, :1] * tail[:, 1:]) / at_risk[:, None]
        censored = (self.event == 0)[:, None]
        last = np.searchsorted(self.time, self.time, "right")
        drift = _from_the_start(censored * q / at_risk[:, None])[last]
        result: Array = censored * q - drift
        return result

    def robust_covariance(self, fit: Fit) -> Array | None:
        """Fine and Gray's sandwich; None when the model was not estimable."""
        if fit.covariance is None:
            return None
        influence = self.influences(fit) @ fit.covariance
        result: Array = influence.T @ influence
        return result


def subdistribution_risk_sets(time: Array, event: Array, x: Array) -> SubdistributionRiskSets:
    """Sort the rows and find G(T−); ``event`` is 0 censored, 1 the outcome, any other number a competing event."""
    order = np.argsort(time, kind="stable")
    time, event, x = time[order], event[order], x[order]
    censoring = kaplan_meier(time, (event == 0) * 1.0)
    before = np.concatenate([[1.0], censoring.survival])
    uncensored = before[np.searchsorted(censoring.times, time, "left")]
    return SubdistributionRiskSets(time, np.minimum(event, 2), x, uncensored)
