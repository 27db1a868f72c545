"""Learning curve: how a reader's time per case falls with experience.

log(minutes) = reader + slope · log₂(number of the read): each doubling of experience multiplies the time by 2^… the
slope's ratio (the power law of practice; Wright 1936). Readers have their own level and share the slope; the interval
comes from the spread within readers, and a test asks whether readers learn alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import codes
from analytics.distributions import f_upper_tail, t_quantile, t_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import DRAWING, Dropped, Interval, Result, Test, no_values
from analytics.rounding import half_up, percent

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LearningCurve(Result):
    """Ratio of the time per case when experience doubles (``estimate``); below 1 readers get faster.

    ``alike`` tests whether readers share the slope; ``levels`` are the fitted minutes of each reader's first read.
    """

    readers: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    slope: float | None = None
    alike: Test | None = None
    time_unit: str = "min"
    order: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    minutes: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    reader: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    kept: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)

    def sentence(self) -> str:
        """What a doubling of experience does."""
        if self.estimate is None:
            return super().sentence()
        limits = f" (no interval: {self.interval_reason})"
        if self.interval is not None:
            limits = f" (95 % CI {self.interval.text(3)})"
        change = percent(abs(1 - self.estimate))
        way = "shorter" if self.estimate < 1 else "longer"
        text = f"Time per case × {half_up(self.estimate, 3)}{limits} with each doubling of experience ({change} % {way})"
        return f"{text}; {len(self.readers)} readers, {self.counted()}."


def learning_curve(
    readers: Sequence[str], order: Array, minutes: Array, *, time_unit: str = "min", simulated: bool = False
) -> LearningCurve:
    """Fit the curve to reads (n,): reader, the reader's number of the read from 1, and time; NaN drops the read.

    Raises
    ------
    AnalyticsError
        For numbers below 1, times that are not above 0, and columns of different length.
    """
    x, y = np.asarray(order, np.float64), np.asarray(minutes, np.float64)
    if not len(readers) == len(x) == len(y):
        raise AnalyticsError(
            f"{len(readers)} readers, {len(x)} numbers and {len(y)} times: one of each is needed."
        )
    for name, bad in (("number of the read", x < 1), ("time", y <= 0)):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise AnalyticsError(
                f"Row {row + 1}: a {name} of {(x if name != 'time' else y)[row]:g} is not possible."
            )
    known = ~(np.isnan(x) | np.isnan(y))
    of, names = codes([r for r, k in zip(readers, known, strict=True) if k])
    x, y = x[known], y[known]
    lost = int((~known).sum())
    common: dict[str, Any] = {
        "method": "learning curve (power law, readers' own levels)",
        "n": len(x),
        "unit": "read",
        "dropped": (Dropped(lost, "number or time is missing"),) if lost else (),
        "readers": tuple(str(n) for n in names),
        "time_unit": time_unit,
        "order": x,
        "minutes": y,
        "reader": of.astype(float),
        "kept": np.flatnonzero(known).astype(float),
        "simulated": simulated,
    }
    u, v = np.log2(x), np.log(y)
    size = np.bincount(of, minlength=len(names)).astype(float)
    mean_u, mean_v = (np.bincount(of, weights=w, minlength=len(names)) / size for w in (u, v))
    du, dv = u - mean_u[of], v - mean_v[of]
    spread = float((du**2).sum())
    df = len(x) - len(names) - 1
    if df < 1 or spread <= 0:
        return LearningCurve(estimate=None, reason="too few reads per reader to see a curve", **common)
    slope = float((du * dv).sum()) / spread
    residual = float(((dv - slope * du) ** 2).sum())
    levels = tuple(float(np.exp(m - slope * c)) for m, c in zip(mean_v, mean_u, strict=True))
    if residual <= 1e-18:
        return LearningCurve(
            estimate=math.exp(slope),
            slope=slope,
            levels=levels,
            interval_reason="the times lie on a curve",
            **common,
        )
    se = math.sqrt(residual / df / spread)
    half = t_quantile(0.975, df) * se
    return LearningCurve(
        estimate=math.exp(slope),
        interval=Interval(math.exp(slope - half), math.exp(slope + half), "t, within readers"),
        test=Test("t of no learning", slope / se, (df,), t_two_sided_p(slope / se, df)),
        slope=slope,
        levels=levels,
        alike=_alike(du, dv, of, len(names), residual),
        **common,
    )


def _alike(du: Array, dv: Array, of: NDArray[np.int64], readers: int, together: float) -> Test | None:
    """F test of one slope for all readers against one each; None for a single reader or too few reads."""
    squares = np.bincount(of, weights=du**2, minlength=readers)
    products = np.bincount(of, weights=du * dv, minlength=readers)
    usable = squares > 0
    df1, df2 = int(usable.sum()) - 1, len(du) - readers - int(usable.sum())
    if df1 < 1 or df2 < 1:
        return None
    apart = float((dv**2).sum() - (products[usable] ** 2 / squares[usable]).sum())
    if apart <= 0:
        return None
    f = (together - apart) / df1 / (apart / df2)
    return Test("F of a common slope", f, (df1, df2), f_upper_tail(max(f, 0.0), df1, df2))
