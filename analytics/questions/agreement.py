"""How two reads agree on a continuous metric: scatter, Bland–Altman, the paper's table, groups, and other pairs beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.correlation import spearman_of
from analytics.agreement.icc import FORMS, icc_of
from analytics.agreement.quantile_limits import quantile_limits_of
from analytics.agreement.rank_sum import rank_sum_of
from analytics.agreement.ratio_limits import ratio_limits_of
from analytics.agreement.regression import deming_of
from analytics.agreement.regression_limits import regression_limits_of
from analytics.agreement.signed_rank import signed_rank_of
from analytics.figures import draw
from analytics.figures.agreement import MOST_POINTS
from analytics.figures.decimals import Decimals
from analytics.freeze import PAIRS, Freeze
from analytics.freeze.pairs import EXTENTS
from analytics.metrics import LEVELS, METRICS, TABLE_METRICS
from analytics.profiles import PROFILES, profile
from analytics.questions import filters as shared
from analytics.questions.agreement_grids import (
    estimates_grid,
    group_parts,
    groups_of,
    metrics_grid,
    pairs_grid,
)
from analytics.questions.answer import Answer, Figure
from analytics.questions.filters import NO_FILTERS, Filters, query_of
from analytics.questions.paired import Paired, case_rows, labels, metrics_of, paired, pairs_of
from analytics.questions.steps import Steps
from analytics.result import Result

LIMITS = {
    "plain": "bias ± 1.96 SD",
    "regression": "limits that follow the size",
    "ratio": "limits of the ratio",
    "quantile": "2.5th and 97.5th percentile",
}
GROUPS = {
    "site": "Site",
    "vendor": "Vendor",
    "cohort": "Cohort",
    "place": "Vessel or territory",
    "segment": "Segment",
    "image_quality": "Image quality",
    "sex": "Sex",
    "age_group": "Age",
    "tube_voltage": "Tube voltage (kV)",
}


@dataclass(frozen=True)
class AgreementParameters:
    """What the agreement page shows. Empty ``metric``, ``extents`` and ``form`` mean the default of pair and profile."""

    pair: str = "network_expert"
    metric: str = "total_plaque_volume"
    level: str = "lesion"
    extents: str = ""
    matched_only: bool = False
    limits: str = "plain"
    by: str = "site"
    form: str = ""
    profile: str = "recommended"
    filters: Filters = NO_FILTERS


def choices(freeze: Freeze, parameters: AgreementParameters) -> dict[str, tuple[tuple[str, str], ...]]:
    """What each parameter may be in this freeze: name → (value, label)."""
    own = {
        "pair": tuple((p, PAIRS[p].label) for p in pairs_of(freeze, parameters.level)),
        "metric": tuple((m, METRICS[m].label) for m in metrics_of(freeze, parameters.pair, parameters.level)),
        "level": tuple((level, level.capitalize()) for level in LEVELS if pairs_of(freeze, level)),
        "extents": tuple((e, e) for e in EXTENTS),
        "limits": tuple(LIMITS.items()),
        "by": tuple(GROUPS.items()),
        "form": tuple((f, f"ICC({f})") for f in FORMS),
        "profile": tuple((p.name, p.label) for p in PROFILES.values()),
    }
    return shared.choices(freeze) | own


def answer(
    freeze: Freeze,
    parameters: AgreementParameters,
    *,
    replicates: int = 0,
    link: str = "?",
    steps: Steps | None = None,
) -> Answer:
    """Answer the question.

    Parameters
    ----------
    replicates : bootstrap resamples of patients; 0 leaves intervals over patients to the jackknife, at once
    link : what stands before the selection in every link (an address that ends in ``?`` or ``&``)
    steps : remembers finished parts and tells progress
    """
    steps = steps or Steps()
    p, chosen = parameters, profile(parameters.profile)
    data = paired(
        freeze,
        pair=p.pair,
        metric_name=p.metric,
        level=p.level,
        extents=p.extents,
        filters=p.filters,
        matched_only=p.matched_only,
    )
    form = p.form or (chosen.ivus_icc_form if p.pair == "network_ivus" else chosen.icc_form)
    others = [name for name in pairs_of(freeze, p.level) if name != p.pair]
    steps.total = 4 + len(TABLE_METRICS) + len(others)
    results = main_estimates(data, form=form, replicates=replicates, test=chosen.paired_test, steps=steps)
    limits = steps.run(f"limits {p.limits}", lambda: _limits(data, p.limits, results, replicates))
    table, table_results = metrics_grid(
        freeze, data, form=form, replicates=replicates, clustered=chosen.clustered, link=link, steps=steps
    )
    beside, beside_results = pairs_grid(
        freeze,
        p.metric,
        p.level,
        [p.pair, *others],
        p.filters,
        form=form,
        replicates=replicates,
        link=link,
        steps=steps,
    )
    groups, group_results, forest = group_parts(freeze, data, p.by, GROUPS[p.by], form=form, link=link)
    grids = (estimates_grid(data, results, clustered=chosen.clustered), table, beside, *groups)
    return Answer(
        question="agreement",
        title=f"{data.metric.label}: {data.pair.words}, per {data.level}",
        parameters=query_of(p),
        freeze=freeze.hash,
        simulated=freeze.simulated,
        figures=(*_figures(freeze, data, results, limits, link), *forest),
        grids=grids,
        results={
            **results,
            "limits": limits,
            "metrics": table_results,
            "pairs": beside_results,
            "groups": group_results,
        },
        notes=_notes(data, p),
    )


def main_estimates(data: Paired, *, form: str, replicates: int, test: str, steps: Steps) -> dict[str, Result]:
    """ICC, Bland–Altman, Spearman, Deming line and the test of the difference of one metric."""
    common: dict[str, Any] = {"clusters": data.patient, "unit": data.level, "simulated": data.simulated}
    a, b, names = data.first, data.second, data.names

    def difference() -> Result:
        if test == "rank sum":
            found = rank_sum_of(b, a, value_unit=data.metric.unit, unit=data.level, simulated=data.simulated)
            return replace(
                found, method=f"Hodges–Lehmann shift ({names[1]} − {names[0]}), as of separate samples"
            )
        return signed_rank_of(a, b, value_unit=data.metric.unit, **common)

    return {
        "icc": steps.run(
            f"ICC {data.metric.name} {replicates}",
            lambda: icc_of(
                data.ratings, raters=names, form=form, replicates=replicates, seed=data.seed, **common
            ),
        ),
        "bland_altman": steps.run(
            f"Bland–Altman {data.metric.name} {replicates}",
            lambda: bland_altman_of(
                a,
                b,
                names=names,
                value_unit=data.metric.unit,
                replicates=replicates,
                seed=data.seed,
                **common,
            ),
        ),
        "spearman": steps.run(f"Spearman {data.metric.name}", lambda: spearman_of(a, b, **common)),
        "deming": deming_of(a, b, names=names, value_unit=data.metric.unit, **common),
        "difference": difference(),
    }


def _limits(data: Paired, kind: str, results: Mapping[str, Result], replicates: int) -> Result:
    common: dict[str, Any] = {
        "clusters": data.patient,
        "names": data.names,
        "unit": data.level,
        "simulated": data.simulated,
        "replicates": replicates,
        "seed": data.seed,
    }
    if kind == "regression":
        return regression_limits_of(data.first, data.second, value_unit=data.metric.unit, **common)
    if kind == "ratio":
        return ratio_limits_of(data.first, data.second, **common)
    if kind == "quantile":
        return quantile_limits_of(data.first, data.second, value_unit=data.metric.unit, **common)
    return results["bland_altman"]


def _figures(
    freeze: Freeze, data: Paired, results: Mapping[str, Result], limits: Result, link: str
) -> tuple[Figure, ...]:
    """Scatter and differences; every point leads to its row, or every cell of a grid to its cases."""
    many = int(data.complete.sum()) > MOST_POINTS
    rows = data.rows[data.complete]
    names = [] if many else labels(freeze, data.table, rows)
    links = [] if many else [f"{link}row={row}" for row in rows.tolist()]
    cell = link + "view={view}&x0={x0}&x1={x1}&y0={y0}&y1={y1}"
    icc, words, decimals = results["icc"], data.words(), Decimals.of(data.metric)
    drawn = draw(
        icc,
        labels=names,
        links=links,
        value_unit=data.metric.unit,
        bins=cell.replace("{view}", "scatter"),
        decimals=decimals,
    )
    view = "ratio" if limits is not results["bland_altman"] and "ratio" in limits.method else "difference"
    kept: dict[str, Any] = {
        "labels": names,
        "links": links,
        "bins": cell.replace("{view}", view),
        "decimals": decimals,
    }
    if view == "ratio" and not many:
        positive = (data.first > 0) & (data.second > 0)
        rows = data.rows[data.complete & positive]
        kept |= {
            "labels": labels(freeze, data.table, rows),
            "links": [f"{link}row={row}" for row in rows.tolist()],
        }
    differences = draw(limits, **kept)
    extra = f" {_capital(words)}." if words else ""
    return (
        Figure("scatter", _capital(f"{data.names[1]} against {data.names[0]}"), drawn, icc.caption() + extra),
        Figure("differences", "Differences against size", differences, limits.caption() + extra),
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _notes(data: Paired, p: AgreementParameters) -> tuple[str, ...]:
    notes = []
    if not data.pair.independent:
        notes.append("The expert saw the network's result: shown apart, and pooled with nothing.")
    if data.level == "lesion" and data.extents == "own":
        if p.matched_only:
            notes.append("Only lesions that both reads found.")
        notes += [f"{count:,} {what}." for what, count in data.counts]
    if profile(p.profile).paired_test == "rank sum":
        notes.append(
            "Rank-sum test as published: it takes the two reads for independent samples; the signed-rank test fits pairs."
        )
    if words := p.filters.words():
        notes.append(f"Only {words}.")
    return tuple(notes)


def cases(freeze: Freeze, parameters: AgreementParameters, selection: Mapping[str, str]) -> pd.DataFrame:
    """The rows behind a point (``row``), a cell of the grid (``view``, ``x0`` …), a group or a match."""
    p = parameters
    data = paired(
        freeze,
        pair=selection.get("pair", p.pair),
        metric_name=selection.get("metric", p.metric),
        level=p.level,
        extents=selection.get("extents", p.extents),
        filters=p.filters,
        matched_only=p.matched_only,
    )
    keep = np.ones(len(data.rows), bool)
    if "row" in selection:
        keep &= data.rows == int(selection["row"])
    if "group" in selection:
        of, names = groups_of(freeze, data, p.by)
        keep &= of == (names.index(selection["group"]) if selection["group"] in names else -2)
    if "match" in selection:
        keep &= (freeze.table(data.table)["match"].iloc[data.rows] == selection["match"]).to_numpy(bool)
    if "view" in selection:
        keep &= _inside(data, selection)
    values = {f"{data.metric.name}_first": data.first[keep], f"{data.metric.name}_second": data.second[keep]}
    return case_rows(freeze, data.table, data.rows[keep], values)


def _inside(data: Paired, selection: Mapping[str, str]) -> NDArray[np.bool_]:
    a, b = data.first, data.second
    if selection["view"] == "scatter":
        x, y = a, b
    elif selection["view"] == "ratio":
        with np.errstate(divide="ignore", invalid="ignore"):
            x, y = np.sqrt(a * b), b / a
    else:
        x, y = (a + b) / 2, b - a
    low = {name: float(selection.get(name, "-inf")) for name in ("x0", "y0")}
    high = {name: float(selection.get(name, "inf")) for name in ("x1", "y1")}
    result: NDArray[np.bool_] = (x >= low["x0"]) & (x <= high["x1"]) & (y >= low["y0"]) & (y <= high["y1"])
    return result
