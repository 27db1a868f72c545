"""Kaplan–Meier cumulative incidence with log-log intervals, number at risk and log-rank.

Events come before censorings at the same time. Standard error: Greenwood. One minus survival is the cumulative
incidence only where no competing event exists.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import is_missing
from analytics.distributions import normal_quantile
from analytics.result import Dropped, Finding, Interval, Result, few_events, plural, unless
from analytics.rounding import count, half_up, p_value, percent
from analytics.survival.follow_up import FollowedGroup, check
from analytics.survival.log_rank import log_rank

Z = normal_quantile(0.975)


@dataclass(frozen=True)
class Curve(FollowedGroup):
    """The Kaplan–Meier curve of one group, at its distinct event times.

    Parameters
    ----------
    times, at_risk, events, survival, variance : (event times,)
        ``variance`` is Greenwood's sum Σ d/(n(n−d)) (infinite once survival is 0); SE = survival √variance.
    follow_up : (n,) every observed time, sorted
    """

    name: str
    n: int
    total_events: int
    times: NDArray[np.float64]
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    survival: NDArray[np.float64]
    variance: NDArray[np.float64]
    follow_up: NDArray[np.float64]

    def _step(self, t: float) -> int:
        return int(np.searchsorted(self.times, t, "right")) - 1

    def survival_at(self, t: float) -> float:
        """S(t), right-continuous."""
        i = self._step(t)
        return 1.0 if i < 0 else float(self.survival[i])

    def standard_error_at(self, t: float) -> float | None:
        """Greenwood's SE of S(t); None once nobody is left."""
        i = self._step(t)
        if i < 0:
            return 0.0
        return (
            float(self.survival[i]) * math.sqrt(self.variance[i]) if math.isfinite(self.variance[i]) else None
        )

    def survival_limits_at(self, t: float, transform: str = "log-log") -> tuple[float, float] | None:
        """95 % limits of S(t): ``log-log`` (default), ``log`` or ``plain``; None where S(t) is 0."""
        i = self._step(t)
        if i < 0:
            return 1.0, 1.0
        return limits(float(self.survival[i]), float(self.variance[i]), transform)

    def incidence_at(self, t: float) -> tuple[float, Interval | None]:
        """Cumulative incidence at t with its log-log interval; None before the first event and once all had one."""
        s = self.survival_at(t)
        both = self.survival_limits_at(t)
        if both is None or s in (0.0, 1.0):
            return 1 - s, None
        return 1 - s, Interval(1 - both[1], 1 - both[0], "log-log")

    def median(self) -> float | None:
        """Median time: the first at which survival is 0.5 or less (midway to the next step when exactly 0.5)."""
        return quantile(self.times, self.survival, 0.5)

    def median_interval(self, transform: str = "log-log") -> tuple[float | None, float | None]:
        """95 % limits of the median (Brookmeyer and Crowley 1982): where the limits of S(t) cross one half.

        None for a limit that follow-up does not reach.
        """
        both = [
            limits(float(s), float(v), transform) for s, v in zip(self.survival, self.variance, strict=True)
        ]
        low, high = (
            np.array([np.nan if pair is None else pair[side] for pair in both], np.float64) for side in (0, 1)
        )
        return quantile(self.times, low, 0.5), quantile(self.times, high, 0.5)

    def restricted_mean(self, tau: float) -> tuple[float, float]:
        """Area under S up to tau, and its standard error."""
        inside = self.times <= tau
        edges = np.concatenate([[0.0], self.times[inside], [tau]])
        heights = np.concatenate([[1.0], self.survival[inside]])
        areas = heights * np.diff(edges)
        right = areas[::-1].cumsum()[::-1][1:]
        n, d = self.at_risk[inside], self.events[inside]
        usable = n > d
        variance = float((right[usable] ** 2 * d[usable] / (n[usable] * (n[usable] - d[usable]))).sum())
        return float(areas.sum()), math.sqrt(variance)

    def to_dict(self) -> dict[str, Any]:
        """JSON form: the steps."""
        return {
            "name": self.name,
            "n": self.n,
            "events": self.total_events,
            "median": self.median(),
            "median_interval": list(self.median_interval()),
            "times": self.times.tolist(),
            "at_risk": self.at_risk.tolist(),
            "survival": self.survival.tolist(),
        }


def no_interval(incidence: float) -> str:
    """Why a cumulative incidence has no log-log interval."""
    if incidence <= 0:
        return "no event by then"
    return "everybody had the event by then" if incidence >= 1 - 1e-12 else "its variance is not finite"


def limits(survival: float, variance: float, transform: str) -> tuple[float, float] | None:
    """95 % limits of a survival probability from Greenwood's sum; None where survival is 0."""
    if survival <= 0 or not math.isfinite(variance):
        return None
    if survival >= 1:
        return 1.0, 1.0
    se = math.sqrt(variance)
    if transform == "plain":
        return max(0.0, survival * (1 - Z * se)), min(1.0, survival * (1 + Z * se))
    if transform == "log":
        return survival * math.exp(-Z * se), min(1.0, survival * math.exp(Z * se))
    half = Z * se / abs(math.log(survival))
    return survival ** math.exp(half), survival ** math.exp(-half)


def quantile(times: NDArray[np.float64], survival: NDArray[np.float64], p: float) -> float | None:
    """First time at which survival falls to p or below; midway to the next step when it equals p."""
    reached = np.flatnonzero(survival <= p + 1e-12)
    if not reached.size:
        return None
    i = int(reached[0])
    if abs(survival[i] - p) < 1e-9 and i + 1 < len(times):
        return float(times[i] + times[i + 1]) / 2
    return float(times[i])


