"""Competing risks: cumulative incidence by cause (Aalen–Johansen) and Gray's test between groups.

One minus Kaplan–Meier, with the other causes censored, overestimates. Two variances are given: the infinitesimal
jackknife, from which the log-log interval is made, and Aalen's (1978), which Gray's (1988) programs print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import is_missing
from analytics.distributions import chi2_upper_tail, normal_quantile
from analytics.result import (
    DRAWING,
    Dropped,
    Finding,
    Interval,
    Result,
    Test,
    few_events,
    interval_or_none,
    unless,
)
from analytics.rounding import half_up, p_value, percent
from analytics.survival.follow_up import FollowedGroup, check
from analytics.survival.gray import gray_test
from analytics.survival.kaplan_meier import no_interval

Array = NDArray[np.float64]
Z = normal_quantile(0.975)


@dataclass(frozen=True)
class CauseCurve(FollowedGroup):
    """Cumulative incidence of one cause in one group, at the distinct times of events of any cause.

    Parameters
    ----------
    times, at_risk, events, incidence, variance, aalen_variance : (event times,)
        ``events`` counts this cause; ``variance`` is the infinitesimal jackknife's.
    follow_up : (n,) every observed time, sorted
    """

    name: str
    cause: int
    n: int
    times: Array
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    incidence: Array
    variance: Array
    aalen_variance: Array
    follow_up: Array

    def _value(self, values: Array, t: float) -> float:
        i = int(np.searchsorted(self.times, t, "right")) - 1
        return 0.0 if i < 0 else float(values[i])

    def incidence_at(self, t: float) -> tuple[float, Interval | None]:
        """F(t) with its log-log interval; None where F(t) is 0 or 1."""
        f, variance = self._value(self.incidence, t), self._value(self.variance, t)
        if not 0 < f < 1 - 1e-12:
            return f, None
        half = Z * math.sqrt(variance) / abs(f * math.log(f))
        return f, interval_or_none(f ** math.exp(half), f ** math.exp(-half), "log-log")

    def standard_error_at(self, t: float) -> float:
        """Infinitesimal-jackknife standard error of F(t)."""
        return math.sqrt(self._value(self.variance, t))

    def aalen_variance_at(self, t: float) -> float:
        """Aalen's variance of F(t)."""
        return self._value(self.aalen_variance, t)

    def to_dict(self) -> dict[str, Any]:
        """JSON form: the steps."""
        steps = {
            name: getattr(self, name).tolist()
            for name in ("times", "at_risk", "events", "incidence", "variance")
        }
        return {"name": self.name, "cause": self.cause, "n": self.n} | steps


def aalen_johansen(time: Array, event: Array, *, cause: int = 1, name: str = "all") -> CauseCurve:
    """The curve of ``cause`` in one group; ``event`` is 0 censored, 1, 2 … causes, without missing values."""
    order = np.argsort(time, kind="stable")
    time, event = time[order], event[order]
    times = np.unique(time[event > 0])
    mine = np.bincount(np.searchsorted(times, time[event == cause]), minlength=len(times))
    all_causes = np.bincount(np.searchsorted(times, time[event > 0]), minlength=len(times))
    at_risk = len(time) - np.searchsorted(time, times, "left")
    survival = np.cumprod(1 - all_causes / at_risk, dtype=np.float64)
    before = np.concatenate([[1.0], survival[:-1]])
    incidence = np.cumsum(before * mine / at_risk)
    steps = _Steps(times, at_risk, mine, all_causes, before, survival, incidence)
    return CauseCurve(
        name,
        cause,
        len(time),
        times,
        at_risk,
        mine,
        incidence,
        _jackknife_variance(steps, time, event, cause),
        _aalen_variance(steps),
        time,
    )


@dataclass(frozen=True)
class _Steps:
    times: Array
    at_risk: NDArray[np.int64]
    mine: NDArray[np.int64]
    all_causes: NDArray[np.int64]
    before: Array
    survival: Array
    incidence: Array


