"""Hazard ratio of a continuous marker along a restricted cubic spline: look at the shape before choosing a cut-off.

Basis of Stone and Koo as in Harrell (2015): cubic between the knots, linear beyond the outer ones. Knots lie at Harrell's
quantiles of the marker. The likelihood ratio of the model with all terms against the linear one tests the curvature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import chi2_upper_tail, normal_quantile
from analytics.errors import AnalyticsError
from analytics.result import DRAWING, Finding, Interval, Test, interval_or_none, no_values, plural
from analytics.rounding import count, half_up, p_value
from analytics.survival.design import design
from analytics.survival.partial_likelihood import Fit, RiskSets, maximise

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
KNOT_QUANTILES = {
    3: (0.1, 0.5, 0.9),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.5, 0.725, 0.95),
}
"""Harrell (2015), table 2.3."""
POINTS = 101
"""Points of the drawn curve, whole per cents of the marker's range."""


def restricted_cubic_basis(x: Array, knots: Array) -> Array:
    """Columns x and its k − 2 curved terms, divided by the square of the distance of the outer knots: (n, k − 1)."""
    k = np.asarray(knots, np.float64)
    last, before = k[-1], k[-2]

    def cube(knot: float) -> Array:
        result: Array = np.maximum(x - knot, 0.0) ** 3
        return result

    scale = (last - k[0]) ** 2
    columns = [np.asarray(x, np.float64)]
    for knot in k[:-2]:
        curved = cube(knot) - cube(before) * (last - knot) / (last - before)
        curved += cube(last) * (before - knot) / (last - before)
        columns.append(curved / scale)
    return np.column_stack(columns)


@dataclass(frozen=True, kw_only=True)
class Spline(Finding):
    """Hazard ratio against ``reference`` over ``grid``; None with ``reason`` where it cannot be fitted.

    grid, ratio, low, high : (points,) marker values, hazard ratios and their pointwise 95 % Wald limits
    overall : likelihood ratio of all terms of the marker; curvature : of the curved ones
    """

    marker: str
    marker_unit: str
    events: int
    knots: tuple[float, ...]
    reference: float | None
    grid: Array = field(default_factory=no_values, repr=False, compare=False)
    ratio: Array = field(default_factory=no_values, repr=False, compare=False)
    low: Array = field(default_factory=no_values, repr=False, compare=False)
    high: Array = field(default_factory=no_values, repr=False, compare=False)
    overall: Test | None = None
    curvature: Test | None = None
    adjusted_for: tuple[str, ...] = ()
    coefficients: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    covariance: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)

    def ratio_at(self, value: float) -> tuple[float, Interval | None]:
        """Hazard ratio of a marker value against the reference, with its interval (None at the reference)."""
        if self.reference is None or self.reason:
            raise AnalyticsError(f"The spline was not fitted: {self.reason}.")
        logs, se = self._log_ratio(np.array([value]))
        b, s = float(logs[0]), float(se[0])
        return math.exp(b), interval_or_none(math.exp(b - Z * s), math.exp(b + Z * s), "Wald") if s else None

    def _log_ratio(self, values: Array) -> tuple[Array, Array]:
        knots = np.array(self.knots)
        gap = restricted_cubic_basis(values, knots) - restricted_cubic_basis(
            np.array([self.reference], np.float64), knots
        )
        return gap @ self.coefficients, np.sqrt(np.einsum("ij,jk,ik->i", gap, self.covariance, gap).clip(0))

    def sentence(self) -> str:
        """Tests of association and curvature."""
        if self.reason or self.overall is None:
            return f"{self.method} of {self.marker}: not estimable ({self.reason}); {self.counted()}."
        text = f"{self.marker}: restricted cubic spline with {len(self.knots)} knots, association "
        text += f"{p_value(self.overall.p)}"
        if self.curvature is not None:
            text += f", departure from a straight line {p_value(self.curvature.p)}"
        if self.adjusted_for:
            text += f", adjusted for {', '.join(self.adjusted_for)}"
        return f"{text}; {self.counted()} with {count(self.events)} {plural('event', self.events)}."

    def caption(self) -> str:
        """The sentence with the reference value, marked when simulated."""
        text = ("Simulated data. " if self.simulated else "") + self.sentence()
        if self.reference is None or self.reason:
            return text
        return f"{text} Reference {half_up(self.reference, 1)} {self.marker_unit}; pointwise Wald 95 % CI."


