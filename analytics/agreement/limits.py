"""Limits of agreement: their SD where lesions share patients, and their intervals.

Sources: Bland and Altman 1986, 1999 (standard error of a limit), 2007 (several observations per patient);
Carkeet 2015 (exact interval of a limit).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import chi2_quantile, noncentral_t_quantile, normal_quantile, t_quantile
from analytics.errors import AnalyticsError
from analytics.resampling import expanded_levels, jackknife_interval, resample_counts
from analytics.result import Interval, interval_or_none
from analytics.rounding import count, half_up

Z = normal_quantile(0.975)


@dataclass(frozen=True, kw_only=True)
class WithLimits:
    """Both limits of agreement with their intervals; ``limits_reason`` says why a limit has none."""

    lower: float | None = None
    upper: float | None = None
    lower_interval: Interval | None = None
    upper_interval: Interval | None = None
    limits_reason: str | None = None

    def limits_text(self, unit: str = "", *, said: str | None = None) -> str:
        """``-4.10 to 6.20 mm³ (95 % CI … and …, method)``, or why there are no intervals unless that was ``said``."""
        if self.lower is None or self.upper is None:
            return ""
        text = f"{half_up(self.lower, 2)} to {half_up(self.upper, 2)}{unit}"
        if self.lower_interval is not None and self.upper_interval is not None:
            low, high = self.lower_interval, self.upper_interval
            return f"{text} (95 % CI {low.text(2)} and {high.text(2)}, {low.method})"
        if self.limits_reason and self.limits_reason != said:
            return f"{text} (no interval: {self.limits_reason})"
        return text


@dataclass(frozen=True)
class VarianceComponents:
    """One-way variance components of the differences: within and between patients."""

    within: float
    between: float
    observations_per_patient: float

    @property
    def sd(self) -> float:
        """Total standard deviation of one difference."""
        return math.sqrt(self.within + self.between)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "within": self.within,
            "between": self.between,
            "m0": self.observations_per_patient,
            "sd": self.sd,
        }


def limit_intervals(bias: float, sd: float, n: int, method: str = "1999") -> tuple[Interval, Interval]:
    """Intervals of the lower and upper limit for independent pairs.

    ``1999``: SE = SD √(1/n + z²/(2(n−1))); ``1986``: SE = √(3 SD²/n); ``exact``: non-central t (Carkeet 2015);
    ``mover``: square-and-add from the intervals of mean and SD.
    """
    low, high, t = bias - Z * sd, bias + Z * sd, t_quantile(0.975, n - 1)
    if method in ("1999", "1986"):
        se = sd * math.sqrt(1 / n + Z**2 / (2 * (n - 1))) if method == "1999" else math.sqrt(3 * sd**2 / n)
        label = f"Bland and Altman {method}, t"
        return Interval(low - t * se, low + t * se, label), Interval(high - t * se, high + t * se, label)
    if method == "exact":
        inner, outer = (
            noncentral_t_quantile(p, n - 1, Z * math.sqrt(n)) / math.sqrt(n) * sd for p in (0.025, 0.975)
        )
        label = "exact, non-central t"
        return Interval(bias - outer, bias - inner, label), Interval(bias + inner, bias + outer, label)
    if method == "mover":
        sd_low, sd_high = sd_interval(sd, n)
        mean_half = t * sd / math.sqrt(n)
        inner = math.sqrt(mean_half**2 + Z**2 * (sd - sd_low) ** 2)
        outer = math.sqrt(mean_half**2 + Z**2 * (sd_high - sd) ** 2)
        return Interval(low - outer, low + inner, "MOVER"), Interval(high - inner, high + outer, "MOVER")
    raise AnalyticsError(f"Unknown interval {method!r}; known are 1999, 1986, exact and mover.")


def sd_interval(sd: float, n: int) -> tuple[float, float]:
    """Chi-squared interval of a standard deviation."""
    return (
        sd * math.sqrt((n - 1) / chi2_quantile(0.975, n - 1)),
        sd * math.sqrt((n - 1) / chi2_quantile(0.025, n - 1)),
    )


def variance_components(
    difference: NDArray[np.float64], patients: NDArray[np.int64], number: int
) -> VarianceComponents:
    """One-way variance components (Bland and Altman 2007, true value varies); between is never below 0."""
    n = len(difference)
    sizes = np.bincount(patients, minlength=number)
    means = np.bincount(patients, weights=difference, minlength=number) / sizes
    within = float(((difference - means[patients]) ** 2).sum()) / (n - number)
    between_ms = float((sizes * (means - difference.mean()) ** 2).sum()) / (number - 1)
    m0 = (n - float((sizes**2).sum()) / n) / (number - 1)
    return VarianceComponents(within, max(0.0, (between_ms - within) / m0), m0)


def bootstrap_limits(
    difference: NDArray[np.float64],
    patients: NDArray[np.int64],
    number: int,
    replicates: int,
    seed: int,
    *,
    by_components: bool,
) -> tuple[Interval | None, Interval | None, Interval | None]:
    """Percentile intervals of bias and of both limits over resampled patients.

    The limits' SD is estimated in every resample as in the sample: from the variance components (a patient drawn
    twice counts as two), or as the plain SD where every patient has one lesion.
    """
    centre = difference.mean()
    parts = _difference_sums(difference - centre, patients, number)
    biases, sds = [], []
    for counts in resample_counts(clusters=number, replicates=replicates, seed=seed):
        bias, sd = _bias_and_sd(counts @ parts, number, by_components=by_components)
        biases.append(bias + centre)
        sds.append(sd)
    bias, sd = np.concatenate(biases), np.concatenate(sds)
    label = f"patient-cluster bootstrap, expanded percentile, {count(replicates)} replicates"

    def percentile(values: NDArray[np.float64]) -> Interval | None:
        values = values[np.isfinite(values)]
        if values.size < 0.9 * replicates:
            return None
        low, high = np.quantile(values, expanded_levels(number))
        return interval_or_none(float(low), float(high), label)

    return percentile(bias), percentile(bias - Z * sd), percentile(bias + Z * sd)


def jackknife_limits(
    difference: NDArray[np.float64], patients: NDArray[np.int64], number: int, *, by_components: bool
) -> tuple[Interval | None, Interval | None, Interval | None]:
    """Intervals of bias and of both limits from leaving out each patient once."""
    centre = float(difference.mean())
    parts = _difference_sums(difference - centre, patients, number)
    if number < 3:
        return None, None, None
    whole = _bias_and_sd(parts.sum(0)[None], number, by_components=by_components)
    rest = _bias_and_sd(parts.sum(0) - parts, number - 1, by_components=by_components)
    # Of one lesion a patient there may be no SD without one of them; the bias does not need it.
    bias = jackknife_interval(centre + float(whole[0][0]), centre + rest[0])
    lower, upper = (
        jackknife_interval(centre + float(whole[0][0] + z * whole[1][0]), centre + rest[0] + z * rest[1])
        for z in (-Z, Z)
    )
    return bias, lower, upper


def _difference_sums(
    moved: NDArray[np.float64], patients: NDArray[np.int64], number: int
) -> NDArray[np.float64]:
    """Per patient: lesions, Σd, Σd², (Σd)²/lesions, lesions²: (patients, 5)."""
    sizes = np.bincount(patients, minlength=number).astype(np.float64)
    sums = np.bincount(patients, weights=moved, minlength=number)
    squares = np.bincount(patients, weights=moved**2, minlength=number)
    return np.stack([sizes, sums, squares, sums**2 / sizes, sizes**2], axis=1)


def _bias_and_sd(
    total: NDArray[np.float64], number: int, *, by_components: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bias and the limits' SD of summed parts (rows, 5) over ``number`` patients."""
    n, summed, square, between_sum, size_squares = total.T
    bias = summed / n
    with np.errstate(invalid="ignore", divide="ignore"):
        if by_components:
            within = (square - between_sum) / (n - number)
            m0 = (n - size_squares / n) / (number - 1)
            ms_between = (between_sum - n * bias**2) / (number - 1)
            variance = within + np.maximum((ms_between - within) / m0, 0)
        else:
            variance = (square - n * bias**2) / (n - 1)
        return bias, np.sqrt(np.maximum(variance, 0))