def _aalen_variance(s: _Steps) -> Array:
    """Sum over events u <= t of S(u−)²/n² times [1{this cause} − (F(t) − F(u))/S(u)]², with the tie correction.

    The square is expanded in powers of F(t), so that all times come from three cumulative sums.
    """
    rest = np.maximum(s.at_risk - 1, 1)
    other = s.all_causes - s.mine
    inverse = np.divide(1.0, s.survival, out=np.zeros_like(s.survival), where=s.survival > 1e-14)
    base = (s.before / s.at_risk) ** 2
    weights = (
        base * s.mine * (s.at_risk - s.mine) / rest,
        base * other * (s.at_risk - other) / rest,
    )
    constants = (1 + s.incidence * inverse, s.incidence * inverse)
    square = np.cumsum(sum(w * c**2 for w, c in zip(weights, constants, strict=True)))
    cross = np.cumsum(sum(w * c * inverse for w, c in zip(weights, constants, strict=True)))
    slope = np.cumsum(sum(w * inverse**2 for w in weights))
    f = s.incidence
    result: Array = np.maximum(square - 2 * f * cross + f**2 * slope, 0.0)
    return result


def _jackknife_variance(s: _Steps, time: Array, event: Array, cause: int) -> Array:
    """Sum of squared influences of every row on F(t), quadratic in F(t) and therefore again cumulative."""
    if not len(s.times):
        return np.empty(0)
    hazard, hazard_mine = s.all_causes / s.at_risk, s.mine / s.at_risk
    a = s.before / s.at_risk
    alive = s.survival > 1e-14
    b = np.divide(1.0, s.at_risk * (1 - hazard), out=np.zeros_like(a), where=alive)
    # influence at t of a row that left at step k <= t:  p_k + F(t) q_k
    p_drift = np.cumsum(-hazard_mine * a - hazard * b * s.incidence)
    q_drift = np.cumsum(hazard * b)
    step = np.searchsorted(s.times, time, "right") - 1
    inside = step >= 0
    k = np.maximum(step, 0)
    p = np.where(inside, p_drift[k], 0.0)
    q = np.where(inside, q_drift[k], 0.0)
    p += np.where(event == cause, a[k], 0.0) + np.where(event > 0, b[k] * s.incidence[k], 0.0)
    q -= np.where(event > 0, b[k], 0.0)
    left = np.searchsorted(time, s.times, "right")
    # Rows censored between two steps share the drift of the earlier one.
    totals = [np.concatenate([[0.0], np.cumsum(v)])[left] for v in (p * p, p * q, q * q)]
    staying = len(time) - left
    f = s.incidence
    still = (p_drift + f * q_drift) ** 2 * staying
    result: Array = np.maximum(totals[0] + 2 * f * totals[1] + f**2 * totals[2] + still, 0.0)
    return result


@dataclass(frozen=True, kw_only=True)
class CompetingIncidence(Result):
    """Cumulative incidence by cause and group.

    ``estimate`` is that of the first cause in the last group at ``horizon``; ``test`` is Gray's for the first cause,
    ``other_tests`` for the others; ``test_reason`` says why there is none. ``curves`` holds every group of the first cause, then of the second, and so on.
    """

    curves: tuple[CauseCurve, ...] = field(default=(), metadata=DRAWING)
    horizon: float
    time_unit: str
    outcomes: tuple[str, ...]
    naive: float | None = None
    other_tests: tuple[Test | None, ...] = ()
    test_reason: str | None = None

    caption = Finding.caption

    def of(self, cause: int) -> tuple[CauseCurve, ...]:
        """The groups' curves of one cause."""
        return tuple(c for c in self.curves if c.cause == cause)

    def sentence(self) -> str:
        """Incidence per cause and group at the horizon, and Gray's test."""
        if not self.curves:
            return super().sentence()
        parts = []
        for curve in self.curves:
            value, interval = curve.incidence_at(self.horizon)
            limits = f", no interval ({no_interval(value)})"
            if interval is not None:
                limits = f", 95 % CI {percent(interval.low)}–{percent(interval.high)}"
            where = "" if curve.name == "all" else f" ({curve.name})"
            parts.append(f"{self.outcomes[curve.cause - 1]}{where} {percent(value)} %{limits}")
        text = f"Cumulative incidence at {half_up(self.horizon, 1)} {self.time_unit}: " + "; ".join(parts)
        if self.test is not None:
            text += f"; Gray's test for {self.outcomes[0]} χ² {half_up(self.test.statistic, 2)}, {p_value(self.test.p)}"
        if self.naive is not None:
            text += f"; one minus Kaplan–Meier would say {percent(self.naive)} %"
        return f"{text} (Aalen–Johansen, log-log interval), {self.counted()}."

    def to_dict(self) -> dict[str, Any]:
        """JSON form with the steps of every curve."""
        return super().to_dict() | {"curves": [c.to_dict() for c in self.curves]}


