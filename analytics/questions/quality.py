"""Whether the lab's numbers can be trusted: failures, evaluability, uncertainty, and drift per site and scanner."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.cohort import describe
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.figures.estimates import EstimateRow, estimates
from analytics.freeze import Freeze
from analytics.missing.uninterpretable import uninterpretable_of
from analytics.monitoring.control_chart import ControlChart, mean_chart, proportion_chart
from analytics.monitoring.rate import Rate, rate_of
from analytics.questions import filters as shared
from analytics.questions.answer import (
    Answer,
    Cell,
    Figure,
    Grid,
    count_cell,
    estimate_cell,
    interval_cell,
    number_cell,
    text_cell,
)
from analytics.questions.filters import NO_FILTERS, Filters, patient_index, query_of
from analytics.questions.steps import Steps
from analytics.result import plural

Array = NDArray[np.float64]
GROUPS = {"site": "Site", "vendor": "Vendor", "scanner": "Scanner", "cohort": "Cohort"}
PERIODS = {"month": 30.4375, "quarter": 91.3125, "week": 7.0}  # days: a year has 365.25
LEAST_EXAMS = 10
"""Groups with fewer exams get no chart of their own."""


@dataclass(frozen=True)
class QualityParameters:
    """What the quality page shows; ``by``: groups of the charts · ``period``: month, quarter or week."""

    by: str = "site"
    period: str = "month"
    filters: Filters = NO_FILTERS


def choices(freeze: Freeze, parameters: QualityParameters) -> dict[str, tuple[tuple[str, str], ...]]:
    """What each parameter may be in this freeze: name → (value, label)."""
    own = {"by": tuple(GROUPS.items()), "period": tuple((p, p.capitalize()) for p in PERIODS)}
    return shared.choices(freeze) | own


@dataclass(frozen=True)
class _Queue:
    """Rows of the table quality after the filters: whole exams and single vessels."""

    exams: pd.DataFrame
    vessels: pd.DataFrame
    group: NDArray[Any]
    period: NDArray[Any]


def _queue(freeze: Freeze, p: QualityParameters) -> _Queue:
    table = freeze.table("quality")
    people = freeze.table("patients")
    owner = patient_index(freeze, "quality")
    keep = np.ones(len(table), bool)
    f = p.filters
    # Failed and excluded exams belong here: only the other filters apply.
    for name in ("site", "cohort", "purpose", "vendor"):
        if getattr(f, name):
            keep &= (people[name] == getattr(f, name)).to_numpy(bool)[owner]
    if f.quality or f.stratum:
        keep &= f.patients(freeze)[owner]
    whole = table["vessel"].isna().to_numpy()
    rows, vessel_rows = np.flatnonzero(keep & whole), np.flatnonzero(keep & ~whole)
    by = people[p.by].astype(object).to_numpy()[owner[rows]]
    day = table["day"].to_numpy(float)[rows]
    number = np.floor(day / PERIODS[p.period])
    period = np.array(["" if n != n else str(int(n) + 1) for n in number.tolist()], object)
    return _Queue(
        table.iloc[rows].assign(row=rows), table.iloc[vessel_rows].assign(row=vessel_rows), by, period
    )


def answer(
    freeze: Freeze,
    parameters: QualityParameters,
    *,
    replicates: int = 0,
    link: str = "?",
    steps: Steps | None = None,
) -> Answer:
    """Answer the question; ``link`` stands before the selection in every link.

    Nothing here is resampled; ``replicates`` is taken so that every question is asked alike.
    """
    p = parameters
    if p.by not in GROUPS or p.period not in PERIODS:
        raise AnalyticsError(
            f"Charts are by {', '.join(GROUPS)} and {', '.join(PERIODS)}, not by {p.by} and {p.period}."
        )
    steps = steps or Steps(3)
    queue = _queue(freeze, p)
    rates, results = steps.run("rates", lambda: _rates(freeze, queue, link))
    groups, figure = steps.run(f"groups {p.by}", lambda: _groups(freeze, queue, p, link))
    charts = steps.run(f"charts {p.by} {p.period}", lambda: _charts(freeze, queue, p))
    figures = [figure] if figure is not None else []
    notes = []
    for name, chart in charts.items():
        kind, _, group = name.partition("|")
        where = f"by={p.by}&group={quote(group)}&" if group else ""
        links = [f"{link}{where}period={period.name}" for period in chart.periods]
        figures.append(
            Figure(
                figure_name(kind, group, {f.name for f in figures}),
                chart.what,
                draw(chart, links=links),
                chart.caption(),
            )
        )
        if chart.alarms and kind == "uncertainty":
            notes.append(f"{chart.what}: {len(chart.alarms)} of {len(chart.periods)} marked.")
    if not freeze.has("quality"):
        notes.append("This freeze has no table of quality.")
    if words := p.filters.words():
        notes.append(f"Only {words}.")
    return Answer(
        question="quality",
        title="Quality",
        parameters=query_of(p),
        freeze=freeze.hash,
        simulated=freeze.simulated,
        figures=tuple(figures),
        grids=(rates, groups, *_uninterpretable(results), _reasons(queue, link)),
        results={**results, "charts": charts},
        notes=tuple(notes),
    )


def figure_name(kind: str, group: str, taken: Collection[str]) -> str:
    """``uncertainty_S08``: what addresses can carry, whatever a site or scanner is called, and not taken yet."""
    name = kind if not group else f"{kind}_{re.sub('[^A-Za-z0-9_-]+', '-', group)}"
    numbered = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(found for found in numbered if found not in taken)


def _rates(freeze: Freeze, queue: _Queue, link: str) -> tuple[Grid, dict[str, Any]]:
    exams, vessels = queue.exams, queue.vessels
    common: dict[str, Any] = {"simulated": freeze.simulated}
    found: dict[str, Rate] = {
        "failed exams": rate_of(exams["failed"].to_numpy(float), name="failed exams", unit="exam", **common),
        "evaluable exams": rate_of(
            exams["evaluable"].to_numpy(float), name="evaluable exams", unit="exam", **common
        ),
    }
    results: dict[str, Any] = dict(found)
    if len(vessels):
        patients = vessels["patient"].astype(str).tolist()
        found["evaluable vessels"] = rate_of(
            vessels["evaluable"].to_numpy(float),
            clusters=patients,
            name="evaluable vessels",
            unit="vessel",
            **common,
        )
        results["evaluable vessels"] = found["evaluable vessels"]
        results["uninterpretable"] = uninterpretable_of(
            patients,
            vessels["vessel"].astype(str).tolist(),
            1 - vessels["evaluable"].to_numpy(float),
            **common,
        )
    target = {
        "failed exams": "failed=1",
        "evaluable exams": "evaluable=1",
        "evaluable vessels": "level=vessel&evaluable=1",
    }
    rows = [
        (
            text_cell(name.capitalize()),
            Cell(f"{r.count:,}/{r.n:,}", None, f"{link}{target[name]}"),
            estimate_cell(r, 1, scale=100),
            interval_cell(r.interval, 1, scale=100),
        )
        for name, r in found.items()
    ]
    uncertain = describe(exams["uncertainty"].to_numpy(float))
    rows.append(
        (
            text_cell("Uncertainty (% of vessel pixels expected wrong)"),
            count_cell(uncertain.n),
            number_cell(uncertain.mean, 2),
            text_cell(uncertain.printed(2)),
        )
    )
    queries = exams["queries"].to_numpy(float)
    asked = int(np.nansum(queries)) if len(queries) else 0
    rows.append(
        (
            text_cell("Queries to sites"),
            count_cell(asked),
            number_cell(asked / len(exams) if len(exams) else None, 2),
            Cell("per exam"),
        )
    )
    caption = "Exact intervals; vessels are clustered by patient (effective sample size). Excluded and failed exams are counted."
    return Grid(
        "rates",
        "Failures and evaluability",
        ("", "n", "% or mean", "95 % CI or spread"),
        tuple(rows),
        caption,
    ), results


def _uninterpretable(results: Mapping[str, Any]) -> tuple[Grid, ...]:
    """How many patients and vessels could not be read, in part or wholly."""
    found = results.get("uninterpretable")
    if found is None:
        return ()
    rows = []
    for level in (found.patients, found.vessels, found.lesions):
        if level is None:
            continue
        for what, r in (("in part", level.some), ("wholly", level.whole)):
            rows.append(
                (
                    text_cell(f"{level.unit.capitalize()}s, {what}"),
                    Cell(f"{r.count:,}/{level.total:,}"),
                    estimate_cell(r, 1, scale=100),
                    interval_cell(r.interval, 1, scale=100),
                )
            )
    return (
        Grid("uninterpretable", "Not interpretable", ("", "n", "%", "95 % CI"), tuple(rows), found.caption()),
    )


def _groups(freeze: Freeze, queue: _Queue, p: QualityParameters, link: str) -> tuple[Grid, Figure | None]:
    rows: list[tuple[Cell, ...]] = []
    drawn: list[EstimateRow] = []
    links: dict[str, str] = {}
    failed, evaluable = (queue.exams[c].to_numpy(float) for c in ("failed", "evaluable"))
    uncertainty = queue.exams["uncertainty"].to_numpy(float)
    for name in _names(queue.group):
        inside = queue.group == name
        f, e = (
            rate_of(v[inside], name=n, unit="exam", simulated=freeze.simulated)
            for v, n in ((failed, "failed"), (evaluable, "evaluable"))
        )
        u = describe(uncertainty[inside])
        target = f"{link}by={p.by}&group={quote(name)}"
        rows.append(
            (
                text_cell(name, link=target),
                count_cell(int(inside.sum()), link=target),
                estimate_cell(f, 1, scale=100, link=f"{target}&failed=1"),
                interval_cell(f.interval, 1, scale=100),
                estimate_cell(e, 1, scale=100),
                interval_cell(e.interval, 1, scale=100),
                text_cell(u.printed(2)),
            )
        )
        shown = (
            None
            if f.interval is None
            else replace(f.interval, low=100 * f.interval.low, high=100 * f.interval.high)
        )
        drawn.append(EstimateRow(name, None if f.estimate is None else 100 * f.estimate, shown))
        links[name] = target
    headings = (GROUPS[p.by], "Exams", "Failed (%)", "95 % CI", "Evaluable (%)", "95 % CI", "Uncertainty (%)")
    n = len(queue.exams)
    caption = f"By {GROUPS[p.by].lower()}; exact intervals (Clopper–Pearson); {n:,} {plural('exam', n)}."
    grid = Grid("groups", f"By {GROUPS[p.by].lower()}", headings, tuple(rows), caption)
    if not drawn:
        return grid, None
    drawing = estimates(drawn, "Failed exams (%)", simulated=freeze.simulated).lead(links)
    prefix = "Simulated data. " if freeze.simulated else ""
    return grid, Figure("groups", f"Failed exams by {GROUPS[p.by].lower()}", drawing, prefix + caption)


def _names(group: NDArray[Any]) -> list[str]:
    return sorted({str(g) for g in group.tolist() if g is not None and g == g})


def _charts(freeze: Freeze, queue: _Queue, p: QualityParameters) -> dict[str, ControlChart]:
    """Failures of everybody, and uncertainty of everybody and of each group."""
    period = queue.period
    known = period != ""
    exams, group = queue.exams[known], queue.group[known]
    periods = period[known].tolist()
    common: dict[str, Any] = {"simulated": freeze.simulated, "period": p.period}
    charts = {
        "failures": proportion_chart(
            exams["failed"].to_numpy(float), periods, what=f"Failed exams per {p.period}", **common
        )
    }
    uncertainty = exams["uncertainty"].to_numpy(float)
    titles = {"": "all"} | {name: name for name in _names(group)}
    for name, title in titles.items():
        inside = np.ones(len(exams), bool) if not name else group == name
        if int(inside.sum()) < LEAST_EXAMS:
            continue
        key = "uncertainty" if not name else f"uncertainty|{name}"
        charts[key] = mean_chart(
            uncertainty[inside],
            [q for q, i in zip(periods, inside, strict=True) if i],
            what=f"Uncertainty per {p.period}, {title}",
            value_unit="%",
            **common,
        )
    return charts


def _reasons(queue: _Queue, link: str) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for what, frame, column, flag, level in (
        ("Failed exam", queue.exams, "failure_reason", queue.exams["failed"].to_numpy(bool), "exam"),
        (
            "Exam not evaluable",
            queue.exams,
            "not_evaluable_reason",
            ~queue.exams["evaluable"].to_numpy(bool),
            "exam",
        ),
        (
            "Vessel not evaluable",
            queue.vessels,
            "not_evaluable_reason",
            ~queue.vessels["evaluable"].to_numpy(bool),
            "vessel",
        ),
    ):
        named = frame[column].astype(object).where(frame[column].notna(), "no reason given")[flag]
        for reason, n in named.value_counts().items():
            target = f"{link}level={level}&{'failed=1' if column == 'failure_reason' else 'evaluable=0'}&reason={quote(str(reason))}"
            rows.append((text_cell(what), text_cell(str(reason)), count_cell(int(n), link=target)))
    return Grid(
        "reasons", "Reasons", ("What", "Reason", "n"), tuple(rows), "Every exam that came is counted."
    )


def cases(freeze: Freeze, parameters: QualityParameters, selection: Mapping[str, str]) -> pd.DataFrame:
    """The exams (or vessels, ``level=vessel``) behind a rate, a group (``by``, ``group``), a ``period`` or a ``reason``."""
    queue = _queue(freeze, parameters)
    vessel = selection.get("level") == "vessel"
    frame = queue.vessels if vessel else queue.exams
    keep = np.ones(len(frame), bool)
    for name in ("failed", "evaluable"):
        if name in selection:
            keep &= frame[name].to_numpy(bool) == (selection[name] == "1")
    if "reason" in selection:
        column = "failure_reason" if selection.get("failed") == "1" else "not_evaluable_reason"
        keep &= (
            frame[column].astype(object).where(frame[column].notna(), "no reason given")
            == selection["reason"]
        ).to_numpy(bool)
    people = freeze.table("patients")
    owner = patient_index(freeze, "quality")[frame["row"].to_numpy()]
    if "group" in selection:
        by = selection.get("by", parameters.by)
        keep &= (people[by].astype(object).to_numpy()[owner] == selection["group"]) if by in GROUPS else False
    if "period" in selection and not vessel:
        keep &= queue.period == selection["period"]
    shown = frame[keep]
    who = people.iloc[owner[keep]]
    return pd.DataFrame(
        {
            "row": shown["row"].to_numpy(),
            "patient": who["patient"].astype(str).to_numpy(),
            "exam": who["exam"].to_numpy(),
            "site": who["site"].to_numpy(),
            "cohort": who["cohort"].to_numpy(),
            **{
                c: shown[c].to_numpy()
                for c in (
                    "vessel",
                    "day",
                    "failed",
                    "failure_reason",
                    "evaluable",
                    "not_evaluable_reason",
                    "uncertainty",
                    "queries",
                )
            },
        }
    )
