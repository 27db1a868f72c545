"""ICC and standard error of measurement from variance components (REML).

Two designs: raters crossed with subjects with reads missing (every read is used, none is dropped with its subject),
and lesions nested in patients. Sources: McGraw and Wong 1996 (forms), Bland and Altman 1996 (SEM), Patterson and
Thompson 1971 (REML).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.crossed_reml import fit_crossed, subject_sums
from analytics.agreement.nested_reml import fit_nested, patient_sums
from analytics.columns import codes, identities_in
from analytics.errors import AnalyticsError
from analytics.resampling import (
    REPLICATES,
    SEED,
    no_interval_over,
    percentile_interval,
    resampled_sums,
    sums_by_cluster,
)
from analytics.result import Dropped, Interval, Result, few_clusters, unless
from analytics.rounding import half_up

Array = NDArray[np.float64]
CROSSED_REPLICATES = 1_000
"""Each resample is fitted anew: 1,900 lesions of three raters take 1.7 s on one core, 10,000 resamples would take 17."""
FEW_RATERS = 5
"""The SD between four raters has three degrees of freedom: its 95 % limits are 0.57 and 3.7 times itself."""


@dataclass(frozen=True, kw_only=True)
class ComponentIcc(Result):
    """An ICC (``estimate``) as a ratio of variance components; its interval resamples patients (raters are kept).

    ``components`` are variances in squared units of the reads. ``sem_agreement`` counts differences between raters
    as error, ``sem_consistency`` does not. ``bias`` is each rater minus the first, with ``bias_se``.
    """

    components: dict[str, float] = field(default_factory=dict)
    icc_agreement: float | None = None
    icc_consistency: float | None = None
    patient_share: float | None = None
    sem_agreement: float | None = None
    sem_consistency: float | None = None
    bias: tuple[float, ...] = ()
    bias_se: float | None = None
    observations: int = 0
    log_likelihood: float | None = None
    raters: tuple[Any, ...] = ()
    value_unit: str = ""

    def sentence(self) -> str:
        """ICC, components and SEM in words."""
        text = super().sentence()
        if not self.components:
            return text
        unit = f" {self.value_unit}" if self.value_unit else ""
        parts = ", ".join(f"{name} {half_up(value, 2)}" for name, value in self.components.items())
        text = f"{text[:-1]}; variances: {parts}"
        if self.sem_consistency is not None:
            text += f"; SEM {half_up(self.sem_consistency, 2)}{unit}"
        if self.sem_agreement is not None:
            text += f" (with differences between raters {half_up(self.sem_agreement, 2)}{unit})"
        return text + "".join(f"; {w}" for w in self.warnings) + "."


def icc_reml_of(
    ratings: Array,
    *,
    clusters: Sequence[Any] | None = None,
    form: str = "A,1",
    raters: Sequence[Any] = (),
    value_unit: str = "",
    unit: str = "lesion",
    replicates: int = CROSSED_REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> ComponentIcc:
    """ICC(A,1) or ICC(C,1) of a matrix (subjects, raters) by REML; NaN is a missing read.

    Subjects and raters are random. A subject without any read is dropped and counted.
    """
    if form not in ("A,1", "C,1"):
        raise AnalyticsError(f"Unknown form {form!r}; variance components give A,1 and C,1.")
    ratings = np.asarray(ratings, np.float64)
    if ratings.ndim != 2:
        raise AnalyticsError(f"Ratings must have one row per subject, not shape {ratings.shape}.")
    kept = np.asarray(~np.isnan(ratings).all(axis=1))
    common = _common(f"ICC({form}), REML", kept, clusters, raters, ratings.shape[1], "no read")
    common |= {"unit": unit, "value_unit": value_unit, "simulated": simulated}
    patient, patients = common.pop("patient"), common.pop("patients")
    y = ratings[kept]
    reason = _crossed_refusal(y)
    if reason:
        return ComponentIcc(estimate=None, reason=reason, **common)
    sums = subject_sums(y)
    fitted = fit_crossed(sums.sum(0, keepdims=True), y.shape[1])
    subject, rater, residual = (float(v[0]) for v in (fitted.subject, fitted.rater, fitted.residual))
    agreement, consistency = subject / (subject + rater + residual), subject / (subject + residual)
    interval = None
    if patients >= 2 and replicates:
        interval = _crossed_bootstrap(
            sums_by_cluster(sums, patient, patients), y.shape[1], form, replicates, seed
        )
        interval = _named(interval, common["clusters"])
    noun = "subject" if common["clusters"] is None else "patient"
    warnings = few_clusters(patients) if interval else ()
    if y.shape[1] < FEW_RATERS and form == "A,1":
        warnings += (
            f"the variance between raters rests on {y.shape[1]} raters, who are kept when patients are resampled",
        )
    return ComponentIcc(
        estimate=agreement if form == "A,1" else consistency,
        interval=interval,
        interval_reason=unless(
            interval, no_interval_over(patients, resampled=True, noun=noun, asked=replicates > 0)
        ),
        components={"subject": subject, "rater": rater, "residual": residual},
        icc_agreement=agreement,
        icc_consistency=consistency,
        sem_agreement=math.sqrt(rater + residual),
        sem_consistency=math.sqrt(residual),
        observations=int((~np.isnan(y)).sum()),
        log_likelihood=float(fitted.log_likelihood[0]),
        warnings=warnings,
        **common,
    )


def nested_icc_of(
    ratings: Array,
    *,
    clusters: Sequence[Any] | NDArray[Any],
    raters: Sequence[Any] = (),
    value_unit: str = "",
    unit: str = "lesion",
    replicates: int = REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> ComponentIcc:
    """ICC(C,1) of lesions (rows) nested in patients by REML, raters fixed: (patient + lesion) ÷ total.

    A lesion without a read of every rater is dropped and counted (listwise).
    """
    ratings = np.asarray(ratings, np.float64)
    if ratings.ndim != 2 or len(clusters) != len(ratings):
        raise AnalyticsError(
            f"Ratings must have one row per lesion and one patient each, not {ratings.shape} and {len(clusters)}."
        )
    kept = np.asarray(~np.isnan(ratings).any(axis=1))
    common = _common(
        "ICC(C,1), REML, lesions nested in patients",
        kept,
        clusters,
        raters,
        ratings.shape[1],
        "a read is missing",
    )
    common |= {"unit": unit, "value_unit": value_unit, "simulated": simulated}
    patient, patients = common.pop("patient"), common.pop("patients")
    y = ratings[kept]
    reason = _nested_refusal(y, patients)
    if reason:
        return ComponentIcc(estimate=None, reason=reason, **common)
    sums = patient_sums(y, patient, patients)
    fitted = fit_nested(sums.parts.sum(0, keepdims=True), sums)
    between, lesion, residual = (float(v[0]) for v in (fitted.patient, fitted.lesion, fitted.residual))
    total = between + lesion + residual
    interval = None
    if replicates:
        values = []
        for drawn in resampled_sums(sums.parts, replicates=replicates, seed=seed):
            fits = fit_nested(drawn, sums)
            values.append(1 - fits.residual / (fits.patient + fits.lesion + fits.residual))
        interval = percentile_interval(np.concatenate(values), replicates, clusters=patients)
    return ComponentIcc(
        estimate=(between + lesion) / total,
        interval=interval,
        interval_reason=unless(interval, no_interval_over(patients, resampled=True, asked=replicates > 0)),
        components={"patient": between, "lesion": lesion, "residual": residual},
        icc_consistency=(between + lesion) / total,
        patient_share=between / total,
        sem_consistency=math.sqrt(residual),
        bias=tuple(float(v) for v in (y[:, 1:] - y[:, :1]).mean(axis=0)),
        bias_se=math.sqrt(2 * residual / len(y)),
        observations=y.size,
        warnings=few_clusters(patients) if interval else (),
        **common,
    )


def _common(
    method: str,
    kept: NDArray[np.bool_],
    clusters: Sequence[Any] | NDArray[Any] | None,
    raters: Sequence[Any],
    k: int,
    why: str,
) -> dict[str, Any]:
    lost = int((~kept).sum())
    patient, distinct = codes(
        np.flatnonzero(kept).tolist() if clusters is None else identities_in(clusters, kept)
    )
    return {
        "method": method,
        "n": int(kept.sum()),
        "clusters": None if clusters is None else len(distinct),
        "dropped": (Dropped(lost, why),) if lost else (),
        "raters": tuple(raters) or tuple(f"read {j + 1}" for j in range(k)),
        "patient": patient,
        "patients": len(distinct),
    }


def _crossed_refusal(y: Array) -> str | None:
    if y.shape[1] < 2:
        return "one reader only"
    if len(y) < 3:
        return f"{len(y)} subjects with a read; three are needed"
    if not ((~np.isnan(y)).sum(1) >= 2).any():
        return "no subject was read twice"
    if np.isnan(y).all(axis=0).any():
        return "a rater has no read"
    if np.nanmax(y) == np.nanmin(y):
        return "all values are equal"
    return None


def _nested_refusal(y: Array, patients: int) -> str | None:
    if y.shape[1] < 2:
        return "one reader only"
    if patients < 2:
        return f"{patients} patients; two are needed"
    if len(y) == patients:
        return "every patient has one lesion: patient and lesion cannot be told apart"
    for part in (y[:100], y):  # most tables show within a few lesions that the reads differ
        differences = part[:, 1:] - part[:, :1]
        if (np.ptp(differences, axis=0) > 2e-12 * np.abs(part).max()).any():
            return None
    return "the reads differ by a constant: no residual variance"


def _crossed_bootstrap(parts: Array, k: int, form: str, replicates: int, seed: int) -> Interval | None:
    values = []
    for drawn in resampled_sums(parts, replicates=replicates, seed=seed):
        fits = fit_crossed(drawn, k)
        error = fits.residual + (fits.rater if form == "A,1" else 0)
        values.append(fits.subject / (fits.subject + error))
    return percentile_interval(np.concatenate(values), replicates, clusters=len(parts))


def _named(interval: Interval | None, clusters: int | None) -> Interval | None:
    if interval is None or clusters is not None:
        return interval
    return Interval(interval.low, interval.high, interval.method.replace("patient-cluster", "subject"))
