"""Repeatability: within-subject SD, within-subject CV and the repeatability coefficient of repeated reads.

Sources: Bland and Altman 1996 (measurement error), 1999 (repeatability coefficient 1.96 √2 s_w); Hyslop and White
2009 (within-subject CV as root mean square).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import codes, identities_in
from analytics.distributions import chi2_quantile, normal_quantile
from analytics.errors import AnalyticsError
from analytics.resampling import (
    REPLICATES,
    SEED,
    no_interval_over,
    percentile_interval,
    resampled_sums,
    sums_by_cluster,
)
from analytics.result import ClusteredResult, Dropped, Interval, few_clusters, plural
from analytics.rounding import half_up, percent

Array = NDArray[np.float64]
FACTOR = normal_quantile(0.975) * math.sqrt(2)
"""Repeatability coefficient per within-subject SD."""


@dataclass(frozen=True, kw_only=True)
class Repeatability(ClusteredResult):
    """Within-subject SD (``estimate``) with its χ² interval; ``cluster_interval`` resamples patients.

    ``coefficient`` is the difference that 95 % of repeated reads stay below; ``cv_mean`` is s_w over the grand
    mean, ``cv_rms`` the root mean square of each subject's SD over its mean (``cv_subjects`` of them; a subject
    whose mean is not positive has none).
    """

    value_unit: str
    df: int
    coefficient: float | None = None
    coefficient_interval: Interval | None = None
    cv_mean: float | None = None
    cv_rms: float | None = None
    cv_rms_interval: Interval | None = None
    cv_subjects: int = 0

    def sentence(self) -> str:
        """SD, coefficient and CV in words."""
        text = super().sentence()
        if self.estimate is None or self.coefficient is None:
            return text
        unit = f" {self.value_unit}" if self.value_unit else ""
        text = f"{text[:-1]}; repeatability coefficient {half_up(self.coefficient, 2)}{unit}"
        if self.coefficient_interval is not None:
            text += f" ({self.coefficient_interval.text(2)}, {self.coefficient_interval.method})"
        if self.cv_rms is not None:
            text += f"; within-subject CV {percent(self.cv_rms)} % (root mean square)"
        if self.cluster_interval is None:
            text += self.beside()
        return text + "".join(f"; {w}" for w in self.warnings) + "."


def repeatability_of(
    reads: Array,
    *,
    clusters: Sequence[Any] | NDArray[Any] | None = None,
    value_unit: str = "",
    unit: str = "lesion",
    replicates: int = REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> Repeatability:
    """Repeatability of a matrix (subjects, reads); NaN is a missing read.

    Subjects need not have equally many reads; one with fewer than two is dropped and counted.
    """
    reads = np.asarray(reads, np.float64)
    if reads.ndim != 2:
        raise AnalyticsError(f"Reads must have one row per subject, not shape {reads.shape}.")
    present = ~np.isnan(reads)
    number = present.sum(1)
    kept = number >= 2
    patient, patients = None, None
    if clusters is not None:
        patient, distinct = codes(identities_in(clusters, kept))
        patients = len(distinct)
    lost = int((~kept).sum())
    common: dict[str, Any] = {
        "method": "within-subject SD",
        "n": int(kept.sum()),
        "unit": unit,
        "clusters": patients,
        "dropped": (Dropped(lost, "fewer than two reads"),) if lost else (),
        "value_unit": value_unit,
        "simulated": simulated,
    }
    if not kept.any():
        return Repeatability(estimate=None, reason="nothing was read twice", df=0, **common)
    parts = _parts(reads[kept], number[kept])
    sd, coefficient, cv_mean, cv_rms = (float(v) for v in _measures(parts.sum(0)))
    df = int(parts[:, 1].sum())
    cluster_interval, cv_interval = None, None
    if patient is not None and patients is not None and patients >= 2 and replicates and sd > 0:
        by_patient = sums_by_cluster(parts, patient, patients)
        drawn = np.concatenate(
            [
                np.stack(_measures(total.T), axis=1)
                for total in resampled_sums(by_patient, replicates=replicates, seed=seed)
            ]
        )
        cluster_interval = percentile_interval(drawn[:, 0], replicates, clusters=patients)
        cv_interval = (
            percentile_interval(drawn[:, 3], replicates, clusters=patients) if np.isfinite(cv_rms) else None
        )
    interval = None
    if sd > 0:
        low, high = (sd * math.sqrt(df / chi2_quantile(p, df)) for p in (0.975, 0.025))
        interval = Interval(low, high, f"χ², {plural(unit, 2)} taken as independent")
    shown = cluster_interval or interval
    return Repeatability(
        estimate=sd,
        interval=interval,
        interval_reason=None if sd > 0 else "all repeated reads are equal",
        df=df,
        coefficient=coefficient,
        coefficient_interval=None
        if shown is None
        else Interval(FACTOR * shown.low, FACTOR * shown.high, shown.method),
        cv_mean=cv_mean if math.isfinite(cv_mean) else None,
        cv_rms=cv_rms if math.isfinite(cv_rms) else None,
        cv_rms_interval=cv_interval,
        cv_subjects=int(parts[:, 5].sum()),
        cluster_interval=cluster_interval,
        cluster_reason=None
        if patients is None or cluster_interval is not None
        else "all repeated reads are equal"
        if sd == 0
        else no_interval_over(patients, resampled=True, asked=replicates > 0),
        warnings=few_clusters(patients) if cluster_interval else (),
        **common,
    )


def _parts(reads: Array, number: NDArray[np.int64]) -> Array:
    """Per subject: within sum of squares, its df, sum, reads, squared CV, and whether it has one: (n, 6)."""
    total = np.nansum(reads, axis=1)
    mean = total / number
    within = np.nansum((reads - mean[:, None]) ** 2, axis=1)
    has_cv = mean > 0
    squared = np.divide(within / (number - 1), mean**2, out=np.zeros_like(mean), where=has_cv)
    return np.stack(
        [within, number - 1.0, total, number.astype(float), squared, has_cv.astype(float)], axis=1
    )


def _measures(total: Array) -> tuple[Array, Array, Array, Array]:
    """SD, repeatability coefficient, CV by the mean and by root mean square from summed parts (6, …)."""
    within, df, value, reads, squared, number = total
    sd = np.sqrt(within / df)
    with np.errstate(divide="ignore", invalid="ignore"):
        cv_mean = np.where(value > 0, sd * reads / value, np.nan)
        return sd, FACTOR * sd, cv_mean, np.sqrt(squared / number)
