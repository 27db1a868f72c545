"""Multi-reader multi-case comparison of modalities: Obuchowski and Rockette, with the degrees of freedom of Hillis.

Every reader reads every case under every modality. A figure of merit (AUC, or sensitivity or specificity at a
threshold) is computed for each reader and modality; its covariances over cases come from the jackknife, leaving out
one patient at a time, so that several territories of one patient are no independent cases. Readers and cases are both
random. Sources: Obuchowski and Rockette 1995; Hillis 2007, 2014 (denominator degrees of freedom, single modality).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.roc import placements
from analytics.columns import codes
from analytics.distributions import f_upper_tail, normal_quantile, normal_two_sided_p, t_quantile
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Interval, Result, Test, interval_or_none, plural, unless
from analytics.rounding import half_up

Array = NDArray[np.float64]
Index = NDArray[np.int64]
MERITS = ("auc", "sensitivity", "specificity")
Z = normal_quantile(0.975)
NO_SPREAD = "no spread between readers or cases"
NO_VARIANCE = 1e-18
"""Figures of merit that are all equal leave a mean square of rounding, about 1e-33; none below this is real."""


@dataclass(frozen=True)
class Components:
    """Variance components of the Obuchowski–Rockette model; ``cov1``: same reader, ``cov2``: same modality, ``cov3``: neither."""

    reader: float
    modality_reader: float
    error: float
    cov1: float
    cov2: float
    cov3: float

    def to_dict(self) -> dict[str, float]:
        """JSON form."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class ModalityMean(Result):
    """Mean figure of merit of one modality over readers; ``by_reader`` holds each reader's."""

    modality: str
    se: float | None = None
    by_reader: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Mrmc(Result):
    """Last modality minus first (``estimate``); ``test`` is the F test of all modalities being equal.

    ``fixed_readers`` is the test and interval for these readers alone (cases random), or ``fixed_readers_reason`` says
    why there is none.
    """

    merit: str
    modalities: tuple[ModalityMean, ...] = ()
    readers: tuple[str, ...] = ()
    se: float | None = None
    components: Components | None = None
    ms_modality: float | None = None
    ms_modality_reader: float | None = None
    fixed_readers: Test | None = None
    fixed_readers_interval: Interval | None = None
    fixed_readers_reason: str | None = None
    cases: int = 0
    controls: int = 0

    def sentence(self) -> str:
        """Difference with its interval, and each modality's mean."""
        text = super().sentence()[:-1]
        if self.test is not None:
            text += f"; F = {half_up(self.test.statistic, 2)}, p = {half_up(self.test.p, 3)}"
        means = [f"{m.modality} {half_up(m.estimate, 3)}" for m in self.modalities if m.estimate is not None]
        quoted = f"; means: {', '.join(means)}" if means else ""
        return f"{text}; {len(self.readers)} {plural('reader', len(self.readers))}{quoted}."


