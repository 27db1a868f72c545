"""Limits of agreement that change with size: regression of the difference, and of its spread, on the mean.

Source: Bland and Altman 1999, section 3.2: D = b0 + b1·A; ``|residual| = c0 + c1·A``; SD(A) = √(π/2)·(c0 + c1·A).
A is the mean of both reads, D = second − first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.pairs import Pairs, TwoReads, pairs
from analytics.distributions import normal_quantile, t_quantile, t_two_sided_p
from analytics.resampling import REPLICATES, SEED, percentile_interval, resampled_sums, sums_by_cluster
from analytics.result import ClusteredResult, Interval, Test, few_clusters, plural, unless
from analytics.rounding import half_up

Array = NDArray[np.float64]
Z = normal_quantile(0.975)


@dataclass(frozen=True)
class Line:
    """A least-squares line with the slope's standard error and t test (None where the fit is exact)."""

    intercept: float
    slope: float
    se: float | None
    p: float | None

    def at(self, x: Array) -> Array:
        """Height of the line."""
        return self.intercept + self.slope * x

    def to_dict(self) -> dict[str, float | None]:
        """JSON form."""
        return {"intercept": self.intercept, "slope": self.slope, "se": self.se, "p": self.p}


@dataclass(frozen=True, kw_only=True)
class RegressionLimits(TwoReads, ClusteredResult):
    """``estimate`` is the slope of the difference on the mean: 0 when the bias does not depend on size.

    ``interval`` is the t interval of that slope (units independent), ``cluster_interval`` resamples patients;
    ``bias`` and ``spread`` are the two lines, the limits come from :meth:`at`.
    """

    value_unit: str
    bias: Line | None = None
    spread: Line | None = None

    def at(self, size: Sequence[float] | Array) -> tuple[Array, Array, Array]:
        """Bias, lower and upper limit at sizes (unit of the reads); a fitted SD below 0 counts as 0."""
        if self.bias is None or self.spread is None:
            raise ValueError(f"there are no limits: {self.reason}")
        x = np.asarray(size, np.float64)
        centre = self.bias.at(x)
        half = Z * math.sqrt(math.pi / 2) * np.maximum(self.spread.at(x), 0)
        return centre, centre - half, centre + half

    def sentence(self) -> str:
        """Both lines in words."""
        text = super().sentence()
        if self.bias is None or self.spread is None:
            return text
        bias, spread = (
            f"{half_up(line.intercept, 2)} {'−' if line.slope < 0 else '+'} {half_up(abs(line.slope), 3)} × mean"
            for line in (self.bias, self.spread)
        )
        text = f"{text[:-1]}; bias {bias}, mean absolute residual {spread}"
        return text + self.beside() + "".join(f"; {w}" for w in self.warnings) + "."


def regression_limits_of(
    first: Array,
    second: Array,
    *,
    clusters: Sequence[Any] | None = None,
    names: tuple[str, str] = ("first", "second"),
    value_unit: str = "",
    unit: str = "lesion",
    replicates: int = REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> RegressionLimits:
    """Regression limits of two arrays of equal length; NaN is a missing read."""
    p = pairs(first, second, clusters)
    common = p.drawn(unit, names, value_unit, simulated=simulated) | {
        "method": f"slope of the difference ({names[1]} − {names[0]}) on the mean",
    }
    if p.n < 3:
        return RegressionLimits(estimate=None, reason=f"{p.n} complete pairs; three are needed", **common)
    size, difference = (p.first + p.second) / 2, p.second - p.first
    if np.ptp(size) == 0:
        return RegressionLimits(estimate=None, reason="all means are equal", **common)
    bias = fit(size, difference)
    spread = fit(size, np.abs(difference - bias.at(size)))
    cluster_interval = (
        _bootstrap(p, size, difference, replicates, seed) if p.clustered and replicates else None
    )
    interval, test = None, None
    if bias.se is not None and bias.p is not None:
        half = t_quantile(0.975, p.n - 2) * bias.se
        interval = Interval(
            bias.slope - half, bias.slope + half, f"t, {plural(unit, 2)} taken as independent"
        )
        test = Test("t of the slope", bias.slope / bias.se, (p.n - 2,), bias.p)
    narrow = bool((spread.at(np.array([size.min(), size.max()])) <= 0).any())
    warnings = few_clusters(p.patients) if cluster_interval else ()
    if narrow:
        warnings += ("the fitted spread reaches zero inside the data: the limits meet there",)
    return RegressionLimits(
        estimate=bias.slope,
        interval=interval,
        test=test,
        interval_reason=unless(interval, "the differences lie on a line"),
        bias=bias,
        spread=spread,
        cluster_interval=cluster_interval,
        cluster_reason=p.why_no_interval_over(cluster_interval, replicates),
        warnings=warnings,
        **common,
    )


def fit(x: Array, y: Array) -> Line:
    """Least squares of y on x; x must vary and hold three values or more."""
    centred = x - x.mean()
    spread = float((centred**2).sum())
    slope = float((centred * y).sum()) / spread
    intercept = float(y.mean() - slope * x.mean())
    error = float(((y - intercept - slope * x) ** 2).sum()) / (len(x) - 2)
    if error <= 1e-24 * max(float((y**2).sum()), 1e-300):
        return Line(intercept, slope, None, None)
    se = math.sqrt(error / spread)
    return Line(intercept, slope, se, t_two_sided_p(slope / se, len(x) - 2))


def _bootstrap(p: Pairs, size: Array, difference: Array, replicates: int, seed: int) -> Interval | None:
    patient, patients = p.groups()
    x, y = size - size.mean(), difference - difference.mean()
    parts = sums_by_cluster(np.stack([np.ones(p.n), x, y, x * x, x * y], axis=1), patient, patients)
    slopes = []
    for total in resampled_sums(parts, replicates=replicates, seed=seed):
        n, sx, sy, sxx, sxy = total.T
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes.append((sxy - sx * sy / n) / (sxx - sx**2 / n))
    return percentile_interval(np.concatenate(slopes), replicates, clusters=patients)
