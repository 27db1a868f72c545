"""Grids of the agreement question: the ten metrics, other pairs beside, groups with their heterogeneity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.accuracy.clustered import ratio_se
from analytics.agreement.bland_altman import BlandAltman, bland_altman_of
from analytics.agreement.correlation import Correlation, spearman_of
from analytics.agreement.icc import Icc, icc_of
from analytics.columns import codes
from analytics.figures.estimates import EstimateRow, estimates
from analytics.freeze import PAIRS, Freeze
from analytics.heterogeneity.pooling import Pooled, pool
from analytics.metrics import METRICS, TABLE_METRICS
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
from analytics.questions.filters import Filters
from analytics.questions.paired import Paired, metrics_of, paired
from analytics.questions.steps import Steps
from analytics.result import Result
from analytics.rounding import p_value

AGE_LIMIT = 60  # years; the strata of the filters have the same
LEAST_PATIENTS = 3
"""Groups of fewer patients get no estimate of their own."""


def three(data: Paired, *, form: str, replicates: int, steps: Steps) -> tuple[Icc, Correlation, BlandAltman]:
    """ICC, Spearman's ρ and Bland–Altman of one metric."""
    common: dict[str, Any] = {"clusters": data.patient, "unit": data.level, "simulated": data.simulated}
    key = f"{data.pair.key} {data.metric.name} {data.extents} {form} {replicates}"
    return steps.run(
        f"agreement {key}",
        lambda: (
            icc_of(
                data.ratings, raters=data.names, form=form, replicates=replicates, seed=data.seed, **common
            ),
            spearman_of(data.first, data.second, **common),
            bland_altman_of(
                data.first,
                data.second,
                names=data.names,
                value_unit=data.metric.unit,
                replicates=replicates,
                seed=data.seed,
                **common,
            ),
        ),
    )


def agreement_cells(icc: Icc, rho: Correlation, ba: BlandAltman, digits: int, *, link: str) -> list[Cell]:
    """n, patients, ICC with both intervals, ρ, bias with its interval, limits."""
    limits = Cell("–")
    if ba.lower is not None and ba.upper is not None:
        low, high = number_cell(ba.lower, digits).text, number_cell(ba.upper, digits).text
        limits = Cell(f"{low} to {high}")
    return [
        count_cell(icc.n, link=link),
        count_cell(icc.clusters or 0),
        estimate_cell(icc, 3),
        interval_cell(icc.interval, 3),
        interval_cell(icc.cluster_interval, 3),
        estimate_cell(rho, 3),
        estimate_cell(ba, digits),
        interval_cell(ba.cluster_interval or ba.interval, digits),
        limits,
    ]


HEADINGS = (
    "n",
    "Patients",
    "ICC",
    "95 % CI, independent",
    "95 % CI, patients",
    "Spearman ρ",
    "Bias",
    "95 % CI of bias",
    "Limits of agreement",
)


def metrics_grid(
    freeze: Freeze,
    data: Paired,
    *,
    form: str,
    replicates: int,
    clustered: bool,
    link: str,
    steps: Steps,
) -> tuple[Grid, dict[str, Any]]:
    """The paper's Table: its ten metrics (and minimal luminal area) for the same pair and units."""
    there = set(metrics_of(freeze, data.pair.key, data.level))
    names = [name for name in (*TABLE_METRICS, "minimal_luminal_area") if name in there]
    rows, results = [], {}
    for name in names:
        of = paired(
            freeze,
            pair=data.pair.key,
            metric_name=name,
            level=data.level,
            extents=data.extents,
            rows=data.rows,
        )
        icc, rho, ba = three(of, form=form, replicates=replicates, steps=steps)
        results[name] = {"icc": icc, "spearman": rho, "bland_altman": ba}
        heading = text_cell(METRICS[name].heading, link=f"{link}metric={name}")
        rows.append(
            (heading, *agreement_cells(icc, rho, ba, METRICS[name].digits, link=f"{link}metric={name}"))
        )
    words = data.words()
    caption = (
        f"ICC({form}), Spearman's ρ, bias ({data.names[1]} − {data.names[0]}) and 95 % limits of agreement per "
        f"{data.level}{f'; {words}' if words else ''}. Intervals “independent” take {data.level}s as independent, "
        f"{'those over patients are the ones to quote' if clustered else 'as published; those over patients beside'}."
    )
    return Grid("metrics", "Agreement of every metric", ("Metric", *HEADINGS), tuple(rows), caption), results


