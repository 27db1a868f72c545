"""One effect estimated at several sites (or vendors): pooled, and how much the sites differ.

Between-site variance τ² by restricted maximum likelihood (default) or DerSimonian and Laird; the interval of the pooled
effect is Wald's with Hartung and Knapp's beside it; Cochran's Q, I² and the prediction interval of a new site.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from analytics.distributions import chi2_upper_tail, normal_quantile, normal_two_sided_p, t_quantile
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Finding, Interval, Result, Test
from analytics.rounding import half_up, p_value

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
METHODS = ("REML", "DL", "fixed")
LARGEST_LOG = math.log(sys.float_info.max)


@dataclass(frozen=True, kw_only=True)
class Pooled(Result):
    """Pooled effect on the scale given (log ratios stay logs); ``test`` is Wald's.

    heterogeneity : Cochran's Q
    i_squared : share (0–1) of the total variance that lies between sites
    prediction : where the effect of another site is expected, normal with τ² and the pooled variance
    spread_reason : why nothing is said of the spread between sites, or of another site
    """

    effects: tuple[float, ...]
    variances: tuple[float, ...]
    names: tuple[str, ...]
    se: float | None = None
    tau_squared: float | None = None
    i_squared: float | None = None
    heterogeneity: Test | None = None
    hartung_knapp: Interval | None = None
    prediction: Interval | None = None
    spread_reason: str | None = None
    effect: str = "effect"
    ratio: bool = False

    caption = Finding.caption

    def sentence(self) -> str:
        """Pooled effect and heterogeneity."""
        if self.ratio and self.estimate is not None:
            text = self._as_ratio(self.estimate)
        else:
            text = super().sentence()
        if self.heterogeneity is None or self.i_squared is None:
            return f"{text[:-1]}; no heterogeneity ({self.spread_reason})." if self.spread_reason else text
        q, df = self.heterogeneity.statistic, int(self.heterogeneity.df[0])
        share = f"I² {half_up(100 * self.i_squared, 0)} %"
        text = f"{text[:-1]}; heterogeneity Q {half_up(q, 2)} on {df} df, {p_value(self.heterogeneity.p)}, {share}"
        if self.prediction is not None:
            text += f"; another {self.unit} is expected between {half_up(self.read(self.prediction.low), 3)} and {half_up(self.read(self.prediction.high), 3)}"
        return text + "."

    def read(self, value: float) -> float:
        """A value on the scale that people read: ratios are pooled as logarithms."""
        return math.exp(min(value, LARGEST_LOG)) if self.ratio else value

    def _as_ratio(self, log_ratio: float) -> str:
        text = f"{self.method.removeprefix('log ')} {half_up(self.read(log_ratio), 2)}"
        if self.interval is not None:
            low, high = (half_up(self.read(limit), 2) for limit in self.interval)
            text += f", {half_up(100 * self.interval.level, 0)} % CI {low}–{high} ({self.interval.method})"
        return f"{text}, {self.counted()}."


def pool(
    effects: Sequence[float] | Array,
    variances: Sequence[float] | Array,
    *,
    names: Sequence[str] = (),
    method: str = "REML",
    effect: str = "effect",
    ratio: bool = False,
    unit: str = "site",
    simulated: bool = False,
) -> Pooled:
    """Pool effects (k,) with their sampling variances (k,); sites without an effect are dropped and counted.

    ``ratio`` says that effects are logarithms of ratios, for the figure.

    Raises
    ------
    AnalyticsError
        For variances that are not above 0, naming the site, columns of different length, or an unknown method.
    """
    y, v = np.asarray(effects, np.float64), np.asarray(variances, np.float64)
    labels = [str(n) for n in names] or [f"{unit} {i + 1}" for i in range(len(y))]
    if method not in METHODS:
        raise AnalyticsError(f"Unknown method {method!r}; known are {', '.join(METHODS)}.")
    if not len(y) == len(v) == len(labels):
        raise AnalyticsError(
            f"{len(y)} effects, {len(v)} variances and {len(labels)} names: one of each is needed."
        )
    odd = np.flatnonzero(v <= 0)
    if odd.size:
        raise AnalyticsError(f"The variance of {labels[odd[0]]} is {v[odd[0]]:g}; it must be above 0.")
    known = ~(np.isnan(y) | np.isnan(v))
    y, v = y[known], v[known]
    common: dict[str, Any] = {
        "method": f"{effect} pooled over {unit}s ({_named(method)})",
        "n": len(y),
        "unit": unit,
        "effects": tuple(y.tolist()),
        "variances": tuple(v.tolist()),
        "names": tuple(n for n, k in zip(labels, known, strict=True) if k),
        "dropped": (Dropped(int((~known).sum()), "no effect estimated"),) if not known.all() else (),
        "effect": effect,
        "ratio": ratio,
        "simulated": simulated,
    }
    if not len(y):
        return Pooled(estimate=None, reason=f"no {unit} has an effect", **common)
    tau2 = {"REML": _reml, "DL": _dersimonian_laird, "fixed": lambda *_: 0.0}[method](y, v)
    mean, se = _weighted(y, v + tau2)
    centre, df = _weighted(y, v)[0], len(y) - 1
    q = float(((y - centre) ** 2 / v).sum())
    return Pooled(
        estimate=mean,
        interval=Interval(mean - Z * se, mean + Z * se, f"Wald, {_named(method)}"),
        test=Test("Wald z", mean / se, (), normal_two_sided_p(mean / se)),
        se=se,
        tau_squared=tau2,
        i_squared=_i_squared(v, tau2, q, method) if df else None,
        heterogeneity=Test("Cochran Q", q, (df,), chi2_upper_tail(q, df)) if df else None,
        hartung_knapp=_hartung_knapp(y, v + tau2, mean) if df else None,
        prediction=_prediction(mean, se, tau2) if df and method != "fixed" else None,
        spread_reason=_why_no_spread(df, method, unit),
        warnings=(f"only {len(y)} {unit}s: τ² is poorly known",) if 1 < len(y) < 5 else (),
        **common,
    )


def _why_no_spread(df: int, method: str, unit: str) -> str | None:
    if not df:
        return f"one {unit} only"
    return f"a fixed effect foresees no other {unit}" if method == "fixed" else None


def _named(method: str) -> str:
    return "fixed effect" if method == "fixed" else f"random effects, {method}"


def _weighted(y: Array, v: Array) -> tuple[float, float]:
    w = 1 / v
    return float((w @ y) / w.sum()), math.sqrt(1 / float(w.sum()))


def _typical_variance(v: Array) -> float:
    """Higgins and Thompson's typical within-site variance."""
    w = 1 / v
    return float((len(v) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum()))


