"""Concordance of a risk score with survival: Harrell's C, Uno's C, and the comparison of two scores.

Standard errors are the infinitesimal jackknife's; two scores of the same patients are compared by the U-statistics of
Kang and others (2015). All pair counts are made in n log n (see ``dominance``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import normal_quantile, normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Interval, Result, Test, interval_or_none, unless
from analytics.rounding import half_up
from analytics.survival.censoring import uncensored_before
from analytics.survival.dominance import below
from analytics.survival.follow_up import check

Array = NDArray[np.float64]
Z = normal_quantile(0.975)
MOST_PAIRS = 20_000_000
"""All pairs of 20,000 patients (198 million) take 9 s and change the standard error by less than one in a million."""
PAIRS_AT_ONCE = 4_000_000
"""32 MB an array."""


class Pairs(NamedTuple):
    """Per row, in the order given: weight of its comparable pairs, and of those that agree, disagree or tie in risk."""

    pairs: Array
    concordant: Array
    discordant: Array
    tied: Array

    def totals(self) -> tuple[float, float, float, float]:
        """Each pair once."""
        return tuple(float(v.sum()) / 2 for v in self)  # type: ignore[return-value]


def comparable_pairs(
    time: Array,
    event: NDArray[np.bool_],
    risk: Array,
    weights: Array | None = None,
    *,
    events_first: bool = True,
) -> Pairs:
    """Count the pairs of every row whose earlier time is an event.

    With ``events_first`` a censoring at an event's time counts as later; otherwise equal times are not compared.
    ``weights`` (n,) gives the weight of every pair that starts with the row's event.
    """
    n = len(time)
    order = np.lexsort((~event, time))
    t, e, r = time[order], event[order], risk[order]
    w = np.ones(n) if weights is None else weights[order]
    starts = np.flatnonzero(e)
    pairs, less, equal = np.zeros(n), np.zeros(n), np.zeros(n)
    discordant = np.zeros(n)
    # Pairs that start here: everybody after the events of the same time.
    at = t[starts]
    same = np.searchsorted(at, at, "right") - np.searchsorted(at, at, "left")
    begin = np.searchsorted(t, at, "left") + same if events_first else np.searchsorted(t, at, "right")
    end = np.full(len(starts), n)
    after = below(r, begin, end, r[starts])
    own = w[starts]
    pairs[starts] += own * (end - begin)
    less[starts] += own * after.less
    equal[starts] += own * after.equal
    discordant[starts] += own * (end - begin - after.less - after.equal)
    # Pairs that end here: events before this time, or at it when this row is censored.
    late = e | (not events_first)
    upto = np.where(late, np.searchsorted(at, t, "left"), np.searchsorted(at, t, "right"))
    before = below(r[starts], np.zeros(n, np.int64), upto, r, own)
    total = np.concatenate([[0.0], np.cumsum(own)])[upto]
    pairs += total
    less += total - before.less - before.equal
    equal += before.equal
    discordant += before.less
    back = np.empty(n, np.int64)
    back[order] = np.arange(n)
    return Pairs(pairs[back], less[back], discordant[back], equal[back])


def concordance(time: Array, event: NDArray[np.bool_], risk: Array) -> tuple[float, float] | None:
    """Harrell's C and its standard error; tied risks count one half. None without comparable pairs."""
    return _index(comparable_pairs(time, event, risk))


def _index(pairs: Pairs) -> tuple[float, float] | None:
    total = float(pairs.pairs.sum()) / 2
    if total <= 0:
        return None
    agree = pairs.concordant + pairs.tied / 2
    c = float(agree.sum()) / 2 / total
    influence = (agree - c * pairs.pairs) / total
    return c, math.sqrt(float((influence**2).sum()))


def uno_concordance(
    time: Array, event: NDArray[np.bool_], risk: Array, tau: float, *, events_first: bool = True
) -> tuple[float, float] | None:
    """Uno's C up to ``tau`` (exclusive): pairs weighted by 1/G² of the earlier time, G the censoring curve.

    Without ``events_first`` equal times are not compared and those with an event stay at risk of the censorings at its
    time, as in Uno's own program. The standard error takes the weights as known. None without comparable pairs.
    """
    g = uncensored_before(time, event, time, events_first=events_first)
    early = event & (time < tau) & (g > 0)
    weights = np.divide(1.0, g**2, out=np.zeros(len(time)), where=early)
    return _index(comparable_pairs(time, event, risk, weights, events_first=events_first))


