"""How two reads agree on CAD-RADS, and how well one finds stenoses of 50 and 70 % of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.accuracy.clustered import (
    ClusteredAccuracy,
    ClusteredProportion,
    clustered_accuracy_of,
    clustered_proportion,
)
from analytics.accuracy.clustered_roc import ClusteredRoc, clustered_roc_of
from analytics.accuracy.predictive import PredictiveValues, predictive_values
from analytics.accuracy.roc import Roc, roc_of
from analytics.accuracy.two_by_two import TwoByTwo, two_by_two_of
from analytics.agreement.categorical import ChanceCorrected, Symmetry, chance_corrected_of, symmetry_of
from analytics.agreement.kappa import WEIGHTS, Kappa, cross_table, kappa_of_matrix
from analytics.errors import AnalyticsError
from analytics.freeze import PAIRS, Freeze
from analytics.metrics import CADRADS_CATEGORIES
from analytics.missing.uninterpretable import ThreeWays, accuracy_with_uninterpretable
from analytics.profiles import PROFILES, profile
from analytics.questions import filters as shared
from analytics.questions.answer import Answer, Figure, Grid
from analytics.questions.cadrads_grids import accuracy_grid, confusion_grid, kappa_grid
from analytics.questions.filters import NO_FILTERS, Filters, patient_index, query_of
from analytics.questions.paired import case_rows, chosen_rows, default_extents, pair_table, pairs_of
from analytics.questions.steps import Steps
from analytics.result import Dropped

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEVELS = ("territory", "patient")
LIMITS = (50.0, 70.0)
CATEGORY_OF_LIMIT = {50.0: 3, 70.0: 4}
PREVALENCES = (0.05, 0.10, 0.20, 0.30, 0.40, 0.50)


@dataclass(frozen=True)
class CadradsParameters:
    """What the CAD-RADS page shows. Empty ``extents``: what the freeze has."""

    pair: str = "network_expert"
    extents: str = ""
    profile: str = "recommended"
    filters: Filters = NO_FILTERS


@dataclass(frozen=True)
class Grades:
    """Categories and stenoses of both reads at one level; the first read is the reference.

    first, second : (n,) CAD-RADS, NaN where there is none · stenosis : (n, 2) %, NaN where not measured
    nondiagnostic : (n, 2) · patient : (n,) sorted numbers · rows : rows of the pair table
    """

    level: str
    table: str
    first: Array
    second: Array
    stenosis: Array
    nondiagnostic: Flags
    patient: Any
    rows: NDArray[np.int64]
    names: tuple[str, str]
    simulated: bool

    def positive(self, side: int, limit: float) -> Array:
        """1 where a read has a stenosis of ``limit`` per cent or more, by its measured stenosis, else its category; NaN unknown."""
        measured = self.stenosis[:, side]
        category = (self.first, self.second)[side]
        by_category = np.where(
            np.isnan(category), np.nan, (category >= CATEGORY_OF_LIMIT[limit]).astype(float)
        )
        return np.where(np.isnan(measured), by_category, (measured >= limit).astype(float))


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of the second read for the first at one threshold and level, with every interval."""

    limit: float
    level: str
    table: TwoByTwo
    published: TwoByTwo
    clustered: ClusteredAccuracy | None
    predictive: tuple[ClusteredProportion, ClusteredProportion] | None
    three_ways: ThreeWays | None
    roc: Roc | ClusteredRoc
    at_prevalences: PredictiveValues | None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        parts = {
            "table": self.table,
            "published": self.published,
            "clustered": self.clustered,
            "three_ways": self.three_ways,
            "roc": self.roc,
            "at_prevalences": self.at_prevalences,
        }
        content: dict[str, Any] = {"limit": self.limit, "level": self.level}
        content |= {name: None if part is None else part.to_dict() for name, part in parts.items()}
        if self.predictive is not None:
            content["clustered_predictive"] = [p.to_dict() for p in self.predictive]
        return content


