"""How two reads agree on CAD-RADS, and how well one finds stenoses of 50 and 70 % of the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analytics.accuracy.roc import Roc
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.freeze import PAIRS, Freeze
from analytics.metrics import CADRADS_CATEGORIES
from analytics.profiles import PROFILES, profile
from analytics.questions import filters as shared
from analytics.questions.answer import Answer, Figure, Grid
from analytics.questions.cadrads_grades import (
    CATEGORY_OF_LIMIT,
    LEVELS,
    LIMITS,
    Accuracy,
    CadradsParameters,
    CategoryAgreement,
    accuracy,
    category_agreement,
    grades,
)
from analytics.questions.cadrads_grids import (
    accuracy_grid,
    confusion_grid,
    kappa_grid,
    prevalence_grid,
    three_ways_grid,
)
from analytics.questions.filters import query_of
from analytics.questions.paired import case_rows, pairs_of
from analytics.questions.steps import Steps

KINDS = ("matrix", "accuracy", "roc")
CELL_OF_MEASURE = {
    "Sensitivity": "tp",
    "Specificity": "tn",
    "Positive predictive value": "tp",
    "Negative predictive value": "tn",
    "Accuracy": "agree",
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
            Figure(f"matrix_{level}", f"CAD-RADS per {level}", draw(quoted, links=cells), quoted.caption())
        )
        for limit in LIMITS:
            one = accuracy(found, limit, profile_name=chosen.accuracy)
            accuracies.append(one)
            where = f"{link}level={level}&limit={limit:g}&cell="
            results[f"accuracy_{level}_{limit:g}"] = one
            figures.append(
                Figure(
                    f"accuracy_{level}_{limit:g}",
                    f"Accuracy at ≥ {limit:g} %, per {level}: {found.names[1]} for {found.names[0]}",
                    draw(one.table).lead({name: where + cell for name, cell in CELL_OF_MEASURE.items()}),
                    one.table.caption(),
                )
            )
            if isinstance(one.roc, Roc):
                template = f"{link}level={level}&limit={limit:g}&from={{threshold}}"
                figures.append(
                    Figure(
                        f"roc_{level}_{limit:g}",
                        f"ROC for {found.names[0]} ≥ {limit:g} %, per {level}",
                        draw(one.roc, link_template=template),
                        one.roc.caption(),
                    )
                )
    if found_by_level:
        grids = [
            kappa_grid(found_by_level, quoted=chosen.kappa_weights),
            *(confusion_grid(level, a.kappas[0], link=link) for level, a in found_by_level.items()),
            accuracy_grid(accuracies, clustered=chosen.clustered, link=link),
            *three_ways_grid(accuracies),
            *prevalence_grid(accuracies),
        ]
    notes = _notes(freeze, p, found_by_level)
    return Answer(
        question="cadrads",
        title=f"CAD-RADS: {PAIRS[p.pair].words}",
        parameters=query_of(p),
        freeze=freeze.hash,
        simulated=freeze.simulated,
        # Both levels side by side: the matrices, then accuracies, then curves.
        figures=tuple(sorted(figures, key=lambda f: KINDS.index(f.name.partition("_")[0]))),
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
        wanted = {
            "tp": ((1, 1),),
            "fp": ((0, 1),),
            "fn": ((1, 0),),
            "tn": ((0, 0),),
            "agree": ((1, 1), (0, 0)),
        }
        if selection["cell"] not in wanted:
            raise AnalyticsError(f"There is no cell {selection['cell']!r}; there are {', '.join(wanted)}.")
        keep &= np.any([(reference == of) & (test == by) for of, by in wanted[selection["cell"]]], axis=0)
    if "from" in selection:
        keep &= found.stenosis[:, 1] >= float(selection["from"])
    values = {
        "cadrads_first": found.first[keep],
        "cadrads_second": found.second[keep],
        "diameter_stenosis_first": found.stenosis[keep, 0],
        "diameter_stenosis_second": found.stenosis[keep, 1],
    }
    return case_rows(freeze, found.table, found.rows[keep], values)
