"""What the sections of the outcome question share, and two of them: incidence and ROC. Each returns figures, grids, results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.cutoff import CutOff, cut_off_of
from analytics.accuracy.maximally_selected import log_rank_scores, maximally_selected
from analytics.accuracy.roc import best_youden, curve, roc_of
from analytics.accuracy.two_by_two import TwoByTwo, two_by_two_of
from analytics.figures import draw
from analytics.freeze import Freeze
from analytics.profiles import StatisticsProfile
from analytics.questions.answer import (
    Cell,
    Figure,
    Grid,
    Part,
    count_cell,
    estimate_cell,
    interval_cell,
    number_cell,
    text_cell,
)
from analytics.questions.outcome_data import Covariate, FollowUp
from analytics.questions.steps import Steps
from analytics.result import Dropped, Result
from analytics.rounding import half_up, p_value
from analytics.survival.kaplan_meier import CumulativeIncidence, cumulative_incidence_of
from analytics.survival.restricted_mean import restricted_means_of

Array = NDArray[np.float64]
QUICK_PATIENTS, QUICK_REPLICATES = 5_000, 400
"""Without an order for resamples this many are drawn, up to this many patients."""


@dataclass(frozen=True)
class Asked:
    """Data and choices of the question, shared by its sections. ``values`` (n,) are the marker's."""

    freeze: Freeze
    data: FollowUp
    marker: str
    label: str
    unit: str
    values: Array
    cut: float
    cut_origin: str
    horizon: float
    knots: int
    adjust: tuple[Covariate, ...]
    profile: StatisticsProfile
    replicates: int
    link: str
    steps: Steps

    @property
    def simulated(self) -> bool:
        """Whether the freeze is."""
        return self.freeze.simulated

    @property
    def seed(self) -> int:
        """Of every random draw."""
        return self.freeze.about.seed

    @property
    def high(self) -> Array:
        """1 at or above the cut-off, NaN where the marker is not known: (n,)."""
        return np.where(np.isnan(self.values), np.nan, (self.values >= self.cut).astype(float))

    @property
    def high_name(self) -> str:
        """``Total plaque volume ≥ 238.5 mm³``."""
        return f"{self.label} ≥ {self.cut:g} {self.unit}".rstrip()

    @property
    def event_name(self) -> str:
        """The endpoint in words."""
        return self.data.endpoint.replace("_", " ")

    @property
    def resamples(self) -> int:
        """Resamples to draw now."""
        if self.replicates:
            return self.replicates
        return QUICK_REPLICATES if len(self.data) <= QUICK_PATIENTS else 0


def youden(values: Array, event: Array) -> float | None:
    """The lowest cut-off with Youden's index; None where nobody or everybody had the event."""
    known = ~np.isnan(values)
    case = event[known] == 1
    if not case.any() or case.all():
        return None
    return best_youden(*curve(values[known][case], values[known][~case])).cut_offs[0]


# --- cumulative incidence ------------------------------------------------------------------------------------------


def incidence_part(a: Asked) -> Part:
    """Cumulative incidence on both sides of the cut-off, number at risk, log-rank, restricted mean."""
    low = f"< {a.cut:g} {a.unit}".rstrip()
    high = f"≥ {a.cut:g} {a.unit}".rstrip()
    groups = groups_of(a, low, high)
    found = cumulative_incidence_of(
        a.data.time,
        a.data.event,
        groups=groups,
        order=(low, high),
        horizon=a.horizon,
        outcome=a.event_name,
        simulated=a.simulated,
    )
    names = {low: "0", high: "1"}
    drawn = draw(found, link_template=f"{a.link}group={{group}}&time={{time}}")
    figure = Figure("incidence", f"Cumulative incidence of {a.event_name}", drawn, found.caption())
    results: dict[str, Any] = {"incidence": found}
    if len(found.curves) == 2:
        tau = min(a.horizon, *(float(c.follow_up[-1]) for c in found.curves))
        order = [names.get(g or "", "") for g in groups]
        results["restricted_mean"] = restricted_means_of(
            a.data.time, a.data.event, tau=tau, groups=[o or None for o in order], simulated=a.simulated
        )
    return Part((figure,), (_incidence_grid(a, found, names),), results)


def groups_of(a: Asked, low: str, high: str) -> list[str | None]:
    """Name of each patient's side of the cut-off; None where the marker is not known."""
    return [None if v != v else high if v else low for v in a.high.tolist()]


def _incidence_grid(a: Asked, found: CumulativeIncidence, names: Mapping[str, str]) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for one in found.curves:
        value, interval = one.incidence_at(a.horizon)
        target = f"{a.link}group={names.get(one.name, '0')}"
        rows.append(
            (
                text_cell(one.name, link=target),
                count_cell(one.n, link=target),
                count_cell(one.total_events, link=f"{target}&event=1"),
                number_cell(100 * value, 1),
                interval_cell(interval, 1, scale=100),
                count_cell(one.at_risk_at(a.horizon), link=f"{target}&at_risk={a.horizon:g}"),
            )
        )
    test = (
        ""
        if found.test is None
        else f" {found.test.name}: χ² {half_up(found.test.statistic, 2)}, {p_value(found.test.p)}."
    )
    follow = (
        ""
        if found.follow_up_median is None
        else f" Median follow-up {half_up(found.follow_up_median, 1)} years (reverse Kaplan–Meier)."
    )
    headings = (
        a.label,
        "Patients",
        "Events",
        f"Incidence at {a.horizon:g} years (%)",
        "95 % CI (log-log)",
        f"At risk at {a.horizon:g} years",
    )
    return Grid(
        "incidence",
        f"{a.event_name.capitalize()} by the cut-off",
        headings,
        tuple(rows),
        f"Kaplan–Meier.{test}{follow}",
    )


