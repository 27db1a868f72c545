"""A cut-off chosen on one cohort and applied, unchanged, to another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import wilson
from analytics.accuracy.clustered import ClusteredAccuracy, clustered_accuracy_of
from analytics.accuracy.cutoff import CutOff
from analytics.accuracy.roc import Roc, roc_of
from analytics.accuracy.two_by_two import TwoByTwo, two_by_two_of
from analytics.columns import identities_in
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Interval
from analytics.rounding import half_up, percent

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LockedCutOff:
    """Performance of a locked cut-off on a second cohort, beside that on the cohort that chose it.

    ``sensitivity_change`` and ``specificity_change`` are second cohort minus first with Newcombe's interval (None
    where a cohort lacks the group); ``clustered`` is there when patients were given.
    """

    chosen: CutOff
    accuracy: TwoByTwo
    roc: Roc
    clustered: ClusteredAccuracy | None
    sensitivity_change: tuple[float, Interval] | None
    specificity_change: tuple[float, Interval] | None

    def sentence(self) -> str:
        """The second cohort's figures and the change."""
        text = f"{self.chosen.marker} ≥ {half_up(self.chosen.estimate or 0, 1)}, locked: {self.accuracy.sentence()}"
        for name, change in (
            ("sensitivity", self.sensitivity_change),
            ("specificity", self.specificity_change),
        ):
            if change is not None:
                low, high = percent(change[1].low), percent(change[1].high)
                text = f"{text[:-1]}; change of {name} {percent(change[0])} points ({low} to {high}, {change[1].method})."
        return text

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        changes = {
            name: None if change is None else {"change": change[0], "interval": change[1].to_dict()}
            for name, change in (
                ("sensitivity_change", self.sensitivity_change),
                ("specificity_change", self.specificity_change),
            )
        }
        return {
            "cut_off": self.chosen.to_dict(),
            "accuracy": self.accuracy.to_dict(),
            "auc": self.roc.to_dict(),
            "clustered": None if self.clustered is None else self.clustered.to_dict(),
            **changes,
        }


def locked_cut_off(
    chosen: CutOff,
    marker_values: Array,
    outcome_values: Array,
    *,
    clusters: Sequence[Any] | None = None,
    unit: str = "patient",
    simulated: bool = False,
) -> LockedCutOff:
    """Apply a chosen cut-off to arrays of a second cohort; rows with a missing value are dropped and counted.

    Raises AnalyticsError when no cut-off was chosen.
    """
    if chosen.estimate is None or chosen.apparent is None:
        raise AnalyticsError(f"There is no cut-off to lock: {chosen.reason}.")
    x, y = np.asarray(marker_values, np.float64), np.asarray(outcome_values, np.float64)
    roc = roc_of(x, y, unit=unit, marker=chosen.marker, simulated=simulated)
    complete = ~(np.isnan(x) | np.isnan(y))
    positive, diseased = x[complete] >= chosen.estimate, y[complete] == 1
    kept = None if clusters is None else identities_in(clusters, complete)
    missing = int((~complete).sum())
    accuracy = two_by_two_of(
        tp=int((positive & diseased).sum()),
        fp=int((positive & ~diseased).sum()),
        fn=int((~positive & diseased).sum()),
        tn=int((~positive & ~diseased).sum()),
        unit=unit,
        clusters=None if kept is None else len(set(kept)),
        dropped=(Dropped(missing, "marker or outcome is missing"),) if missing else (),
        question=f"{chosen.marker} ≥ {half_up(chosen.estimate, 1)} for the outcome",
        simulated=simulated,
    )
    return LockedCutOff(
        chosen=chosen,
        accuracy=accuracy,
        roc=roc,
        clustered=None
        if kept is None
        else clustered_accuracy_of(
            positive, diseased, clusters=kept, unit=unit, missing=missing, simulated=simulated
        ),
        sensitivity_change=_change(
            round(chosen.apparent.sensitivity * chosen.cases),
            chosen.cases,
            accuracy.tp,
            accuracy.tp + accuracy.fn,
        ),
        specificity_change=_change(
            round(chosen.apparent.specificity * chosen.controls),
            chosen.controls,
            accuracy.tn,
            accuracy.tn + accuracy.fp,
        ),
    )


def _change(x1: int, n1: int, x2: int, n2: int) -> tuple[float, Interval] | None:
    """Second minus first proportion with Newcombe's hybrid score interval (1998, method 10)."""
    if not n1 or not n2:
        return None
    p1, p2 = x1 / n1, x2 / n2
    (low1, high1), (low2, high2) = wilson(x1, n1), wilson(x2, n2)
    low = p2 - p1 - math.sqrt((p2 - low2) ** 2 + (high1 - p1) ** 2)
    high = p2 - p1 + math.sqrt((high2 - p2) ** 2 + (p1 - low1) ** 2)
    return p2 - p1, Interval(low, high, "Newcombe")
