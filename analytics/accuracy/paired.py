"""Two yes-or-no tests on the same patients: McNemar for sensitivity and specificity, and predictive values.

Predictive values are compared by the generalised score (Leisenring, Alonzo and Pepe 2000), the weighted generalised
score (Kosinski 2013) and the relative predictive value (Moskowitz and Pepe 2006).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.distributions import chi2_upper_tail, normal_quantile, normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Finding, Interval, Result, Test, unless
from analytics.rounding import p_value, percent

Flags = NDArray[np.bool_]
Z = normal_quantile(0.975)


@dataclass(frozen=True, kw_only=True)
class PairedProportions(Result):
    """Difference second − first of a paired proportion; ``tests`` holds every test made of it.

    For predictive values ``ratio`` is second ÷ first as the relative predictive value with its interval, or
    ``ratio_reason`` says what is missing of it.
    """

    first: float | None = None
    second: float | None = None
    tests: tuple[Test, ...] = ()
    ratio: float | None = None
    ratio_interval: Interval | None = None
    ratio_reason: str | None = None
    discordant: tuple[int, int] | None = None

    def sentence(self) -> str:
        """Both proportions, their difference and the tests."""
        if self.first is None or self.second is None:
            return super().sentence()
        text = f"{self.method}: {percent(self.first)} % and {percent(self.second)} %"
        if self.interval is not None and self.estimate is not None:
            low, high = percent(self.interval.low), percent(self.interval.high)
            text += f", difference {percent(self.estimate)} points (95 % CI {low} to {high}, {self.interval.method})"
        elif self.interval_reason is not None:
            text += f", no interval ({self.interval_reason})"
        return text + "".join(f"; {t.name} {p_value(t.p)}" for t in self.tests) + f"; {self.counted()}."


@dataclass(frozen=True, kw_only=True)
class PairedAccuracy(Finding):
    """The four comparisons; ``diseased`` and ``healthy`` count (both +, only first +, only second +, both −)."""

    sensitivity: PairedProportions
    specificity: PairedProportions
    ppv: PairedProportions
    npv: PairedProportions
    diseased: tuple[int, int, int, int]
    healthy: tuple[int, int, int, int]

    def measures(self) -> tuple[PairedProportions, ...]:
        """The four in the usual order."""
        return self.sensitivity, self.specificity, self.ppv, self.npv

    def sentence(self) -> str:
        """All four in words."""
        return " ".join(m.sentence() for m in self.measures())


def paired_accuracy_of(
    first: Flags,
    second: Flags,
    diseased: Flags,
    *,
    unit: str = "patient",
    missing: int = 0,
    simulated: bool = False,
) -> PairedAccuracy:
    """Compare two yes-or-no arrays against a reference, units independent."""
    a, b, d = (np.asarray(v, bool) for v in (first, second, diseased))
    if not a.shape == b.shape == d.shape:
        raise AnalyticsError(f"Tests and reference differ in length: {a.shape}, {b.shape}, {d.shape}.")
    common: dict[str, Any] = {
        "unit": unit,
        "dropped": (Dropped(missing, "a value is missing"),) if missing else (),
        "simulated": simulated,
    }
    return PairedAccuracy(
        method="accuracy of two tests of the same units",
        n=len(d),
        reason=None if len(d) else "there is no unit",
        **common,
        sensitivity=_mcnemar("Sensitivity", a[d], b[d], "nobody is diseased", common),
        specificity=_mcnemar("Specificity", ~a[~d], ~b[~d], "everybody is diseased", common),
        ppv=_predictive("Positive predictive value", a, b, d, common),
        npv=_predictive("Negative predictive value", ~a, ~b, ~d, common),
        diseased=cells(a[d], b[d]),
        healthy=cells(a[~d], b[~d]),
    )


def cells(a: Flags, b: Flags) -> tuple[int, int, int, int]:
    """Both, only the first, only the second, neither."""
    return int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum())


def mcnemar(only_first: int, only_second: int) -> tuple[Test | None, Test]:
    """McNemar's χ² without continuity correction (None without discordant pairs) and the exact test."""
    discordant = only_first + only_second
    tail = float(special.bdtr(min(only_first, only_second), discordant, 0.5)) if discordant else 1.0
    exact = Test("McNemar, exact", float(only_second), (float(discordant),), min(1.0, 2 * tail))
    if not discordant:
        return None, exact
    statistic = (only_first - only_second) ** 2 / discordant
    return Test("McNemar", statistic, (1,), chi2_upper_tail(statistic, 1)), exact