@dataclass(frozen=True)
class CategoryAgreement:
    """κ with three weights, AC1, shares of equal and neighbouring categories, and tests of the margins."""

    kappas: tuple[Kappa, ...]
    ac1: ChanceCorrected
    same: ClusteredProportion
    within_one: ClusteredProportion
    symmetry: Symmetry
    grades: Grades = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "kappa": {k.weights: k.to_dict() for k in self.kappas},
            "ac1": self.ac1.to_dict(),
            "same": self.same.to_dict(),
            "within_one": self.within_one.to_dict(),
            "symmetry": self.symmetry.to_dict(),
        }


def choices(freeze: Freeze, parameters: CadradsParameters) -> dict[str, tuple[tuple[str, str], ...]]:
    """What each parameter may be in this freeze: name → (value, label)."""
    there = [p for p in pairs_of(freeze, "territory") if _has_grades(freeze, p)]
    own = {
        "pair": tuple((p, PAIRS[p].label) for p in there),
        "extents": (("given", "given"), ("own", "own")),
        "profile": tuple((p.name, p.label) for p in PROFILES.values()),
    }
    return shared.choices(freeze) | own


def _has_grades(freeze: Freeze, pair: str) -> bool:
    table = freeze.table("territory_pairs")
    rows = (table["pair"] == pair).to_numpy(bool)
    return bool((table["cadrads_first"].notna() & table["cadrads_second"].notna()).to_numpy()[rows].any())


def grades(freeze: Freeze, parameters: CadradsParameters, level: str) -> Grades:
    """Categories of both reads at a level. Raises AnalyticsError for a level without categories."""
    if level not in LEVELS:
        raise AnalyticsError(f"CAD-RADS exists per {' and per '.join(LEVELS)}, not per {level}.")
    p = parameters
    extents = p.extents or default_extents(freeze, p.pair, level)
    rows = chosen_rows(freeze, pair=p.pair, level=level, extents=extents, filters=p.filters)
    name = pair_table(level)
    table = freeze.table(name)

    def both(stem: str) -> Array:
        columns = [f"{stem}_{side}" for side in ("first", "second")]
        return np.stack(
            [table[c].to_numpy(float)[rows] if c in table else np.full(len(rows), np.nan) for c in columns],
            axis=1,
        )

    category = both("cadrads")
    return Grades(
        level=level,
        table=name,
        first=category[:, 0],
        second=category[:, 1],
        stenosis=both("diameter_stenosis"),
        nondiagnostic=np.nan_to_num(both("nondiagnostic")) == 1,
        patient=patient_index(freeze, name)[rows],
        rows=rows,
        names=(PAIRS[p.pair].first, PAIRS[p.pair].second),
        simulated=freeze.simulated,
    )


def category_agreement(found: Grades) -> CategoryAgreement:
    """Agreement of the categories of both reads."""
    clusters = found.patient if found.level == "territory" else None
    counted = cross_table(found.first, found.second, levels=CADRADS_CATEGORIES, clusters=clusters)
    known = ~(np.isnan(found.first) | np.isnan(found.second))
    apart = np.abs(found.first - found.second)[known]
    common: dict[str, Any] = {"unit": found.level, "simulated": found.simulated}
    shares = [
        clustered_proportion(
            title, apart <= steps, clusters=found.patient[known], dropped=counted.dropped, **common
        )
        for title, steps in (("Same category", 0), ("Within one category", 1))
    ]
    return CategoryAgreement(
        kappas=tuple(
            kappa_of_matrix(
                counted.matrix,
                levels=CADRADS_CATEGORIES,
                weights=weights,
                patient_tables=counted.patient_tables,
                names=found.names,
                dropped=counted.dropped,
                **common,
            )
            for weights in WEIGHTS
        ),
        ac1=chance_corrected_of(counted, coefficient="ac1", **common),
        same=shares[0],
        within_one=shares[1],
        symmetry=symmetry_of(counted, **common),
        grades=found,
    )