# --- ROC and cut-offs ----------------------------------------------------------------------------------------------


def roc_part(a: Asked) -> Part:
    """ROC, the chosen cut-off's accuracy, Youden's and other cut-offs with their optimism."""
    roc = roc_of(a.values, a.data.event, marker=a.label, outcome=a.event_name, simulated=a.simulated)
    drawn = draw(roc, link_template=f"{a.link}from={{threshold}}")
    figures = [Figure("roc", f"ROC of {a.label.lower()} for {a.event_name}", drawn, roc.caption())]
    common: dict[str, Any] = {
        "marker": a.label,
        "replicates": a.resamples,
        "seed": a.seed,
        "simulated": a.simulated,
    }
    offs = {
        "youden": cut_off_of(a.values, a.data.event, **common),
        "sensitivity_90": cut_off_of(a.values, a.data.event, criterion="sensitivity", target=0.9, **common),
        "specificity_90": cut_off_of(a.values, a.data.event, criterion="specificity", target=0.9, **common),
    }
    search = maximally_selected(
        a.values,
        log_rank_scores(a.data.time, a.data.event) if a.data.event.any() else np.zeros(len(a.data)),
        replicates=a.replicates,
        seed=a.seed,
        simulated=a.simulated,
    )
    if offs["youden"].estimate is not None:
        figures.append(
            Figure(
                "cut_offs",
                "Sensitivity and specificity over every cut-off",
                draw(offs["youden"], link_template=f"{a.link}from={{threshold}}"),
                offs["youden"].caption(),
            )
        )
    table = at_cut_off(a)
    results = {"roc": roc, "cut_offs": offs, "maximally_selected": search, "at_cut_off": table}
    return Part(tuple(figures), (_table_grid(a, table), _cut_off_grid(a, offs, search)), results)


def at_cut_off(a: Asked) -> TwoByTwo:
    """The 2×2 table of the cut-off for the event over the whole follow-up."""
    known = ~np.isnan(a.high)
    positive, event = a.high[known] == 1, a.data.event[known] == 1
    missing = int((~known).sum())
    return two_by_two_of(
        tp=int((positive & event).sum()),
        fp=int((positive & ~event).sum()),
        fn=int((~positive & event).sum()),
        tn=int((~positive & ~event).sum()),
        profile=a.profile.accuracy,
        dropped=(Dropped(missing, "the marker is missing"),) if missing else (),
        question=f"{a.high_name} for {a.event_name}",
        simulated=a.simulated,
    )


def _table_grid(a: Asked, table: TwoByTwo) -> Grid:
    rows = []
    of = {
        "Sensitivity": "group=1&event=1",
        "Specificity": "group=0&event=0",
        "Positive predictive value": "group=1&event=1",
        "Negative predictive value": "group=0&event=0",
    }
    for title, value in table.measures():
        target = f"{a.link}{of[title]}" if title in of else ""
        rows.append(
            (
                text_cell(title),
                Cell(f"{value.numerator:,}/{value.n:,}", None, target),
                estimate_cell(value, 1, scale=100),
                interval_cell(value.interval, 1, scale=100),
            )
        )
    return Grid(
        "at_cut_off",
        f"Accuracy of {a.high_name}",
        ("Measure", "n", "%", "95 % CI"),
        tuple(rows),
        table.caption(),
    )


def _cut_off_grid(a: Asked, offs: Mapping[str, CutOff], search: Result) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for found in offs.values():
        apparent, corrected = found.apparent, found.corrected
        rows.append(
            (
                text_cell(found.method, title=found.reason or found.interval_reason or ""),
                estimate_cell(
                    found, 1, link="" if found.estimate is None else f"{a.link}from={found.estimate!r}"
                ),
                interval_cell(found.interval, 1),
                Cell("–") if apparent is None else number_cell(100 * apparent.sensitivity, 1),
                Cell("–") if apparent is None else number_cell(100 * apparent.specificity, 1),
                Cell("–") if corrected is None else number_cell(100 * corrected.sensitivity, 1),
                Cell("–") if corrected is None else number_cell(100 * corrected.specificity, 1),
                Cell("–"),
            )
        )
    test = Cell("–") if search.test is None else text_cell(p_value(search.test.p), title=search.test.name)
    at_least = getattr(search, "at_least", None)
    rows.append((text_cell("Maximally selected log-rank"), number_cell(at_least, 1), *[Cell("–")] * 5, test))
    caption = (
        "Apparent: on the data that chose the cut-off; corrected: less the bootstrap's optimism (Harrell). The search's p allows "
        f"for having looked everywhere. {a.resamples:,} resamples."
    )
    headings = (
        "Cut-off",
        f"Value ({a.unit})" if a.unit else "Value",
        "95 % CI",
        "Sensitivity, apparent (%)",
        "Specificity, apparent (%)",
        "Sensitivity, corrected (%)",
        "Specificity, corrected (%)",
        "p",
    )
    return Grid("cut_offs", "Cut-offs", headings, tuple(rows), caption)