@dataclass(frozen=True, kw_only=True)
class Concordance(Result):
    """C of one score. ``pairs`` counts those that agree, disagree and tie in risk."""

    se: float | None = None
    agreeing: int = 0
    disagreeing: int = 0
    tied: int = 0

    @property
    def somers_d(self) -> float | None:
        """2C − 1."""
        return None if self.estimate is None else 2 * self.estimate - 1


@dataclass(frozen=True, kw_only=True)
class ConcordanceDifference(Result):
    """C of the second score minus C of the first, in the same patients."""

    first: float | None = None
    second: float | None = None
    se: float | None = None
    names: tuple[str, str] = ("first", "second")

    def sentence(self) -> str:
        """Both indices and their difference."""
        if self.first is None or self.second is None:
            return super().sentence()
        a, b = self.names
        both = f"C index {a} {half_up(self.first, 3)}, {b} {half_up(self.second, 3)}"
        return f"{both}; {super().sentence()}"


def concordance_of(
    time: Array,
    event: Array,
    risk: Array,
    *,
    tau: float | None = None,
    unit: str = "patient",
    simulated: bool = False,
) -> Concordance:
    """Harrell's C with interval, or Uno's up to ``tau``; incomplete rows are dropped and counted.

    Raises
    ------
    AnalyticsError
        For negative times or events other than 0/1.
    """
    time, event, (risk,), dropped = complete(time, event, risk)
    happened = np.asarray(event == 1)
    found = concordance(time, happened, risk) if tau is None else uno_concordance(time, happened, risk, tau)
    kind = "Harrell's C" if tau is None else f"Uno's C up to {half_up(tau, 1)}"
    common: dict[str, Any] = {
        "method": kind,
        "n": len(time),
        "unit": unit,
        "dropped": dropped,
        "simulated": simulated,
    }
    if found is None:
        return Concordance(estimate=None, reason="no pair can be compared", **common)
    c, se = found
    interval = _on_logit(c, se)
    _, agree, disagree, tied = comparable_pairs(time, happened, risk).totals()
    return Concordance(
        estimate=c,
        interval=interval,
        interval_reason=unless(interval, "C is 0 or 1" if c in (0, 1) else "C has no spread"),
        se=se,
        agreeing=round(agree),
        disagreeing=round(disagree),
        tied=round(tied),
        test=Test("z against 0.5", (c - 0.5) / se, (), normal_two_sided_p((c - 0.5) / se)) if se else None,
        **common,
    )


def _on_logit(c: float, se: float) -> Interval | None:
    if not 0 < c < 1 or se == 0:
        return None
    centre, half = math.log(c / (1 - c)), Z * se / (c * (1 - c))
    low, high = (1 / (1 + math.exp(-(centre + s * half))) for s in (-1, 1))
    return interval_or_none(low, high, "logit, infinitesimal jackknife")


def complete(
    time: Array, event: Array, *scores: Array
) -> tuple[Array, Array, tuple[Array, ...], tuple[Dropped, ...]]:
    """Rows in which time, event and all scores are known, and what was dropped."""
    time, event = check(time, event)
    both = [np.asarray(s, np.float64) for s in scores]
    if any(s.shape != time.shape for s in both):
        raise AnalyticsError("Scores and times differ in length.")
    no_time = np.isnan(time) | np.isnan(event)
    no_score = np.any([np.isnan(s) for s in both], axis=0)
    dropped = tuple(
        Dropped(int(gone.sum()), why)
        for gone, why in (
            (no_time, "time or event is missing"),
            (no_score & ~no_time, "score is missing"),
        )
        if gone.any()
    )
    keep = ~(no_time | no_score)
    return time[keep], event[keep], tuple(s[keep] for s in both), dropped


class _Kendall(NamedTuple):
    """Kendall's τ of two orderings: total, sums per row, and the sum of squares over ordered pairs."""

    tau: float
    rows: Array
    squares: float


def _covariance(a: _Kendall, b: _Kendall, cross: float, n: int) -> float:
    """Unbiased covariance of two such τ; ``cross`` is the sum of products over ordered pairs (Cliff and Charter)."""
    pairs = n * (n - 1)
    sums = 4 * float(a.rows @ b.rows) - 2 * cross
    product = a.tau * b.tau * pairs**2
    return (sums - product * 2 * (2 * n - 3) / pairs) / (pairs * (n - 2) * (n - 3))


