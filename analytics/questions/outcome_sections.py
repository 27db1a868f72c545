"""The sections of the outcome question. Each returns its figures, grids and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.cutoff import CutOff, cut_off_of
from analytics.accuracy.maximally_selected import log_rank_scores, maximally_selected
from analytics.accuracy.roc import best_youden, curve, roc_of
from analytics.accuracy.two_by_two import TwoByTwo, two_by_two_of
from analytics.figures.survival import forest
from analytics.freeze import Freeze
from analytics.heterogeneity.sites import site_hazard_ratios_of
from analytics.heterogeneity.subgroups import subgroups_of
from analytics.profiles import Profile
from analytics.questions.answer import (
    Cell,
    Figure,
    Grid,
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
from analytics.survival.competing import competing_incidence_of
from analytics.survival.competing_models import cause_specific_of, fine_gray_of
from analytics.survival.cox import cox_of
from analytics.survival.firth import firth_of
from analytics.survival.hazard_over_time import hazard_over_time_of
from analytics.survival.hazard_ratio import Cox
from analytics.survival.kaplan_meier import CumulativeIncidence, cumulative_incidence_of
from analytics.survival.restricted_mean import restricted_means_of
from analytics.survival.spline import spline_of

Array = NDArray[np.float64]
MANY_EVENTS = 300
"""Above this many events the penalty of Firth's method changes nothing that is printed."""

QUICK_PATIENTS, QUICK_REPLICATES = 5_000, 400
"""Without an order for resamples this many are drawn, up to this many patients."""


@dataclass(frozen=True)
class Part:
    """What a section gives."""

    figures: tuple[Figure, ...] = ()
    grids: tuple[Grid, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict)


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
    profile: Profile
    replicates: int
    link: str
    steps: Steps

    @property
    def simulated(self) -> bool:
        """Whether the freeze is."""
        return self.freeze.simulated

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
    groups = _groups(a, low, high)
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
    drawn = found.drawing(link_template=f"{a.link}group={{group}}&time={{time}}")
    figure = Figure("incidence", f"Cumulative incidence of {a.event_name}", drawn, found.caption())
    results: dict[str, Any] = {"incidence": found}
    if len(found.curves) == 2:
        tau = min(a.horizon, *(float(c.follow_up[-1]) for c in found.curves))
        order = [names.get(g or "", "") for g in groups]
        results["restricted_mean"] = restricted_means_of(
            a.data.time, a.data.event, tau=tau, groups=[o or None for o in order], simulated=a.simulated
        )
    return Part((figure,), (_incidence_grid(a, found, names),), results)


