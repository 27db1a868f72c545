"""Method comparison by a line second = intercept + slope × first, with error in both: Deming and Passing–Bablok.

Agreement means slope 1 and intercept 0. Sources: Deming 1943, Linnet 1993 (jackknife interval); Passing and Bablok 1983
(slope, interval, cusum test of linearity).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.agreement.pairs import Pairs, TwoReads, pairs, to_resolution
from analytics.distributions import normal_quantile, t_quantile
from analytics.errors import AnalyticsError
from analytics.resampling import sums_by_cluster
from analytics.result import (
    ClusteredResult,
    Interval,
    Test,
    few_clusters,
    interval_or_none,
    plural,
    unless,
)
from analytics.rounding import half_up, p_value

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
MOST_PAIRS = 8_000
"""Pairs up to which all slopes between two points are formed (32 million, 0.5 GB)."""
MOST_LEFT_OUT = 1_000_000_000
"""Slopes times patients up to which patients are left out of Passing–Bablok one at a time."""


@dataclass(frozen=True, kw_only=True)
class MethodComparison(TwoReads, ClusteredResult):
    """Slope (``estimate``) and intercept; intervals for independent units, and leaving out one patient at a time.

    ``test`` is the cusum test of linearity (Passing–Bablok only).
    """

    value_unit: str
    intercept: float | None = None
    intercept_interval: Interval | None = None
    intercept_cluster_interval: Interval | None = None
    error_ratio: float | None = None

    def sentence(self) -> str:
        """Slope and intercept with their intervals in words."""
        text = super().sentence()
        if self.intercept is None:
            return text
        unit = f" {self.value_unit}" if self.value_unit else ""
        text = f"{text[:-1]}; intercept {half_up(self.intercept, 2)}{unit}"
        if self.intercept_interval is not None:
            text += f" ({self.intercept_interval.text(2)})"
        if self.cluster_interval is not None:
            text += f"; {self.cluster_interval.method} interval of the slope {self.cluster_interval.text(3)}"
        else:
            text += self.beside()
        if self.test is not None:
            text += f"; {self.test.name} {p_value(self.test.p)}"
        return text + "".join(f"; {w}" for w in self.warnings) + "."


def deming_of(
    first: Array,
    second: Array,
    *,
    clusters: Sequence[Any] | None = None,
    error_ratio: float = 1.0,
    names: tuple[str, str] = ("first", "second"),
    value_unit: str = "",
    unit: str = "lesion",
    simulated: bool = False,
) -> MethodComparison:
    """Deming regression of two arrays; ``error_ratio`` is the error variance of the second over that of the first.

    Intervals are jackknife (t, n − 2), leaving out one unit and, with ``clusters``, one patient at a time.
    """
    if not error_ratio > 0:
        raise AnalyticsError(f"The ratio of error variances must be positive, not {error_ratio}.")
    p = pairs(first, second, clusters)
    common = _common(
        p, f"Deming slope (ratio of error variances {error_ratio:g})", names, value_unit, unit, simulated
    )
    reason = _refusal(p)
    if reason:
        return MethodComparison(estimate=None, reason=reason, **common)
    centre = np.array([p.first.mean(), p.second.mean()])
    x, y = p.first - centre[0], p.second - centre[1]
    parts = np.stack([np.ones(p.n), x, y, x * x, y * y, x * y], axis=1)
    slope, intercept = (float(v[0]) for v in _deming_line(parts.sum(0)[None], centre, error_ratio))
    if not math.isfinite(slope):
        return MethodComparison(estimate=None, reason="the reads are uncorrelated: no slope", **common)

    def left_out(sums: Array) -> Array:
        return np.stack(_deming_line(sums.sum(0) - sums, centre, error_ratio))

    label = f"jackknife, {plural(unit, 2)} taken as independent"
    independent = _jackknife(left_out(parts), (slope, intercept), p.n, label)
    by_patient: tuple[Interval | None, Interval | None] = (None, None)
    if p.patient is not None and p.patients is not None and p.patients >= 4:
        sums = sums_by_cluster(parts, p.patient, p.patients)
        by_patient = _jackknife(
            left_out(sums), (slope, intercept), p.patients, "delete-one-patient jackknife"
        )
    return MethodComparison(
        estimate=slope,
        interval=independent[0],
        interval_reason=unless(independent[0], "the points lie on a line"),
        intercept=intercept,
        intercept_interval=independent[1],
        cluster_interval=by_patient[0],
        cluster_reason=p.why_no_interval_over(by_patient[0], 0, least=4, resampled=False),
        intercept_cluster_interval=by_patient[1],
        error_ratio=error_ratio,
        warnings=few_clusters(p.patients) if by_patient[0] else (),
        **common,
    )


def passing_bablok_of(
    first: Array,
    second: Array,
    *,
    clusters: Sequence[Any] | None = None,
    names: tuple[str, str] = ("first", "second"),
    value_unit: str = "",
    unit: str = "lesion",
    simulated: bool = False,
) -> MethodComparison:
    """Passing–Bablok regression of two arrays: the shifted median of all slopes between two points.

    It expects positively related reads. With ``clusters`` a jackknife interval over patients stands beside the
    rank interval, where it can be had in reasonable time.
    """
    p = pairs(first, second, clusters)
    common = _common(p, "Passing–Bablok slope", names, value_unit, unit, simulated)
    reason = _refusal(p)
    if p.n > MOST_PAIRS:
        reason = f"{p.n:,} pairs have too many slopes between two points (most {MOST_PAIRS:,}); use Deming"
    if reason:
        return MethodComparison(estimate=None, reason=reason, **common)
    slopes, i, j = _slopes(p)
    slope, low, high = _shifted_median(slopes, p.n)
    if not math.isfinite(slope):
        return MethodComparison(estimate=None, reason="the slopes have no finite median", **common)
    intercept = _intercept(p, slope)
    label = f"Passing–Bablok, {plural(unit, 2)} taken as independent"
    interval = interval_or_none(low, high, label)
    by_patient: tuple[Interval | None, Interval | None] = (None, None)
    why_not_over = p.why_no_interval_over(None, 0, least=4, resampled=False)
    if p.patients is not None and len(slopes) * p.patients > MOST_LEFT_OUT:
        why_not_over = (
            f"{len(slopes):,} slopes would be taken without each of {p.patients:,} patients; use Deming"
        )
    if p.patients is not None and p.patients >= 4 and len(slopes) * p.patients <= MOST_LEFT_OUT:
        by_patient = _leave_out_patients(p, slopes, i, j, (slope, intercept))
    return MethodComparison(
        estimate=slope,
        interval=interval,
        interval_reason=unless(interval, "too few pairs"),
        test=_cusum(p, slope, intercept),
        intercept=intercept,
        intercept_interval=None
        if interval is None
        else interval_or_none(_intercept(p, high), _intercept(p, low), label),
        cluster_interval=by_patient[0],
        cluster_reason=why_not_over if by_patient[0] is None else None,
        intercept_cluster_interval=by_patient[1],
        warnings=few_clusters(p.patients) if by_patient[0] else (),
        **common,
    )


def _common(
    p: Pairs, method: str, names: tuple[str, str], value_unit: str, unit: str, simulated: bool
) -> dict[str, Any]:
    return p.drawn(unit, names, value_unit, simulated=simulated) | {
        "method": f"{method}, {names[1]} on {names[0]}",
    }


def _refusal(p: Pairs) -> str | None:
    if p.n < 4:
        return f"{p.n} complete pairs; four are needed"
    if np.ptp(p.first) == 0 or np.ptp(p.second) == 0:
        return "all values of one read are equal"
    return None


def _deming_line(sums: Array, centre: Array, ratio: float) -> tuple[Array, Array]:
    """Slope and intercept of summed parts (fits, 6) of centred reads; NaN where there is no slope."""
    n, sx, sy, sxx, syy, sxy = sums.T
    uxx, uyy, uxy = sxx - sx**2 / n, syy - sy**2 / n, sxy - sx * sy / n
    excess = uyy - ratio * uxx
    with np.errstate(divide="ignore", invalid="ignore"):
        related = np.abs(uxy) > 1e-12 * np.sqrt(uxx * uyy)
        slope = np.where(related, (excess + np.sqrt(excess**2 + 4 * ratio * uxy**2)) / (2 * uxy), np.nan)
    return slope, centre[1] + sy / n - slope * (centre[0] + sx / n)


def _jackknife(
    left_out: Array, whole: tuple[float, float], n: int, label: str
) -> tuple[Interval | None, Interval | None]:
    """Intervals of slope and intercept from the fits without each unit: (2, n)."""
    found: list[Interval | None] = []
    for values, estimate in zip(left_out, whole, strict=True):
        se = math.sqrt((n - 1) / n * float(((values - values.mean()) ** 2).sum()))
        half = t_quantile(0.975, n - 2) * se
        scale = max(abs(estimate), float(np.abs(values).max()))
        usable = math.isfinite(half) and half > 1e-12 * scale
        found.append(interval_or_none(estimate - half, estimate + half, label) if usable else None)
    return found[0], found[1]


def _slopes(p: Pairs) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """Sorted slopes between all two points that differ, without −1, and the points they join."""
    i, j = np.triu_indices(p.n, 1)
    dx = to_resolution(p.first[j] - p.first[i], p.first)
    dy = to_resolution(p.second[j] - p.second[i], p.second)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = dy / dx
    slopes[dx == 0] = np.copysign(np.inf, dy[dx == 0])
    kept = ~((dx == 0) & (dy == 0)) & (slopes != -1)
    slopes, i, j = slopes[kept], i[kept], j[kept]
    order = np.argsort(slopes, kind="stable")
    return slopes[order], i[order], j[order]


def _shifted_median(ordered: Array, n: int) -> tuple[float, float, float]:
    """Slope and its limits; NaN limits where the shift or a rank leaves the list."""
    total, offset = len(ordered), int(np.searchsorted(ordered, -1.0))
    if not total or offset + total // 2 >= total:
        return math.nan, math.nan, math.nan
    middle = total // 2 + offset
    slope = ordered[middle] if total % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    spread = Z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    rank = round((total - spread) / 2)
    low, high = rank + offset - 1, total - rank + offset
    if rank < 1 or high >= total:
        return float(slope), math.nan, math.nan
    return float(slope), float(ordered[low]), float(ordered[high])


def _intercept(p: Pairs, slope: float) -> float:
    return float(np.median(p.second - slope * p.first))


def _leave_out_patients(
    p: Pairs, slopes: Array, i: NDArray[np.int64], j: NDArray[np.int64], whole: tuple[float, float]
) -> tuple[Interval | None, Interval | None]:
    owner, patients = p.groups()
    one, other = owner[i], owner[j]
    fits = np.empty((2, patients))
    for patient in range(patients):
        rows = owner != patient
        slope = _shifted_median(slopes[(one != patient) & (other != patient)], int(rows.sum()))[0]
        fits[:, patient] = slope, float(np.median(p.second[rows] - slope * p.first[rows]))
    if not np.isfinite(fits).all():
        return None, None
    return _jackknife(fits, whole, patients, "delete-one-patient jackknife")


def _cusum(p: Pairs, slope: float, intercept: float) -> Test | None:
    """Cusum test of linearity: a small p says that a line does not fit."""
    residual = to_resolution(p.second - slope * p.first - intercept, p.second)
    above, below = int((residual > 0).sum()), int((residual < 0).sum())
    if not above or not below or slope <= 0:
        return None
    score = np.where(residual > 0, math.sqrt(below / above), -math.sqrt(above / below))
    score[residual == 0] = 0
    along = np.argsort(p.second + p.first / slope, kind="stable")
    statistic = float(np.abs(np.cumsum(score[along])).max()) / math.sqrt(below + 1)
    return Test("cusum test of linearity", statistic, (), float(special.kolmogorov(statistic)))