def mrmc_of(
    ratings: Array,
    diseased: NDArray[np.bool_],
    *,
    clusters: Sequence[Any] | None = None,
    modalities: Sequence[str] = (),
    readers: Sequence[str] = (),
    merit: str = "auc",
    threshold: float | None = None,
    unit: str = "case",
    simulated: bool = False,
) -> Mrmc:
    """Compare modalities read by the same readers on the same cases; NaN in a rating drops the case.

    Parameters
    ----------
    ratings : (modalities, readers, cases), higher for more disease
    diseased : (cases,)
    clusters : (cases,) patients, where several cases share one
    merit : ``auc``, or ``sensitivity`` or ``specificity`` of ``rating >= threshold``

    Raises
    ------
    AnalyticsError
        For an unknown merit, and for a merit that needs a threshold and has none.
    """
    if merit not in MERITS:
        raise AnalyticsError(f"Unknown figure of merit {merit!r}; known are {', '.join(MERITS)}.")
    if merit != "auc" and threshold is None:
        raise AnalyticsError(f"The {merit} needs a threshold of the score.")
    at_least = math.nan if threshold is None else threshold
    t, r, total = ratings.shape
    modalities, readers = (
        list(modalities) or [f"modality {i + 1}" for i in range(t)],
        list(readers) or [f"reader {j + 1}" for j in range(r)],
    )
    complete = np.asarray(~np.isnan(ratings).any(axis=(0, 1)))
    kept, truth = ratings[:, :, complete], diseased[complete]
    names = (
        np.flatnonzero(complete).tolist()
        if clusters is None
        else [c for c, k in zip(clusters, complete, strict=True) if k]
    )
    patient, distinct = codes(names)
    missing = int(total - complete.sum())
    title = {"auc": "AUC", "sensitivity": "sensitivity", "specificity": "specificity"}[merit]
    if merit != "auc":
        title += f" at ≥ {at_least:g}"
    common: dict[str, Any] = {
        "method": f"difference in {title}, {modalities[-1]} − {modalities[0]} (Obuchowski–Rockette, random readers and cases)",
        "n": int(complete.sum()),
        "unit": unit,
        "clusters": None if clusters is None else len(distinct),
        "dropped": (Dropped(missing, "a rating is missing"),) if missing else (),
        "merit": title,
        "readers": tuple(readers),
        "cases": int(truth.sum()),
        "controls": int((~truth).sum()),
        "simulated": simulated,
    }
    reason = _refusal(t, r, truth, len(distinct))
    if reason:
        return Mrmc(estimate=None, reason=reason, **common)
    scores = kept.reshape(t * r, -1)
    left_out = np.stack([_left_out(row, truth, patient, len(distinct), merit, at_least) for row in scores])
    whole = np.array([_merit(row, truth, merit, at_least) for row in scores]).reshape(t, r)
    if not np.isfinite(left_out).all():
        return Mrmc(estimate=None, reason="one patient holds all cases of one kind: no jackknife", **common)
    moved = left_out - left_out.mean(axis=1, keepdims=True)
    covariance = ((len(distinct) - 1) / len(distinct) * moved @ moved.T).reshape(t, r, t, r)
    return _analysed(whole, covariance, modalities, common)


def _refusal(t: int, r: int, truth: NDArray[np.bool_], patients: int) -> str | None:
    if t < 2:
        return "one modality; two are needed"
    if r < 2:
        return "one reader only: its spread says nothing about others"
    if not truth.any() or truth.all():
        return f"all {len(truth)} complete cases are {'diseased' if truth.any() else 'healthy'}"
    if patients < 3:
        return f"{patients} patients; three are needed"
    return None


def _merit(score: Array, truth: NDArray[np.bool_], merit: str, threshold: float) -> float:
    if merit == "auc":
        return placements(score[truth], score[~truth])[0]
    positive = score >= threshold
    return float(positive[truth].mean() if merit == "sensitivity" else (~positive[~truth]).mean())


