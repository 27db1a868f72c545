"""Whether one method may stand in for another: equivalence of the bias, and interchangeability with the readers.

Interchangeability asks whether replacing one of two experts by the network makes two reads of a case differ more than
two experts differ anyway (individual equivalence: Obuchowski 2001; Obuchowski and others 2014 for categories).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.clustered import ratio_se
from analytics.agreement.pairs import pairs
from analytics.columns import codes, identities_in
from analytics.distributions import t_quantile, t_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Interval, Result, Test, few_clusters
from analytics.rounding import half_up

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Equivalence(Result):
    """Bias (``estimate``) with its 90 % interval: equivalent where that lies within ± ``margin``.

    ``test`` is the larger of the two one-sided tests (Schuirmann 1987).
    """

    margin: float
    value_unit: str = ""
    equivalent: bool | None = None

    def sentence(self) -> str:
        """The bias, its interval and what follows."""
        text = super().sentence()[:-1]
        if self.equivalent is None:
            return text + "."
        verdict = "equivalent" if self.equivalent else "equivalence not shown"
        return f"{text}: {verdict} within ± {half_up(self.margin, 1)} {self.value_unit}".rstrip() + "."


def equivalence_of(
    first: Array,
    second: Array,
    *,
    margin: float,
    clusters: Sequence[Any] | None = None,
    names: tuple[str, str] = ("first", "second"),
    value_unit: str = "",
    unit: str = "lesion",
    simulated: bool = False,
) -> Equivalence:
    """Two one-sided tests of second − first against ± ``margin`` (in the reads' unit), set before the data were seen.

    With ``clusters`` the standard error is that of the ratio estimator over patients. Raises AnalyticsError for a
    margin that is not positive.
    """
    if not margin > 0:
        raise AnalyticsError(f"The margin must be above 0, not {margin}.")
    p = pairs(first, second, clusters)
    common: dict[str, Any] = p.common(unit, simulated=simulated) | {
        "method": f"bias ({names[1]} − {names[0]}), two one-sided tests",
        "margin": margin,
        "value_unit": value_unit,
    }
    group, groups = p.groups()
    if groups < 2:
        return Equivalence(estimate=None, reason=f"{groups} independent units; two are needed", **common)
    difference = p.difference()
    bias, se = float(difference.mean()), ratio_se(difference, group, groups)
    if se <= 0:
        return Equivalence(estimate=bias, interval_reason="all differences are equal", **common)
    half = t_quantile(0.95, groups - 1) * se
    p_of = [t_two_sided_p(t, groups - 1) / 2 for t in ((bias + margin) / se, (bias - margin) / se)]
    inside = -margin < bias < margin
    worst = max(p_of) if inside else 1 - min(p_of)
    t = (bias + margin) / se if bias < 0 else (bias - margin) / se
    over = "patients" if p.clustered else f"{unit}s taken as independent"
    return Equivalence(
        estimate=bias,
        interval=Interval(bias - half, bias + half, f"t over {over}", 0.9),
        test=Test("two one-sided tests", t, (groups - 1,), worst),
        equivalent=bool(-margin < bias - half and bias + half < margin),
        warnings=few_clusters(p.patients),
        **common,
    )


@dataclass(frozen=True, kw_only=True)
class Interchangeability(Result):
    """Individual equivalence index γ (``estimate``): extra disagreement when the network replaces an expert.

    For numbers, the mean square difference network–expert less that of expert–expert (``rms`` holds both roots); for
    categories, the share of cases in which expert and expert agree less that in which network and expert agree.
    Interchangeable where the upper limit lies below ``margin``.
    """

    rms: tuple[float, float] | None = None
    margin: float | None = None
    interchangeable: bool | None = None

    def sentence(self) -> str:
        """The index, its interval and what follows."""
        text = super().sentence()[:-1]
        if self.interchangeable is None or self.margin is None:
            return text + "."
        verdict = "interchangeable" if self.interchangeable else "interchangeability not shown"
        return f"{text}: {verdict} at a margin of {half_up(self.margin, 2)}."


def interchangeability_of(
    candidate: Array,
    first: Array,
    second: Array,
    *,
    categorical: bool = False,
    margin: float | None = None,
    clusters: Sequence[Any] | None = None,
    names: tuple[str, str] = ("network", "expert"),
    unit: str = "lesion",
    simulated: bool = False,
) -> Interchangeability:
    """γ of a candidate (n,) against two experts (n,) each; NaN in any read drops the unit.

    ``margin`` in the square of the reads' unit (or a share for categories), set before the data were seen.
    """
    x, a, b = (np.asarray(v, np.float64) for v in (candidate, first, second))
    if not x.shape == a.shape == b.shape:
        raise AnalyticsError(f"The three reads differ in length: {x.shape}, {a.shape}, {b.shape}.")
    complete = ~(np.isnan(x) | np.isnan(a) | np.isnan(b))
    x, a, b = x[complete], a[complete], b[complete]
    missing = int((~complete).sum())
    if clusters is None:
        group, groups = np.arange(len(x)), len(x)
    else:
        group, distinct = codes(identities_in(clusters, complete))
        groups = len(distinct)
    common: dict[str, Any] = {
        "method": f"individual equivalence index, {names[0]} for {names[1]}",
        "n": len(x),
        "unit": unit,
        "clusters": None if clusters is None else groups,
        "dropped": (Dropped(missing, "one of the three reads is missing"),) if missing else (),
        "margin": margin,
        "simulated": simulated,
    }
    if groups < 2:
        return Interchangeability(
            estimate=None, reason=f"{groups} independent units; two are needed", **common
        )
    if categorical:
        among = (a != b).astype(float)
        mixed = ((x != a).astype(float) + (x != b)) / 2
    else:
        among, mixed = (a - b) ** 2, ((x - a) ** 2 + (x - b) ** 2) / 2
    extra = mixed - among
    index, se = float(extra.mean()), ratio_se(extra, group, groups)
    rms = None if categorical else (math.sqrt(float(mixed.mean())), math.sqrt(float(among.mean())))
    if se <= 0:
        return Interchangeability(estimate=index, rms=rms, interval_reason="no spread", **common)
    half = t_quantile(0.975, groups - 1) * se
    over = "patients" if clusters is not None else f"{unit}s taken as independent"
    return Interchangeability(
        estimate=index,
        interval=Interval(index - half, index + half, f"t over {over}"),
        test=Test("t of γ = 0", index / se, (groups - 1,), t_two_sided_p(index / se, groups - 1)),
        rms=rms,
        interchangeable=None if margin is None else bool(index + half < margin),
        warnings=few_clusters(None if clusters is None else groups),
        **common,
    )
