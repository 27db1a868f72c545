"""Cox's partial likelihood with Efron's or Breslow's ties, strata, delayed entry, and its Newton maximum.

Strata need no loop: each is moved to a stretch of its own on one axis of time, where everybody enters at its
beginning. Risk-set sums are reverse cumulative sums over sorted times; every event is one row, so that score, information
and the residuals of the proportional-hazards tests come from the same arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MAX_ITERATIONS = 60
"""A guard: Newton's method needs fewer than ten steps where there is a maximum; more are left to a likelihood that rises for ever."""

USUAL_ITERATIONS = 8
"""A likelihood with a maximum needs 7 at the most (200 simulated cohorts of 20 to 300 patients)."""
SUSPECT, RUNAWAY = 5.0, 12.0
"""Log hazard ratios per standard deviation beyond which a coefficient is on its way to infinity: e⁵ is 150, e¹² 160,000."""


@dataclass(frozen=True)
class EventTerms:
    """At one β: log-likelihood, and for every event the risk set's mean (events, p) and variance (events, p, p)."""

    log_likelihood: float
    mean: Array
    variance: Array


class _Sums(NamedTuple):
    """Rows by falling key, and how many of them are at or above each event time."""

    order: NDArray[np.int64]
    number: NDArray[np.int64]

    def of(self, columns: Array) -> Array:
        """Sum of the rows of ``columns`` (n, m) at or above each event time: (times, m)."""
        total = np.cumsum(columns[self.order], axis=0)
        result: Array = total[self.number - 1]
        result[self.number == 0] = 0
        return result


def _sums(keys: Array, times: Array) -> _Sums:
    order = np.argsort(keys, kind="stable")
    return _Sums(order[::-1], len(keys) - np.searchsorted(keys[order], times, "left"))


@dataclass(frozen=True)
class RiskSets:
    """Covariates sorted for the partial likelihood.

    time, entry : (n,); entry is −∞ without delayed entry; the risk set at t is entry < t <= time
    event : (n,) bool
    x : (n, p) centred covariates
    stratum : (n,) codes from 0; risk sets never cross strata
    """

    time: Array
    event: NDArray[np.bool_]
    x: Array
    entry: Array | None
    efron: bool
    stratum: NDArray[np.int64] | None = None

    @cached_property
    def axis(self) -> tuple[Array, Array | None]:
        """End and beginning of every row's stretch at risk, on an axis where strata do not overlap."""
        if self.stratum is None:
            return self.time, self.entry
        values, rank = np.unique(self.time, return_inverse=True)
        shift = self.stratum * float(len(values) + 1)
        begin = 0 if self.entry is None else np.searchsorted(values, self.entry, "right")
        return np.asarray(shift + rank + 1.0, np.float64), np.asarray(shift + begin, np.float64)

    @cached_property
    def event_order(self) -> NDArray[np.int64]:
        """Indices of the events by rising time (strata one after the other)."""
        where = np.flatnonzero(self.event)
        return where[np.argsort(self.axis[0][where], kind="stable")]

    @cached_property
    def ties(self) -> tuple[Array, NDArray[np.int64], Array]:
        """Distinct event times (on the axis), each event's group, and Efron's fraction l/d of each event."""
        times, group, size = np.unique(
            self.axis[0][self.event_order], return_inverse=True, return_counts=True
        )
        first = np.concatenate([[0], np.cumsum(size)[:-1]])
        fraction = (np.arange(len(group)) - first[group]) / size[group]
        return times, group, fraction if self.efron else np.zeros(len(group))

    @cached_property
    def _plan(self) -> tuple[_Sums, _Sums | None]:
        """How to sum over those who end at or after each event time, and over those who begin then."""
        times, (end, begin) = self.ties[0], self.axis
        return _sums(end, times), None if begin is None else _sums(begin, times)

    @cached_property
    def _moments(self) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
        """Columns 1, x and the products of x (upper triangle), and the triangle's indices."""
        i, j = np.triu_indices(self.x.shape[1])
        return np.column_stack([np.ones(len(self.x)), self.x, self.x[:, i] * self.x[:, j]]), i, j

    def terms(self, beta: Array) -> EventTerms:
        """Evaluate at ``beta``."""
        p = self.x.shape[1]
        eta = self.x @ beta
        shift = float(eta.max()) if len(eta) else 0.0
        moments, i, j = self._moments
        sums = self.risk_sums(np.exp(eta - shift)[:, None] * moments)
        total = sums[:, 0]
        sums = sums[:, 1:] / total[:, None]
        mean = sums[:, :p]
        variance = np.empty((len(total), p, p))
        variance[:, i, j] = variance[:, j, i] = sums[:, p:] - mean[:, i] * mean[:, j]
        log_likelihood = float((eta[self.event_order] - shift).sum() - np.log(total).sum())
        return EventTerms(log_likelihood, mean, variance)

    def risk_sums(self, columns: Array) -> Array:
        """Sum the rows of ``columns`` (n, m) over every event's risk set: (events, m)."""
        times, group, fraction = self.ties
        ending, beginning = self._plan
        risk = ending.of(columns)
        if beginning is not None:
            risk = risk - beginning.of(columns)
        if len(times) == len(group):
            return risk
        if not fraction.any():
            return risk[group]
        starts = np.searchsorted(group, np.arange(len(times)))
        dead = np.add.reduceat(columns[self.event_order], starts, axis=0)
        result: Array = risk[group] - fraction[:, None] * dead[group]
        return result

    def score(self, terms: EventTerms) -> Array:
        """First derivative."""
        result: Array = (self.x[self.event_order] - terms.mean).sum(0)
        return result

    def information(self, terms: EventTerms) -> Array:
        """Minus the second derivative."""
        result: Array = terms.variance.sum(0)
        return result


