"""Reader Disagreement Index: how often an adjudicator decided against a reader, among all cases the reader read.

RDI = cases in which the adjudicator disagreed with the reader / all cases read × 100 (Sharma and others 2019, 2021).
It joins the adjudication rate (how often two readers differ) with the adjudicator's agreement (who was right); a reader
above the mean by one standard deviation or more is marked, as those authors do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import clopper_pearson
from analytics.errors import AnalyticsError
from analytics.result import Interval, Result
from analytics.rounding import percent

LEAST_READERS = 3
"""With fewer readers nobody can stand out."""


@dataclass(frozen=True)
class ReaderRow:
    """One reader: cases read, discordant and adjudicated ones, decisions against the reader, and the index (0 to 1)."""

    reader: str
    cases: int
    discordant: int
    adjudicated: int
    overruled: int
    index: float
    interval: Interval
    stands_out: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**vars(self), "interval": self.interval.to_dict()}


@dataclass(frozen=True, kw_only=True)
class ReaderDisagreement(Result):
    """Adjudication rate (``estimate``, 0 to 1) with its exact interval, and one row a reader.

    waiting : discordant cases that no adjudicator has decided yet
    """

    readers: tuple[ReaderRow, ...] = ()
    discordant: int = 0
    adjudicated: int = 0
    waiting: int = 0

    def sentence(self) -> str:
        """Adjudication rate and the readers' indices."""
        if self.estimate is None:
            return super().sentence()
        limits = (
            "" if self.interval is None else f" ({percent(self.interval.low)}–{percent(self.interval.high)})"
        )
        each = ", ".join(f"{r.reader} {percent(r.index)} %" for r in self.readers)
        return f"Adjudication rate {percent(self.estimate)} %{limits}, {self.counted()}; Reader Disagreement Index: {each}."


def reader_disagreement(
    first: Sequence[str],
    second: Sequence[str],
    discordant: NDArray[np.bool_],
    adjudicated: NDArray[np.bool_],
    chosen: NDArray[np.float64],
    *,
    simulated: bool = False,
) -> ReaderDisagreement:
    """Indices of the readers of cases (n,) that two readers each read.

    Parameters
    ----------
    first, second : readers of each case
    chosen : whose read the adjudicator took: 1, 2, or 3 for neither (against both); NaN where not adjudicated

    Raises
    ------
    AnalyticsError
        For a decision without adjudication, an adjudication without decision, or one reader named twice in a case.
    """
    n = len(first)
    sizes = {len(v) for v in (first, second, discordant, adjudicated, chosen)}
    if sizes != {n}:
        raise AnalyticsError(f"The columns differ in length: {sorted(sizes)}.")
    decided = ~np.isnan(np.asarray(chosen, float))
    for row in np.flatnonzero(decided != np.asarray(adjudicated, bool)):
        what = "a decision without adjudication" if decided[row] else "an adjudication without decision"
        raise AnalyticsError(f"Row {row + 1}: {what}.")
    same = [i for i in range(n) if first[i] == second[i]]
    if same:
        raise AnalyticsError(f"Row {same[0] + 1}: {first[same[0]]!r} is named as both readers.")
    common: dict[str, Any] = {"method": "adjudication rate", "n": n, "unit": "case", "simulated": simulated}
    if not n:
        return ReaderDisagreement(estimate=None, reason="no case was read twice", **common)
    rows = []
    for reader in sorted(set(first) | set(second)):
        as_first, as_second = (np.array([r == reader for r in side], bool) for side in (first, second))
        mine = as_first | as_second
        against = (as_first & decided & (chosen != 1)) | (as_second & decided & (chosen != 2))
        cases, overruled = int(mine.sum()), int(against.sum())
        rows.append((reader, cases, int((mine & discordant).sum()), int((mine & decided).sum()), overruled))
    indices = np.array([r[4] / r[1] for r in rows])
    limit = indices.mean() + indices.std(ddof=1) if len(rows) >= LEAST_READERS else np.inf
    differ = int(np.asarray(discordant, bool).sum())
    return ReaderDisagreement(
        estimate=differ / n,
        interval=clopper_pearson(differ, n),
        readers=tuple(
            ReaderRow(*r, float(i), clopper_pearson(r[4], r[1]), bool(i >= limit and i > 0))
            for r, i in zip(rows, indices, strict=True)
        ),
        discordant=differ,
        adjudicated=int(decided.sum()),
        waiting=int((np.asarray(discordant, bool) & ~decided).sum()),
        **common,
    )