def accuracy(found: Grades, limit: float, *, profile_name: str) -> Accuracy:
    """Accuracy of the second read for stenoses of ``limit`` per cent or more in the first."""
    reference, test = found.positive(0, limit), found.positive(1, limit)
    known = ~(np.isnan(reference) | np.isnan(test))
    diseased, positive = reference[known] == 1, test[known] == 1
    cells: dict[str, Any] = {
        "tp": int((diseased & positive).sum()),
        "fp": int((~diseased & positive).sum()),
        "fn": int((diseased & ~positive).sum()),
        "tn": int((~diseased & ~positive).sum()),
    }
    missing = int((~known).sum())
    patient = found.patient[known]
    common: dict[str, Any] = {
        "unit": found.level,
        "clusters": len(np.unique(patient)) if found.level == "territory" else None,
        "dropped": (Dropped(missing, "a grade is missing or non-diagnostic"),) if missing else (),
        "question": f"{found.names[1]} ≥ {limit:g} % for {found.names[0]} ≥ {limit:g} %",
        "simulated": found.simulated,
    }
    table = two_by_two_of(**cells, profile=profile_name, **common)
    lost = np.isnan(test) & ~np.isnan(reference)
    three_ways = None
    if lost.any():
        three_ways = accuracy_with_uninterpretable(
            **cells, diseased=int((reference[lost] == 1).sum()), healthy=int((reference[lost] == 0).sum())
        )
    clustered = predictive = None
    if found.level == "territory":
        kept: dict[str, Any] = {"unit": found.level, "simulated": found.simulated}
        clustered = clustered_accuracy_of(positive, diseased, clusters=patient, missing=missing, **kept)
        predictive = (
            clustered_proportion(
                "Positive predictive value", diseased[positive], clusters=patient[positive], **kept
            ),
            clustered_proportion(
                "Negative predictive value", ~diseased[~positive], clusters=patient[~positive], **kept
            ),
        )
    return Accuracy(
        limit=limit,
        level=found.level,
        table=table,
        published=two_by_two_of(**cells, profile="lin2022", **common),
        clustered=clustered,
        predictive=predictive,
        three_ways=three_ways,
        roc=_roc(found, reference),
        at_prevalences=predictive_values(table, PREVALENCES)
        if cells["tp"] + cells["fn"] and cells["fp"] + cells["tn"]
        else None,
    )


def _roc(found: Grades, reference: Array) -> Roc | ClusteredRoc:
    score = np.where(np.isnan(found.stenosis[:, 1]), found.second, found.stenosis[:, 1])
    if np.isnan(found.stenosis[:, 1]).all():
        score = found.second
    if found.level == "patient":
        return roc_of(
            score,
            reference,
            marker=found.names[1],
            outcome=found.names[0],
            unit="patient",
            simulated=found.simulated,
        )
    return clustered_roc_of(
        score, reference, clusters=found.patient, unit=found.level, simulated=found.simulated
    )


