"""Grids of the CAD-RADS question: κ and its companions, the most frequent disagreements, accuracy with every interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analytics.agreement.kappa import Kappa
from analytics.questions.answer import (
    Cell,
    Grid,
    count_cell,
    estimate_cell,
    interval_cell,
    number_cell,
    text_cell,
)
from analytics.questions.cadrads_grades import Accuracy, CategoryAgreement
from analytics.result import Interval, Result, plural
from analytics.rounding import p_value

MOST_CONFUSIONS = 8  # rows that a page shows


def kappa_grid(found: Mapping[str, CategoryAgreement], *, quoted: str) -> Grid:
    """κ with three weights, AC1, equal and neighbouring categories, tests of the margins, per level."""
    rows: list[tuple[Cell, ...]] = []
    for level, agreed in found.items():
        for kappa in agreed.kappas:
            mark = " (quoted)" if kappa.weights == quoted else ""
            rows.append(
                _row(level, f"κ, {kappa.weights}{mark}", kappa, kappa.interval, kappa.cluster_interval)
            )
        rows.append(_row(level, "Gwet's AC1", agreed.ac1, agreed.ac1.interval, agreed.ac1.cluster_interval))
        for share in (agreed.same, agreed.within_one):
            cells = _row(
                level, share.method, share, share.exact_interval, share.interval, scale=100.0, digits=1
            )
            rows.append((*cells[:1], text_cell(f"{share.method} (%)"), *cells[2:]))
        tests = [
            t
            for t in (agreed.symmetry.bowker, agreed.symmetry.stuart_maxwell, agreed.symmetry.by_patient)
            if t is not None
        ]
        for test in tests:
            cells = (
                text_cell(level),
                text_cell(test.name),
                Cell("–"),
                Cell("–"),
                Cell("–"),
                text_cell(p_value(test.p)),
            )
            rows.append(cells)
    caption = (
        "κ with the interval of Fleiss, Cohen and Everitt for independent units and over patients (jackknife); shares with "
        "the exact interval and over patients (logit). AC1 depends less on how rare the categories are."
    )
    headings = ("Level", "Statistic", "Value", "95 % CI, independent", "95 % CI, patients", "p")
    return Grid("kappa", "Agreement of categories", headings, tuple(rows), caption)


def _row(
    level: str,
    name: str,
    result: Result,
    independent: Interval | None,
    patients: Interval | None,
    *,
    scale: float = 1.0,
    digits: int = 3,
) -> tuple[Cell, ...]:
    test = text_cell(p_value(result.test.p), title=result.test.name) if result.test is not None else Cell("–")
    return (
        text_cell(level),
        text_cell(name, title=result.sentence()),
        estimate_cell(result, digits, scale=scale),
        interval_cell(independent, digits, scale=scale),
        interval_cell(patients, digits, scale=scale),
        test,
    )


def confusion_grid(level: str, kappa: Kappa, *, link: str) -> Grid:
    """The most frequent disagreements of one level, each leading to its cases."""
    matrix = kappa.matrix
    total = int(matrix.sum())
    off = [
        (int(matrix[i, j]), kappa.levels[i], kappa.levels[j])
        for i in range(len(matrix))
        for j in range(len(matrix))
        if i != j and matrix[i, j]
    ]
    off.sort(key=lambda item: (-item[0], item[1], item[2]))
    rows = tuple(
        (
            text_cell(str(first)),
            text_cell(str(second)),
            count_cell(number, link=f"{link}level={level}&first={first}&second={second}"),
            number_cell(100 * number / total, 1),
        )
        for number, first, second in off[:MOST_CONFUSIONS]
    )
    agree = int(np.trace(matrix))
    caption = f"{agree:,} of {total:,} {plural(level, total)} in the same category; the {len(rows)} most frequent disagreements."
    headings = (f"CAD-RADS, {kappa.names[0]}", f"CAD-RADS, {kappa.names[1]}", "n", "%")
    return Grid(f"confusions_{level}", f"Most frequent disagreements per {level}", headings, rows, caption)


def accuracy_grid(found: Sequence[Accuracy], *, clustered: bool, link: str) -> Grid:
    """Sensitivity, specificity, predictive values, accuracy, likelihood ratios and AUC at each threshold and level."""
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        where = f"level={one.level}&limit={one.limit:g}"
        rows += _proportions(one, f"{link}{where}")
        ratios = one.table.ratios()
        for name, label in (("lr_pos", "Positive likelihood ratio"), ("lr_neg", "Negative likelihood ratio")):
            value, interval = ratios[name], ratios[f"{name}_ci"]
            rows.append(
                (
                    *_place(one),
                    text_cell(label),
                    Cell("–"),
                    number_cell(value if isinstance(value, float) else None, 2),
                    interval_cell(interval if isinstance(interval, Interval) else None, 2),
                    Cell("–"),
                    Cell("–"),
                )
            )
        rows.append(
            (
                *_place(one),
                text_cell("AUC", title=one.roc.sentence()),
                count_cell(one.roc.n),
                estimate_cell(one.roc, 3),
                interval_cell(getattr(one.roc, "naive_interval", None) or one.roc.interval, 3),
                Cell("–"),
                interval_cell(one.roc.interval if one.level == "territory" else None, 3),
            )
        )
    first = "over patients" if clustered else "of the profile"
    caption = f"Proportions in per cent; units with a grade missing are dropped and counted; the interval to quote is the one {first}."
    headings = (
        "Level",
        "Threshold",
        "Measure",
        "n",
        "Value",
        "95 % CI, profile",
        "95 % CI, as published",
        "95 % CI, patients",
    )
    return Grid("accuracy", "Diagnostic accuracy", headings, tuple(rows), caption)


def three_ways_grid(found: Sequence[Accuracy]) -> tuple[Grid, ...]:
    """Sensitivity and specificity without what could not be graded, with it called positive, and with each called wrongly."""
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        if one.three_ways is None:
            continue
        ways = one.three_ways
        for name, table in (
            ("left out", ways.excluded),
            ("called positive", ways.positive),
            ("each called wrongly", ways.worst),
        ):
            cells = [
                cell
                for value in (table.sensitivity, table.specificity)
                for cell in (
                    Cell(f"{value.numerator:,}/{value.n:,}"),
                    estimate_cell(value, 1, scale=100),
                    interval_cell(value.interval, 1, scale=100),
                )
            ]
            rows.append((*_place(one), text_cell(name), *cells))
    if not rows:
        return ()
    headings = (
        "Level",
        "Threshold",
        "Non-diagnostic grades",
        "n",
        "Sensitivity (%)",
        "95 % CI",
        "n",
        "Specificity (%)",
        "95 % CI",
    )
    caption = "Units that the second read could not grade while the reference could, counted in three ways; units as independent."
    return (Grid("three_ways", "Accuracy with non-diagnostic grades", headings, tuple(rows), caption),)


def prevalence_grid(found: Sequence[Accuracy]) -> tuple[Grid, ...]:
    """Predictive values per patient at other prevalences than that of the sample."""
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        if one.level != "patient" or one.at_prevalences is None:
            continue
        values = one.at_prevalences
        rows += [
            (
                _place(one)[1],
                number_cell(100 * positive.prevalence, 0),
                estimate_cell(positive, 1, scale=100),
                interval_cell(positive.interval, 1, scale=100),
                estimate_cell(negative, 1, scale=100),
                interval_cell(negative.interval, 1, scale=100),
            )
            for positive, negative in zip(values.ppv, values.npv, strict=True)
        ]
    if not rows:
        return ()
    headings = (
        "Threshold",
        "Prevalence (%)",
        "Positive predictive value (%)",
        "95 % CI",
        "Negative predictive value (%)",
        "95 % CI",
    )
    caption = "Sensitivity and specificity of this sample, prevalence of another one; interval of Mercaldo, Lau and Zhou."
    return (
        Grid(
            "prevalences",
            "Predictive values per patient at other prevalences",
            headings,
            tuple(rows),
            caption,
        ),
    )


def _place(one: Accuracy) -> tuple[Cell, Cell]:
    return text_cell(one.level), text_cell(f"≥ {one.limit:g} %")


def _proportions(one: Accuracy, link: str) -> list[tuple[Cell, ...]]:
    by_patient: dict[str, Interval | None] = {}
    if one.clustered is not None and one.predictive is not None:
        named = zip(("sensitivity", "specificity", "accuracy"), one.clustered.measures(), strict=True)
        by_patient = {name: p.interval for name, p in named}
        by_patient |= {name: p.interval for name, p in zip(("ppv", "npv"), one.predictive, strict=True)}
    cell_of = {"sensitivity": "tp", "specificity": "tn", "ppv": "tp", "npv": "tn", "accuracy": "agree"}
    rows: list[tuple[Cell, ...]] = []
    for name in ("sensitivity", "specificity", "ppv", "npv", "accuracy"):
        shown, published = getattr(one.table, name), getattr(one.published, name)
        target = f"{link}&cell={cell_of[name]}" if name in cell_of else ""
        rows.append(
            (
                *_place(one),
                text_cell(shown.method),
                Cell(f"{shown.numerator:,}/{shown.n:,}", None, target),
                estimate_cell(shown, 1, scale=100),
                interval_cell(shown.interval, 1, scale=100),
                interval_cell(published.interval, 1, scale=100),
                interval_cell(by_patient.get(name), 1, scale=100),
            )
        )
    return rows
