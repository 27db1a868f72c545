"""Intervals of one binomial proportion."""

from __future__ import annotations

import math

from analytics.distributions import beta_quantile, normal_quantile
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