def answer(
    freeze: Freeze,
    parameters: CadradsParameters,
    *,
    replicates: int = 0,
    link: str = "?",
    steps: Steps | None = None,
) -> Answer:
    """Answer the question; ``link`` stands before the selection in every link.

    Nothing here is resampled; ``replicates`` is taken so that every question is asked alike.
    """
    steps = steps or Steps(len(LEVELS))
    p, chosen = parameters, profile(parameters.profile)
    figures: list[Figure] = []
    grids: list[Grid] = []
    results: dict[str, Any] = {}
    found_by_level: dict[str, CategoryAgreement] = {}
    accuracies: list[Accuracy] = []
    for level in LEVELS:
        found = grades(freeze, p, level)
        if not len(found.rows):
            continue
        agreed = steps.run(f"categories {level}", partial(category_agreement, found))
        found_by_level[level] = agreed
        results[level] = agreed
        quoted = next(k for k in agreed.kappas if k.weights == chosen.kappa_weights)
        cells = [
            [f"{link}level={level}&first={i}&second={j}" for j in CADRADS_CATEGORIES]
            for i in CADRADS_CATEGORIES
        ]
        figures.append(
            Figure(f"matrix_{level}", f"CAD-RADS per {level}", quoted.drawing(links=cells), quoted.caption())
        )
        for limit in LIMITS:
            one = accuracy(found, limit, profile_name=chosen.accuracy)
            accuracies.append(one)
            results[f"accuracy_{level}_{limit:g}"] = one
            figures.append(
                Figure(
                    f"accuracy_{level}_{limit:g}",
                    one.table.question + f", per {level}",
                    one.table.drawing(),
                    one.table.caption(),
                )
            )
            if isinstance(one.roc, Roc):
                template = f"{link}level={level}&limit={limit:g}&from={{threshold}}"
                figures.append(
                    Figure(
                        f"roc_{level}_{limit:g}",
                        f"ROC for {found.names[0]} ≥ {limit:g} %, per {level}",
                        one.roc.drawing(link_template=template),
                        one.roc.caption(),
                    )
                )
    if found_by_level:
        grids = [
            kappa_grid(found_by_level, quoted=chosen.kappa_weights),
            *(confusion_grid(level, a.kappas[0], link=link) for level, a in found_by_level.items()),
            accuracy_grid(accuracies, clustered=chosen.clustered, link=link),
        ]
    notes = _notes(freeze, p, found_by_level)
    return Answer(
        question="cadrads",
        title=f"CAD-RADS: {PAIRS[p.pair].words}",
        parameters=query_of(p),
        freeze=freeze.hash,
        simulated=freeze.simulated,
        figures=tuple(figures),
        grids=tuple(grids),
        results=results,
        notes=notes,
    )


def _notes(freeze: Freeze, p: CadradsParameters, found: Mapping[str, CategoryAgreement]) -> tuple[str, ...]:
    notes = []
    if not found:
        notes.append("Nothing is compared: the freeze has no such grades after these filters.")
    if not PAIRS[p.pair].independent:
        notes.append("The expert saw the network's result: shown apart, and pooled with nothing.")
    for level, agreed in found.items():
        lost = int(agreed.grades.nondiagnostic.any(axis=1).sum())
        if lost:
            plural = "territories" if level == "territory" else "patients"
            notes.append(
                f"{lost:,} {plural} non-diagnostic in a read: in no category, shown three ways for accuracy."
            )
    if words := p.filters.words():
        notes.append(f"Only {words}.")
    rule = freeze.about.charter.get("cadrads")
    if rule:
        notes.append(f"CAD-RADS profile {rule}.")
    return tuple(notes)


def cases(freeze: Freeze, parameters: CadradsParameters, selection: Mapping[str, str]) -> pd.DataFrame:
    """The rows behind a cell of a matrix (``first``, ``second``), of a 2×2 table (``cell``, ``limit``), or a point (``from``)."""
    level = selection.get("level", "territory")
    found = grades(freeze, parameters, level)
    keep = np.ones(len(found.rows), bool)
    for name, graded in (("first", found.first), ("second", found.second)):
        if name in selection:
            keep &= graded == float(selection[name])
    if "cell" in selection:
        limit = float(selection.get("limit", "50"))
        if limit not in CATEGORY_OF_LIMIT:
            raise AnalyticsError(
                f"There is no accuracy at {limit:g} %; there is at {', '.join(f'{v:g}' for v in LIMITS)} %."
            )
        reference, test = found.positive(0, limit), found.positive(1, limit)
        wanted = {"tp": (1, 1), "fp": (0, 1), "fn": (1, 0), "tn": (0, 0)}
        if selection["cell"] not in wanted:
            raise AnalyticsError(f"There is no cell {selection['cell']!r}; there are {', '.join(wanted)}.")
        of, by = wanted[selection["cell"]]
        keep &= (reference == of) & (test == by)
    if "from" in selection:
        keep &= found.stenosis[:, 1] >= float(selection["from"])
    values = {
        "cadrads_first": found.first[keep],
        "cadrads_second": found.second[keep],
        "diameter_stenosis_first": found.stenosis[keep, 0],
        "diameter_stenosis_second": found.stenosis[keep, 1],
    }
    return case_rows(freeze, found.table, found.rows[keep], values)
