"""Restricted mean survival time: event-free time up to a horizon, and its difference between groups.

The area under Kaplan–Meier up to τ (Royston and Parmar 2013); it needs no proportional hazards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import is_missing
from analytics.distributions import normal_quantile, normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Finding, Interval, Result, Test, few_events, unless
from analytics.rounding import half_up, p_value
from analytics.survival.follow_up import check
from analytics.survival.kaplan_meier import Curve, kaplan_meier

Array = NDArray[np.float64]
Z = normal_quantile(0.975)


@dataclass(frozen=True, kw_only=True)
class RestrictedMean(Result):
    """Event-free time of one group up to ``tau``, with its standard error."""

    group: str
    tau: float
    se: float | None = None


@dataclass(frozen=True, kw_only=True)
class RestrictedMeans(Result):
    """Last group minus first (``estimate``); with one group, its own restricted mean. ``groups`` holds each."""

    groups: tuple[RestrictedMean, ...]
    tau: float
    se: float | None = None
    time_unit: str = "years"

    caption = Finding.caption

    def sentence(self) -> str:
        """Each group's time and the difference."""
        if not self.groups or self.estimate is None:
            return super().sentence()
        parts = [
            f"{g.group} {half_up(g.estimate, 2)}"
            + (f" ({g.interval.text(2)})" if g.interval else f" (no interval: {g.interval_reason})")
            for g in self.groups
            if g.estimate is not None
        ]
        text = f"Event-free time up to {half_up(self.tau, 1)} {self.time_unit}: {'; '.join(parts)} {self.time_unit}"
        if len(self.groups) > 1 and self.estimate is not None:
            text += f"; difference {half_up(self.estimate, 2)}"
            text += (
                f" ({self.interval.text(2)})" if self.interval else f" (no interval: {self.interval_reason})"
            )
            text += f", {p_value(self.test.p)}" if self.test else ""
        return f"{text}; {self.counted()}."


def restricted_means_of(
    time: Array,
    event: Array,
    *,
    tau: float,
    groups: Sequence[Any] | None = None,
    unit: str = "patient",
    time_unit: str = "years",
    simulated: bool = False,
) -> RestrictedMeans:
    """Restricted means up to ``tau`` by group (sorted by name); incomplete rows are dropped and counted.

    A group whose follow-up ends before ``tau`` with somebody event-free has none; the reason names the latest ``tau``.

    Raises
    ------
    AnalyticsError
        For negative times, events other than 0/1, or a ``tau`` that is not above 0.
    """
    if not tau > 0:
        raise AnalyticsError(f"The horizon {tau:g} is not above 0.")
    time, event = check(time, event)
    labels = ["all"] * len(time) if groups is None else list(groups)
    if len(labels) != len(time):
        raise AnalyticsError(f"Groups have {len(labels)} rows, the times have {len(time)}.")
    gone = np.isnan(time) | np.isnan(event) | np.array([is_missing(g) for g in labels], bool)
    time, event = time[~gone], event[~gone]
    kept = np.array([str(g) for g, out in zip(labels, gone, strict=True) if not out], dtype=object)
    found = tuple(
        _one(kaplan_meier(time[kept == name], event[kept == name], name), tau, unit, simulated)
        for name in sorted(set(kept.tolist()))
    )
    common: dict[str, Any] = {
        "method": f"restricted mean survival time up to {half_up(tau, 2)}",
        "n": len(time),
        "unit": unit,
        "dropped": (Dropped(int(gone.sum()), "time, event or group is missing"),) if gone.any() else (),
        "tau": tau,
        "time_unit": time_unit,
        "simulated": simulated,
        "warnings": few_events(int(event.sum())) if len(time) else (),
    }
    if not found:
        return RestrictedMeans(estimate=None, reason="no row with time and event", groups=(), **common)
    values = [g.estimate for g in found if g.estimate is not None]
    if len(values) < len(found):
        reason = next(g.reason for g in found if g.estimate is None)
        return RestrictedMeans(estimate=None, reason=reason, groups=found, **common)
    if len(found) == 1:
        alone = found[0]
        return RestrictedMeans(
            estimate=alone.estimate,
            interval=alone.interval,
            interval_reason=alone.interval_reason,
            se=alone.se,
            groups=found,
            **common,
        )
    return _difference(values[-1] - values[0], found, common)


def _one(curve: Curve, tau: float, unit: str, simulated: bool) -> RestrictedMean:
    common: dict[str, Any] = {
        "method": "restricted mean survival time",
        "n": curve.n,
        "unit": unit,
        "group": curve.name,
        "tau": tau,
        "simulated": simulated,
    }
    last = float(curve.follow_up[-1])
    if last < tau and curve.survival_at(last) > 0:
        why = f"{curve.name} is followed up to {last:g} only: choose an earlier horizon"
        return RestrictedMean(estimate=None, reason=why, **common)
    area, se = curve.restricted_mean(tau)
    interval = Interval(area - Z * se, area + Z * se, "Greenwood") if se else None
    missing = unless(interval, "no event by then")
    return RestrictedMean(estimate=area, interval=interval, interval_reason=missing, se=se, **common)


def _difference(gap: float, found: tuple[RestrictedMean, ...], common: dict[str, Any]) -> RestrictedMeans:
    se = math.hypot(found[0].se or 0.0, found[-1].se or 0.0)
    if se == 0:
        why = "no event by then in any group"
        return RestrictedMeans(estimate=gap, interval_reason=why, se=se, groups=found, **common)
    return RestrictedMeans(
        estimate=gap,
        se=se,
        groups=found,
        interval=Interval(gap - Z * se, gap + Z * se, "Greenwood"),
        test=Test("z", gap / se, (), normal_two_sided_p(gap / se)),
        **common,
    )