def competing_incidence_of(
    time: Array,
    event: Array,
    *,
    outcomes: Sequence[str],
    horizon: float,
    groups: Sequence[Any] | None = None,
    unit: str = "patient",
    time_unit: str = "years",
    simulated: bool = False,
) -> CompetingIncidence:
    """Cumulative incidence by cause and group, with Gray's test; incomplete rows are dropped and counted.

    Parameters
    ----------
    event : (n,) 0 censored, 1 the outcome, 2 … the competing ones, in the order of ``outcomes`` (their names)

    Raises
    ------
    AnalyticsError
        For negative times or an event without a name in ``outcomes``.
    """
    time, event = check(time, event, causes=len(outcomes))
    labels = ["all"] * len(time) if groups is None else list(groups)
    no_time = np.isnan(time) | np.isnan(event)
    no_group = np.array([is_missing(g) for g in labels], bool)
    dropped = tuple(
        Dropped(int(gone.sum()), why)
        for gone, why in (
            (no_time, "time or event is missing"),
            (no_group & ~no_time, "group is missing"),
        )
        if gone.any()
    )
    keep = ~(no_time | no_group)
    time, event = time[keep], event[keep]
    kept = np.array([str(g) for g, k in zip(labels, keep, strict=True) if k], dtype=object)
    names = list(dict.fromkeys(kept))
    common: dict[str, Any] = {
        "method": "Cumulative incidence with competing risks, Aalen–Johansen",
        "n": len(time),
        "unit": unit,
        "dropped": dropped,
        "horizon": horizon,
        "time_unit": time_unit,
        "outcomes": tuple(outcomes),
        "simulated": simulated,
    }
    if not len(time):
        return CompetingIncidence(estimate=None, reason="no row with time and event", **common)
    curves = tuple(
        aalen_johansen(time[kept == name], event[kept == name], cause=cause, name=name)
        for cause in range(1, len(outcomes) + 1)
        for name in names
    )
    coded = np.array([names.index(name) for name in kept])
    tests = [
        _gray(time, event, coded, len(names), cause) if len(names) > 1 else None
        for cause in range(1, len(outcomes) + 1)
    ]
    value, interval = curves[len(names) - 1].incidence_at(horizon)
    last = kept == names[-1]
    naive = aalen_johansen(time[last], (event[last] == 1) * 1.0).incidence_at(horizon)[0]
    why = _why_no_test(event, names) if tests[0] is None else None
    return CompetingIncidence(
        estimate=value,
        interval=interval,
        interval_reason=unless(interval, no_interval(value)),
        curves=curves,
        naive=naive,
        test=tests[0],
        other_tests=tuple(tests[1:]),
        test_reason=why,
        warnings=few_events(int((event == 1).sum())) if np.any(event == 1) else (),
        **common,
    )


def _why_no_test(event: Array, names: list[str]) -> str:
    if len(names) < 2:
        return "one group only"
    return "the groups never overlap in time" if np.any(event == 1) else "no events"


def _gray(time: Array, event: Array, groups: NDArray[np.int64], number: int, cause: int) -> Test | None:
    statistic = gray_test(time, event, groups, number, cause=cause)
    if statistic is None:
        return None
    return Test("Gray", statistic, (number - 1,), chi2_upper_tail(statistic, number - 1))
