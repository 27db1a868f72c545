"""Rubin's rules: one estimate from several imputed data sets (Rubin 1987; degrees of freedom of Barnard and Rubin 1999)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.distributions import t_quantile, t_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import Interval, Result, Test


@dataclass(frozen=True, kw_only=True)
class Imputed(Result):
    """Pooled estimate. ``missing_information`` is the share of information lost to the missing values (0–1)."""

    imputations: int
    within: float | None = None
    between: float | None = None
    total_variance: float | None = None
    df: float | None = None
    missing_information: float | None = None


def pool_imputations(
    estimates: Sequence[float],
    variances: Sequence[float],
    *,
    n: int,
    parameters: int = 1,
    method: str = "estimate",
    unit: str = "patient",
    simulated: bool = False,
) -> Imputed:
    """Pool m estimates with their variances; ``n`` rows and ``parameters`` fitted give the complete data's freedom.

    Raises
    ------
    AnalyticsError
        For fewer than two imputations, columns of different length, values that are missing, or variances below 0.
    """
    q, u = np.asarray(estimates, np.float64), np.asarray(variances, np.float64)
    m = len(q)
    if m != len(u) or m < 2:
        raise AnalyticsError(f"{m} estimates and {len(u)} variances: at least two of each are needed.")
    if not (np.isfinite(q).all() and np.isfinite(u).all() and (u >= 0).all()):
        raise AnalyticsError(
            "An estimate or variance is missing or negative: pool only models that were estimable."
        )
    if n <= parameters:
        raise AnalyticsError(f"{n} rows are too few for {parameters} parameters.")
    mean, within, between = float(q.mean()), float(u.mean()), float(q.var(ddof=1))
    total = within + (1 + 1 / m) * between
    common: dict[str, Any] = {
        "method": f"{method}, Rubin's rules over {m} imputations",
        "n": n,
        "unit": unit,
        "imputations": m,
        "within": within,
        "between": between,
        "total_variance": total,
        "simulated": simulated,
    }
    if total == 0:
        return Imputed(estimate=mean, interval_reason="no variance within or between imputations", **common)
    share = (1 + 1 / m) * between / total
    complete = n - parameters
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    old = (m - 1) / share**2 if share > 0 else math.inf
    df = observed if math.isinf(old) else old * observed / (old + observed)
    ratio = (1 + 1 / m) * between / within if within > 0 else math.inf
    information = 1.0 if math.isinf(ratio) else (ratio + 2 / (df + 3)) / (ratio + 1)
    se = math.sqrt(total)
    half = t_quantile(0.975, df) * se
    return Imputed(
        estimate=mean,
        interval=Interval(mean - half, mean + half, "t, Barnard–Rubin"),
        test=Test("t", mean / se, (df,), t_two_sided_p(mean / se, df)),
        df=df,
        missing_information=information,
        **common,
    )
