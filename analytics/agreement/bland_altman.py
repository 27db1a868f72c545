"""Bland–Altman: bias and limits of agreement of two methods, with intervals, clustered where lesions share patients.

Sign: difference = second − first. Limits are bias ± 1.96 SD (the normal quantile, not 2).
Sources: Bland and Altman 1986, 1999 (limits' standard error), 2007 (several observations per patient);
Carkeet 2015 (exact interval of a limit).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import Table, codes, keys, numbers
from analytics.distributions import (
    chi2_quantile,
    noncentral_t_quantile,
    normal_quantile,
    t_quantile,
    t_two_sided_p,
)
from analytics.errors import AnalyticsError
from analytics.resampling import resample_counts, sums_by_cluster
from analytics.result import DRAWING, Dropped, Interval, Result, Test, interval_or_none, no_values, plural
from analytics.rounding import count, half_up

if TYPE_CHECKING:
    from analytics.figures.drawing import Drawing

if TYPE_CHECKING:
    pass

Z = normal_quantile(0.975)


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


@dataclass(frozen=True, kw_only=True)
class BlandAltman(Result):
    """Bias (``estimate``) with limits of agreement.

    ``interval`` is the t interval of the bias (units independent), ``cluster_interval`` resamples patients;
    ``lower_interval`` and ``upper_interval`` are those of the limits. With clusters the limits' SD comes from
    the variance components and their intervals from the bootstrap; without, from Bland and Altman 1999.
    """

    value_unit: str
    sd: float | None = None
    lower: float | None = None
    upper: float | None = None
    lower_interval: Interval | None = None
    upper_interval: Interval | None = None
    cluster_interval: Interval | None = None
    components: VarianceComponents | None = None
    naive_lower: float | None = None
    naive_upper: float | None = None
    outside: int = 0
    slope: float | None = None
    slope_p: float | None = None
    names: tuple[str, str] = ("first", "second")
    first: NDArray[np.float64] = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    second: NDArray[np.float64] = field(
        default_factory=no_values, repr=False, compare=False, metadata=DRAWING
    )
    ids: tuple[Any, ...] = field(default=(), repr=False, compare=False, metadata=DRAWING)

    def sentence(self) -> str:
        """Bias, limits and their intervals in words."""
        what = f"Bias ({self.names[1]} − {self.names[0]})"
        if self.estimate is None:
            return f"{what}: not estimable ({self.reason}); {self.counted()}."
        unit = f" {self.value_unit}" if self.value_unit else ""
        text = f"{what} {half_up(self.estimate, 2)}{unit}"
        shown = self.cluster_interval or self.interval
        if shown is not None:
            text += f" (95 % CI {shown.text(2)}, {shown.method})"
        if self.lower is not None and self.upper is not None:
            text += f", limits of agreement {half_up(self.lower, 2)} to {half_up(self.upper, 2)}{unit}"
            if self.lower_interval is not None and self.upper_interval is not None:
                text += f" (95 % CI {self.lower_interval.text(2)} and {self.upper_interval.text(2)}, {self.lower_interval.method})"
        return f"{text}, {self.counted()}."

    def caption(self) -> str:
        """The sentence, marked when simulated."""
        return ("Simulated data. " if self.simulated else "") + self.sentence()

    def drawing(self, *, labels: Sequence[str] = (), links: Sequence[str] = ()) -> Drawing:
        """Difference against mean with bias, limits and their intervals."""
        from analytics.figures.agreement import bland_altman_plot

        return bland_altman_plot(self, labels=labels, links=links)


def bland_altman(
    table: Table,
    *,
    first: str,
    second: str,
    cluster: str | None = None,
    subject: str | Sequence[str] | None = None,
    value_unit: str = "mm³",
    unit: str = "lesion",
    replicates: int = 10_000,
    seed: int = 20_220_401,
) -> BlandAltman:
    """Bland–Altman of two columns of a wide table; rows with a missing read are dropped and counted."""
    return bland_altman_of(
        numbers(table, first),
        numbers(table, second),
        clusters=keys(table, cluster) if cluster else None,
        ids=keys(table, subject) if subject else (),
        names=(first, second),
        value_unit=value_unit,
        unit=unit,
        replicates=replicates,
        seed=seed,
    )


def bland_altman_of(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    clusters: Sequence[Any] | None = None,
    ids: Sequence[Any] = (),
    names: tuple[str, str] = ("first", "second"),
    value_unit: str = "",
    unit: str = "lesion",
    replicates: int = 10_000,
    seed: int = 20_220_401,
    simulated: bool = False,
) -> BlandAltman:
    """Bland–Altman of two arrays of equal length; NaN is a missing read. See the module for conventions."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise AnalyticsError(f"The two reads differ in length: {first.shape} and {second.shape}.")
    complete = ~(np.isnan(first) | np.isnan(second))
    missing = int((~complete).sum())
    a, b = first[complete], second[complete]
    patient_codes: NDArray[np.int64] | None = None
    patients: int | None = None
    if clusters is not None:
        patient_codes, distinct = codes([c for c, keep in zip(clusters, complete, strict=True) if keep])
        patients = len(distinct)
    n = len(a)
    common: dict[str, Any] = {
        "method": "Bland–Altman, limits = bias ± 1.96 SD",
        "n": n,
        "unit": unit,
        "clusters": patients,
        "dropped": (Dropped(missing, "a read is missing"),) if missing else (),
        "value_unit": value_unit,
        "names": names,
        "first": a,
        "second": b,
        "ids": tuple(i for i, keep in zip(ids, complete, strict=False) if keep),
        "simulated": simulated,
    }
    if n == 0:
        return BlandAltman(estimate=None, reason="no complete pair of reads", **common)
    difference = b - a
    bias = float(difference.mean())
    if n < 2:
        return BlandAltman(estimate=bias, reason="one pair only: neither limits nor intervals", **common)
    sd = float(difference.std(ddof=1))
    slope, slope_p = _slope(difference, (a + b) / 2)
    naive = (bias - Z * sd, bias + Z * sd)
    if sd == 0:
        return BlandAltman(
            estimate=bias,
            sd=0.0,
            lower=bias,
            upper=bias,
            reason="all differences are equal: no interval",
            **common,
        )
    half = t_quantile(0.975, n - 1) * sd / math.sqrt(n)
    lower, upper = naive
    lower_interval, upper_interval = limit_intervals(bias, sd, n)
    cluster_interval, components = None, None
    if patient_codes is not None and patients is not None and patients >= 2 and n > patients:
        components = variance_components(difference, patient_codes, patients)
        lower, upper = bias - Z * components.sd, bias + Z * components.sd
    if patient_codes is not None and patients is not None and patients >= 2 and replicates:
        cluster_interval, low_boot, high_boot = _bootstrap(
            difference, patient_codes, patients, replicates, seed
        )
        lower_interval, upper_interval = low_boot or lower_interval, high_boot or upper_interval
    return BlandAltman(
        estimate=bias,
        interval=Interval(bias - half, bias + half, f"t, {plural(unit, 2)} taken as independent"),
        test=Test(
            "paired t", bias / (sd / math.sqrt(n)), (n - 1,), t_two_sided_p(bias / (sd / math.sqrt(n)), n - 1)
        ),
        sd=sd,
        lower=lower,
        upper=upper,
        lower_interval=lower_interval,
        upper_interval=upper_interval,
        cluster_interval=cluster_interval,
        components=components,
        naive_lower=naive[0],
        naive_upper=naive[1],
        outside=int(((difference < lower) | (difference > upper)).sum()),
        slope=slope,
        slope_p=slope_p,
        **common,
    )


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


