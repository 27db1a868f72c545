"""Whether a difference (a bias of network and expert, a volume) varies between sites or vendors.

Each site's mean has a variance that counts patients, not lesions; the means are then pooled with a between-site
variance. Sites with fewer than two patients have no variance and are named among the dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import codes, is_missing
from analytics.errors import AnalyticsError
from analytics.heterogeneity.pooling import Pooled, pool
from analytics.result import Dropped
from analytics.survival.cox import cox_of

Array = NDArray[np.float64]


def site_means_of(
    values: Array,
    sites: Sequence[Any],
    *,
    clusters: Sequence[Any] | None = None,
    effect: str = "mean",
    unit: str = "site",
    simulated: bool = False,
) -> Pooled:
    """Mean of values (n,) by site with a variance over patients (``clusters``, n labels), pooled by REML.

    Raises
    ------
    AnalyticsError
        For columns of different length.
    """
    y = np.asarray(values, np.float64)
    labels = list(range(len(y))) if clusters is None else list(clusters)
    _same_length(len(y), sites, labels)
    known = [
        i for i in range(len(y)) if not (np.isnan(y[i]) or is_missing(sites[i]) or is_missing(labels[i]))
    ]
    of, names = codes([str(sites[i]) for i in known])
    y, labels = y[known], [labels[i] for i in known]
    means, variances = [], []
    for s in range(len(names)):
        rows = np.flatnonzero(of == s)
        mean, variance = _clustered_mean(y[rows], [labels[i] for i in rows])
        means.append(mean)
        variances.append(variance)
    lost = len(values) - len(known)
    extra = (Dropped(lost, f"value, {unit} or cluster is missing (rows)"),) if lost else ()
    return _pooled(means, variances, names, effect, unit, simulated, extra)


def site_hazard_ratios_of(
    time: Array,
    event: Array,
    marker: Array,
    sites: Sequence[Any],
    *,
    name: str = "marker",
    unit: str = "site",
    simulated: bool = False,
) -> Pooled:
    """Log hazard ratio of a marker by site (Cox, Efron), pooled by REML; sites without a finite ratio are dropped.

    Raises
    ------
    AnalyticsError
        As :func:`analytics.survival.cox.cox_of`, and for columns of different length.
    """
    _same_length(len(time), sites, marker)
    labels = np.array(["" if is_missing(s) else str(s) for s in sites], dtype=object)
    names = [n for n in dict.fromkeys(labels.tolist()) if n]
    means, variances = [], []
    for site in names:
        rows = labels == site
        term = cox_of(time[rows], event[rows], {name: marker[rows]}).terms[0]
        means.append(np.nan if term.coefficient is None else term.coefficient)
        variances.append(np.nan if term.se is None else term.se**2)
    lost = int((labels == "").sum())
    extra = (Dropped(lost, f"{unit} is missing (rows)"),) if lost else ()
    return _pooled(means, variances, names, f"log hazard ratio of {name}", unit, simulated, extra, ratio=True)


def _same_length(n: int, *columns: Any) -> None:
    for values in columns:
        if len(values) != n:
            raise AnalyticsError(f"Columns differ in length: {n} and {len(values)}.")


def _clustered_mean(y: Array, labels: list[Any]) -> tuple[float, float]:
    """Mean and its variance over clusters; NaN with fewer than two clusters or without spread."""
    of, distinct = codes(labels)
    c, mean = len(distinct), float(y.mean())
    if c < 2:
        return mean, float("nan")
    gap = np.bincount(of, y - mean, c)
    variance = c / (c - 1) * float((gap**2).sum()) / len(y) ** 2
    return mean, variance if variance > 0 else float("nan")


def _pooled(
    means: list[float],
    variances: list[float],
    names: list[Any],
    effect: str,
    unit: str,
    simulated: bool,
    extra: tuple[Dropped, ...],
    *,
    ratio: bool = False,
) -> Pooled:
    result = pool(means, variances, names=names, effect=effect, unit=unit, simulated=simulated, ratio=ratio)
    return replace(result, dropped=result.dropped + extra)
