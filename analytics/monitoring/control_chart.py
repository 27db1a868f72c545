"""Control charts, which show whether a share or a mean drifts from period to period.

Shewhart's charts: a centre line from all periods of the chart, limits at three standard errors of each period's own
size (p chart for shares, x̄ chart for means). A period is marked when it lies beyond the limits, or is the eighth in a
row on one side of the centre (Western Electric 1956; Montgomery 2009). With many cases a period, shares vary more than
binomially; limits are then widened by the observed spread between periods (Laney 2002), and the chart says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.errors import AnalyticsError
from analytics.result import Result, plural
from analytics.rounding import half_up, percent

Array = NDArray[np.float64]
SIGMAS = 3.0
"""Shewhart's limits: 0.27 % of the points of a stable process lie beyond."""
RUN = 8
"""Western Electric 1956: eight in a row on one side have a chance of 0.8 %."""
LEAST_PERIODS = 3
"""Two periods have one step between them, which shows no drift."""
MOST_NAMED = 4
"""Marked periods that a sentence names one by one."""
MOVING_RANGE = 1.128
"""Mean range of two normal values over their SD."""


@dataclass(frozen=True)
class Period:
    """One point of a chart; limits are None where the period is empty. ``alarm`` says why it is marked."""

    name: str
    n: int
    value: float | None
    low: float | None
    high: float | None
    alarm: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class ControlChart(Result):
    """Centre line (``estimate``) and periods in order of time; ``period`` is what one is (month …). ``widened`` is Laney's factor of the limits (1: none)."""

    NO_INTERVAL = "a chart has limits for each period, not an interval of its centre"

    kind: str
    what: str
    value_unit: str = ""
    period: str = "period"
    periods: tuple[Period, ...] = field(default=())
    widened: float = 1.0

    @property
    def alarms(self) -> tuple[Period, ...]:
        """Periods that are marked."""
        return tuple(p for p in self.periods if p.alarm)

    def sentence(self) -> str:
        """Centre, periods and alarms in words."""
        if self.estimate is None:
            return f"{self.what}: not estimable ({self.reason})."
        centre = (
            f"{percent(self.estimate)} %"
            if self.kind == "p"
            else f"{half_up(self.estimate, 2)} {self.value_unit}".rstrip()
        )
        text = f"{self.what}: centre {centre}, {len(self.periods)} {plural(self.period, len(self.periods))}, {self.counted()}"
        if self.widened > 1:
            text += f"; limits widened by {half_up(self.widened, 2)} (spread between periods)"
        if not self.alarms:
            return text + "; no alarm."
        if len(self.alarms) > MOST_NAMED:
            kinds = Counter(p.alarm for p in self.alarms)
            return (
                text
                + f"; {len(self.alarms)} marked: "
                + ", ".join(f"{n} {a}" for a, n in kinds.items())
                + "."
            )
        return text + "; marked: " + ", ".join(f"{p.name} ({p.alarm})" for p in self.alarms) + "."

    def caption(self) -> str:
        """The sentence, marked when simulated."""
        return ("Simulated data. " if self.simulated else "") + self.sentence()


def proportion_chart(
    flags: Array,
    periods: Sequence[str],
    *,
    what: str,
    unit: str = "exam",
    period: str = "period",
    simulated: bool = False,
) -> ControlChart:
    """Chart of a share (p chart): flags (n,) of 0/1 (NaN is dropped) by period, periods in order of their names.

    Raises AnalyticsError for flags other than 0/1.
    """
    values = np.asarray(flags, np.float64)
    bad = np.flatnonzero(~np.isnan(values) & ~np.isin(values, (0, 1)))
    if bad.size:
        raise AnalyticsError(f"Row {bad[0] + 1}: {values[bad[0]]:g} is not 0 or 1.")
    of, names, values = _sorted(values, periods)
    common: dict[str, Any] = {
        "kind": "p",
        "what": what,
        "n": len(values),
        "unit": unit,
        "period": period,
        "simulated": simulated,
    }
    common["method"] = "p chart"
    n = np.bincount(of, minlength=len(names))
    x = np.bincount(of, weights=values, minlength=len(names))
    reason = _why_not(names)
    if reason:
        return ControlChart(estimate=None, reason=reason, **common)
    centre = float(x.sum() / n.sum())
    share = np.divide(x, n, out=np.full(len(n), np.nan), where=n > 0)
    se = np.sqrt(centre * (1 - centre) / np.maximum(n, 1))
    widened = 1.0
    if centre * (1 - centre) > 0:
        z = ((share - centre) / se)[n > 0]
        widened = max(1.0, float(np.abs(np.diff(z)).mean()) / MOVING_RANGE)
    half = SIGMAS * se * widened
    rows = _rows(names, n, share, np.maximum(centre - half, 0), np.minimum(centre + half, 1), centre)
    return ControlChart(estimate=centre, periods=rows, widened=widened, **common)