def _i_squared(v: Array, tau2: float, q: float, method: str) -> float:
    if method == "fixed":
        return max(0.0, (q - (len(v) - 1)) / q) if q > 0 else 0.0
    return tau2 / (tau2 + _typical_variance(v))


def _dersimonian_laird(y: Array, v: Array) -> float:
    if len(y) < 2:
        return 0.0
    w = 1 / v
    q = float((w * (y - (w @ y) / w.sum()) ** 2).sum())
    return max(0.0, (q - (len(y) - 1)) / float(w.sum() - (w**2).sum() / w.sum()))


def _reml(y: Array, v: Array) -> float:
    """Root of the restricted score by bisection between 0 and a variance that is certainly too large."""
    if len(y) < 2:
        return 0.0

    def score(tau2: float) -> float:
        w = 1 / (v + tau2)
        mean = (w @ y) / w.sum()
        return float((w**2 * (y - mean) ** 2).sum() - w.sum() + (w**2).sum() / w.sum())

    if score(0.0) <= 0:
        return 0.0
    low, high = 0.0, float(y.var(ddof=1) + v.max())
    while score(high) > 0:
        low, high = high, 2 * high
    root: float = brentq(score, low, high, xtol=1e-14, rtol=1e-12)
    return root


def _hartung_knapp(y: Array, total: Array, mean: float) -> Interval:
    w, df = 1 / total, len(y) - 1
    se = math.sqrt(float((w * (y - mean) ** 2).sum()) / df / float(w.sum()))
    half = t_quantile(0.975, df) * se
    return Interval(mean - half, mean + half, "Hartung–Knapp")


def _prediction(mean: float, se: float, tau2: float) -> Interval:
    half = Z * math.sqrt(tau2 + se**2)
    return Interval(mean - half, mean + half, "prediction, normal")
