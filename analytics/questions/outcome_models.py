"""Sections of the outcome question that fit models: Cox, shape, competing events, subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from analytics.figures import draw
from analytics.figures.survival import forest
from analytics.heterogeneity.sites import site_hazard_ratios_of
from analytics.heterogeneity.subgroups import subgroups_of
from analytics.questions.answer import (
    Cell,
    Figure,
    Grid,
    Part,
    count_cell,
    estimate_cell,
    interval_cell,
    text_cell,
)
from analytics.questions.outcome_sections import Asked, groups_of
from analytics.rounding import half_up, p_value
from analytics.survival.competing import competing_incidence_of
from analytics.survival.competing_models import cause_specific_of, fine_gray_of
from analytics.survival.cox import cox_of
from analytics.survival.firth import firth_of
from analytics.survival.hazard_over_time import hazard_over_time_of
from analytics.survival.hazard_ratio import Cox
from analytics.survival.spline import spline_of

Array = NDArray[np.float64]
MANY_EVENTS = 300
"""Above this many events the penalty of Firth's method changes nothing that is printed."""


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
        f"{a.label} (per SD, {half_up(sd, 0 if sd >= 10 else 2)} {a.unit})".replace(" )", ")"): a.values / sd
        if sd
        else a.values
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
    behind = {a.high_name: f"{a.link}group=1"} | {
        c.label: f"{a.link}covariate={quote(c.name)}" for c in a.adjust
    }
    rows = {f"{prefix}{name}": link for prefix, _ in drawn_models for name, link in behind.items()}
    figures = [Figure("forest", "Hazard ratios", forest(drawn_models).lead(rows), caption)]
    over_time = hazard_over_time_of(time, event, columns, covariate=a.high_name, simulated=a.simulated)
    links = tuple(f"{a.link}row={row}" for row in a.data.row[over_time.rows].tolist())
    figures.append(
        Figure("proportionality", "Hazard ratio over time", draw(over_time, links=links), over_time.caption())
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
        Figure(
            f"spline_{name}",
            f"Hazard ratio along {a.label.lower()}, {name}",
            draw(s, link_template=f"{a.link}from={{value}}"),
            s.caption(),
        )
        for name, s in found.items()
    )
    return Part(figures, (), {"spline": found})


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
        groups=groups_of(a, low, high),
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
    drawn = draw(
        found,
        link_template=f"{a.link}group={{group}}&cause={{cause}}&until={{time}}",
        groups={low: "0", high: "1"},
    )
    figure = Figure("competing", "Cumulative incidence with competing events", drawn, found.caption())
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
            target = f"{a.link}by={quote(grouping.name)}&level={quote(level.name)}"
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
    n, events = found.overall.n, found.overall.events
    caption = f"Hazard ratio of {a.high_name} (Cox, Efron ties, Wald 95 % CI); interaction by likelihood ratio; {n:,} patients with {events:,} events. Subgroups were not chosen beforehand unless the protocol says so."
    grid = Grid("subgroups", "Subgroups", headings, tuple(rows), caption)
    by = f"{a.link}by={{by}}&level={{level}}"
    places = {str(s): f"{a.link}site={quote(str(s))}" for s in set(sites)}
    figures: Sequence[Figure] = (
        Figure("subgroups", "Hazard ratio by subgroup", draw(found, link_template=by), caption),
        Figure("sites", "Hazard ratio by site", draw(pooled).lead(places), pooled.caption()),
    )
    return Part(tuple(figures), (grid,), {"subgroups": found, "sites": pooled})