def _groups(a: Asked, low: str, high: str) -> list[str | None]:
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
    drawn = roc.drawing(link_template=f"{a.link}from={{threshold}}")
    figures = [Figure("roc", f"ROC of {a.label.lower()} for {a.event_name}", drawn, roc.caption())]
    common: dict[str, Any] = {"marker": a.label, "replicates": a.resamples, "simulated": a.simulated}
    offs = {
        "youden": cut_off_of(a.values, a.data.event, **common),
        "sensitivity_90": cut_off_of(a.values, a.data.event, criterion="sensitivity", target=0.9, **common),
        "specificity_90": cut_off_of(a.values, a.data.event, criterion="specificity", target=0.9, **common),
    }
    search = maximally_selected(
        a.values,
        log_rank_scores(a.data.time, a.data.event) if a.data.event.any() else np.zeros(len(a.data)),
        replicates=a.replicates,
        simulated=a.simulated,
    )
    if offs["youden"].estimate is not None:
        figures.append(
            Figure(
                "cut_offs",
                "Sensitivity and specificity over every cut-off",
                offs["youden"].drawing(),
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
                text_cell(found.method, title=found.reason or ""),
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


# --- Cox -----------------------------------------------------------------------------------------------------------


def cox_part(a: Asked) -> Part:
    """Uni- and multivariable hazard ratios of the cut-off and of the continuous marker, Firth, proportionality."""
    time, event = a.data.time, a.data.event
    common: dict[str, Any] = {"outcome": a.event_name, "simulated": a.simulated}
    adjust = {c.label: c.values for c in a.adjust}
    columns = {a.high_name: a.high, **adjust}
    known = a.values[~np.isnan(a.values)]
    sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    continuous = {
        f"{a.label} (per SD, {sd:.3g} {a.unit})".replace(" )", ")"): a.values / sd if sd else a.values
    }
    models: dict[str, Cox] = {
        f"univariable {name}": cox_of(time, event, {name: v}, **common) for name, v in columns.items()
    }
    if adjust:
        models["multivariable"] = cox_of(time, event, columns, **common)
    models["continuous"] = cox_of(time, event, continuous, **common)
    if adjust:
        models["continuous, adjusted"] = cox_of(time, event, {**continuous, **adjust}, **common)
    per = int(event.sum()) / max(len(columns), 1)
    few = per < a.profile.few_events
    penalised = firth_of(time, event, columns, **common) if 0 < event.sum() <= MANY_EVENTS else None
    shown = models.get("multivariable") or models[f"univariable {a.high_name}"]
    drawn_models = [("", shown)] if penalised is None else [("", shown), ("Firth: ", penalised)]
    if few and penalised is not None:
        drawn_models = [("Firth: ", penalised), ("Wald: ", shown)]
    caption = shown.caption()
    if few:
        caption += f" {half_up(per, 1)} events per covariate: the penalised model (Firth, profile likelihood) stands first."
    figures = [Figure("forest", "Hazard ratios", forest(drawn_models), caption)]
    over_time = hazard_over_time_of(time, event, columns, covariate=a.high_name, simulated=a.simulated)
    links = tuple(f"{a.link}row={row}" for row in a.data.row[over_time.rows].tolist())
    figures.append(
        Figure(
            "proportionality", "Hazard ratio over time", over_time.drawing(links=links), over_time.caption()
        )
    )
    return Part(
        tuple(figures),
        (_cox_grid(models, penalised),),
        {"cox": models, "firth": penalised, "hazard_over_time": over_time},
    )


def _cox_grid(models: Mapping[str, Cox], penalised: Cox | None) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    everything = {
        **models,
        **({"Firth" if len(penalised.terms) < 2 else "multivariable, Firth": penalised} if penalised else {}),
    }
    for name, model in everything.items():
        for term in model.terms:
            proportional = term.proportionality
            rows.append(
                (
                    text_cell(name.split(" ")[0] if name.startswith("univariable") else name),
                    text_cell(term.covariate),
                    count_cell(model.n),
                    count_cell(model.events),
                    estimate_cell(term, 2),
                    interval_cell(term.interval, 2),
                    text_cell(p_value(term.test.p), title=term.test.name) if term.test else Cell("–"),
                    text_cell(p_value(proportional.p), title=proportional.name)
                    if proportional
                    else Cell("–"),
                )
            )
    warned = [f"{name}: {w}" for name, m in everything.items() for w in m.warnings]
    caption = (
        "Efron's ties, Wald intervals; Firth: Breslow's ties, profile-likelihood intervals. "
        + "; ".join(dict.fromkeys(warned))
    )
    headings = ("Model", "Covariate", "n", "Events", "Hazard ratio", "95 % CI", "p", "p of proportionality")
    return Grid("cox", "Cox models", headings, tuple(rows), caption.strip())


# --- shape ---------------------------------------------------------------------------------------------------------


def shape_part(a: Asked) -> Part:
    """Restricted cubic spline of the continuous marker, unadjusted and adjusted."""
    common: dict[str, Any] = {
        "marker": a.label,
        "marker_unit": a.unit,
        "knots": a.knots,
        "simulated": a.simulated,
    }
    found = {"unadjusted": spline_of(a.data.time, a.data.event, a.values, **common)}
    if a.adjust:
        adjusted = {c.label: c.values for c in a.adjust}
        found["adjusted"] = spline_of(a.data.time, a.data.event, a.values, covariates=adjusted, **common)
    figures = tuple(
        Figure(f"spline_{name}", f"Hazard ratio along {a.label.lower()}, {name}", s.drawing(), s.caption())
        for name, s in found.items()
    )
    return Part(figures, (), {"spline": found})


# --- prediction ----------------------------------------------------------------------------------------------------


def prediction_part(a: Asked) -> Part:
    """Gain of the C index, calibration, time-dependent AUC, decision curve."""
    from analytics.questions.outcome_prediction import prediction_part as part

    return part(a)


# --- competing events ----------------------------------------------------------------------------------------------


def competing_part(a: Asked) -> Part:
    """Aalen–Johansen incidence with Gray's test, cause-specific and subdistribution hazard ratios."""
    if len(a.data.outcomes) < 2:
        return Part()
    low, high = f"< {a.cut:g} {a.unit}".rstrip(), f"≥ {a.cut:g} {a.unit}".rstrip()
    causes = len(a.data.outcomes)
    names = tuple(o.replace("_", " ") for o in a.data.outcomes)
    found = competing_incidence_of(
        a.data.time,
        a.data.cause,
        outcomes=names,
        horizon=a.horizon,
        groups=_groups(a, low, high),
        simulated=a.simulated,
    )
    columns = {a.high_name: a.high, **{c.label: c.values for c in a.adjust}}
    common: dict[str, Any] = {"causes": causes, "outcome": a.event_name, "simulated": a.simulated}
    specific = cause_specific_of(a.data.time, a.data.cause, columns, **common)
    subdistribution = fine_gray_of(a.data.time, a.data.cause, columns, **common)
    rows: list[tuple[Cell, ...]] = []
    for name, model in (("cause-specific", specific), ("Fine–Gray", subdistribution)):
        for term in model.terms:
            rows.append(
                (
                    text_cell(name),
                    text_cell(term.covariate),
                    count_cell(model.n),
                    count_cell(model.events),
                    estimate_cell(term, 2),
                    interval_cell(term.interval, 2),
                    text_cell(p_value(term.test.p)) if term.test else Cell("–"),
                )
            )
    grid = Grid(
        "competing",
        "Hazard ratios with competing events",
        ("Model", "Covariate", "n", "Events", "Hazard ratio", "95 % CI", "p"),
        tuple(rows),
        f"Competing: {', '.join(names[1:])}. Cause-specific ratios speak of rates, subdistribution ratios of incidence.",
    )
    figure = Figure(
        "competing", "Cumulative incidence with competing events", found.drawing(), found.caption()
    )
    return Part(
        (figure,), (grid,), {"competing": found, "cause_specific": specific, "fine_gray": subdistribution}
    )


# --- subgroups -----------------------------------------------------------------------------------------------------


def subgroup_labels(a: Asked) -> dict[str, list[str]]:
    """Levels of sex, age, vendor and site of each patient; empty where not known."""
    people = a.freeze.table("patients").iloc[a.data.row]

    def text(column: str) -> list[str]:
        return ["" if v != v or v is None else str(v) for v in people[column].astype(object).tolist()]

    age = people["age"].to_numpy(float)
    return {
        "Sex": text("sex"),
        "Age": ["" if v != v else "under 60" if v < 60 else "60 and over" for v in age.tolist()],
        "Vendor": text("vendor"),
    }


def subgroups_part(a: Asked) -> Part:
    """Hazard ratio of the cut-off by subgroup with interaction, and its heterogeneity over sites."""
    labels = {n: v for n, v in subgroup_labels(a).items() if len(set(v) - {""}) > 1}
    found = subgroups_of(a.data.time, a.data.event, a.high, labels, marker=a.high_name, simulated=a.simulated)
    sites = a.freeze.table("patients")["site"].astype(object).to_numpy()[a.data.row].tolist()
    pooled = site_hazard_ratios_of(
        a.data.time, a.data.event, a.high, sites, name=a.high_name, simulated=a.simulated
    )
    rows: list[tuple[Cell, ...]] = []
    for grouping in found.subgroupings:
        p = (
            Cell("–", None, "", grouping.reason or "")
            if grouping.interaction is None
            else text_cell(p_value(grouping.interaction.p))
        )
        for level in grouping.levels:
            target = f"{a.link}by={grouping.name}&level={level.name}".replace(" ", "%20")
            rows.append(
                (
                    text_cell(grouping.name),
                    text_cell(level.name, link=target),
                    count_cell(level.n, link=target),
                    count_cell(level.events, link=f"{target}&event=1"),
                    estimate_cell(level.ratio, 2),
                    interval_cell(level.ratio.interval, 2),
                    p,
                )
            )
    headings = ("Subgroup", "Level", "n", "Events", "Hazard ratio", "95 % CI", "p of interaction")
    caption = f"Hazard ratio of {a.high_name}; interaction by likelihood ratio. Subgroups were not chosen beforehand unless the protocol says so."
    grid = Grid("subgroups", "Subgroups", headings, tuple(rows), caption)
    figures: Sequence[Figure] = (
        Figure("subgroups", "Hazard ratio by subgroup", found.drawing(), caption),
        Figure("sites", "Hazard ratio by site", pooled.drawing(), pooled.caption()),
    )
    return Part(tuple(figures), (grid,), {"subgroups": found, "sites": pooled})
