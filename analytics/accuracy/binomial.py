"""Intervals of one binomial proportion."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import special

from analytics.distributions import beta_quantile, expit, logit, normal_quantile
from analytics.result import Interval

Z = normal_quantile(0.975)


def clopper_pearson(x: int, n: int) -> Interval:
    """Exact interval; one limit is 0 or 1 where nobody or everybody has the property. Needs n >= 1."""
    low = 0.0 if x == 0 else beta_quantile(0.025, x, n - x + 1)
    high = 1.0 if x == n else beta_quantile(0.975, x + 1, n - x)
    return Interval(low, high, "Clopper–Pearson")


def wilson(x: int, n: int) -> Interval:
    """Wilson's score interval without continuity correction."""
    p, z2 = x / n, Z**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Interval(max(0.0, centre - half), min(1.0, centre + half), "Wilson")


def wilson_corrected(x: int, n: int) -> Interval:
    """Wilson's score interval with continuity correction (Newcombe 1998, method 4)."""
    p, z2 = x / n, Z**2
    below = Z * math.sqrt(z2 - 2 - 1 / n + 4 * p * (n * (1 - p) + 1))
    above = Z * math.sqrt(max(z2 + 2 - 1 / n + 4 * p * (n * (1 - p) - 1), 0.0))
    low = 0.0 if x == 0 else max(0.0, (2 * n * p + z2 - 1 - below) / (2 * (n + z2)))
    high = 1.0 if x == n else min(1.0, (2 * n * p + z2 + 1 + above) / (2 * (n + z2)))
    return Interval(low, high, "Wilson, continuity correction")


def wald(x: int, n: int) -> Interval:
    """Wald's interval: for comparison only. It has no width at 0 and 100 % and may leave [0, 1]."""
    p = x / n
    half = Z * math.sqrt(p * (1 - p) / n)
    return Interval(p - half, p + half, "Wald")


def agresti_coull(x: int, n: int, added: float = Z**2) -> Interval:
    """Wald's interval after adding pseudo-observations, half of them positive (4 for the "plus four" rule)."""
    total = n + added
    p = (x + added / 2) / total
    half = Z * math.sqrt(p * (1 - p) / total)
    return Interval(p - half, p + half, f"Agresti–Coull, {added:.3g} added")


def jeffreys(x: int, n: int) -> Interval:
    """Jeffreys' interval with the limits 0 and 1 at the ends (Brown, Cai and DasGupta 2001)."""
    low = 0.0 if x == 0 else beta_quantile(0.025, x + 0.5, n - x + 0.5)
    high = 1.0 if x == n else beta_quantile(0.975, x + 0.5, n - x + 0.5)
    return Interval(low, high, "Jeffreys")


def mid_p(x: int, n: int) -> Interval:
    """Exact interval that counts the observed outcome half, by bisection."""
    low = 0.0 if x == 0 else _root(lambda p: _upper_tail(x, n, p) < 0.025)
    high = 1.0 if x == n else _root(lambda p: _upper_tail(x, n, p) < 0.975)
    return Interval(low, high, "mid-P")


def logit_interval(p: float, half: float, method: str) -> Interval:
    """Interval of half-width ``half`` about the logit of p (0 < p < 1), back on the scale of p."""
    return Interval(expit(logit(p) - half), expit(logit(p) + half), method)


def _upper_tail(x: int, n: int, p: float) -> float:
    """P(X > x) + P(X = x)/2; rises with p."""
    above = float(special.bdtrc(x, n, p)) if x < n else 0.0
    at_least = float(special.bdtrc(x - 1, n, p)) if x else 1.0
    return (above + at_least) / 2


def _root(too_low: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if too_low(middle) else (low, middle)
    return (low + high) / 2
