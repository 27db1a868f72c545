"""Sections of the readers question about agreement: reproducibility, interchangeability, multi-reader multi-case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.accuracy.mrmc import mrmc_of
from analytics.agreement.equivalence import interchangeability_of
from analytics.agreement.repeatability import repeatability_of
from analytics.figures import draw
from analytics.freeze import PAIRS, Freeze
from analytics.metrics import METRICS, TABLE_METRICS
from analytics.profiles import profile
from analytics.questions.agreement_grids import HEADINGS, agreement_cells, three
from analytics.questions.answer import (
    Cell,
    Figure,
    Grid,
    Part,
    count_cell,
    estimate_cell,
    interval_cell,
    number_cell,
    text_cell,
)
from analytics.questions.filters import NO_FILTERS, Filters
from analytics.questions.paired import metrics_of, paired, pairs_of
from analytics.questions.steps import Steps
from analytics.rounding import p_value
from analytics.tables import on_table

PAIRS_SHOWN = ("expert_expert", "repeat", "centreline")


@dataclass(frozen=True)
class ReadersParameters:
    """What the readers page shows; ``section`` empty for all, ``threshold`` of the multi-reader sensitivity (%)."""

    metric: str = "total_plaque_volume"
    level: str = "lesion"
    section: str = ""
    threshold: float = 50.0
    profile: str = "recommended"
    filters: Filters = NO_FILTERS


@dataclass(frozen=True)
class Asked:
    """Data and choices that the sections share."""

    freeze: Freeze
    p: ReadersParameters
    replicates: int
    link: str
    steps: Steps

    def rows(self, name: str) -> NDArray[np.int64]:
        """Rows of a table after the filters."""
        return np.flatnonzero(self.p.filters.rows(self.freeze, name))


# --- reproducibility -----------------------------------------------------------------------------------------------


def reproducibility_part(a: Asked) -> Part:
    """Every metric between experts, within an expert, and over two operators' centrelines."""
    grids: list[Grid] = []
    results: dict[str, Any] = {}
    form = profile(a.p.profile).icc_form
    for pair in PAIRS_SHOWN:
        if pair not in pairs_of(a.freeze, a.p.level):
            continue
        there = metrics_of(a.freeze, pair, a.p.level)
        rows: list[tuple[Cell, ...]] = []
        for name in [m for m in (*TABLE_METRICS, "minimal_luminal_area") if m in there]:
            data = paired(a.freeze, pair=pair, metric_name=name, level=a.p.level, filters=a.p.filters)
            icc, rho, ba = three(data, form=form, replicates=a.replicates, steps=a.steps)
            again = repeatability_of(
                data.ratings,
                clusters=data.patient,
                value_unit=data.metric.unit,
                unit=data.level,
                replicates=a.replicates,
                seed=data.seed,
                simulated=data.simulated,
            )
            results[f"{pair} {name}"] = {"icc": icc, "bland_altman": ba, "repeatability": again}
            cells = agreement_cells(
                icc, rho, ba, data.metric.digits, link=f"{a.link}pair={pair}&metric={name}"
            )
            extra = (
                number_cell(again.coefficient, data.metric.digits, title=again.reason or ""),
                Cell("–") if again.cv_rms is None else number_cell(100 * again.cv_rms, 1),
            )
            rows.append((text_cell(METRICS[name].heading), *cells, *extra))
        headings = ("Metric", *HEADINGS, "Repeatability coefficient", "Within-subject CV (%)")
        caption = (
            f"{PAIRS[pair].label}, per {a.p.level}; ICC({form}). 95 % of two reads of one {a.p.level} differ by less than the "
            "repeatability coefficient; CV by root mean square."
        )
        grids.append(Grid(pair, PAIRS[pair].label, headings, tuple(rows), caption))
    exchange = _interchangeability(a)
    results |= exchange.results
    return Part(exchange.figures, (*grids, *exchange.grids), results)