def pairs_grid(
    freeze: Freeze,
    metric_name: str,
    level: str,
    pairs: Sequence[str],
    filters: Filters,
    *,
    form: str,
    replicates: int,
    link: str,
    steps: Steps,
) -> tuple[Grid, dict[str, Any]]:
    """The same metric in other pairs: expert and expert beside network and expert."""
    rows, results = [], {}
    for name in pairs:
        if metric_name not in metrics_of(freeze, name, level):
            continue
        of = paired(freeze, pair=name, metric_name=metric_name, level=level, filters=filters)
        if not of.complete.any():
            continue
        icc, rho, ba = three(of, form=form, replicates=replicates, steps=steps)
        results[name] = {"icc": icc, "spearman": rho, "bland_altman": ba}
        apart = "" if PAIRS[name].independent else " (shown apart: the expert saw the network)"
        target = f"{link}pair={name}&extents={of.extents}"
        rows.append(
            (
                text_cell(PAIRS[name].label + apart, link=target),
                *agreement_cells(icc, rho, ba, METRICS[metric_name].digits, link=target),
            )
        )
    caption = f"{METRICS[metric_name].heading} per {level} in every pair of reads; ICC({form}); bias is second minus first read."
    return Grid("pairs", "Beside other pairs", ("Pair", *HEADINGS), tuple(rows), caption), results


def groups_of(freeze: Freeze, data: Paired, by: str) -> tuple[NDArray[np.int64], list[str]]:
    """The group of each row as an index into the groups' names; −1 where it is not known."""
    rows = data.patient
    if by == "place":
        table = freeze.table(data.table)
        column = "territory" if "territory" in table else "vessel" if "vessel" in table else ""
        if not column:
            return np.full(len(rows), -1, np.int64), []
        values, rows = table[column], data.rows
    elif by == "segment":
        if "segment" not in freeze.table(data.table):
            return np.full(len(rows), -1, np.int64), []
        values, rows = freeze.table(data.table)["segment"], data.rows
    elif by == "age_group":
        age = freeze.table("patients")["age"].to_numpy(float)
        place = np.where(np.isnan(age), -1, (age >= AGE_LIMIT).astype(np.int64))
        return place.astype(np.int64)[rows], [f"under {AGE_LIMIT}", f"{AGE_LIMIT} and over"]
    else:
        values = freeze.table("patients")[by]
    if isinstance(values.dtype, pd.CategoricalDtype):
        return np.asarray(values.cat.codes, np.int64)[rows], [str(c) for c in values.cat.categories]
    numbers = values.to_numpy(float)[rows]
    levels = np.unique(numbers[~np.isnan(numbers)])
    place = np.where(np.isnan(numbers), -1, np.searchsorted(levels, np.nan_to_num(numbers)))
    return place.astype(np.int64), [f"{level:g}" for level in levels]