def kaplan_meier(
    time: NDArray[np.float64],
    event: NDArray[np.float64],
    name: str = "all",
    *,
    entry: NDArray[np.float64] | None = None,
) -> Curve:
    """The curve of one group, from times and 0/1 events without missing values.

    With ``entry`` a row is at risk at t where entry < t <= time.
    """
    order = np.sort(time)
    times, deaths = np.unique(time[event == 1], return_counts=True)
    at_risk = len(time) - np.searchsorted(order, times, "left")
    if entry is not None:
        at_risk = at_risk - (len(time) - np.searchsorted(np.sort(entry), times, "left"))
    survival = np.cumprod(1 - deaths / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore"):
        steps = np.asarray(deaths / (at_risk * (at_risk - deaths)), dtype=np.float64)
    return Curve(
        name, len(time), int(deaths.sum()), times, at_risk, deaths, survival, np.cumsum(steps), order
    )


@dataclass(frozen=True, kw_only=True)
class CumulativeIncidence(Result):
    """Cumulative incidence of groups. ``estimate`` is that of the last group at ``horizon``; ``test`` is log-rank.

    ``test_reason`` says why there is no test.
    """

    curves: tuple[Curve, ...]
    horizon: float
    time_unit: str
    outcome: str
    follow_up_median: float | None
    follow_up_quartiles: tuple[float | None, float | None]
    test_reason: str | None = None

    caption = Finding.caption

    def sentence(self) -> str:
        """Incidence per group at the horizon, and the log-rank test."""
        if not self.curves:
            return f"Cumulative incidence of {self.outcome}: not estimable ({self.reason}); {self.counted()}."
        parts = []
        for curve in self.curves:
            value, interval = curve.incidence_at(self.horizon)
            inside = f" (no interval: {no_interval(value)})"
            if interval is not None:
                inside = f" ({percent(interval.low)}–{percent(interval.high)})"
            parts.append(
                f"{curve.name}: {percent(value)} %{inside}, {count(curve.total_events)} {plural('event', curve.total_events)} in {count(curve.n)}"
            )
        text = f"Cumulative incidence of {self.outcome} at {half_up(self.horizon, 1)} {self.time_unit} (Kaplan–Meier, log-log 95 % CI): "
        text += "; ".join(parts)
        if self.test is not None:
            text += f"; log-rank χ² {half_up(self.test.statistic, 2)}, {p_value(self.test.p)}"
        elif self.test_reason:
            text += f"; log-rank not estimable ({self.test_reason})"
        warned = "".join(f"; {w}" for w in self.warnings)
        return f"{text}; {self.counted()}{warned}."


def cumulative_incidence_of(
    time: NDArray[np.float64],
    event: NDArray[np.float64],
    *,
    groups: Sequence[Any] | None = None,
    order: Sequence[Any] = (),
    horizon: float,
    unit: str = "patient",
    time_unit: str = "years",
    outcome: str = "event",
    simulated: bool = False,
) -> CumulativeIncidence:
    """Cumulative incidence by group with log-rank; rows with a missing entry are dropped and counted.

    ``order`` fixes the order of the groups and may name groups without members, which are left out.
    """
    time, event = check(time, event)
    labels = ["all"] * len(time) if groups is None else list(groups)
    missing_group = np.array([is_missing(g) for g in labels], bool)
    missing_time = np.isnan(time) | np.isnan(event)
    dropped = tuple(
        Dropped(int(n), why)
        for n, why in (
            (missing_time.sum(), "time or event is missing"),
            ((missing_group & ~missing_time).sum(), "group is missing"),
        )
        if n
    )
    keep = ~(missing_time | missing_group)
    time, event = time[keep], event[keep]
    kept = np.array([str(g) for g, k in zip(labels, keep, strict=True) if k], dtype=object)
    names = [str(name) for name in order if str(name) in set(kept)] or list(dict.fromkeys(kept))
    curves = tuple(kaplan_meier(time[kept == name], event[kept == name], name) for name in names)
    common: dict[str, Any] = {
        "method": "Kaplan–Meier cumulative incidence, log-log interval",
        "n": len(time),
        "unit": unit,
        "dropped": dropped,
        "curves": curves,
        "horizon": horizon,
        "time_unit": time_unit,
        "outcome": outcome,
        "simulated": simulated,
    }
    if not len(time):
        return CumulativeIncidence(
            estimate=None,
            reason="no row with time and event",
            follow_up_median=None,
            follow_up_quartiles=(None, None),
            **common,
        )
    reverse = kaplan_meier(time, 1 - event)
    common |= {
        "follow_up_median": reverse.median(),
        "follow_up_quartiles": (
            quantile(reverse.times, reverse.survival, 0.75),
            quantile(reverse.times, reverse.survival, 0.25),
        ),
    }
    value, interval = curves[-1].incidence_at(horizon)
    codes = np.array([names.index(name) for name in kept])
    compared = log_rank(time, event, codes, len(names), unit=unit)
    return CumulativeIncidence(
        estimate=value,
        interval=interval,
        interval_reason=unless(interval, no_interval(value)),
        test=compared.test,
        test_reason=compared.reason,
        warnings=few_events(int(event.sum())) if event.any() else (),
        **common,
    )