def _mcnemar(title: str, a: Flags, b: Flags, empty: str, common: dict[str, Any]) -> PairedProportions:
    n = len(a)
    if not n:
        return PairedProportions(estimate=None, reason=empty, method=title, n=0, **common)
    _, only_first, only_second, _ = cells(a, b)
    difference = (only_second - only_first) / n
    plain, exact = mcnemar(only_first, only_second)
    se = math.sqrt(max((only_first + only_second) / n - difference**2, 0) / n)
    interval = None
    if se > 0:
        interval = Interval(difference - Z * se, difference + Z * se, "Wald, paired")
    return PairedProportions(
        estimate=difference,
        interval=interval,
        interval_reason=unless(interval, "the tests never differ"),
        method=title,
        n=n,
        test=plain or exact,
        first=float(a.mean()),
        second=float(b.mean()),
        tests=tuple(t for t in (plain, exact) if t is not None),
        discordant=(only_first, only_second),
        **common,
    )


def _predictive(title: str, a: Flags, b: Flags, right: Flags, common: dict[str, Any]) -> PairedProportions:
    """P(right | a) against P(right | b): rows where neither test says so hold no information."""
    used = a | b
    common = common | {"method": title, "n": int(used.sum())}
    if not a.any() or not b.any():
        return PairedProportions(estimate=None, reason="one of the tests never says so", **common)
    p, q = float(right[a].mean()), float(right[b].mean())
    tests = tuple(t for t in (generalised_score(a, b, right), weighted_score(a, b, right)) if t is not None)
    variance, log_variance = _variances(a, b, right, p, q)
    interval, ratio_interval, relative = None, None, None
    if variance > 0:
        half = Z * math.sqrt(variance)
        interval = Interval(q - p - half, q - p + half, "Wald, linearised")
    if log_variance > 0:
        half, centre = Z * math.sqrt(log_variance), math.log(q / p)
        ratio_interval = Interval(math.exp(centre - half), math.exp(centre + half), "log")
        z = centre / math.sqrt(log_variance)
        relative = Test("relative predictive value", z, (), normal_two_sided_p(z))
    return PairedProportions(
        estimate=q - p,
        interval=interval,
        interval_reason=unless(interval, "the predictive values have no spread"),
        test=relative,
        first=p,
        second=q,
        tests=tests if relative is None else (*tests, relative),
        ratio=q / p if p > 0 else None,
        ratio_interval=ratio_interval,
        ratio_reason=unless(ratio_interval, _why_no_ratio(p, q)),
        **common,
    )


def _why_no_ratio(p: float, q: float) -> str:
    return "a predictive value is 0" if p == 0 or q == 0 else "the predictive values have no spread"


def _variances(a: Flags, b: Flags, right: Flags, p: float, q: float) -> tuple[float, float]:
    """Linearised variances of q − p and of log(q/p); the second is 0 where it does not exist."""
    share_a, share_b = a * (right - p) / a.sum(), b * (right - q) / b.sum()
    difference = float(((share_b - share_a) ** 2).sum())
    if p == 0 or q == 0:
        return difference, 0.0
    return difference, float(((share_b / q - share_a / p) ** 2).sum())


def generalised_score(a: Flags, b: Flags, right: Flags) -> Test | None:
    """Generalised score of Leisenring, Alonzo and Pepe; None where it has no variance."""
    rows_a, rows_b = a.astype(float), b.astype(float)
    count = rows_a + rows_b
    mean_z = rows_b.sum() / count.sum()
    mean_d = float((right * count).sum() / count.sum())
    score = float((right * (rows_a * (0 - mean_z) + rows_b * (1 - mean_z))).sum())
    each = (right - mean_d) * (rows_a * (0 - mean_z) + rows_b * (1 - mean_z))
    return _chi("generalised score", score**2, float((each**2).sum()))


def weighted_score(a: Flags, b: Flags, right: Flags) -> Test | None:
    """Weighted generalised score of Kosinski; None where it has no variance."""
    n_a, n_b, both = float(a.sum()), float(b.sum()), a & b
    p, q = float(right[a].mean()), float(right[b].mean())
    pooled = (n_a * p + n_b * q) / (n_a + n_b)
    shared = float((both * (right - pooled) ** 2).sum()) / (n_a + n_b)
    variance = (pooled * (1 - pooled) - 2 * shared) * (1 / n_a + 1 / n_b)
    return _chi("weighted generalised score", (p - q) ** 2, variance)


def _chi(name: str, squared: float, variance: float) -> Test | None:
    if variance <= 0:
        return None
    return Test(name, squared / variance, (1,), chi2_upper_tail(squared / variance, 1))
