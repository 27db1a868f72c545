"""Wilcoxon's signed-rank test of two reads of the same units, with zeros, ties and patients.

Exact where 300 pairs or fewer differ, by counting every assignment of signs to the midranks; else normal without
continuity correction. Zero differences are dropped (Wilcoxon) or ranked and left without sign (Pratt 1959).
With patients: the signs of all of a patient's differences change together (Rosner, Glynn and Lee 2006).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.agreement.exact_ranks import MOST_SIGNED, signed_rank_p
from analytics.agreement.pairs import pairs
from analytics.distributions import normal_quantile, normal_two_sided_p
from analytics.ranks import average_ranks
from analytics.result import Interval, Result, Test, few_clusters, interval_or_none, plural, unless
from analytics.rounding import p_value

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
MOST_WALSH = 5_000
"""Largest number of pairs for which all pairwise averages are formed (100 MB)."""


@dataclass(frozen=True, kw_only=True)
class SignedRank(Result):
    """Hodges–Lehmann shift second − first (``estimate``) with the interval that inverts the signed-rank test.

    ``test`` is the exact one where it could be counted. ``positive_sum`` is Wilcoxon's V over the differences that
    are not zero; ``zeros`` counts the others.
    """

    value_unit: str
    zeros: int = 0
    positive_sum: float | None = None
    normal: Test | None = None
    continuity: Test | None = None
    pratt: Test | None = None
    sign: Test | None = None
    cluster_test: Test | None = None

    def sentence(self) -> str:
        """Shift and p values in words."""
        text = super().sentence()[:-1]
        if self.test is not None:
            text += f"; {self.test.name} {p_value(self.test.p)}"
        if self.cluster_test is not None:
            text += f"; {self.cluster_test.name} {p_value(self.cluster_test.p)}"
        return text + "".join(f"; {w}" for w in self.warnings) + "."


def signed_rank_of(
    first: Array,
    second: Array,
    *,
    clusters: Sequence[Any] | None = None,
    value_unit: str = "",
    unit: str = "lesion",
    simulated: bool = False,
) -> SignedRank:
    """Signed-rank test of two arrays of equal length; NaN is a missing read."""
    p = pairs(first, second, clusters)
    common = p.common(unit, simulated=simulated) | {
        "method": "Hodges–Lehmann shift (second − first)",
        "value_unit": value_unit,
    }
    difference = p.difference()
    zeros = int((difference == 0).sum())
    if p.n == 0:
        return SignedRank(estimate=None, reason="no complete pair of reads", **common)
    if zeros == p.n:
        return SignedRank(estimate=0.0, zeros=zeros, interval_reason="all differences are zero", **common)
    moved = difference[difference != 0]
    ranks = average_ranks(np.abs(moved))
    n, positive_sum = len(moved), float(ranks[moved > 0].sum())
    variance = float((ranks**2).sum()) / 4  # n(n+1)(2n+1)/24 less the ties' share
    deviation = positive_sum - n * (n + 1) / 4
    normal = _normal("signed-rank, normal", deviation, variance)
    corrected = _normal(
        "signed-rank, normal, continuity", math.copysign(max(abs(deviation) - 0.5, 0), deviation), variance
    )
    exact = None
    if n <= MOST_SIGNED:
        exact = Test("signed-rank, exact", positive_sum, (), signed_rank_p(ranks, positive_sum))
    estimate, interval = _shift(difference, variance, unit)
    cluster_test = None
    if p.clustered and p.patient is not None:
        signed = np.where(moved > 0, ranks, -ranks)
        cluster_test = _by_patient(signed, p.patient[difference != 0], p.patients or 0)
    return SignedRank(
        estimate=estimate,
        interval=interval,
        interval_reason=unless(interval, "too few or too many pairs"),
        test=exact or normal,
        zeros=zeros,
        positive_sum=positive_sum,
        normal=normal,
        continuity=corrected,
        pratt=_pratt(difference),
        sign=_sign(int((moved > 0).sum()), n),
        cluster_test=cluster_test,
        warnings=few_clusters(p.patients) if cluster_test else (),
        **common,
    )


def _normal(name: str, deviation: float, variance: float) -> Test:
    z = deviation / math.sqrt(variance)
    return Test(name, z, (), normal_two_sided_p(z))


def _pratt(difference: Array) -> Test:
    ranks = average_ranks(np.abs(difference))
    used = difference != 0
    signed = np.where(difference > 0, ranks, -ranks)[used]
    return _normal("signed-rank, Pratt", float(signed.sum()), float((signed**2).sum()))


def _sign(positive: int, n: int) -> Test:
    tail = float(special.bdtr(min(positive, n - positive), n, 0.5))
    return Test("sign test, exact", float(positive), (float(n),), min(1.0, 2 * tail))


def _by_patient(signed: Array, patient: NDArray[np.int64], patients: int) -> Test | None:
    sums = np.bincount(patient, weights=signed, minlength=patients)
    spread = float((sums**2).sum())
    if spread == 0:
        return None
    return _normal("signed-rank, signs by patient", float(sums.sum()), spread)


def _shift(difference: Array, variance: float, unit: str) -> tuple[float, Interval | None]:
    """Median of the Walsh averages and the order statistics that invert the test."""
    n = len(difference)
    if n > MOST_WALSH:
        return float(np.median(difference)), None
    walsh = np.concatenate([difference[i] + difference[i:] for i in range(n)])
    total = len(walsh)
    cut = math.floor(total / 2 - Z * math.sqrt(variance))
    wanted = {(total - 1) // 2, total // 2}
    if cut >= 0 and n >= 6:
        wanted |= {cut, total - 1 - cut}
    # Four order statistics are wanted, not all of them in order.
    walsh = np.partition(walsh, sorted(wanted)) / 2
    label = f"signed-rank inverted, {plural(unit, 2)} taken as independent"
    interval = None
    if cut >= 0 and n >= 6:
        interval = interval_or_none(float(walsh[cut]), float(walsh[total - 1 - cut]), label)
    return float((walsh[(total - 1) // 2] + walsh[total // 2]) / 2), interval
