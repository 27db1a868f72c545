"""Description of a characteristic: the numbers of a baseline table.

Quartiles are of type 7 (Hyndman and Fan 1996; NumPy, R) unless said otherwise: packages differ, so the type is named.
Groups are described, and compared by the standardised difference rather than by p (a baseline table tests nothing).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import t_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Finding, Test
from analytics.rounding import half_up, percent

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Description(Finding):
    """Numbers of one characteristic in one group; None where they do not exist.

    quartiles : 25th and 75th percentile · missing values are counted in ``dropped``
    geometric_mean : None with values of zero or less · skewness : adjusted (type 2), needs three values
    """

    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    quartiles: tuple[float, float] | None = None
    minimum: float | None = None
    maximum: float | None = None
    geometric_mean: float | None = None
    skewness: float | None = None
    quartile_type: int = 7

    @property
    def missing(self) -> int:
        """Values that are missing."""
        return self.dropped_count

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with the number of missing values."""
        return super().to_dict() | {"missing": self.missing}

    def sentence(self) -> str:
        """Mean and SD, or median and quartiles."""
        shown = f"not estimable ({self.reason})" if self.reason else self.printed(2)
        return f"{self.method}: {shown}, {self.counted()}."

    def printed(self, digits: int = 1) -> str:
        """``61.4 (SD 8.2)``, or median and quartiles where the values are skewed."""
        if self.mean is None or self.median is None or self.quartiles is None:
            return "–"
        if self.skewness is not None and abs(self.skewness) > 1:
            low, high = self.quartiles
            return f"{half_up(self.median, digits)} ({half_up(low, digits)}–{half_up(high, digits)})"
        spread = "" if self.sd is None else f" (SD {half_up(self.sd, digits)})"
        return f"{half_up(self.mean, digits)}{spread}"


def describe(
    values: Sequence[float] | Array, *, quartile_type: int = 7, unit: str = "patient", simulated: bool = False
) -> Description:
    """Describe numbers; NaN is missing. ``quartile_type`` is 2, 6 or 7 of Hyndman and Fan."""
    found = np.asarray(values, np.float64)
    kept = found[~np.isnan(found)]
    missing = len(found) - len(kept)
    common: dict[str, Any] = {
        "method": f"description, quartiles of type {quartile_type}",
        "n": len(kept),
        "unit": unit,
        "dropped": (Dropped(missing, "the value is missing"),) if missing else (),
        "quartile_type": quartile_type,
        "simulated": simulated,
    }
    if not len(kept):
        return Description(reason="no value", **common)
    mean = float(kept.mean())
    low, high = quantiles(kept, (0.25, 0.75), quartile_type)
    return Description(
        mean=mean,
        sd=float(kept.std(ddof=1)) if len(kept) > 1 else None,
        median=float(np.median(kept)),
        quartiles=(low, high),
        minimum=float(kept.min()),
        maximum=float(kept.max()),
        geometric_mean=float(np.exp(np.log(kept).mean())) if (kept > 0).all() else None,
        skewness=_skewness(kept),
        **common,
    )


QUANTILE_METHODS = {
    2: "averaged_inverted_cdf",
    6: "weibull",
    7: "linear",
}  # NumPy's names of Hyndman and Fan's types


def quantiles(values: Array, levels: Sequence[float], kind: int = 7) -> tuple[float, ...]:
    """Quantiles of type 2 (Stata's ``summarize``), 6 (SPSS, Minitab) or 7 (R, NumPy)."""
    if kind not in QUANTILE_METHODS:
        raise AnalyticsError(
            f"Quantiles of type {kind} are not known; there are {', '.join(map(str, QUANTILE_METHODS))}."
        )
    return tuple(float(v) for v in np.quantile(values, levels, method=QUANTILE_METHODS[kind]))  # type: ignore[call-overload]


def _skewness(values: Array) -> float | None:
    n, moved = len(values), values - values.mean()
    spread = float((moved**2).mean())
    if n < 3 or spread <= 0:
        return None
    return float(math.sqrt(n * (n - 1)) / (n - 2) * float((moved**3).mean()) / spread**1.5)


def standardised_difference(first: Array, second: Array) -> float | None:
    """Second minus first mean over the root of the mean variance (Cohen's d of two groups); None without spread."""
    a, b = (np.asarray(v, np.float64)[~np.isnan(v)] for v in (first, second))
    if len(a) < 2 or len(b) < 2:
        return None
    spread = (float(a.var(ddof=1)) + float(b.var(ddof=1))) / 2
    return None if spread <= 0 else float(b.mean() - a.mean()) / math.sqrt(spread)


def welch(first: Array, second: Array) -> Test | None:
    """Welch's t test of two means; None where there is no spread."""
    a, b = (np.asarray(v, np.float64)[~np.isnan(v)] for v in (first, second))
    if len(a) < 2 or len(b) < 2:
        return None
    va, vb = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    if va + vb <= 0:
        return None
    t = float(a.mean() - b.mean()) / math.sqrt(va + vb)
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    return Test("Welch t", t, (df,), t_two_sided_p(t, df))


def share(count: int, n: int, digits: int = 1) -> str:
    """``584 (36.3 %)``; a dash where nobody is known."""
    return "–" if not n else f"{count:,} ({percent(count / n, digits)} %)"
