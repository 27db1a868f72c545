"""Bland–Altman: bias and limits of agreement of two methods, with intervals, clustered where lesions share patients.

Sign: difference = second − first. Limits are bias ± 1.96 SD (the normal quantile, not 2).
Sources: Bland and Altman 1986, 1999 (limits' standard error), 2007 (several observations per patient);
Carkeet 2015 (exact interval of a limit).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.limits import (
    VarianceComponents,
    WithLimits,
    Z,
    bootstrap_limits,
    jackknife_limits,
    limit_intervals,
    variance_components,
)
from analytics.agreement.pairs import TwoReads
from analytics.columns import codes, identities_in
from analytics.distributions import (
    t_quantile,
    t_two_sided_p,
)
from analytics.errors import AnalyticsError
from analytics.resampling import no_interval_over
from analytics.result import (
    DRAWING,
    ClusteredResult,
    Dropped,
    Interval,
    Test,
    few_clusters,
    plural,
)
from analytics.rounding import half_up


@dataclass(frozen=True, kw_only=True)
class BlandAltman(WithLimits, TwoReads, ClusteredResult):
    """Bias (``estimate``) with limits of agreement.

    ``interval`` is the t interval of the bias (units independent), ``cluster_interval`` resamples patients;
    ``lower_interval`` and ``upper_interval`` are those of the limits. With clusters the limits' SD comes from
    the variance components and their intervals from the bootstrap (from the jackknife over patients where no
    replicates were asked for); without, from Bland and Altman 1999.
    ``limits_reason`` says why a limit has none. ``classical`` holds the intervals of bias ± 1.96 SD for independent units beside them (``1999``, ``exact``,
    ``mover``), ``naive_lower`` and ``naive_upper`` the limits they belong to.
    """

    value_unit: str
    sd: float | None = None
    components: VarianceComponents | None = None
    classical: dict[str, tuple[Interval, Interval]] = field(default_factory=dict)
    naive_lower: float | None = None
    naive_upper: float | None = None
    outside: int = 0
    slope: float | None = None
    slope_p: float | None = None
    ids: tuple[Any, ...] = field(default=(), repr=False, compare=False, metadata=DRAWING)

    def sentence(self) -> str:
        """Bias, limits and their intervals in words."""
        what = f"Bias ({self.names[1]} − {self.names[0]})"
        if self.estimate is None:
            return f"{what}: not estimable ({self.reason}); {self.counted()}."
        unit = f" {self.value_unit}" if self.value_unit else ""
        text = f"{what} {half_up(self.estimate, 2)}{unit}"
        shown = self.cluster_interval or self.interval
        if shown is not None:
            text += f" (95 % CI {shown.text(2)}, {shown.method})"
        elif self.interval_reason:
            text += f" (no interval: {self.interval_reason})"
        if self.lower is not None and self.upper is not None:
            text += f", limits of agreement {self.limits_text(unit, said=self.interval_reason)}"
        if self.interval is not None and self.cluster_interval is None:
            text += self.beside()
        beside = f"; {'; '.join(self.warnings)}" if self.warnings else ""
        return f"{text}, {self.counted()}{beside}."

    def caption(self) -> str:
        """The sentence, marked when simulated."""
        return ("Simulated data. " if self.simulated else "") + self.sentence()


def bland_altman_of(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    clusters: Sequence[Any] | None = None,
    ids: Sequence[Any] = (),
    names: tuple[str, str] = ("first", "second"),
    value_unit: str = "",
    unit: str = "lesion",
    replicates: int = 10_000,
    seed: int = 20_220_401,
    simulated: bool = False,
) -> BlandAltman:
    """Bland–Altman of two arrays of equal length; NaN is a missing read. See the module for conventions."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise AnalyticsError(f"The two reads differ in length: {first.shape} and {second.shape}.")
    complete = ~(np.isnan(first) | np.isnan(second))
    missing = int((~complete).sum())
    a, b = first[complete], second[complete]
    patient_codes: NDArray[np.int64] | None = None
    patients: int | None = None
    if clusters is not None:
        patient_codes, distinct = codes(identities_in(clusters, complete))
        patients = len(distinct)
    n = len(a)
    common: dict[str, Any] = {
        "method": "Bland–Altman, limits = bias ± 1.96 SD",
        "n": n,
        "unit": unit,
        "clusters": patients,
        "dropped": (Dropped(missing, "a read is missing"),) if missing else (),
        "value_unit": value_unit,
        "names": names,
        "first": a,
        "second": b,
        "ids": tuple(i for i, keep in zip(ids, complete, strict=False) if keep),
        "simulated": simulated,
    }
    if n == 0:
        return BlandAltman(estimate=None, reason="no complete pair of reads", **common)
    difference = b - a
    bias = float(difference.mean())
    if n < 2:
        return BlandAltman(estimate=bias, **_no_intervals("one pair only", patients), **common)
    sd = float(difference.std(ddof=1))
    slope, slope_p = _slope(difference, (a + b) / 2)
    naive = (bias - Z * sd, bias + Z * sd)
    if sd == 0:
        return BlandAltman(
            estimate=bias,
            sd=0.0,
            lower=bias,
            upper=bias,
            **_no_intervals("all differences are equal", patients),
            **common,
        )
    half = t_quantile(0.975, n - 1) * sd / math.sqrt(n)
    lower, upper = naive
    lower_interval: Interval | None
    upper_interval: Interval | None
    lower_interval, upper_interval = limit_intervals(bias, sd, n)
    cluster_interval, components = None, None
    if patient_codes is not None and patients is not None and patients >= 2 and n > patients:
        components = variance_components(difference, patient_codes, patients)
        lower, upper = bias - Z * components.sd, bias + Z * components.sd
    if patient_codes is not None and patients is not None and patients >= 2:
        by_components = components is not None
        if replicates:
            found = bootstrap_limits(
                difference, patient_codes, patients, replicates, seed, by_components=by_components
            )
        else:
            found = jackknife_limits(difference, patient_codes, patients, by_components=by_components)
        cluster_interval, lower_interval, upper_interval = found
    over = None if patients is None else no_interval_over(patients, resampled=replicates > 0)
    return BlandAltman(
        estimate=bias,
        interval=Interval(bias - half, bias + half, f"t, {plural(unit, 2)} taken as independent"),
        test=Test(
            "paired t", bias / (sd / math.sqrt(n)), (n - 1,), t_two_sided_p(bias / (sd / math.sqrt(n)), n - 1)
        ),
        sd=sd,
        lower=lower,
        upper=upper,
        lower_interval=lower_interval,
        upper_interval=upper_interval,
        limits_reason=over if lower_interval is None or upper_interval is None else None,
        cluster_interval=cluster_interval,
        cluster_reason=over if cluster_interval is None else None,
        components=components,
        classical={name: limit_intervals(bias, sd, n, name) for name in ("1999", "exact", "mover")},
        naive_lower=naive[0],
        naive_upper=naive[1],
        outside=int(((difference < lower) | (difference > upper)).sum()),
        slope=slope,
        slope_p=slope_p,
        warnings=few_clusters(patients) if cluster_interval else (),
        **common,
    )


def _no_intervals(reason: str, patients: int | None) -> dict[str, Any]:
    return {
        "interval_reason": reason,
        "limits_reason": reason,
        "cluster_reason": None if patients is None else reason,
    }


def _slope(difference: NDArray[np.float64], mean: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Slope of difference on mean and its p: proportional bias."""
    n = len(mean)
    centred = mean - mean.mean()
    spread = float((centred**2).sum())
    if n < 3 or spread == 0:
        return None, None
    slope = float((centred * difference).sum()) / spread
    residual = difference - difference.mean() - slope * centred
    error = float((residual**2).sum()) / (n - 2)
    if error == 0:
        return slope, None
    return slope, t_two_sided_p(slope / math.sqrt(error / spread), n - 2)
