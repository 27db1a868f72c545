"""Patient-cluster bootstrap by resample counts.

A resample of patients is a row of counts; a statistic that is a function of sums over patients is then one
matrix product for all resamples. Weighting by counts equals repeating rows for such statistics.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.distributions import normal_quantile, t_quantile
from analytics.result import NOT_ASKED, Interval, interval_or_none, plural
from analytics.rounding import count

REPLICATES = 10_000
"""The 2.5 % quantile of as many lies between the true 2.2 and 2.8 % ones (binomial)."""
Z = normal_quantile(0.975)
SEED = 20_220_401
"""The month of the publication (Lin et al. 2022)."""

CHUNK_ENTRIES = 4_000_000
"""Count-matrix entries held at once: 32 MB."""


def resample_counts(*, clusters: int, replicates: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield chunks (rows, clusters) of how often each cluster is drawn; each row sums to ``clusters``."""
    rng = np.random.default_rng(seed)
    rows = max(1, min(replicates, CHUNK_ENTRIES // max(clusters, 1)))
    for start in range(0, replicates, rows):
        size = min(rows, replicates - start)
        drawn = rng.integers(0, clusters, size=(size, clusters))
        drawn += clusters * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * clusters).reshape(size, clusters).astype(np.float64)


def sums_by_cluster(
    values: NDArray[np.float64], clusters: NDArray[np.int64], number: int
) -> NDArray[np.float64]:
    """Sum rows of ``values`` (n, m) within clusters: (number, m)."""
    return np.stack([np.bincount(clusters, weights=v, minlength=number) for v in values.T], axis=1)


def expanded_levels(clusters: int) -> tuple[float, float]:
    """Levels of the expanded percentile interval (Hesterberg 2015): those of t with clusters − 1 degrees of freedom.

    A plain percentile interval takes normal quantiles and a variance divided by n; with 50 patients its levels are
    2.1 and 97.9 % instead of 2.5 and 97.5 %, with 1,000 they are the same.
    """
    if clusters < 2:
        return 0.025, 0.975
    z = t_quantile(0.975, clusters - 1) * math.sqrt(clusters / (clusters - 1))
    low = float(special.ndtr(-z))
    return low, 1 - low


def percentile_interval(values: NDArray[np.float64], replicates: int, *, clusters: int) -> Interval | None:
    """Expanded percentile interval (quantiles of type 7) of a statistic over resampled patients.

    Replicates in which the statistic does not exist are left out; None where they exceed one in ten.
    """
    values = values[np.isfinite(values)]
    if values.size < 0.9 * replicates or values.size < 2:
        return None
    low, high = np.quantile(values, expanded_levels(clusters))
    name = f"patient-cluster bootstrap, expanded percentile, {count(values.size)} replicates"
    return interval_or_none(float(low), float(high), name)


def resampled_sums(
    parts: NDArray[np.float64], *, replicates: int, seed: int
) -> Iterator[NDArray[np.float64]]:
    """Yield chunks (rows, m) of the sums of ``parts`` (clusters, m) over resampled clusters."""
    for counts in resample_counts(clusters=len(parts), replicates=replicates, seed=seed):
        yield counts @ parts


def jackknife_interval(
    estimate: float, left_out: NDArray[np.float64], *, fisher: bool = False, noun: str = "patient"
) -> Interval | None:
    """Interval from the estimates without each cluster: (clusters,), t with clusters − 1 degrees of freedom.

    It needs no random numbers, so that a page has an interval over patients at once. ``fisher`` works on the inverse
    hyperbolic tangent, for coefficients within (−1, 1). None where an estimate does not exist or none differs.
    """
    number = len(left_out)
    if number < 2 or not np.isfinite(left_out).all():
        return None
    centre = estimate
    if fisher:
        if abs(estimate) >= 1 or (np.abs(left_out) >= 1).any():
            return None
        left_out, centre = np.arctanh(left_out), math.atanh(estimate)
    se = math.sqrt((number - 1) / number * float(((left_out - left_out.mean()) ** 2).sum()))
    if se <= 1e-12 * max(abs(centre), 1e-300):
        return None
    half = t_quantile(0.975, number - 1) * se
    low, high = centre - half, centre + half
    name = f"delete-one-{noun} jackknife, t" + (" on Fisher's z" if fisher else "")
    return (
        interval_or_none(math.tanh(low), math.tanh(high), name)
        if fisher
        else interval_or_none(low, high, name)
    )


def no_interval_over(
    clusters: int, *, resampled: bool, least: int = 2, noun: str = "patient", asked: bool = True
) -> str:
    """Why there is no interval over clusters: too few of them, or resamples that could not be estimated.

    ``least`` clusters are needed; ``resampled`` tells the bootstrap from the jackknife; ``asked`` is False where the
    caller wanted no resamples and there is no other way.
    """
    if clusters < least:
        return f"{clusters} {plural(noun, clusters)}; {least} are needed"
    if not asked:
        return NOT_ASKED
    if resampled:
        return "fewer than nine in ten resamples could be estimated"
    return f"leaving out one {noun} at a time changes nothing, or leaves nothing to estimate"


def bca_limits(
    values: NDArray[np.float64], estimate: float, left_out: NDArray[np.float64]
) -> tuple[float, float]:
    """Bias-corrected and accelerated limits (Efron 1987) of bootstrap ``values``, quantiles of type 7.

    ``left_out`` are the estimates without each cluster; the acceleration is their skewness. NaN where all values lie on
    one side of the estimate or the left-out estimates do not differ.
    """
    lean = left_out.mean() - left_out
    spread = float((lean**2).sum())
    share = float((values < estimate).mean())
    if not 0 < share < 1 or spread <= 0:
        return math.nan, math.nan
    acceleration = float((lean**3).sum()) / (6 * spread**1.5)
    z0 = float(special.ndtri(share))
    z = z0 + np.array([-Z, Z])
    low, high = np.quantile(values, special.ndtr(z0 + z / (1 - acceleration * z)))
    return float(low), float(high)
