"""The statistics of the outcome page, on the simulated cohort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plaquelab.dashboards.filters import MARKERS, OutcomeFilters

if TYPE_CHECKING:
    from analytics.accuracy.roc import Roc
    from analytics.accuracy.two_by_two import TwoByTwo
    from analytics.simulation import Cohort
    from analytics.survival.cox import Cox
    from analytics.survival.kaplan_meier import CumulativeIncidence

OUTCOME = "myocardial infarction"
# The publication adjusts for obstructive stenosis and the ASSIGN score.
ADJUSTMENT = (
    ("Diameter stenosis ≥ 50 %", "diameter_stenosis", 50.0),
    ("ASSIGN score (per 1 %)", "assign", None),
)


@dataclass(frozen=True)
class Outcome:
    """Result objects behind the outcome page."""

    cohort: Cohort
    filters: OutcomeFilters
    groups: tuple[str, str]
    incidence: CumulativeIncidence
    accuracy: TwoByTwo
    roc: Roc
    univariable: Cox
    multivariable: Cox

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "data": "simulated cohort",
            "simulated": True,
            "note": self.cohort.note,
            "seed": self.cohort.seed,
            "outcome_seed": self.cohort.outcome_seed,
            "marker": self.filters.marker.name,
            "cut_off": self.filters.cut,
            "cumulative_incidence": self.incidence.to_dict(),
            "accuracy": self.accuracy.to_dict(),
            "roc": self.roc.to_dict(),
            "cox_univariable": self.univariable.to_dict(),
            "cox_multivariable": self.multivariable.to_dict(),
        }


def group_names(filters: OutcomeFilters) -> tuple[str, str]:
    """``< 238.5 mm³`` and ``≥ 238.5 mm³``."""
    return f"< {filters.cut:g} {filters.marker.unit}", f"≥ {filters.cut:g} {filters.marker.unit}"


def outcome(cohort: Cohort, filters: OutcomeFilters) -> Outcome:
    """Cumulative incidence, accuracy, ROC and Cox for one marker and cut-off."""
    from analytics.accuracy.roc import roc_of
    from analytics.accuracy.two_by_two import two_by_two_of
    from analytics.survival.cox import cox_of
    from analytics.survival.kaplan_meier import cumulative_incidence_of

    marker = filters.marker
    values = getattr(cohort, marker.name)
    high, event = values >= filters.cut, cohort.event == 1
    names = group_names(filters)
    this = f"{marker.label} {names[1]}"
    covariates: dict[str, Any] = {this: high.astype(float)}
    for label, column, limit in ADJUSTMENT:
        if column != marker.name:
            given = getattr(cohort, column)
            covariates[label] = given if limit is None else (given >= limit).astype(float)
    if marker.name == "diameter_stenosis":
        volume = MARKERS["total_plaque_volume"]
        covariates[f"{volume.label} ≥ {volume.cut_off:g} {volume.unit}"] = (
            cohort.total_plaque_volume >= volume.cut_off
        ).astype(float)
    common: dict[str, Any] = {"outcome": OUTCOME, "simulated": True}
    return Outcome(
        cohort=cohort,
        filters=filters,
        groups=names,
        incidence=cumulative_incidence_of(
            cohort.follow_up,
            cohort.event,
            groups=[names[int(h)] for h in high],
            order=names,
            horizon=filters.horizon,
            **common,
        ),
        accuracy=two_by_two_of(
            tp=int((high & event).sum()),
            fp=int((high & ~event).sum()),
            fn=int((~high & event).sum()),
            tn=int((~high & ~event).sum()),
            question=f"{this} for {OUTCOME}",
            simulated=True,
        ),
        roc=roc_of(values, cohort.event, marker=marker.label, **common),
        univariable=cox_of(cohort.follow_up, cohort.event, {this: high.astype(float)}, **common),
        multivariable=cox_of(cohort.follow_up, cohort.event, covariates, **common),
    )


def figures(found: Outcome, patients_url: str) -> dict[str, Any]:
    """Figures as plain JSON; a step leads to who had the event, a cut-off to who has that value."""
    from analytics.figures.survival import forest

    link = f"{patients_url}?{found.filters.query()}"
    models = (("Alone: ", found.univariable), ("Adjusted: ", found.multivariable))
    drawings = {
        "incidence": found.incidence.drawing(link_template=f"{link}&group={{group}}&time={{time}}"),
        "roc": found.roc.drawing(link_template=f"{link}&value={{threshold}}"),
        "forest": forest(models),
    }
    return {name: drawing.to_dict() for name, drawing in drawings.items()}


@dataclass(frozen=True)
class Patient:
    """One simulated patient of the cohort."""

    name: str
    total_plaque_volume: float
    diameter_stenosis: float
    low_attenuation_plaque_burden: float
    assign: float
    follow_up: float
    event: bool


def patient_at(cohort: Cohort, i: int) -> Patient:
    """The patient with index i."""
    return Patient(
        cohort.patient[i],
        float(cohort.total_plaque_volume[i]),
        float(cohort.diameter_stenosis[i]),
        float(cohort.low_attenuation_plaque_burden[i]),
        float(cohort.assign[i]),
        float(cohort.follow_up[i]),
        bool(cohort.event[i]),
    )


def patients_behind(
    cohort: Cohort, filters: OutcomeFilters, *, group: int | None, time: float | None, value: float | None
) -> list[int]:
    """Indices of the patients behind a step (group and time), a cut-off (value), or a whole group.

    A step at an event's time is that event; time 0 or the end of a curve is the whole group.
    """
    values = getattr(cohort, filters.marker.name)
    chosen = np.ones(len(values), bool)
    if group is not None:
        chosen &= (values >= filters.cut) == bool(group)
    if time:
        at_step = chosen & (cohort.event == 1) & np.isclose(cohort.follow_up, time, rtol=0, atol=1e-9)
        if at_step.any():
            chosen = at_step
    if value is not None:
        chosen &= np.isclose(values, value, rtol=1e-12, atol=1e-9)
    return [int(i) for i in np.flatnonzero(chosen)]
