"""Correlation of two reads: Spearman (average ranks for ties), Pearson, Kendall's τ-b.

Correlation is not agreement; it stands beside the ICC because readers of the field expect it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.agreement.rank_jackknife import spearman_se
from analytics.columns import codes, identities_in
from analytics.distributions import normal_quantile, t_two_sided_p
from analytics.errors import AnalyticsError
from analytics.ranks import ties
from analytics.resampling import no_interval_over
from analytics.result import ClusteredResult, Dropped, Interval, Test

Z = normal_quantile(0.975)


@dataclass(frozen=True, kw_only=True)
class Correlation(ClusteredResult):
    """A correlation coefficient; ``cluster_interval`` leaves out one patient at a time."""

    def sentence(self) -> str:
        """The coefficient with both intervals."""
        return f"{super().sentence()[:-1]}{self.beside()}."


def spearman_of(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    clusters: Sequence[Any] | None = None,
    unit: str = "lesion",
    simulated: bool = False,
) -> Correlation:
    """Spearman's ρ with the interval of Bonett and Wright (2000) and the t-approximate p.

    With ``clusters`` an interval beside it comes from the jackknife over patients on Fisher's z.
    """
    x, y, missing, kept_clusters = _pairs(first, second, clusters)
    patients = None
    if kept_clusters is not None:
        patient_codes, distinct = codes(kept_clusters)
        patients = len(distinct)
    n = len(x)
    common: dict[str, Any] = {
        "method": "Spearman ρ",
        "n": n,
        "unit": unit,
        "clusters": patients,
        "dropped": (Dropped(missing, "a read is missing"),) if missing else (),
        "simulated": simulated,
    }
    if n < 4:
        return Correlation(estimate=None, reason=f"{n} complete pairs; four are needed", **common)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(estimate=None, reason="all values of one read are equal", **common)
    tied = ties(x), ties(y)
    rho = pearson_coefficient(tied[0].ranks(), tied[1].ranks())
    if abs(rho) >= 1:
        return Correlation(estimate=rho, **_no_intervals("the ranks are identical", patients), **common)
    t = rho * math.sqrt((n - 2) / (1 - rho**2))
    cluster_interval = None
    if kept_clusters is not None and patients is not None and patients >= 3:
        spread = spearman_se(x, y, tied, patient_codes, patients, rho)
        if spread is not None:
            centre, half = math.atanh(rho), Z * spread[0]
            cluster_interval = Interval(math.tanh(centre - half), math.tanh(centre + half), spread[1])
    return Correlation(
        estimate=rho,
        interval=fisher_interval(rho, n, "bonett-wright"),
        test=Test("t approximation", t, (n - 2,), t_two_sided_p(t, n - 2)),
        cluster_interval=cluster_interval,
        cluster_reason=_why_not_over(patients) if cluster_interval is None else None,
        **common,
    )


def _pairs(
    first: NDArray[np.float64], second: NDArray[np.float64], clusters: Sequence[Any] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, list[Any] | None]:
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise AnalyticsError(f"The two reads differ in length: {first.shape} and {second.shape}.")
    complete = ~(np.isnan(first) | np.isnan(second))
    kept = None if clusters is None else identities_in(clusters, complete)
    return first[complete], second[complete], int((~complete).sum()), kept


def _no_intervals(reason: str, patients: int | None) -> dict[str, Any]:
    return {"interval_reason": reason, "cluster_reason": None if patients is None else reason}


def _why_not_over(patients: int | None) -> str | None:
    return None if patients is None else no_interval_over(patients, least=3, resampled=False)


def pearson_coefficient(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Product-moment correlation, within [−1, 1]."""
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y) / math.sqrt((x @ x) * (y @ y)), -1, 1))


def fisher_interval(r: float, n: int, method: str = "fisher") -> Interval:
    """Interval on Fisher's z: ``fisher`` 1/(n−3); ``1.06`` (Fieller 1957); ``bonett-wright`` (1+r²/2)/(n−3)."""
    factor = {"fisher": 1.0, "1.06": 1.06, "bonett-wright": 1 + r**2 / 2}[method]
    z, half = math.atanh(r), Z * math.sqrt(factor / (n - 3))
    names = {"fisher": "Fisher z", "1.06": "Fisher z, 1.06", "bonett-wright": "Bonett and Wright"}
    return Interval(math.tanh(z - half), math.tanh(z + half), names[method])


def kendall_tau_b(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Kendall's τ-b."""
    return _kendall(first, second)[0]


def _kendall(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Kendall's τ-b and its p value."""
    from scipy.stats import kendalltau  # noqa: PLC0415 - scipy.stats costs a web process one to two seconds

    found = kendalltau(x, y)
    return float(found.statistic), float(found.pvalue)


def kendall_of(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    clusters: Sequence[Any] | None = None,
    unit: str = "lesion",
    simulated: bool = False,
) -> Correlation:
    """Kendall's τ-b with the interval of Fieller, Hartley and Pearson (1957): Fisher's z, variance 0.437/(n − 4).

    The p value is SciPy's: exact for few values without ties, else normal with the ties' variance. With ``clusters``
    an interval beside it comes from the delete-one-patient jackknife on Fisher's z.
    """
    x, y, missing, kept_clusters = _pairs(first, second, clusters)
    patients, patient_codes = None, None
    if kept_clusters is not None:
        patient_codes, distinct = codes(kept_clusters)
        patients = len(distinct)
    common: dict[str, Any] = {
        "method": "Kendall τ-b",
        "n": len(x),
        "unit": unit,
        "clusters": patients,
        "dropped": (Dropped(missing, "a read is missing"),) if missing else (),
        "simulated": simulated,
    }
    if len(x) < 5:
        return Correlation(estimate=None, reason=f"{len(x)} complete pairs; five are needed", **common)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(estimate=None, reason="all values of one read are equal", **common)
    tau, p = _kendall(x, y)
    if abs(tau) >= 1 - 1e-12:
        return Correlation(estimate=tau, **_no_intervals("the ranks are identical", patients), **common)
    z, half = math.atanh(tau), Z * math.sqrt(0.437 / (len(x) - 4))
    cluster_interval = None
    if patient_codes is not None and patients is not None and patients >= 3:
        cluster_interval = _jackknife(x, y, patient_codes, patients, tau, kendall_tau_b)
    return Correlation(
        estimate=tau,
        interval=Interval(math.tanh(z - half), math.tanh(z + half), "Fieller, Hartley and Pearson"),
        test=Test("Kendall", tau, (), p),
        cluster_interval=cluster_interval,
        cluster_reason=_why_not_over(patients) if cluster_interval is None else None,
        **common,
    )


def _jackknife(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    patients: NDArray[np.int64],
    number: int,
    estimate: float,
    coefficient: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
) -> Interval | None:
    left_out = np.empty(number)
    for patient in range(number):
        keep = patients != patient
        if np.ptp(x[keep]) == 0 or np.ptp(y[keep]) == 0:
            return None
        left_out[patient] = coefficient(x[keep], y[keep])
    if np.any(np.abs(left_out) >= 1):
        return None
    z = np.arctanh(left_out)
    se = math.sqrt((number - 1) / number * float(((z - z.mean()) ** 2).sum()))
    if se < 1e-9:
        return None  # every patient says the same: no spread to make an interval of
    centre = math.atanh(estimate)
    return Interval(
        math.tanh(centre - Z * se), math.tanh(centre + Z * se), "delete-one-patient jackknife on Fisher's z"
    )
