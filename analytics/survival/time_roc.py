"""Time-dependent AUC: whether the marker orders those with an event by t before those still free of it after t.

Cumulative cases, dynamic controls, cases weighted by the inverse probability of being uncensored (Uno 2007). The standard
error is that of the influence functions, the estimation of the censoring curve included (Blanche and others 2013).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import normal_quantile, normal_two_sided_p
from analytics.result import Finding, Interval, Result, Test, plural, unless
from analytics.rounding import count, half_up
from analytics.survival.censoring import uncensored_before
from analytics.survival.concordance import complete

Array = NDArray[np.float64]
Z = normal_quantile(0.975)


@dataclass(frozen=True, kw_only=True)
class AucAt(Result):
    """AUC at one time; ``censored`` rows were lost before it and speak only through the weights."""

    time: float
    se: float | None = None
    cases: int
    controls: int
    censored: int


@dataclass(frozen=True, kw_only=True)
class TimeAuc(Finding):
    """AUC at several times of one marker."""

    at: tuple[AucAt, ...]
    marker: str
    time_unit: str

    def sentence(self) -> str:
        """Every AUC with its interval."""
        parts = []
        for a in self.at:
            when = f"at {half_up(a.time, 1)} {self.time_unit}"
            if a.estimate is None:
                parts.append(f"{when} not estimable ({a.reason})")
                continue
            limits = f", no interval ({a.interval_reason})"
            if a.interval is not None:
                limits = f", 95 % CI {a.interval.text(3)}"
            parts.append(
                f"{when} {half_up(a.estimate, 3)}{limits} ({count(a.cases)} {plural('case', a.cases)}, {count(a.controls)} {plural('control', a.controls)})"
            )
        return f"Time-dependent AUC of {self.marker} (cumulative cases, dynamic controls): {'; '.join(parts)}; {self.counted()}."


def time_auc_of(
    time: Array,
    event: Array,
    values: Array,
    times: Sequence[float],
    *,
    marker: str = "marker",
    unit: str = "patient",
    time_unit: str = "years",
    simulated: bool = False,
) -> TimeAuc:
    """AUC of ``values`` (n,) (high means early event) at ``times``; incomplete rows are dropped and counted.

    Raises
    ------
    AnalyticsError
        For negative times or events other than 0/1.
    """
    time, event, (values,), dropped = complete(time, event, values)
    happened = np.asarray(event == 1)
    g = uncensored_before(time, happened, time)
    common: dict[str, Any] = {
        "method": "time-dependent AUC, inverse-probability-of-censoring weights",
        "n": len(time),
        "unit": unit,
        "dropped": dropped,
        "simulated": simulated,
    }
    at = tuple(_auc_at(time, happened, values, g, float(t), common) for t in times)
    reason = None if len(time) else "no row with time, event and marker"
    return TimeAuc(at=at, marker=marker, time_unit=time_unit, reason=reason, **common)


def _auc_at(
    time: Array, event: NDArray[np.bool_], values: Array, g: Array, t: float, common: dict[str, Any]
) -> AucAt:
    case, control = event & (time <= t), time > t
    size: dict[str, Any] = {
        "time": t,
        "cases": int(case.sum()),
        "controls": int(control.sum()),
        "censored": int((~case & ~control).sum()),
    }
    if not case.any() or not control.any():
        why = "no event by then" if not case.any() else "nobody is followed beyond it"
        return AucAt(estimate=None, reason=why, **common, **size)
    weight = np.divide(1.0, g, out=np.zeros(len(g)), where=case)
    won_by_case = _sum_below(values[control], np.ones(size["controls"]), values)
    lost_by_control = weight.sum() - _sum_below(values[case], weight[case], values)
    total = float(weight.sum()) * size["controls"]
    auc = float(weight @ won_by_case) / total
    influence = weight * (won_by_case - auc * size["controls"])
    through_g = _through_censoring(time, event, influence)
    influence = (influence + control * (lost_by_control - auc * weight.sum()) + through_g) / total
    se = float(influence.std(ddof=1)) * math.sqrt(len(time))
    test = Test("z against 0.5", (auc - 0.5) / se, (), normal_two_sided_p((auc - 0.5) / se)) if se else None
    interval = Interval(max(0.0, auc - Z * se), min(1.0, auc + Z * se), "influence functions") if se else None
    no_spread = unless(interval, "the AUC has no spread")
    return AucAt(
        estimate=auc, interval=interval, interval_reason=no_spread, se=se, test=test, **common, **size
    )


def _sum_below(values: Array, weights: Array, bounds: Array) -> Array:
    """Weight of ``values`` below each bound, ties counting half."""
    order = np.argsort(values, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weights[order])])
    ranked = values[order]
    low, high = (np.searchsorted(ranked, bounds, side) for side in ("left", "right"))
    result: Array = (total[low] + total[high]) / 2
    return result


def _through_censoring(time: Array, event: NDArray[np.bool_], own: Array) -> Array:
    """What every row changes in the weighted sum through G: the censoring martingale of later cases' shares."""
    order = np.argsort(time, kind="stable")
    t, e = time[order], event[order]
    later = np.concatenate([np.cumsum(own[order][::-1])[::-1], [0.0]])[np.searchsorted(t, t, "right")]
    dead = t[e]
    same = np.searchsorted(dead, t, "right") - np.searchsorted(dead, t, "left")
    at_risk = len(t) - np.searchsorted(t, t, "left") - np.where(e, 0, same)
    q = np.where(e, 0.0, later / at_risk)
    drift = np.concatenate([[0.0], np.cumsum(q / at_risk)])[np.searchsorted(t, t, "right")]
    result = np.empty(len(t))
    result[order] = q - drift
    return result