def _interchangeability(a: Asked) -> Part:
    """Network beside both experts on the units that all three read."""
    name, level = a.p.metric, a.p.level
    if name not in metrics_of(a.freeze, "expert_expert", level) or name not in metrics_of(
        a.freeze, "network_expert", level
    ):
        return Part()
    experts = paired(a.freeze, pair="expert_expert", metric_name=name, level=level, filters=a.p.filters)
    network = paired(a.freeze, pair="network_expert", metric_name=name, level=level, filters=a.p.filters)
    keys = [
        k for k in ("patient", "vessel", "territory", "first_lesion") if k in a.freeze.table(experts.table)
    ]
    table = a.freeze.table(experts.table)
    sides = []
    for data in (experts, network):
        identity = table.iloc[data.rows][keys].astype({"patient": str}).reset_index(drop=True)
        sides.append(identity.assign(first=data.first, second=data.second, owner=data.patient))
    both = sides[0].merge(sides[1], on=keys, suffixes=("_expert", "_network"))
    if not len(both):
        return Part()
    both = both.sort_values("owner_expert", kind="stable")
    found = interchangeability_of(
        both["second_network"].to_numpy(float),
        both["first_expert"].to_numpy(float),
        both["second_expert"].to_numpy(float),
        clusters=both["owner_expert"].to_numpy().tolist(),
        unit=level,
        simulated=a.freeze.simulated,
    )
    rms = ("–", "–") if found.rms is None else tuple(f"{v:.1f}" for v in found.rms)
    row = (
        text_cell(METRICS[name].heading),
        count_cell(found.n),
        text_cell(rms[0]),
        text_cell(rms[1]),
        estimate_cell(found, 1),
        interval_cell(found.interval, 1),
    )
    caption = (
        "Individual equivalence index: mean square difference of network and expert less that of two experts; at or below 0 "
        "the network differs from an expert no more than another expert does."
    )
    headings = (
        "Metric",
        "n",
        "RMS difference, network and expert",
        "RMS difference, expert and expert",
        f"γ ({METRICS[name].unit})²" if METRICS[name].unit else "γ",
        "95 % CI",
    )
    grid = Grid("interchangeability", "Interchangeability with an expert", headings, (row,), caption)
    return Part((), (grid,), {"interchangeability": found})


# --- multi-reader multi-case ---------------------------------------------------------------------------------------


def mrmc_part(a: Asked) -> Part:
    """Readers with and without the network against the reference."""
    table = a.freeze.table("ratings")
    rows = a.rows("ratings")
    if not len(rows):
        return Part()
    chosen = table.iloc[rows]
    territory = chosen["territory"].astype(object).where(chosen["territory"].notna(), "")
    frame = pd.DataFrame(
        {
            "case": [f"{p}|{t}" for p, t in zip(chosen["patient"].astype(str), territory, strict=True)],
            "patient": chosen["patient"].astype(str).tolist(),
            "reader": chosen["reader"].astype(str).tolist(),
            "modality": chosen["modality"].astype(str).tolist(),
            "score": chosen["score"].to_numpy(float),
            "diseased": chosen["diseased"].to_numpy(float),
        }
    )
    common: dict[str, Any] = {
        "case": "case",
        "reader": "reader",
        "modality": "modality",
        "score": "score",
        "diseased": "diseased",
        "cluster": "patient",
        "unit": "territory",
        "simulated": a.freeze.simulated,
    }
    results, grid_rows, figures = {}, [], []
    for merit in ("auc", "sensitivity", "specificity"):
        found = on_table(
            mrmc_of, frame, merit=merit, threshold=None if merit == "auc" else a.p.threshold, **common
        )
        unit = "" if merit == "auc" else " %"
        results[f"mrmc {merit}"] = found
        for mean in found.modalities:
            grid_rows.append(
                (
                    text_cell(found.merit + unit),
                    text_cell(mean.modality),
                    estimate_cell(mean, 3),
                    interval_cell(mean.interval, 3),
                    Cell("–"),
                )
            )
        p = (
            text_cell(p_value(found.test.p))
            if found.test
            else Cell("–", None, "", found.reason or found.interval_reason or "")
        )
        grid_rows.append(
            (
                text_cell(found.merit + unit),
                text_cell("difference"),
                estimate_cell(found, 3),
                interval_cell(found.interval, 3),
                p,
            )
        )
        if merit == "auc":
            figures.append(
                Figure(
                    "mrmc",
                    "Readers with and without the network",
                    draw(found).lead(
                        {m.modality: f"{a.link}modality={quote(m.modality)}" for m in found.modalities}
                    ),
                    found.sentence(),
                )
            )
    caption = "Obuchowski–Rockette, random readers and cases, patients as clusters (jackknife), Hillis's degrees of freedom."
    grid = Grid(
        "mrmc",
        "Multi-reader multi-case",
        ("Merit", "Modality", "Value", "95 % CI", "p"),
        tuple(grid_rows),
        caption,
    )
    return Part(tuple(figures), (grid,), results)