def _left_out(
    score: Array, truth: NDArray[np.bool_], patient: Index, patients: int, merit: str, threshold: float
) -> Array:
    """The figure of merit without each patient: (patients,); NaN where a group would be empty."""
    if merit != "auc":
        group = truth if merit == "sensitivity" else ~truth
        right = ((score >= threshold) == truth) & group
        of = [np.bincount(patient, weights=v.astype(float), minlength=patients) for v in (right, group)]
        with np.errstate(invalid="ignore"):
            ratio: Array = (right.sum() - of[0]) / (group.sum() - of[1])
        return ratio
    m, n = int(truth.sum()), int((~truth).sum())
    auc, by_case, by_control = placements(score[truth], score[~truth])
    lost = np.bincount(patient[truth], weights=by_case * n, minlength=patients)
    lost += np.bincount(patient[~truth], weights=by_control * m, minlength=patients)
    mine = np.bincount(patient[truth], minlength=patients), np.bincount(patient[~truth], minlength=patients)
    for p in np.flatnonzero((mine[0] > 0) & (mine[1] > 0)):
        inside = patient == p
        a, b = score[inside & truth][:, None], score[inside & ~truth][None, :]
        lost[p] -= float(((a > b) + 0.5 * (a == b)).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Array = (auc * m * n - lost) / ((m - mine[0]) * (n - mine[1]))
    return result


def _analysed(
    whole: Array, covariance: NDArray[Any], modalities: Sequence[str], common: dict[str, Any]
) -> Mrmc:
    t, r = whole.shape
    same_modality = np.eye(t, dtype=bool)[:, None, :, None]
    same_reader = np.eye(r, dtype=bool)[None, :, None, :]

    def mean(of: NDArray[np.bool_]) -> float:
        return float(covariance[np.broadcast_to(of, covariance.shape)].mean())

    error, cov1 = mean(same_modality & same_reader), mean(~same_modality & same_reader)
    cov2, cov3 = mean(same_modality & ~same_reader), mean(~same_modality & ~same_reader)
    by_modality, by_reader, grand = whole.mean(1), whole.mean(0), whole.mean()
    ms_t = r * float(((by_modality - grand) ** 2).sum()) / (t - 1)
    ms_r = t * float(((by_reader - grand) ** 2).sum()) / (r - 1)
    residual = whole - by_modality[:, None] - by_reader[None, :] + grand
    ms_tr = float((residual**2).sum()) / ((t - 1) * (r - 1))
    extra = max(r * (cov2 - cov3), 0.0)
    components = Components(
        reader=(ms_r - ms_tr) / t - cov1 + cov3,
        modality_reader=ms_tr - error + cov1 + max(cov2 - cov3, 0.0),
        error=error,
        cov1=cov1,
        cov2=cov2,
        cov3=cov3,
    )
    means = tuple(_single(whole[i], covariance[i, :, i, :], modalities[i], common) for i in range(t))
    difference = float(by_modality[-1] - by_modality[0])
    more: dict[str, Any] = {
        "modalities": means,
        "components": components,
        "ms_modality": ms_t,
        "ms_modality_reader": ms_tr,
        **_fixed_readers(difference, r, components),
    }
    denominator = ms_tr + extra
    if denominator <= NO_VARIANCE:
        return Mrmc(estimate=difference, interval_reason=NO_SPREAD, **more, **common)
    df2 = math.inf if ms_tr == 0 else denominator**2 / (ms_tr**2 / ((t - 1) * (r - 1)))
    f, se = ms_t / denominator, math.sqrt(2 / r * denominator)
    half = (Z if math.isinf(df2) else t_quantile(0.975, df2)) * se
    tail = f_upper_tail(f, t - 1, df2) if math.isfinite(df2) else normal_two_sided_p(math.sqrt(f))
    return Mrmc(
        estimate=difference,
        interval=Interval(
            difference - half, difference + half, "Obuchowski–Rockette with Hillis's degrees of freedom"
        ),
        test=Test("F of equal modalities", f, (t - 1, df2), tail),
        se=se,
        **more,
        **common,
    )


def _single(merits: Array, covariance: NDArray[Any], name: str, common: dict[str, Any]) -> ModalityMean:
    """Mean of one modality over random readers and cases (Hillis 2014)."""
    r = len(merits)
    ms = float(merits.var(ddof=1))
    cov2 = float(covariance[~np.eye(r, dtype=bool)].mean())
    variance = ms + max(r * cov2, 0.0)
    mean = float(merits.mean())
    kept = {k: common[k] for k in ("n", "unit", "clusters", "simulated")}
    shared: dict[str, Any] = {
        "modality": name,
        "by_reader": tuple(float(v) for v in merits),
        "method": f"mean {common['merit']}, {name}",
        **kept,
    }
    if variance <= 0:
        return ModalityMean(estimate=mean, interval_reason=NO_SPREAD, **shared)
    se = math.sqrt(variance / r)
    half = (Z if ms == 0 else t_quantile(0.975, variance**2 / (ms**2 / (r - 1)))) * se
    interval = interval_or_none(mean - half, mean + half, "random readers and cases")
    why = unless(interval, "its limits are not finite")
    return ModalityMean(estimate=mean, interval=interval, interval_reason=why, se=se, **shared)


def _fixed_readers(difference: float, r: int, c: Components) -> dict[str, Any]:
    variance = 2 / r * (c.error - c.cov1 + (r - 1) * (c.cov2 - c.cov3))
    if variance <= 0:
        return {"fixed_readers_reason": "no spread between cases"}
    se = math.sqrt(variance)
    z = difference / se
    return {
        "fixed_readers": Test("z, these readers", z, (), normal_two_sided_p(z)),
        "fixed_readers_interval": Interval(
            difference - Z * se, difference + Z * se, "these readers, random cases"
        ),
    }