def mean_chart(
    values: Array,
    periods: Sequence[str],
    *,
    what: str,
    value_unit: str = "",
    unit: str = "exam",
    period: str = "period",
    simulated: bool = False,
) -> ControlChart:
    """x̄ chart of values (n,) (NaN is dropped) by period; the spread is that within periods."""
    of, names, kept = _sorted(np.asarray(values, np.float64), periods)
    common: dict[str, Any] = {
        "kind": "mean",
        "what": what,
        "value_unit": value_unit,
        "n": len(kept),
        "unit": unit,
        "period": period,
        "simulated": simulated,
        "method": "x̄ chart",
    }
    n = np.bincount(of, minlength=len(names))
    reason = _why_not(names)
    if reason:
        return ControlChart(estimate=None, reason=reason, **common)
    total = np.bincount(of, weights=kept, minlength=len(names))
    mean = np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
    centre = float(kept.mean())
    df = len(kept) - int((n > 0).sum())
    if df < 1:
        return ControlChart(estimate=None, reason="one value per period: no spread within periods", **common)
    sd = float(np.sqrt(((kept - mean[of]) ** 2).sum() / df))
    half = SIGMAS * sd / np.sqrt(np.maximum(n, 1))
    return ControlChart(
        estimate=centre, periods=_rows(names, n, mean, centre - half, centre + half, centre), **common
    )


def _sorted(values: Array, periods: Sequence[str]) -> tuple[NDArray[np.int64], list[str], Array]:
    if len(values) != len(periods):
        raise AnalyticsError(f"{len(values)} values have {len(periods)} periods: one of each is needed.")
    known = ~np.isnan(values)
    names, of = np.unique(np.asarray(periods, object)[known].astype(str), return_inverse=True)
    order = np.argsort([int(n) for n in names]) if all(n.isdigit() for n in names) else np.arange(len(names))
    place = np.empty(len(names), np.int64)
    place[order] = np.arange(len(names))  # 10 comes after 9
    return place[of], [str(names[i]) for i in order], values[known]


def _why_not(names: Sequence[str]) -> str | None:
    return (
        f"{len(names)} {plural('period', len(names))}; {LEAST_PERIODS} are needed"
        if len(names) < LEAST_PERIODS
        else None
    )


def _rows(
    names: Sequence[str], n: NDArray[Any], value: Array, low: Array, high: Array, centre: float
) -> tuple[Period, ...]:
    rows, run, side = [], 0, 0
    for i, name in enumerate(names):
        if not n[i] or np.isnan(value[i]):
            rows.append(Period(name, int(n[i]), None, None, None))
            continue
        now = int(np.sign(value[i] - centre))
        run = run + 1 if now == side and now else 1
        side = now
        alarm = ""
        if value[i] > high[i] or value[i] < low[i]:
            alarm = "above the limit" if value[i] > high[i] else "below the limit"
        elif run >= RUN:
            alarm = f"{RUN} in a row {'above' if side > 0 else 'below'} the centre"
        rows.append(Period(name, int(n[i]), float(value[i]), float(low[i]), float(high[i]), alarm))
    return tuple(rows)