def spline_of(
    time: Array,
    event: Array,
    values: Array,
    *,
    marker: str = "marker",
    marker_unit: str = "",
    covariates: Mapping[str, Array] | None = None,
    knots: int = 4,
    reference: float | None = None,
    unit: str = "patient",
    simulated: bool = False,
) -> Spline:
    """Cox model (Efron) of a restricted cubic spline of ``values`` (n,), adjusted for ``covariates``.

    ``reference`` is the marker value with hazard ratio 1 (default: the median). The curve spans the 1st to 99th
    percentile.

    Raises
    ------
    AnalyticsError
        For negative times, events other than 0/1, or a number of knots other than 3, 4 or 5.
    """
    if knots not in KNOT_QUANTILES:
        raise AnalyticsError(f"{knots} knots: 3, 4 or 5 are known.")
    extra = dict(covariates or {})
    rows = design(time, event, {marker: np.asarray(values, np.float64)} | extra)
    x = rows.x[:, 0]
    common: dict[str, Any] = {
        "method": "Restricted cubic spline",
        "marker": marker,
        "marker_unit": marker_unit,
        "n": len(x),
        "events": int((rows.event == 1).sum()),
        "unit": unit,
        "adjusted_for": tuple(extra),
        "dropped": rows.dropped,
        "simulated": simulated,
    }
    why = rows.refusal()
    at = np.quantile(x, KNOT_QUANTILES[knots]) if why is None else np.empty(0)
    if why is None and np.any(np.diff(at) <= 0):
        why = f"{marker} has too few distinct values for {knots} knots"
    if why is not None:
        return Spline(knots=(), reference=None, reason=why, **common)
    happened = np.asarray(rows.event == 1)
    basis, others = restricted_cubic_basis(x, at), rows.x[:, 1:]
    full = _fit(rows.time, happened, np.column_stack([basis, others]))
    if full.covariance is None:
        why = "the likelihood has no finite maximum, or the covariates are collinear"
        return Spline(knots=tuple(at.tolist()), reference=None, reason=why, **common)
    linear = _fit(rows.time, happened, np.column_stack([x, others]))
    without = _fit(rows.time, happened, others).terms if others.shape[1] else full.null
    terms = basis.shape[1]
    middle = float(np.median(x)) if reference is None else float(reference)
    result = Spline(
        knots=tuple(at.tolist()),
        reference=middle,
        grid=np.linspace(float(np.quantile(x, 0.01)), float(np.quantile(x, 0.99)), POINTS),
        overall=_ratio_test(full.terms.log_likelihood - without.log_likelihood, terms),
        curvature=_ratio_test(full.terms.log_likelihood - linear.terms.log_likelihood, terms - 1),
        coefficients=full.beta[:terms],
        covariance=full.covariance[:terms, :terms],
        **common,
    )
    return _with_curve(result)


def _with_curve(result: Spline) -> Spline:
    logs, se = result._log_ratio(result.grid)
    return replace(result, ratio=np.exp(logs), low=np.exp(logs - Z * se), high=np.exp(logs + Z * se))


def _fit(time: Array, event: NDArray[np.bool_], x: Array) -> Fit:
    """Maximum over standardised columns, given back in their own units."""
    spread = x.std(axis=0)
    fit = maximise(RiskSets(time, event, (x - x.mean(axis=0)) / spread, None, True))
    covariance = None if fit.covariance is None else fit.covariance / np.outer(spread, spread)
    return Fit(fit.beta / spread, covariance, fit.terms, fit.null, fit.iterations, fit.diverged)


def _ratio_test(gain: float, df: int) -> Test:
    statistic = max(0.0, 2 * gain)
    return Test("likelihood ratio", statistic, (df,), chi2_upper_tail(statistic, df))
