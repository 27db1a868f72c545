"""Two reads of a category: coefficients beside κ with intervals, agreement within one step, and tests of the margins.

With patients given, intervals leave out one patient at a time and the test of the margins sums over patients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import clopper_pearson
from analytics.accuracy.clustered import ClusteredProportion, clustered_proportion
from analytics.agreement.chance_corrected import (
    Estimate,
    bowker,
    brennan_prediger,
    gwet,
    krippendorff_alpha,
    scott_pi,
    stuart_maxwell,
)
from analytics.agreement.kappa import CrossTable, cross_table
from analytics.columns import is_missing
from analytics.distributions import chi2_upper_tail, normal_quantile
from analytics.errors import AnalyticsError
from analytics.resampling import no_interval_over
from analytics.result import ClusteredResult, Interval, Result, Test, few_clusters, interval_or_none
from analytics.rounding import p_value, percent

Matrix = NDArray[np.int64]
Z = normal_quantile(0.975)
COEFFICIENTS: dict[str, tuple[str, Callable[[Matrix], Estimate]]] = {
    "ac1": ("Gwet's AC1", gwet),
    "ac2-linear": ("Gwet's AC2, linear weights", lambda m: gwet(m, "linear")),
    "ac2-quadratic": ("Gwet's AC2, quadratic weights", lambda m: gwet(m, "quadratic")),
    "scott": ("Scott's π", scott_pi),
    "krippendorff": ("Krippendorff's α, nominal", krippendorff_alpha),
    "brennan-prediger": ("Brennan–Prediger", brennan_prediger),
}


@dataclass(frozen=True, kw_only=True)
class ChanceCorrected(ClusteredResult):
    """A chance-corrected coefficient with its interval; ``cluster_interval`` leaves out one patient at a time."""

    se: float | None = None
    cluster_se: float | None = None

    def sentence(self) -> str:
        """The coefficient with both intervals."""
        return super().sentence()[:-1] + self.beside() + "".join(f"; {w}" for w in self.warnings) + "."


@dataclass(frozen=True, kw_only=True)
class Symmetry(Result):
    """Whether one read puts units higher than the other.

    ``estimate`` is the share of the disagreements in which the second read is higher, with its exact interval;
    ``bowker`` tests symmetry, ``stuart_maxwell`` equal margins, ``by_patient`` equal margins with patients as clusters.
    """

    higher: int = 0
    lower: int = 0
    bowker: Test | None = None
    stuart_maxwell: Test | None = None
    by_patient: Test | None = None

    def sentence(self) -> str:
        """Direction of the disagreements and the tests."""
        if self.estimate is None:
            return super().sentence()
        text = f"{self.method}: second read higher in {self.higher} of {self.higher + self.lower} ({percent(self.estimate)} %"
        if self.interval is not None:
            text += f"; 95 % CI {percent(self.interval.low)}–{percent(self.interval.high)}"
        tests = (t for t in (self.bowker, self.stuart_maxwell, self.by_patient) if t is not None)
        return text + ")" + "".join(f"; {t.name} {p_value(t.p)}" for t in tests) + f"; {self.counted()}."


def chance_corrected_of(
    counted: CrossTable, *, coefficient: str = "ac1", unit: str = "territory", simulated: bool = False
) -> ChanceCorrected:
    """A coefficient of ``COEFFICIENTS`` of counted categories."""
    if coefficient not in COEFFICIENTS:
        raise AnalyticsError(f"Unknown coefficient {coefficient!r}; known are {', '.join(COEFFICIENTS)}.")
    name, function = COEFFICIENTS[coefficient]
    matrix, tables = counted.matrix, counted.patient_tables
    common = _common(counted, name, unit, simulated)
    reason = _refusal(matrix)
    if reason:
        return ChanceCorrected(estimate=None, reason=reason, **common)
    estimate, se = function(matrix)
    label = "Gwet" + ("" if tables is None else ", units taken as independent")
    cluster_se = None if tables is None or len(tables) < 3 else _jackknife(tables, function)
    cluster_interval = None
    if cluster_se:
        cluster_interval = _wald(estimate, cluster_se, "delete-one-patient jackknife")
    return ChanceCorrected(
        estimate=estimate,
        interval=_wald(estimate, se, label) if se > 0 else None,
        interval_reason=None if se > 0 else "no disagreement",
        se=se,
        cluster_se=cluster_se,
        cluster_interval=cluster_interval,
        cluster_reason=None
        if cluster_interval or tables is None
        else no_interval_over(len(tables), least=3, resampled=False),
        warnings=few_clusters(common["clusters"]) if cluster_interval else (),
        **common,
    )


def symmetry_of(counted: CrossTable, *, unit: str = "territory", simulated: bool = False) -> Symmetry:
    """Tests of symmetry and of the margins of counted categories."""
    matrix = counted.matrix
    common = _common(counted, "disagreements", unit, simulated)
    higher, lower = int(np.triu(matrix, 1).sum()), int(np.tril(matrix, -1).sum())
    if not higher + lower:
        return Symmetry(estimate=None, reason="the reads never disagree", **common)
    return Symmetry(
        estimate=higher / (higher + lower),
        interval=clopper_pearson(higher, higher + lower),
        higher=higher,
        lower=lower,
        bowker=bowker(matrix),
        stuart_maxwell=stuart_maxwell(matrix),
        by_patient=None if counted.patient_tables is None else margins_by_patient(counted.patient_tables),
        **common,
    )


def within_steps_of(
    first: Sequence[Any],
    second: Sequence[Any],
    *,
    levels: Sequence[Any],
    steps: int = 1,
    clusters: Sequence[Any] | None = None,
    unit: str = "territory",
    simulated: bool = False,
) -> ClusteredProportion:
    """Share of units whose two categories lie at most ``steps`` apart on the scale, patients as clusters."""
    counted = cross_table(first, second, levels=levels, clusters=clusters)  # refuses what is off the scale
    position = {level: i for i, level in enumerate(levels)}
    kept = [i for i in range(len(first)) if not (is_missing(first[i]) or is_missing(second[i]))]
    near = np.array([abs(position[first[i]] - position[second[i]]) <= steps for i in kept], bool)
    named = kept if clusters is None else [clusters[i] for i in kept]
    title = "Same category" if steps == 0 else f"Agreement within {steps}"
    return clustered_proportion(
        title, near, clusters=named, unit=unit, dropped=counted.dropped, simulated=simulated
    )


def margins_by_patient(tables: Matrix) -> Test | None:
    """Equal margins with patients as clusters: Wald test of the summed margin differences of patients."""
    difference = (tables.sum(2) - tables.sum(1)).astype(np.float64)
    used = tables.sum((0, 1)) + tables.sum((0, 2)) > 0
    difference = difference[:, used][:, :-1]
    spread = difference.T @ difference
    if not difference.shape[1] or np.linalg.matrix_rank(spread) < len(spread):
        return None
    total = difference.sum(0)
    statistic = float(total @ np.linalg.solve(spread, total))
    df = difference.shape[1]
    return Test("equal margins, patients as clusters", statistic, (df,), chi2_upper_tail(statistic, df))


def _common(counted: CrossTable, method: str, unit: str, simulated: bool) -> dict[str, Any]:
    return {
        "method": method,
        "n": int(counted.matrix.sum()),
        "unit": unit,
        "clusters": None if counted.patient_tables is None else len(counted.patient_tables),
        "dropped": counted.dropped,
        "simulated": simulated,
    }


def _refusal(matrix: Matrix) -> str | None:
    if not matrix.sum():
        return "no complete pair of reads"
    if len(matrix) < 2:
        return "the scale has one level only"
    if ((matrix.sum(0) + matrix.sum(1)) > 0).sum() < 2:
        return "both reads use one category only"
    return None


def _jackknife(tables: Matrix, function: Callable[[Matrix], Estimate]) -> float | None:
    # Many patients have the same counts: what is left without them is computed once.
    distinct, often = np.unique(tables.reshape(len(tables), -1), axis=0, return_counts=True)
    left = tables.sum(0) - distinct.reshape(-1, *tables.shape[1:])
    if any(_refusal(m) for m in left):
        return None
    values = np.array([function(m)[0] for m in left])
    n = len(tables)
    mean = float((often * values).sum()) / n
    return math.sqrt((n - 1) / n * float((often * (values - mean) ** 2).sum()))


def _wald(estimate: float, se: float, label: str) -> Interval | None:
    return interval_or_none(estimate - Z * se, min(1.0, estimate + Z * se), label)
