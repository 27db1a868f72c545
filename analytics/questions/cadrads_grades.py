"""Grades of both reads for the CAD-RADS question: categories, stenoses, their agreement, and accuracy at a threshold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
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
from analytics.questions.filters import NO_FILTERS, Filters, patient_index
from analytics.questions.paired import chosen_rows, default_extents, pair_table
from analytics.result import Dropped

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEVELS = ("territory", "patient")
UNGRADED = "a grade is missing or non-diagnostic"
LIMITS = (50.0, 70.0)  # diameter stenosis in per cent: moderate and severe of CAD-RADS
CATEGORY_OF_LIMIT = {50.0: 3, 70.0: 4}  # CAD-RADS category that begins there
PREVALENCES = (0.05, 0.10, 0.20, 0.30, 0.40, 0.50)  # from screening to referral for angiography


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
    counted = replace(counted, dropped=tuple(replace(d, reason=UNGRADED) for d in counted.dropped))
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
        "dropped": (Dropped(missing, UNGRADED),) if missing else (),
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
