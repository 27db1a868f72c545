"""Choosing a cut-off of a marker, and how well it really does.

A cut-off is an observed value v with "positive = v or more". What it reaches on the data that chose it is optimistic;
the bootstrap repeats the choice in every resample of patients (Harrell, Lee and Mark 1996): the mean of resample
performance minus performance of the resample's cut-off on the data is the optimism. The percentiles of the chosen
values are the cut-off's interval.

Criteria: ``youden`` (largest sensitivity + specificity − 1, all ties listed), ``closest`` (nearest to the corner of
the ROC plot), ``sensitivity`` (highest cut-off that still has the target's sensitivity), ``specificity`` (lowest
cut-off that has the target's specificity).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.binomial import clopper_pearson
from analytics.accuracy.rows import complete
from analytics.columns import codes, identities_in
from analytics.errors import AnalyticsError
from analytics.resampling import SEED, percentile_interval, resample_counts
from analytics.result import DRAWING, NOT_ASKED, Finding, Interval, Result, few_clusters, no_values, unless
from analytics.rounding import half_up, percent

Array = NDArray[np.float64]
CRITERIA = ("youden", "closest", "sensitivity", "specificity")
REPLICATES = 2_000
"""The share of resamples beyond a limit of 2.5 % is then known to ±0.35 points (binomial standard error)."""
CHUNK_ENTRIES = 2_000_000
"""Weights (resamples × rows) worked on at once: 16 MB an array."""
TIE = 1e-12
"""Rates that differ by less are equal: sums of shares are rounded to about 1e-16."""


@dataclass(frozen=True)
class Performance:
    """Sensitivity and specificity of a cut-off."""

    sensitivity: float
    specificity: float

    @property
    def youden(self) -> float:
        """Sensitivity + specificity − 1."""
        return self.sensitivity + self.specificity - 1

    def to_dict(self) -> dict[str, float]:
        """JSON form."""
        return {"sensitivity": self.sensitivity, "specificity": self.specificity, "youden": self.youden}


@dataclass(frozen=True, kw_only=True)
class CutOff(Result):
    """The chosen cut-off (``estimate``, lowest of ``tied``) with the interval of repeating the choice.

    ``apparent`` is what it reaches on the data that chose it, with exact intervals; ``corrected`` is less the
    optimism.
    """

    criterion: str
    target: float | None
    cases: int
    controls: int
    marker: str = "marker"
    tied: tuple[float, ...] = ()
    apparent: Performance | None = None
    corrected: Performance | None = None
    sensitivity_interval: Interval | None = None
    specificity_interval: Interval | None = None
    replicates: int = 0
    seed: int | None = None
    thresholds: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    sensitivity: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)
    specificity: Array = field(default_factory=no_values, repr=False, compare=False, metadata=DRAWING)

    caption = Finding.caption

    def sentence(self) -> str:
        """Cut-off, apparent and corrected performance in words."""
        if self.estimate is None or self.apparent is None:
            return super().sentence()
        values = ", ".join(half_up(v, 1) for v in self.tied[:3])
        more = f" and {len(self.tied) - 3} more" if len(self.tied) > 3 else ""
        text = f"{self.method}: {self.marker} ≥ {values}{more}"
        if self.interval is not None:
            text += f" (95 % CI {self.interval.text(1)}, {self.interval.method})"
        elif self.interval_reason not in (None, NOT_ASKED):
            text += f" (no interval: {self.interval_reason})"
        text += f"; sensitivity {percent(self.apparent.sensitivity)} %, specificity {percent(self.apparent.specificity)} %"
        text += " on the data that chose it"
        if self.corrected is not None:
            text += f", {percent(self.corrected.sensitivity)} % and {percent(self.corrected.specificity)} % corrected for optimism"
        return text + f", {self.counted()}" + "".join(f"; {w}" for w in self.warnings) + "."


def cut_off_of(
    marker_values: Array,
    outcome_values: Array,
    *,
    criterion: str = "youden",
    target: float | None = None,
    clusters: Sequence[Any] | None = None,
    unit: str = "patient",
    marker: str = "marker",
    replicates: int = REPLICATES,
    seed: int = SEED,
    simulated: bool = False,
) -> CutOff:
    """Choose a cut-off of an array for 0/1; rows with a missing value are dropped and counted.

    ``target`` (0 to 1) belongs to the criteria ``sensitivity`` and ``specificity``.
    """
    _check(criterion, target)
    kept, (x,), case, dropped = complete(outcome_values, marker_values)
    names: Sequence[Any] = np.flatnonzero(kept).tolist()
    if clusters is not None:
        names = identities_in(clusters, kept)
    cluster, distinct = codes(names)
    common: dict[str, Any] = {
        "method": _named(criterion, target),
        "n": len(x),
        "unit": unit,
        "clusters": None if clusters is None else len(distinct),
        "dropped": dropped,
        "criterion": criterion,
        "target": target,
        "cases": int(case.sum()),
        "controls": int((~case).sum()),
        "marker": marker,
        "simulated": simulated,
    }
    if not case.any() or case.all():
        reason = f"{common['cases']} with and {common['controls']} without the outcome"
        return CutOff(estimate=None, reason=reason, **common)
    search = _Search(x, case, criterion, target)
    se, sp, present = search.rates(np.ones((1, len(x))))
    chosen = int(search.choose(se, sp, present)[0])
    if chosen < 0:
        return CutOff(estimate=None, reason="no observed value reaches the target", **common)
    tied = (
        (chosen,) if criterion != "youden" else np.flatnonzero(se[0] + sp[0] >= (se[0] + sp[0]).max() - TIE)
    )
    apparent = Performance(float(se[0, chosen]), float(sp[0, chosen]))
    interval, corrected = None, None
    if replicates and len(distinct) >= 2:
        interval, corrected = _repeat(
            search, cluster, len(distinct), se[0], sp[0], apparent, replicates, seed
        )
        if interval is not None and clusters is None:
            interval = Interval(interval.low, interval.high, interval.method.replace("patient-cluster ", ""))
    return CutOff(
        estimate=float(search.thresholds[chosen]),
        interval=interval,
        interval_reason=unless(interval, _why_no_interval(replicates, len(distinct))),
        tied=tuple(float(search.thresholds[i]) for i in tied),
        apparent=apparent,
        corrected=corrected,
        sensitivity_interval=clopper_pearson(round(apparent.sensitivity * case.sum()), int(case.sum())),
        specificity_interval=clopper_pearson(round(apparent.specificity * (~case).sum()), int((~case).sum())),
        replicates=replicates if corrected else 0,
        seed=seed if corrected else None,
        warnings=few_clusters(len(distinct)) if interval else (),
        thresholds=search.thresholds,
        sensitivity=se[0],
        specificity=sp[0],
        **common,
    )


class _Search:
    """The choice of a cut-off, for many sets of row weights at once."""

    def __init__(self, x: Array, case: NDArray[np.bool_], criterion: str, target: float | None) -> None:
        self.order = np.argsort(x, kind="stable")
        ordered = x[self.order]
        self.case = case[self.order].astype(np.float64)
        self.starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        self.thresholds = ordered[self.starts]
        self.criterion, self.target = criterion, target

    def rates(self, weights: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Sensitivity and specificity of every threshold per set of weights (sets, rows), and which occur."""
        w = weights[:, self.order]
        cases = np.add.reduceat(w * self.case, self.starts, axis=1)
        controls = np.add.reduceat(w * (1 - self.case), self.starts, axis=1)
        below_cases, below_controls = np.cumsum(cases, axis=1), np.cumsum(controls, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            sensitivity = 1 - (below_cases - cases) / below_cases[:, -1:]
            specificity = (below_controls - controls) / below_controls[:, -1:]
        return sensitivity, specificity, cases + controls > 0

    def choose(self, se: Array, sp: Array, present: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Index of the chosen threshold per row; −1 where none will do."""
        if self.criterion in ("youden", "closest"):
            value = se + sp if self.criterion == "youden" else -((1 - se) ** 2) - (1 - sp) ** 2
            value = np.where(present & np.isfinite(value), value, -np.inf)
            best = value.max(axis=1, keepdims=True)
            found = np.argmax(value >= best - TIE, axis=1)
            return np.where(np.isfinite(best[:, 0]), found, -1)
        if self.criterion == "sensitivity":
            good = present & (se >= (self.target or 0) - TIE)
            last = good.shape[1] - 1 - np.argmax(good[:, ::-1], axis=1)
            return np.where(good.any(axis=1), last, -1)
        good = present & (sp >= (self.target or 0) - TIE)
        return np.where(good.any(axis=1), np.argmax(good, axis=1), -1)


def _repeat(
    search: _Search,
    cluster: NDArray[np.int64],
    clusters: int,
    se: Array,
    sp: Array,
    apparent: Performance,
    replicates: int,
    seed: int,
) -> tuple[Interval | None, Performance | None]:
    """Repeat the choice in resamples of clusters: interval of the cut-off, and performance less the optimism."""
    values, optimism = [], []
    for weights in _weights(cluster, clusters, replicates, seed):
        drawn_se, drawn_sp, present = search.rates(weights)
        index = search.choose(drawn_se, drawn_sp, present)
        row, index = np.flatnonzero(index >= 0), index[index >= 0]
        values.append(search.thresholds[index])
        optimism.append(np.column_stack([drawn_se[row, index] - se[index], drawn_sp[row, index] - sp[index]]))
    gain = np.concatenate(optimism)
    gain = gain[np.isfinite(gain).all(axis=1)]
    if len(gain) < 0.9 * replicates:
        return None, None
    lost_se, lost_sp = gain.mean(axis=0)
    corrected = Performance(
        float(np.clip(apparent.sensitivity - lost_se, 0, 1)),
        float(np.clip(apparent.specificity - lost_sp, 0, 1)),
    )
    return percentile_interval(np.concatenate(values), replicates, clusters=clusters), corrected


def _weights(cluster: NDArray[np.int64], clusters: int, replicates: int, seed: int) -> Iterator[Array]:
    rows = max(1, CHUNK_ENTRIES // len(cluster))
    for counts in resample_counts(clusters=clusters, replicates=replicates, seed=seed):
        for start in range(0, len(counts), rows):
            yield counts[start : start + rows][:, cluster]


def _check(criterion: str, target: float | None) -> None:
    if criterion not in CRITERIA:
        raise AnalyticsError(f"Unknown criterion {criterion!r}; known are {', '.join(CRITERIA)}.")
    if criterion in ("sensitivity", "specificity") and (target is None or not 0 < target <= 1):
        raise AnalyticsError(f"The criterion {criterion!r} needs a target above 0 and up to 1, not {target}.")


def _why_no_interval(replicates: int, clusters: int) -> str:
    if not replicates:
        return NOT_ASKED
    return "one patient only" if clusters < 2 else "too few resamples hold both kinds of outcome"


def _named(criterion: str, target: float | None) -> str:
    if target is not None and criterion in ("sensitivity", "specificity"):
        return f"cut-off at a {criterion} of {percent(target, 0)} %"
    return {"youden": "Youden's cut-off", "closest": "cut-off closest to the corner"}[criterion]