class Likelihood(Protocol):
    """What :func:`maximise` climbs: covariates, and at any β the terms, score and information."""

    @property
    def x(self) -> Array:
        """Centred covariates (n, p)."""

    def terms(self, beta: Array) -> EventTerms:
        """Evaluate at ``beta``."""

    def score(self, terms: EventTerms) -> Array:
        """First derivative."""

    def information(self, terms: EventTerms) -> Array:
        """Minus the second derivative."""


@dataclass(frozen=True)
class Fit:
    """Maximum of the partial likelihood. ``diverged`` marks covariates whose coefficient runs to infinity."""

    beta: Array
    covariance: Array | None
    terms: EventTerms
    null: EventTerms
    iterations: int
    diverged: NDArray[np.bool_]

    @property
    def known_covariance(self) -> Array:
        """The covariance. Raises ValueError when the model was not estimable."""
        if self.covariance is None:
            raise ValueError("a model that was not estimable has no covariance")
        return self.covariance


def maximise(risk: Likelihood, *, tolerance: float = 1e-9) -> Fit:
    """Newton's method with step halving, to a relative change of ``tolerance`` in every standardised coefficient.

    ``covariance`` is None when the information is singular (a constant or collinear covariate).
    """
    p = risk.x.shape[1]
    spread = risk.x.std(axis=0)
    beta: Array = np.zeros(p)
    null = terms = risk.terms(beta)
    none = np.zeros(p, bool)
    step: Array = np.zeros(p)
    for iteration in range(1, MAX_ITERATIONS + 1):
        information = risk.information(terms)
        if not regular(information, spread):
            grown = np.abs(beta) * spread > SUSPECT  # what has run this far made it singular
            return Fit(beta, None, terms, null, iteration, grown)
        step = np.asarray(np.linalg.solve(information, risk.score(terms)), dtype=np.float64)
        trial = risk.terms(beta + step)
        for _ in range(30):
            if trial.log_likelihood >= terms.log_likelihood - 1e-12 * abs(terms.log_likelihood):
                break
            step = step / 2
            trial = risk.terms(beta + step)
        beta, terms = beta + step, trial
        if np.all(np.abs(step) * spread < tolerance * np.maximum(1.0, np.abs(beta) * spread)):
            return Fit(beta, _inverse(risk.information(terms)), terms, null, iteration, none)
        if np.any(np.abs(beta) * spread > RUNAWAY) and iteration > USUAL_ITERATIONS:
            break
    diverged = np.abs(step) * spread > 1e-4
    covariance = None if diverged.any() else _inverse(risk.information(terms))
    return Fit(beta, covariance, terms, null, MAX_ITERATIONS, diverged)


def _inverse(matrix: Array) -> Array:
    result: Array = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    return result


def regular(information: Array, spread: Array) -> bool:
    """Whether the information can be inverted; ``spread`` are the covariates' standard deviations."""
    if np.any(spread == 0) or not np.all(np.isfinite(information)):
        return False
    diagonal = np.sqrt(np.maximum(np.diag(information), 0))
    if np.any(diagonal == 0):
        return False
    return bool(np.linalg.cond(information / np.outer(diagonal, diagonal)) < 1e12)