def _slope(difference: NDArray[np.float64], mean: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Slope of difference on mean and its p: proportional bias."""
    n = len(mean)
    centred = mean - mean.mean()
    spread = float((centred**2).sum())
    if n < 3 or spread == 0:
        return None, None
    slope = float((centred * difference).sum()) / spread
    residual = difference - difference.mean() - slope * centred
    error = float((residual**2).sum()) / (n - 2)
    if error == 0:
        return slope, None
    return slope, t_two_sided_p(slope / math.sqrt(error / spread), n - 2)


def _bootstrap(
    difference: NDArray[np.float64], patients: NDArray[np.int64], number: int, replicates: int, seed: int
) -> tuple[Interval, Interval | None, Interval | None]:
    """Percentile intervals of bias and of both limits over resampled patients."""
    centre = difference.mean()
    moved = difference - centre
    sums = sums_by_cluster(np.stack([np.ones_like(moved), moved, moved**2], axis=1), patients, number)
    biases, sds = [], []
    for counts in resample_counts(clusters=number, replicates=replicates, seed=seed):
        n, total, squares = (counts @ sums).T
        bias = total / n
        with np.errstate(invalid="ignore", divide="ignore"):
            sds.append(np.sqrt(np.maximum(squares - n * bias**2, 0) / (n - 1)))
        biases.append(bias + centre)
    bias, sd = np.concatenate(biases), np.concatenate(sds)
    label = f"patient-cluster bootstrap, percentile, {count(replicates)} replicates"

    def percentile(values: NDArray[np.float64]) -> Interval | None:
        values = values[np.isfinite(values)]
        if not values.size:
            return None
        low, high = np.quantile(values, [0.025, 0.975])
        return interval_or_none(float(low), float(high), label)

    of_bias = percentile(bias)
    assert of_bias is not None
    return of_bias, percentile(bias - Z * sd), percentile(bias + Z * sd)
