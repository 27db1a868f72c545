"""Quantiles and tails of the distributions that the intervals need.

Thin names over ``scipy.special``, because importing ``scipy.stats`` costs a web process one to two seconds.
"""

from __future__ import annotations

import math

from scipy import special


def normal_quantile(p: float) -> float:
    """Standard normal quantile."""
    return float(special.ndtri(p))


def normal_two_sided_p(z: float) -> float:
    """``P(|Z| >= |z|)``."""
    return float(2 * special.ndtr(-abs(z)))


def t_quantile(p: float, df: float) -> float:
    """Student's t quantile."""
    return float(special.stdtrit(df, p))


def t_two_sided_p(t: float, df: float) -> float:
    """``P(|T| >= |t|)``."""
    return float(2 * special.stdtr(df, -abs(t)))


def noncentral_t_quantile(p: float, df: float, noncentrality: float) -> float:
    """Quantile of the non-central t; used by the exact interval of a limit of agreement."""
    return float(special.nctdtrit(df, noncentrality, p))


def f_quantile(p: float, df1: float, df2: float) -> float:
    """Quantile of F; degrees of freedom need not be whole (Satterthwaite)."""
    return float(special.fdtri(df1, df2, p))


def f_upper_tail(f: float, df1: float, df2: float) -> float:
    """P(F >= f)."""
    return float(special.fdtrc(df1, df2, max(f, 0.0)))


def chi2_quantile(p: float, df: float) -> float:
    """Chi-squared quantile."""
    return float(special.chdtri(df, 1 - p))


def chi2_upper_tail(x: float, df: float) -> float:
    """P(X >= x) of chi-squared."""
    return float(special.chdtrc(df, x))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Beta quantile."""
    return float(special.betaincinv(a, b, p))


def logit(p: float) -> float:
    """log(p / (1 - p))."""
    return math.log(p / (1 - p))


def expit(x: float) -> float:
    """Inverse of :func:`logit`."""
    return float(special.expit(x))
