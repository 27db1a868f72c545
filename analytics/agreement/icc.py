"""Intraclass correlation: the six forms of Shrout and Fleiss (1979), named as McGraw and Wong (1996).

=======  ==================  =====================================================
form     Shrout–Fleiss       meaning
=======  ==================  =====================================================
``1,1``  ICC(1,1)            one-way random, single read
``1,k``  ICC(1,k)            one-way random, mean of k reads
``A,1``  ICC(2,1)            two-way, absolute agreement, single read (the default)
``A,k``  ICC(2,k)            two-way, absolute agreement, mean of k reads
``C,1``  ICC(3,1)            two-way, consistency, single read
``C,k``  ICC(3,k)            two-way, consistency, mean of k reads
=======  ==================  =====================================================

Limits of ``A,1`` use Satterthwaite degrees of freedom; those of ``A,k`` are the Spearman–Brown transform of
``A,1``'s. Negative estimates are reported as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.mean_squares import (
    MeanSquares,
    coefficient,
    icc_of_sums,
    mean_squares,
    patient_sums,
    replicate_icc,
)
from analytics.columns import codes, identities_in
from analytics.distributions import f_quantile, f_upper_tail
from analytics.errors import AnalyticsError
from analytics.resampling import (
    bca_limits,
    expanded_levels,
    jackknife_interval,
    no_interval_over,
    resample_counts,
)
from analytics.result import (
    DRAWING,
    FEW_CLUSTERS,
    ClusteredResult,
    Dropped,
    Interval,
    Test,
    few_clusters,
    interval_or_none,
    no_values,
    plural,
    unless,
)
from analytics.rounding import count, half_up

FORMS = ("1,1", "1,k", "A,1", "A,k", "C,1", "C,k")
BOOTSTRAP_REPLICATES = 10_000
"""The 2.5 % quantile of as many lies between the true 2.2 and 2.8 % ones (binomial)."""


@dataclass(frozen=True, kw_only=True)
class Icc(ClusteredResult):
    """An intraclass correlation.

    ``interval`` is the F interval (units taken as independent); ``cluster_interval`` resamples patients, or leaves each
    out once where no replicates were asked for; ``bca_interval`` corrects the resamples' bias and skewness; beside a
    bootstrap ``bca_reason`` says why there is none.
    """

    form: str
    raters: tuple[Any, ...]
    squares: MeanSquares | None
    bca_interval: Interval | None = None
    bca_reason: str | None = None
    replicates: int = 0
    seed: int | None = None
    ratings: NDArray[np.float64] = field(
        default_factory=no_values, repr=False, compare=False, metadata=DRAWING
    )
    ids: tuple[Any, ...] = field(default=(), repr=False, compare=False, metadata=DRAWING)

    def sentence(self) -> str:
        """``ICC(A,1) 0.964, 95 % CI 0.960–0.967 (F, lesions taken as independent), 1,901 lesions …``."""
        text = super().sentence()
        beside = self.beside()
        if self.cluster_interval is not None and self.replicates:
            beside = (
                f"; patient-cluster bootstrap interval {self.cluster_interval.text(3)}, "
                f"{count(self.replicates)} replicates"
            )
        warned = f" ({'; '.join(self.warnings)})" if self.cluster_interval and self.warnings else ""
        return f"{text[:-1]}{beside}{warned}."

    def caption(self) -> str:
        """Form, estimate with both intervals, units and clusters."""
        return ("Simulated data. " if self.simulated else "") + self.sentence()


def icc_of(
    ratings: NDArray[np.float64],
    *,
    clusters: Sequence[Any] | NDArray[Any] | None = None,
    raters: Sequence[Any] = (),
    ids: Sequence[Any] = (),
    form: str = "A,1",
    replicates: int = BOOTSTRAP_REPLICATES,
    seed: int = 20_220_401,
    unit: str = "lesion",
    simulated: bool = False,
) -> Icc:
    """Intraclass correlation of a matrix (subjects, raters); NaN is a missing read. See :func:`icc`."""
    ratings = np.asarray(ratings, dtype=np.float64)
    if ratings.ndim != 2:
        raise AnalyticsError(
            f"Ratings must have one row per subject and one column per rater, not shape {ratings.shape}."
        )
    complete = np.asarray(~np.isnan(ratings).any(axis=1))
    missing = int((~complete).sum())
    kept = ratings[complete]
    n, k = kept.shape
    form = _canonical(form, k)
    cluster_codes: NDArray[np.int64] | None = None
    cluster_number: int | None = None
    if clusters is not None:
        cluster_codes, distinct = codes(identities_in(clusters, complete))
        cluster_number = len(distinct)
    common: dict[str, Any] = {
        "method": f"ICC({form.replace('k', str(k))})",
        "n": n,
        "unit": unit,
        "clusters": cluster_number,
        "dropped": (Dropped(missing, "a read is missing"),) if missing else (),
        "form": form,
        "raters": tuple(raters) or tuple(f"read {j + 1}" for j in range(k)),
        "ratings": kept,
        "ids": tuple(i for i, keep in zip(ids, complete, strict=False) if keep),
        "simulated": simulated,
    }
    reason = _why_not(kept)
    if reason:
        return Icc(estimate=None, reason=reason, squares=None, **common)
    squares = mean_squares(kept)
    estimate = coefficient(squares, form)
    if estimate is None:
        return Icc(estimate=None, reason="the denominator of this form is zero", squares=squares, **common)
    interval, test = _f_interval(squares, form, unit)
    cluster_interval, bca_interval, cluster_reason = None, None, None
    if cluster_codes is not None and cluster_number is not None and cluster_number >= 2:
        if replicates:
            cluster_interval, bca_interval = _bootstrap(
                kept, cluster_codes, cluster_number, form, replicates, seed, estimate
            )
        else:
            sums = patient_sums(kept, cluster_codes, cluster_number)
            left_out = icc_of_sums(sums.sum(0) - sums, form)
            cluster_interval = jackknife_interval(estimate, left_out, fisher=True)
    if cluster_number is not None:
        cluster_reason = unless(cluster_interval, no_interval_over(cluster_number, resampled=replicates > 0))
    bootstrapped = cluster_interval is not None and replicates > 0
    return Icc(
        estimate=estimate,
        interval=interval,
        interval_reason=unless(
            interval, "its limits do not exist" if test else "the reads agree without error"
        ),
        test=test,
        squares=squares,
        cluster_interval=cluster_interval,
        cluster_reason=cluster_reason,
        bca_interval=bca_interval,
        bca_reason=unless(bca_interval, NO_BCA) if bootstrapped else None,
        replicates=replicates if cluster_interval else 0,
        seed=seed if cluster_interval and replicates else None,
        warnings=(few_clusters(cluster_number) if cluster_interval else ())
        + (_few_for_bca(cluster_number) if bca_interval else ())
        + _concentrated(kept, unit),
        **common,
    )


def _canonical(form: str, k: int) -> str:
    letter, _, number = form.partition(",")
    name = f"{letter},{'k' if number == str(k) and number != '1' else number}"
    if name not in FORMS:
        raise AnalyticsError(f"Unknown ICC form {form!r}; the forms are {', '.join(FORMS)}.")
    return name


def _why_not(ratings: NDArray[np.float64]) -> str | None:
    n, k = ratings.shape
    if k < 2:
        return "one reader only"
    if n < 2:
        return f"{n} complete {'subject' if n == 1 else 'subjects'}; two are needed"
    if np.ptp(ratings) == 0:
        return "all values are equal"
    return None


def _f_interval(squares: MeanSquares, form: str, unit: str) -> tuple[Interval | None, Test | None]:
    """F interval and test (McGraw and Wong 1996, tables 7 and 8). None where the reads are identical."""
    n, k = squares.n, squares.k
    within = squares.within if form[0] == "1" else squares.error
    if within <= 1e-12 * squares.rows:
        return None, None
    f = squares.rows / within
    df1, df2 = n - 1, n * (k - 1) if form[0] == "1" else (n - 1) * (k - 1)
    test = Test("F", f, (df1, df2), f_upper_tail(f, df1, df2))
    label = f"F, {plural(unit, 2)} taken as independent"
    if form[0] == "A":
        low, high = absolute_limits(squares, coefficient(squares, "A,1"))
        if form == "A,k":
            low, high = (_spearman_brown(limit, k) for limit in (low, high))
    else:
        low, high = f_limits(f, form, n, k)
    return interval_or_none(low, high, label), test


def f_limits(f: float, form: str, n: int, k: int) -> tuple[float, float]:
    """95 % limits of a one-way or consistency form from its F statistic, for n subjects and k reads."""
    df1, df2 = n - 1, n * (k - 1) if form[0] == "1" else (n - 1) * (k - 1)
    f_low, f_high = f / f_quantile(0.975, df1, df2), f * f_quantile(0.975, df2, df1)
    if form.endswith("1"):
        return (f_low - 1) / (f_low + k - 1), (f_high - 1) / (f_high + k - 1)
    return 1 - 1 / f_low, 1 - 1 / f_high


def _spearman_brown(limit: float, k: int) -> float:
    """Reliability of the mean of k reads; not defined at −1/(k−1)."""
    denominator = 1 + limit * (k - 1)
    return limit * k / denominator if abs(denominator) > 1e-10 else math.nan


def absolute_limits(squares: MeanSquares, r: float | None) -> tuple[float, float]:
    """95 % limits of ICC(A,1) from mean squares (McGraw and Wong 1996, Satterthwaite); NaN where r is 1 or unknown."""
    n, k = squares.n, squares.k
    rows, columns, error = squares.rows, squares.columns, squares.error
    if r is None or r >= 1:
        return math.nan, math.nan
    a, b = k * r / (n * (1 - r)), 1 + k * r * (n - 1) / (n * (1 - r))
    denominator = (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    if denominator == 0:
        return math.nan, math.nan
    v = (a * columns + b * error) ** 2 / denominator
    upper_f, lower_f = f_quantile(0.975, n - 1, v), f_quantile(0.975, v, n - 1)
    rest = k * columns + (k * n - k - n) * error
    low = n * (rows - upper_f * error) / (upper_f * rest + n * rows)
    high = n * (lower_f * rows - error) / (rest + n * lower_f * rows)
    return low, high


def _bootstrap(
    ratings: NDArray[np.float64],
    clusters: NDArray[np.int64],
    number: int,
    form: str,
    replicates: int,
    seed: int,
    estimate: float,
) -> tuple[Interval | None, Interval | None]:
    """Expanded percentile (quantiles of type 7) and BCa intervals over resampled patients."""
    sums = patient_sums(ratings, clusters, number)
    values = np.concatenate(
        [
            replicate_icc(chunk, sums, form)
            for chunk in resample_counts(clusters=number, replicates=replicates, seed=seed)
        ]
    )
    values = values[np.isfinite(values)]
    if values.size < 0.9 * replicates:
        return None, None
    low, high = np.quantile(values, expanded_levels(number))
    name = f"{count(values.size)} replicates"
    left_out = icc_of_sums(sums.sum(0) - sums, form)
    bca = (math.nan, math.nan)
    if np.isfinite(left_out).all():
        bca = bca_limits(values, estimate, left_out)
    return (
        Interval(float(low), float(high), f"patient-cluster bootstrap, expanded percentile, {name}"),
        interval_or_none(*bca, f"patient-cluster bootstrap, BCa, {name}"),
    )


NO_BCA = "all resamples lie on one side of the estimate, or leaving out one patient at a time changes nothing"
FEW_FOR_BCA = 100
"""With 50 patients the BCa interval of the ICC holds the truth in 92 % of studies (docs/validation-statistics.md)."""


def _few_for_bca(number: int | None) -> tuple[str, ...]:
    if number is None or not FEW_CLUSTERS <= number < FEW_FOR_BCA:  # of fewer, few_clusters has warned
        return ()
    return (f"{number} patients: the BCa interval is too narrow, the percentile one beside it is not",)


CONCENTRATED = 0.4
"""Share of the variance between units that the largest 1 % of them hold, from which intervals are too narrow.

Normal values give 0.08, lognormal ones whose logarithm has an SD of 1.2 give 0.48; with skewed volumes intervals hold
the truth in 69 to 76 % of studies (docs/validation-statistics.md)."""


def concentration(ratings: NDArray[np.float64]) -> float:
    """Share of the sum of squares between units that the 1 % farthest from the mean hold (0.08 for normal values)."""
    squares = (ratings.mean(axis=1) - ratings.mean()) ** 2
    total = float(squares.sum())
    most = max(1, len(squares) // 100)
    return float(np.partition(squares, len(squares) - most)[-most:].sum()) / total if total > 0 else 0.0


def _concentrated(ratings: NDArray[np.float64], unit: str) -> tuple[str, ...]:
    held = concentration(ratings)
    if held < CONCENTRATED or len(ratings) < 100:
        return ()
    return (
        f"the largest 1 % of {plural(unit, 2)} hold {half_up(100 * held, 0)} % of the variance: intervals of the ICC are too narrow",
    )
