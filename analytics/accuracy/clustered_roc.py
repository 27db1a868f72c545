"""AUC of lesions or vessels that share patients, and its paired comparison (Obuchowski 1997)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import logit_interval
from analytics.accuracy.roc import AucDifference, placements, roc_of
from analytics.accuracy.rows import complete
from analytics.columns import codes, identities_in
from analytics.distributions import normal_quantile, normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import Interval, Result, Test, few_clusters, few_events
from analytics.rounding import count

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
NO_VARIANCE = 1e-18
"""Placement sums that are all equal leave a variance of rounding, about 1e-33; none below this is real."""
FEW_PATIENTS = "fewer than two patients with, or without, the outcome"


@dataclass(frozen=True, kw_only=True)
class ClusteredRoc(Result):
    """AUC (``estimate``) with Obuchowski's interval; ``naive_interval`` is DeLong's for independent units.

    ``interval`` is plain (clipped to [0, 1]), ``logit_interval`` beside it.
    """

    cases: int
    controls: int
    se: float | None = None
    naive_se: float | None = None
    logit_interval: Interval | None = None
    naive_interval: Interval | None = None
    design_effect: float | None = None

    def sentence(self) -> str:
        """AUC with both intervals in words."""
        text = f"{super().sentence()[:-1]}, {count(self.cases)} diseased and {count(self.controls)} not"
        if self.naive_interval is not None:
            text += f"; DeLong's interval for independent units {self.naive_interval.text(3)}"
        return text + "".join(f"; {w}" for w in self.warnings) + "."


@dataclass(frozen=True)
class _Structure:
    """Placement deviations summed by patient: of cases (patients, markers), of controls, and who has which."""

    aucs: Array
    by_case: Array
    by_control: Array
    has_case: NDArray[np.bool_]
    has_control: NDArray[np.bool_]
    cases: int
    controls: int

    def covariance(self) -> Array:
        """Obuchowski's covariance matrix of the AUCs."""
        i10, i01, everyone = int(self.has_case.sum()), int(self.has_control.sum()), len(self.has_case)
        m, n = self.cases, self.controls
        within_cases = i10 / (i10 - 1) * self.by_case.T @ self.by_case / m**2
        within_controls = i01 / (i01 - 1) * self.by_control.T @ self.by_control / n**2
        mixed = everyone / (everyone - 1) * self.by_case.T @ self.by_control / (m * n)
        result: Array = within_cases + within_controls + mixed + mixed.T
        return result


def _structure(
    markers: Array, case: NDArray[np.bool_], patient: NDArray[np.int64], patients: int
) -> _Structure:
    aucs, by_case, by_control = [], [], []
    for values in markers.T:
        auc, v10, v01 = placements(values[case], values[~case])
        aucs.append(auc)
        by_case.append(np.bincount(patient[case], weights=v10 - auc, minlength=patients))
        by_control.append(np.bincount(patient[~case], weights=v01 - auc, minlength=patients))
    return _Structure(
        np.array(aucs),
        np.column_stack(by_case),
        np.column_stack(by_control),
        np.bincount(patient[case], minlength=patients) > 0,
        np.bincount(patient[~case], minlength=patients) > 0,
        int(case.sum()),
        int((~case).sum()),
    )


def clustered_roc_of(
    marker: Array,
    outcome: Array,
    *,
    clusters: Sequence[Any],
    unit: str = "lesion",
    simulated: bool = False,
) -> ClusteredRoc:
    """AUC of an array for 0/1, one patient per unit; rows with a missing value are dropped and counted."""
    naive = roc_of(marker, outcome, unit=unit, simulated=simulated)
    rows = complete(outcome, marker)
    patient, distinct = codes(_patients(clusters, rows.kept))
    patients = len(distinct)
    common: dict[str, Any] = {
        "method": "AUC",
        "n": naive.n,
        "unit": unit,
        "clusters": patients,
        "dropped": naive.dropped,
        "cases": naive.cases,
        "controls": naive.controls,
        "simulated": simulated,
    }
    if naive.estimate is None:
        return ClusteredRoc(estimate=None, reason=naive.reason, **common)
    structure = _structure(rows.markers[0][:, None], rows.case, patient, patients)
    common |= {"naive_se": naive.se, "naive_interval": naive.interval}
    if structure.has_case.sum() < 2 or structure.has_control.sum() < 2:
        return ClusteredRoc(estimate=naive.estimate, interval_reason=FEW_PATIENTS, **common)
    variance = float(structure.covariance()[0, 0])
    if variance <= NO_VARIANCE:
        return ClusteredRoc(estimate=naive.estimate, interval_reason="no spread between patients", **common)
    se, auc = math.sqrt(variance), naive.estimate
    return ClusteredRoc(
        estimate=auc,
        interval=Interval(max(0.0, auc - Z * se), min(1.0, auc + Z * se), "Obuchowski, patients as clusters"),
        logit_interval=logit_interval(auc, Z * se / (auc * (1 - auc)), "Obuchowski, logit")
        if 0 < auc < 1
        else None,
        test=Test("z against 0.5", (auc - 0.5) / se, (), normal_two_sided_p((auc - 0.5) / se)),
        se=se,
        design_effect=(se / naive.se) ** 2 if naive.se else None,
        warnings=few_clusters(patients) + few_events(min(naive.cases, naive.controls), "case"),
        **common,
    )


def clustered_auc_difference(
    first: Array,
    second: Array,
    outcome: Array,
    *,
    clusters: Sequence[Any],
    unit: str = "lesion",
    simulated: bool = False,
) -> AucDifference:
    """Difference first − second of the AUCs of two markers on the same units, patients as clusters.

    Raises
    ------
    AnalyticsError
        For columns of different length and outcomes other than 0/1.
    """
    rows = complete(outcome, first, second)
    patient, distinct = codes(_patients(clusters, rows.kept))
    common: dict[str, Any] = {
        "method": "difference of AUC",
        "n": len(rows.case),
        "unit": unit,
        "clusters": len(distinct),
        "dropped": rows.dropped,
        "simulated": simulated,
    }
    if not rows.case.any() or rows.case.all():
        return AucDifference(estimate=None, reason=_one_kind(rows.case), **common)
    structure = _structure(np.column_stack(rows.markers), rows.case, patient, len(distinct))
    a, b = (float(v) for v in structure.aucs)
    common |= {"estimate": a - b, "aucs": (a, b)}
    if structure.has_case.sum() < 2 or structure.has_control.sum() < 2:
        return AucDifference(interval_reason=FEW_PATIENTS, **common)
    s = structure.covariance()
    variance = float(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    if variance <= NO_VARIANCE:
        return AucDifference(interval_reason="the difference has no spread", **common)
    se = math.sqrt(variance)
    return AucDifference(
        interval=Interval(a - b - Z * se, a - b + Z * se, "Obuchowski, patients as clusters"),
        test=Test("z", (a - b) / se, (), normal_two_sided_p((a - b) / se)),
        se=se,
        covariance=float(s[0, 1]),
        warnings=few_clusters(len(distinct)),
        **common,
    )


def _patients(clusters: Sequence[Any], kept: NDArray[np.bool_]) -> Any:
    if len(clusters) != len(kept):
        raise AnalyticsError(f"Markers and patients differ in length: {len(kept)} and {len(clusters)}.")
    return identities_in(clusters, kept)


def _one_kind(case: NDArray[np.bool_]) -> str:
    return f"{case.sum()} with and {(~case).sum()} without the outcome"
