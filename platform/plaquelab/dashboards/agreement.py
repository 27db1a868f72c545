"""The statistics of the agreement page, from paired rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np

from plaquelab.dashboards.filters import AgreementFilters
from plaquelab.dashboards.metrics import CADRADS_LEVELS
from plaquelab.dashboards.pairs import PairedRows

if TYPE_CHECKING:
    from analytics.accuracy.two_by_two import TwoByTwo
    from analytics.agreement.bland_altman import BlandAltman
    from analytics.agreement.correlation import Correlation
    from analytics.agreement.icc import Icc
    from analytics.agreement.kappa import Kappa

ACCURACY_LIMITS = (50.0, 70.0)


@dataclass(frozen=True)
class Agreement:
    """Agreement of one metric: the result objects behind the figures."""

    rows: PairedRows
    icc: Icc
    bland_altman: BlandAltman
    spearman: Correlation

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "data": self.rows.source,
            "simulated": self.rows.is_simulated,
            "pair": self.rows.pair.label,
            "metric": self.rows.metric,
            "unit": self.rows.unit,
            "level": self.rows.level,
            "extents": self.rows.extents,
            "counted": dict(self.rows.counts),
            "icc": self.icc.to_dict(),
            "bland_altman": self.bland_altman.to_dict(),
            "spearman": self.spearman.to_dict(),
        }


@dataclass(frozen=True)
class CategoryAgreement:
    """CAD-RADS of both reads: κ with three weights, and accuracy of the second for the first."""

    rows: PairedRows
    kappas: tuple[Kappa, ...]
    accuracy: tuple[TwoByTwo, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "level": self.rows.level,
            "kappa": [k.to_dict() for k in self.kappas],
            "accuracy": [a.to_dict() for a in self.accuracy],
        }


def agreement(rows: PairedRows, *, form: str, replicates: int = 10_000) -> Agreement:
    """ICC with F and patient-cluster interval, Bland–Altman and Spearman of paired rows."""
    from analytics.agreement.bland_altman import bland_altman_of
    from analytics.agreement.correlation import spearman_of
    from analytics.agreement.icc import icc_of

    first, second = (np.asarray(values, np.float64) for values in rows.values())
    common: dict[str, Any] = {"clusters": rows.patients, "unit": rows.level, "simulated": rows.is_simulated}
    names = (rows.pair.first, rows.pair.second)
    return Agreement(
        rows=rows,
        icc=icc_of(
            np.column_stack([first, second]), raters=names, form=form, replicates=replicates, **common
        ),
        bland_altman=bland_altman_of(
            first, second, names=names, value_unit=rows.unit, replicates=replicates, **common
        ),
        spearman=spearman_of(first, second, **common),
    )


def category_agreement(categories: PairedRows, stenoses: PairedRows) -> CategoryAgreement:
    """κ of CAD-RADS, and accuracy at 50 and 70 % diameter stenosis of the second read for the first."""
    from analytics.accuracy.two_by_two import two_by_two_at
    from analytics.agreement.kappa import WEIGHTS, kappa_of

    common: dict[str, Any] = {"unit": categories.level, "simulated": categories.is_simulated}
    names = (categories.pair.first, categories.pair.second)
    first = [None if r.first is None else int(r.first) for r in categories.rows]
    second = [None if r.second is None else int(r.second) for r in categories.rows]
    kappas = tuple(
        kappa_of(
            first,
            second,
            levels=CADRADS_LEVELS,
            weights=weights,
            clusters=categories.patients,
            names=names,
            **common,
        )
        for weights in WEIGHTS
    )
    reference, test = (np.asarray(values, np.float64) for values in stenoses.values())
    accuracy = tuple(
        two_by_two_at(
            test, reference, threshold=limit, clusters=stenoses.patients, names=names[::-1], **common
        )
        for limit in ACCURACY_LIMITS
    )
    return CategoryAgreement(categories, kappas, accuracy)


@dataclass(frozen=True)
class Line:
    """One line of the table of estimates: texts, rounded once from full precision."""

    name: str
    estimate: str
    interval: str
    cluster_interval: str


def lines(found: Agreement) -> list[Line]:
    """ICC, bias, limits and correlation for the page's table; what is not estimable says why."""
    from analytics.rounding import half_up

    def text(interval: Any, digits: int) -> str:
        return interval.text(digits) if interval is not None else "–"

    ba, unit = found.bland_altman, found.rows.unit
    result = []
    for estimate in (found.icc, found.spearman):
        if estimate.estimate is None:
            result.append(Line(estimate.method, f"not estimable: {estimate.reason}", "–", "–"))
        else:
            values = (text(estimate.interval, 3), text(estimate.cluster_interval, 3))
            result.append(Line(estimate.method, half_up(estimate.estimate, 3), *values))
    if ba.estimate is None:
        return [*result, Line("Bias", f"not estimable: {ba.reason}", "–", "–")]
    values = (text(ba.interval, 1), text(ba.cluster_interval, 1))
    result.append(
        Line(
            f"Bias, {found.rows.pair.second} − {found.rows.pair.first}",
            f"{half_up(ba.estimate, 1)} {unit}",
            *values,
        )
    )
    for name, value, interval in (
        ("Lower", ba.lower, ba.lower_interval),
        ("Upper", ba.upper, ba.upper_interval),
    ):
        if value is not None:
            clustered = interval is not None and "bootstrap" in interval.method
            shown = ("–", text(interval, 1)) if clustered else (text(interval, 1), "–")
            result.append(Line(f"{name} limit of agreement", f"{half_up(value, 1)} {unit}", *shown))
    return result


def figures(
    found: Agreement, categories: CategoryAgreement, filters: AgreementFilters, cases_url: str
) -> dict[str, Any]:
    """Figures as plain JSON; points lead to their rows, matrix cells to the list of their cases."""
    from analytics.figures.agreement import scatter

    drawn = found.rows.complete()
    labels, links = [r.label for r in drawn], [r.link for r in drawn]
    cells = [
        [f"{cases_url}?{filters.query()}&{urlencode({'first': i, 'second': j})}" for j in CADRADS_LEVELS]
        for i in CADRADS_LEVELS
    ]
    drawings = {
        "scatter": scatter(found.icc, labels=labels, links=links, value_unit=found.rows.unit),
        "bland_altman": found.bland_altman.drawing(labels=labels, links=links),
        "cadrads": categories.kappas[0].drawing(links=cells),
    }
    for limit, result in zip(ACCURACY_LIMITS, categories.accuracy, strict=True):
        drawings[f"accuracy_{int(limit)}"] = result.drawing()
    return {name: drawing.to_dict() for name, drawing in drawings.items()}


def cases_of(rows: Iterable[Any], first: int | None, second: int | None) -> list[Any]:
    """Rows of one cell of the CAD-RADS matrix; all when no cell is given."""
    return [r for r in rows if (first is None or r.first == first) and (second is None or r.second == second)]
