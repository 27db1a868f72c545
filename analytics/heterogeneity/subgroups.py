"""Does a marker mean the same in every subgroup? Hazard ratios by level, with tests of interaction.

Each level has its own Cox model; the interaction is tested once per subgrouping, by the likelihood ratio of models with
and without products of marker and level, in all patients together. A ratio that is significant in one level only is no
evidence of a difference: the interaction is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import is_missing
from analytics.distributions import chi2_upper_tail
from analytics.errors import AnalyticsError
from analytics.heterogeneity.multiplicity import adjusted
from analytics.result import Finding, Test
from analytics.rounding import count, p_value
from analytics.survival.cox import cox_of
from analytics.survival.hazard_ratio import Cox, HazardRatio

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Level:
    """One level of a subgrouping: patients, events and the marker's hazard ratio in it."""

    name: str
    n: int
    events: int
    ratio: HazardRatio

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"name": self.name, "n": self.n, "events": self.events, "ratio": self.ratio.to_dict()}


@dataclass(frozen=True)
class Subgrouping:
    """All levels of one variable and the test of interaction; ``reason`` says why there is none."""

    name: str
    levels: tuple[Level, ...]
    interaction: Test | None
    missing: int
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "name": self.name,
            "levels": [level.to_dict() for level in self.levels],
            "interaction": None if self.interaction is None else self.interaction.to_dict(),
            "missing": self.missing,
            "reason": self.reason,
        }


@dataclass(frozen=True, kw_only=True)
class Subgroups(Finding):
    """The marker's hazard ratio in everybody and by subgroup."""

    marker: str
    overall: Cox
    subgroupings: tuple[Subgrouping, ...]

    def adjusted_interactions(self, method: str = "holm") -> dict[str, float | None]:
        """The interactions' p values adjusted for their number, by subgrouping; see :func:`adjusted`."""
        tests = [s.interaction for s in self.subgroupings]
        p = adjusted([None if test is None else test.p for test in tests], method)
        return {s.name: value for s, value in zip(self.subgroupings, p, strict=True)}

    def sentence(self) -> str:
        """Every ratio and every test of interaction."""
        parts = [f"{self.marker}, all {self.overall.unit}s: HR {self.overall.terms[0].printed()}"]
        for s in self.subgroupings:
            levels = "; ".join(
                f"{level.name} ({count(level.n)}, {count(level.events)} events) HR {level.ratio.printed()}"
                for level in s.levels
            )
            test = (
                f"interaction {p_value(s.interaction.p)}"
                if s.interaction
                else f"no interaction test ({s.reason})"
            )
            lost = f", {count(s.missing)} without {s.name}" if s.missing else ""
            parts.append(f"by {s.name}: {levels}; {test}{lost}")
        return ". ".join(parts) + f"; {self.counted()}."

    def caption(self) -> str:
        """What the figure shows, marked when simulated."""
        tests = len(self.subgroupings)
        text = "Simulated data. " if self.simulated else ""
        text += (
            f"Hazard ratios of {self.marker} by subgroup, Cox, Wald 95 % CI; interaction by likelihood ratio"
        )
        return f"{text}, {tests} test{'s' if tests != 1 else ''}, p not adjusted for their number."

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with the interactions' p values adjusted by Holm's method."""
        return super().to_dict() | {"interaction_p_holm": self.adjusted_interactions()}


def subgroups_of(
    time: Array,
    event: Array,
    values: Array,
    by: Mapping[str, Sequence[Any]],
    *,
    marker: str = "marker",
    covariates: Mapping[str, Array] | None = None,
    unit: str = "patient",
    simulated: bool = False,
) -> Subgroups:
    """Hazard ratio of ``values`` (n,) in all and in every level of each variable of ``by`` (name → labels).

    ``covariates`` adjust every model.

    Raises
    ------
    AnalyticsError
        As :func:`analytics.survival.cox.cox_of`, and for labels of another length than the times.
    """
    extra = dict(covariates or {})
    if marker in extra:
        raise AnalyticsError(f"{marker} is the marker and cannot be a covariate as well.")
    columns = {marker: np.asarray(values, np.float64)} | extra
    overall = cox_of(time, event, columns, unit=unit, simulated=simulated)
    found = []
    for name, labels in by.items():
        if len(labels) != len(time):
            raise AnalyticsError(f"{name} has {len(labels)} rows, the times have {len(time)}.")
        text = np.array(["" if is_missing(v) else str(v) for v in labels], dtype=object)
        found.append(
            _by_levels(name, text, np.asarray(time), np.asarray(event), columns, marker, unit, simulated)
        )
    return Subgroups(
        method="hazard ratios by subgroup, Cox",
        n=overall.n,
        unit=unit,
        dropped=overall.dropped,
        reason=overall.reason,
        simulated=simulated,
        marker=marker,
        overall=overall,
        subgroupings=tuple(found),
    )


def _by_levels(
    name: str,
    labels: NDArray[Any],
    time: Array,
    event: Array,
    columns: dict[str, Array],
    marker: str,
    unit: str,
    simulated: bool,
) -> Subgrouping:
    names = sorted(set(labels.tolist()) - {""})
    levels = []
    for level in names:
        rows = labels == level
        model = cox_of(
            time[rows], event[rows], {k: v[rows] for k, v in columns.items()}, unit=unit, simulated=simulated
        )
        levels.append(Level(level, model.n, model.events, model.terms[0]))
    missing = int((labels == "").sum())
    if len(names) < 2:
        return Subgrouping(name, tuple(levels), None, missing, "one level only")
    known = labels != ""
    dummies = {f"{name} {level}": (labels[known] == level) * 1.0 for level in names[1:]}
    base = {k: v[known] for k, v in columns.items()} | dummies
    products = {f"{marker} × {k}": columns[marker][known] * v for k, v in dummies.items()}
    without, with_products = (cox_of(time[known], event[known], x) for x in (base, base | products))
    more, less = with_products.log_likelihood, without.log_likelihood
    tested = with_products.likelihood_ratio is not None and without.likelihood_ratio is not None
    if not tested or more is None or less is None:
        why = with_products.reason or without.reason or "the models cannot be fitted"
        return Subgrouping(name, tuple(levels), None, missing, why)
    statistic = max(0.0, 2 * (more - less))
    test = Test(
        "interaction, likelihood ratio",
        statistic,
        (len(products),),
        chi2_upper_tail(statistic, len(products)),
    )
    return Subgrouping(name, tuple(levels), test, missing)