def compare_concordance(
    time: Array,
    event: Array,
    first: Array,
    second: Array,
    *,
    names: tuple[str, str] = ("first", "second"),
    unit: str = "patient",
    simulated: bool = False,
) -> ConcordanceDifference:
    """Difference of Harrell's C of two scores in the same patients, with interval and test (Kang and others 2015).

    Raises
    ------
    AnalyticsError
        For negative times or events other than 0/1.
    """
    time, event, (first, second), dropped = complete(time, event, first, second)
    happened = np.asarray(event == 1)
    n = len(time)
    a, b = (comparable_pairs(time, happened, s) for s in (first, second))
    common: dict[str, Any] = {
        "method": f"difference of C ({names[1]} minus {names[0]})",
        "n": n,
        "unit": unit,
        "dropped": dropped,
        "names": names,
        "simulated": simulated,
    }
    if n < 4 or a.pairs.sum() <= 0:
        return ConcordanceDifference(estimate=None, reason="no pair can be compared", **common)
    variance = _difference_variance(a, b, _cross(time, happened, first, second), n)
    c = [float(p.concordant.sum() + p.tied.sum() / 2) / float(p.pairs.sum()) for p in (a, b)]
    difference = c[1] - c[0]
    if variance <= 0:
        alike = np.array_equal(a.concordant, b.concordant) and np.array_equal(a.tied, b.tied)
        why = "the scores order alike" if alike else "no variance (too few patients, or perfect orders)"
        return ConcordanceDifference(
            estimate=difference, first=c[0], second=c[1], interval_reason=why, **common
        )
    se = math.sqrt(variance)
    return ConcordanceDifference(
        estimate=difference,
        interval=Interval(difference - Z * se, difference + Z * se, "Kang's U-statistics"),
        se=se,
        first=c[0],
        second=c[1],
        test=Test("Kang z", difference / se, (), normal_two_sided_p(difference / se)),
        **common,
    )


def _difference_variance(a: Pairs, b: Pairs, cross: float, n: int) -> float:
    """Delta method on C = (τ_risk / τ_time + 1) / 2 for both scores over their common τ_time."""
    pairs = n * (n - 1)

    def kendall(rows: Array, squares: float) -> _Kendall:
        return _Kendall(float(rows.sum()) / pairs, rows, squares)

    base = kendall(a.pairs, float(a.pairs.sum()))
    one = kendall(a.concordant - a.discordant, float((a.concordant + a.discordant).sum()))
    two = kendall(b.concordant - b.discordant, float((b.concordant + b.discordant).sum()))
    gap = two.tau - one.tau
    difference = _Kendall(gap, two.rows - one.rows, one.squares + two.squares - 2 * cross)
    gap_with_base = float(two.rows.sum() - one.rows.sum())
    v_gap = _covariance(difference, difference, difference.squares, n)
    v_base = _covariance(base, base, base.squares, n)
    c_both = _covariance(difference, base, gap_with_base, n)
    ratio = gap / base.tau
    return (v_gap - 2 * ratio * c_both + ratio**2 * v_base) / base.tau**2 / 4


def _cross(time: Array, event: NDArray[np.bool_], first: Array, second: Array) -> float:
    """Sum over ordered comparable pairs of the product of both scores' signs; the only part that is n² work.

    It enters the variance divided by n relative to the rest. Beyond ``MOST_PAIRS`` pairs it is therefore taken from
    events evenly spaced in time, which moves the standard error by far less than its own uncertainty.
    """
    order = np.lexsort((~event, time))
    t, e, r, s = time[order], event[order], first[order], second[order]
    total, events = 0.0, np.flatnonzero(e)
    used = events
    if len(events) * len(t) > MOST_PAIRS:
        used = events[np.linspace(0, len(events) - 1, max(MOST_PAIRS // len(t), 2)).astype(int)]
    for chunk in np.array_split(used, max(1, len(used) * len(t) // PAIRS_AT_ONCE + 1)):
        later = (t > t[chunk, None]) | ((t == t[chunk, None]) & ~e)
        total += float((np.sign(r[chunk, None] - r) * np.sign(s[chunk, None] - s) * later).sum())
    return 2 * total * len(events) / max(len(used), 1)
