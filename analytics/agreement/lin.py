"""Lin's concordance correlation coefficient (CCC), with the normal-theory and the resampled interval.

Variances have denominator n, as in Lin 1989; the standard error is that of Lin 2000 (the corrected formula).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.pairs import Pairs, pairs
from analytics.distributions import normal_quantile
from analytics.resampling import REPLICATES, SEED, percentile_interval, resampled_sums, sums_by_cluster
from analytics.result import ClusteredResult, Interval, few_clusters, plural
from analytics.rounding import half_up

Array = NDArray[np.float64]
Z = normal_quantile(0.975)


@dataclass(frozen=True, kw_only=True)
class ConcordanceCorrelation(ClusteredResult):
    """CCC = Pearson's r × ``bias_correction``; the shifts say what breaks agreement.

    ``scale_shift`` is the SD of the second read over that of the first; ``location_shift`` is second − first over the
    geometric mean of the SDs. ``interval`` is Fisher's z, ``asymptotic_interval`` plain.
    """

    pearson: float | None = None
    bias_correction: float | None = None
    scale_shift: float | None = None
    location_shift: float | None = None
    asymptotic_interval: Interval | None = None

    def sentence(self) -> str:
        """CCC with its parts and both intervals."""
        text = super().sentence()
        if self.pearson is None or self.bias_correction is None:
            return text
        text = f"{text[:-1]}; Pearson r {half_up(self.pearson, 3)}, bias correction {half_up(self.bias_correction, 3)}"
        return text + self.beside() + "".join(f"; {w}" for w in self.warnings) + "."


def concordance_correlation_of(
    first: Array,
    second: Array,
    *,
    clusters: Sequence[Any] | None = None,
    unit: str = "lesion",
    replicates: int = REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> ConcordanceCorrelation:
    """CCC of two arrays of equal length; NaN is a missing read.

    The interval takes units as independent; with ``clusters`` one over resampled patients stands beside it.
    """
    p = pairs(first, second, clusters)
    common = p.common(unit, simulated=simulated) | {"method": "Lin's concordance correlation"}
    if p.n < 3:
        return ConcordanceCorrelation(
            estimate=None, reason=f"{p.n} complete pairs; three are needed", **common
        )
    vx, vy = float(p.first.var()), float(p.second.var())
    if vx == 0 or vy == 0:
        return ConcordanceCorrelation(estimate=None, reason="all values of one read are equal", **common)
    shift = float(p.second.mean() - p.first.mean())
    covariance = float(np.mean((p.first - p.first.mean()) * (p.second - p.second.mean())))
    estimate = 2 * covariance / (vx + vy + shift**2)
    r = max(-1.0, min(1.0, covariance / math.sqrt(vx * vy)))
    se = standard_error(estimate, r, shift**2 / math.sqrt(vx * vy), p.n)
    label = f"{plural(unit, 2)} taken as independent"
    interval, plain = None, None
    if se is not None:
        z, half = math.atanh(estimate), Z * se / (1 - estimate**2)
        interval = Interval(math.tanh(z - half), math.tanh(z + half), f"Fisher z, {label}")
        plain = Interval(estimate - Z * se, estimate + Z * se, f"asymptotic, {label}")
    cluster_interval = _bootstrap(p, replicates, seed) if p.clustered and replicates else None
    return ConcordanceCorrelation(
        estimate=estimate,
        interval=interval,
        interval_reason=None if se is not None else "the reads are identical or uncorrelated",
        pearson=r,
        bias_correction=2 * math.sqrt(vx * vy) / (vx + vy + shift**2),
        scale_shift=math.sqrt(vy / vx),
        location_shift=shift / (vx * vy) ** 0.25,
        asymptotic_interval=plain,
        cluster_interval=cluster_interval,
        cluster_reason=p.why_no_interval_over(cluster_interval, replicates),
        warnings=few_clusters(p.patients) if cluster_interval else (),
        **common,
    )


def standard_error(ccc: float, r: float, squared_shift: float, n: int) -> float | None:
    """Lin's standard error; None where it does not exist (perfect or no correlation)."""
    if n < 3 or abs(r) < 1e-12 or abs(ccc) >= 1 - 1e-12:
        return None
    variance = (
        (1 - r**2) * ccc**2 * (1 - ccc**2) / r**2
        + 2 * ccc**3 * (1 - ccc) * squared_shift / r
        - 0.5 * ccc**4 * squared_shift**2 / r**2
    ) / (n - 2)
    return math.sqrt(variance) if variance > 0 else None


def _bootstrap(p: Pairs, replicates: int, seed: int) -> Interval | None:
    patient, patients = p.groups()
    centre = (p.first.mean() + p.second.mean()) / 2
    x, y = p.first - centre, p.second - centre
    parts = sums_by_cluster(np.stack([np.ones(p.n), x, y, x * x, y * y, x * y], axis=1), patient, patients)
    values = []
    for total in resampled_sums(parts, replicates=replicates, seed=seed):
        n, sx, sy, sxx, syy, sxy = total.T
        with np.errstate(divide="ignore", invalid="ignore"):
            mx, my = sx / n, sy / n
            values.append(2 * (sxy / n - mx * my) / (sxx / n - mx**2 + syy / n - my**2 + (mx - my) ** 2))
    return percentile_interval(np.concatenate(values), replicates, clusters=patients)