def group_parts(
    freeze: Freeze, data: Paired, by: str, title: str, *, form: str, link: str
) -> tuple[tuple[Grid, ...], dict[str, Any], tuple[Figure, ...]]:
    """ICC and bias by group, with the heterogeneity of the bias."""
    of, names = groups_of(freeze, data, by)
    order = sorted(
        np.unique(of[of >= 0]).tolist(),
        key=lambda i: (len(names[i]), names[i]) if names[i].isdigit() else (0, names[i]),
    )
    if len(order) < 2:
        return (), {}, ()
    rows, results, drawn, links = [], {}, [], {}
    effects: list[float] = []
    variances: list[float] = []
    steps = Steps()
    for i in order:
        inside = of == i
        part = _restricted(data, inside)
        icc, rho, ba = three(part, form=form, replicates=0, steps=steps)
        target = f"{link}group={quote(names[i])}"
        rows.append(
            (
                text_cell(names[i], link=target),
                *agreement_cells(icc, rho, ba, data.metric.digits, link=target),
            )
        )
        results[names[i]] = {"icc": icc, "bland_altman": ba}
        drawn.append(EstimateRow(names[i], ba.estimate, ba.cluster_interval or ba.interval))
        links[names[i]] = target
        effect, variance = _bias(part)
        effects.append(effect)
        variances.append(variance)
    pooled = _heterogeneity(effects, variances, [names[i] for i in order], by, data)
    caption = f"{title}; ICC({form}) and bias with intervals over patients. {pooled.sentence() if pooled else ''}".strip()
    grid = Grid("groups", f"By {title.lower()}", (title, *HEADINGS), tuple(rows), caption)
    drawing = estimates(
        drawn,
        f"Bias, {data.names[1]} − {data.names[0]} ({data.metric.unit or 'ratio'})",
        reference=0.0,
        simulated=data.simulated,
    ).lead(links)
    figure = Figure("groups", f"Bias by {title.lower()}", drawing, caption)
    return (grid,), {"levels": results, "heterogeneity": pooled}, (figure,)


def _restricted(data: Paired, inside: NDArray[np.bool_]) -> Paired:
    return replace(
        data,
        first=data.first[inside],
        second=data.second[inside],
        patient=data.patient[inside],
        rows=data.rows[inside],
        counts=(),
    )


def _bias(data: Paired) -> tuple[float, float]:
    """Bias and its variance over patients; NaN where there are too few."""
    complete = data.complete
    patient, distinct = codes(data.patient[complete])
    difference = (data.second - data.first)[complete]
    if len(distinct) < LEAST_PATIENTS:
        return np.nan, np.nan
    se = ratio_se(difference, patient, len(distinct))
    return (float(difference.mean()), se**2) if se > 0 else (np.nan, np.nan)


def _heterogeneity(
    effects: Sequence[float], variances: Sequence[float], names: Sequence[str], by: str, data: Paired
) -> Pooled | None:
    known = [not np.isnan(e) for e in effects]
    if sum(known) < 2:
        return None
    return pool(
        effects, variances, names=names, effect="bias", unit=by.replace("_", " "), simulated=data.simulated
    )


def estimates_grid(data: Paired, results: Mapping[str, Result], *, clustered: bool) -> Grid:
    """The estimates of the chosen metric, one a row, with the sentence that quotes each."""
    unit = data.metric.unit
    rows: list[tuple[Cell, ...]] = []
    for name, digits in (("icc", 3), ("spearman", 3), ("bland_altman", 2), ("deming", 3), ("difference", 2)):
        found = results[name]
        by_patient = getattr(found, "cluster_interval", None)
        test = f"{found.test.name}: {p_value(found.test.p)}" if found.test is not None else "–"
        rows.append(
            (
                text_cell(found.method, title=found.sentence()),
                estimate_cell(found, digits),
                interval_cell(found.interval, digits),
                interval_cell(by_patient, digits),
                text_cell(test),
            )
        )
    ba = cast(BlandAltman, results["bland_altman"])
    for label, value, interval in (
        ("Lower limit of agreement", ba.lower, ba.lower_interval),
        ("Upper limit of agreement", ba.upper, ba.upper_interval),
    ):
        by_patients = interval is not None and ba.clusters is not None
        shown = [interval_cell(None, 2), interval_cell(interval, 2)]
        rows.append(
            (
                text_cell(label),
                number_cell(value, 2),
                *(shown if by_patients else shown[::-1]),
                text_cell("–"),
            )
        )
    first = "over patients" if clustered else "independent"
    caption = f"{data.metric.heading} per {data.level}; differences in {unit or 'the unit of the ratio'}; the interval to quote is the one {first}."
    headings = ("Estimate", "Value", "95 % CI, independent", "95 % CI, patients", "Test")
    return Grid("estimates", data.metric.label, headings, tuple(rows), caption)
