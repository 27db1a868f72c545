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
from analytics.accuracy.rows import complete
from analytics.accuracy.two_by_two import TwoByTwo, two_by_two_of
from analytics.columns import identities_in
from analytics.errors import AnalyticsError
from analytics.result import Estimated, Finding, Interval
from analytics.rounding import half_up, percent

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Change(Estimated):
    """Second proportion minus first (``estimate``) with Newcombe's interval."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        interval = None if self.interval is None else self.interval.to_dict()
        return {"change": self.estimate, "interval": interval, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class LockedCutOff(Finding):
    """Performance of a locked cut-off on a second cohort, beside that on the cohort that chose it.

    ``sensitivity_change`` and ``specificity_change`` are second cohort minus first; ``clustered`` is there when patients were given.
    """

    chosen: CutOff
    accuracy: TwoByTwo
    roc: Roc
    clustered: ClusteredAccuracy | None
    sensitivity_change: Change
    specificity_change: Change

    def sentence(self) -> str:
        """The second cohort's figures and the change."""
        text = f"{self.chosen.marker} ≥ {half_up(self.chosen.estimate or 0, 1)}, locked: {self.accuracy.sentence()}"
        for name, change in (
            ("sensitivity", self.sensitivity_change),
            ("specificity", self.specificity_change),
        ):
            if change.estimate is None or change.interval is None:
                text = f"{text[:-1]}; change of {name} not estimable ({change.reason})."
                continue
            low, high = percent(change.interval.low), percent(change.interval.high)
            method = change.interval.method
            text = f"{text[:-1]}; change of {name} {percent(change.estimate)} points ({low} to {high}, {method})."
        return text

    def to_dict(self) -> dict[str, Any]:
        """JSON form; ``cut_off`` is the chosen one, ``auc`` that of the second cohort."""
        content = super().to_dict()
        return {"cut_off": content.pop("chosen"), "auc": content.pop("roc")} | content


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
    kept, (x,), diseased, dropped = complete(outcome_values, marker_values)
    roc = roc_of(marker_values, outcome_values, unit=unit, marker=chosen.marker, simulated=simulated)
    positive = x >= chosen.estimate
    patients = None if clusters is None else identities_in(clusters, kept)
    accuracy = two_by_two_of(
        tp=int((positive & diseased).sum()),
        fp=int((positive & ~diseased).sum()),
        fn=int((~positive & diseased).sum()),
        tn=int((~positive & ~diseased).sum()),
        unit=unit,
        clusters=None if patients is None else len(set(patients)),
        dropped=dropped,
        question=f"{chosen.marker} ≥ {half_up(chosen.estimate, 1)} for the outcome",
        simulated=simulated,
    )
    return LockedCutOff(
        method=f"locked cut-off of {chosen.marker}",
        n=accuracy.n,
        unit=unit,
        clusters=accuracy.clusters,
        dropped=dropped,
        reason=accuracy.reason,
        simulated=simulated,
        chosen=chosen,
        accuracy=accuracy,
        roc=roc,
        clustered=None
        if patients is None
        else clustered_accuracy_of(
            positive,
            diseased,
            clusters=patients,
            unit=unit,
            missing=sum(d.count for d in dropped),
            simulated=simulated,
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


def _change(x1: int, n1: int, x2: int, n2: int) -> Change:
    """Second minus first proportion with Newcombe's hybrid score interval (1998, method 10)."""
    if not n1 or not n2:
        return Change(estimate=None, reason="a cohort has nobody to count")
    p1, p2 = x1 / n1, x2 / n2
    (low1, high1), (low2, high2) = wilson(x1, n1), wilson(x2, n2)
    low = p2 - p1 - math.sqrt((p2 - low2) ** 2 + (high1 - p1) ** 2)
    high = p2 - p1 + math.sqrt((high2 - p2) ** 2 + (p1 - low1) ** 2)
    return Change(estimate=p2 - p1, interval=Interval(low, high, "Newcombe"))
