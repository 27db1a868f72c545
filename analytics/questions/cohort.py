"""Who is in the study: flow from sites over cohorts to their purpose, exclusions, baseline characteristics, scanners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.cohort import Description, describe, share, standardised_difference
from analytics.figures.cohort import Flow, patient_flow
from analytics.freeze import Freeze
from analytics.freeze.schema import PURPOSES
from analytics.questions import filters as shared
from analytics.questions.answer import Answer, Cell, Figure, Grid, count_cell, text_cell
from analytics.questions.filters import NO_FILTERS, Filters, patient_index, query_of
from analytics.questions.outcome_data import YES_NO, in_words
from analytics.questions.steps import Steps
from analytics.rounding import half_up

PURPOSE_LABELS = {
    "training": "Training",
    "internal_validation": "Internal validation",
    "test": "Test",
    "external_validation": "External validation (test)",
    "prognostic": "Prognostic",
}
COLUMNS = {"purpose": "Purpose", "cohort": "Cohort", "site": "Site"}


@dataclass(frozen=True)
class CohortParameters:
    """What the cohort page shows; ``by``: the columns of the baseline table."""

    by: str = "purpose"
    filters: Filters = NO_FILTERS


def choices(freeze: Freeze, parameters: CohortParameters) -> dict[str, tuple[tuple[str, str], ...]]:
    """What each parameter may be in this freeze: name → (value, label)."""
    return shared.choices(freeze) | {"by": tuple(COLUMNS.items())}


def answer(
    freeze: Freeze,
    parameters: CohortParameters,
    *,
    replicates: int = 0,
    link: str = "?",
    steps: Steps | None = None,
) -> Answer:
    """Answer the question; ``link`` stands before the selection in every link.

    Nothing here is resampled; ``replicates`` is taken so that every question is asked alike.
    """
    steps = steps or Steps(4)
    people = freeze.table("patients")
    included = parameters.filters.patients(freeze)
    everyone = _everyone(freeze, parameters)
    flow = steps.run("flow", lambda: _flow(freeze, people, everyone, link))
    grids = (
        steps.run("counts", lambda: _counts(people, everyone, link)),
        steps.run(f"baseline {parameters.by}", lambda: _baseline(freeze, people, included, parameters.by)),
        _exclusions(people, everyone, link),
        steps.run("scanners", lambda: _scanners(people, included, link)),
    )
    total, out = int(everyone.sum()), int((everyone & people["excluded"].to_numpy(bool)).sum())
    notes = [f"{total:,} patients, {out:,} excluded."]
    if words := parameters.filters.words():
        notes.append(f"Only {words}.")
    prefix = "Simulated data. " if freeze.simulated else ""
    sites = people["site"].to_numpy()[everyone]
    caption = f"{prefix}{len(set(sites))} sites, {total:,} patients; bands are as wide as their number of patients; excluded patients leave, in red, with their reason."
    return Answer(
        question="cohort",
        title="Cohort",
        parameters=query_of(parameters),
        freeze=freeze.hash,
        simulated=freeze.simulated,
        figures=(Figure("flow", "Sites, cohorts, purposes", flow, caption),),
        grids=grids,
        results={"patients": total, "excluded": out, "sites": len(set(sites))},
        notes=tuple(notes),
    )


def _everyone(freeze: Freeze, parameters: CohortParameters) -> NDArray[np.bool_]:
    """Patients of the chosen site, cohort and vendor, the excluded ones among them."""
    people, f = freeze.table("patients"), parameters.filters
    keep = np.ones(len(people), bool)
    for name in ("site", "cohort", "purpose", "vendor"):
        if getattr(f, name):
            keep &= (people[name] == getattr(f, name)).to_numpy(bool)
    if f.quality or f.stratum:
        keep &= f.patients(freeze)
    return keep


def _flow(freeze: Freeze, people: pd.DataFrame, keep: NDArray[np.bool_], link: str) -> Any:
    table = people[keep]
    site, cohort, purpose = (table[c].astype(str).to_numpy() for c in ("site", "cohort", "purpose"))
    out = table["excluded"].to_numpy(bool)
    reason = (
        table["exclusion_reason"]
        .astype(object)
        .where(table["exclusion_reason"].notna(), "no reason given")
        .to_numpy()
    )
    flows: list[Flow] = []
    pairs = pd.DataFrame({"site": site, "cohort": cohort}).value_counts(sort=False)
    for boxes, n in pairs.items():
        s, c = _fields(boxes)
        flows.append(Flow(f"site {s}", f"cohort {c}", int(n), f"{link}site={quote(s)}&cohort={quote(c)}"))
    for c in dict.fromkeys(cohort.tolist()):
        inside = cohort == c
        for r in dict.fromkeys(reason[inside & out].tolist()):
            n = int((inside & out & (reason == r)).sum())
            flows.append(
                Flow(f"cohort {c}", f"excluded: {r}", n, f"{link}cohort={quote(c)}&reason={quote(r)}", True)
            )
        for p in dict.fromkeys(purpose[inside & ~out].tolist()):
            n = int((inside & ~out & (purpose == p)).sum())
            flows.append(Flow(f"cohort {c}", f"purpose {p}", n, f"{link}cohort={quote(c)}&excluded=0"))
    labels, links = {}, {}
    columns: list[list[str]] = [[], [], []]
    for f in flows:
        for box in (f.source, f.target):
            if box in labels:
                continue
            kind, _, name = box.partition(" ")
            labels[box] = PURPOSE_LABELS.get(name, name) if kind == "purpose" else name
            links[box] = (
                f"{link}reason={quote(name)}" if kind == "excluded:" else f"{link}{kind}={quote(name)}"
            )
            if kind == "purpose":
                links[box] += "&excluded=0"
            columns[{"site": 0, "cohort": 1}.get(kind, 2)].append(box)
    columns[0].sort()
    columns[1].sort(key=lambda box: (_rank(table, box.removeprefix("cohort ")), box))
    order = [f"purpose {name}" for name in PURPOSES]
    columns[2].sort(key=lambda box: (order.index(box) if box in order else len(order), box))
    return patient_flow(flows, columns=columns, labels=labels, box_links=links, simulated=freeze.simulated)


def _counts(people: pd.DataFrame, keep: NDArray[np.bool_], link: str) -> Grid:
    table = people[keep]
    rows: list[tuple[Cell, ...]] = []
    for cohort in sorted(table["cohort"].astype(str).unique(), key=lambda c: (_rank(table, c), c)):
        part = table[table["cohort"] == cohort]
        inside = part[~part["excluded"].to_numpy(bool)]
        lesions = inside["lesions"].dropna()
        target = f"{link}cohort={quote(cohort)}"
        rows.append(
            (
                text_cell(cohort, link=target),
                text_cell(PURPOSE_LABELS[str(part["purpose"].iloc[0])]),
                text_cell(", ".join(sorted(part["site"].astype(str).unique()))),
                count_cell(len(inside), link=f"{target}&excluded=0"),
                count_cell(int(lesions.sum())) if len(lesions) else Cell("–"),
                count_cell(int(part["excluded"].sum()), link=f"{target}&excluded=1"),
            )
        )
    headings = ("Cohort", "Purpose", "Sites", "Patients", "Lesions", "Excluded")
    return Grid(
        "counts",
        "Cohorts",
        headings,
        tuple(rows),
        "Patients and lesions in the analysis; lesions of the reference read.",
    )


def _rank(table: pd.DataFrame, cohort: str) -> int:
    purpose = str(table.loc[table["cohort"] == cohort, "purpose"].iloc[0])
    return PURPOSES.index(purpose)


def _baseline(freeze: Freeze, people: pd.DataFrame, keep: NDArray[np.bool_], by: str) -> Grid:
    groups = people[by].astype(str).to_numpy()
    names = [
        g
        for g in (PURPOSES if by == "purpose" else sorted(set(groups[keep].tolist())))
        if (keep & (groups == g)).any()
    ]
    members = [keep & (groups == g) for g in names]
    rows: list[tuple[Cell, ...]] = [
        (text_cell("Patients"), *[count_cell(int(m.sum())) for m in members], Cell("–"), Cell("–"))
    ]

    def numeric(label: str, values: NDArray[np.float64], digits: int) -> None:
        found = [describe(values[m]) for m in members]
        if not any(d.n for d in found):
            return
        difference = (
            standardised_difference(values[members[0]], values[members[-1]]) if len(members) > 1 else None
        )
        rows.append(
            (
                text_cell(label),
                *[_described(d, digits) for d in found],
                _difference(difference),
                _missing(found),
            )
        )

    def yes_no(label: str, values: NDArray[np.float64]) -> None:
        known = [values[m][~np.isnan(values[m])] for m in members]
        if not any(len(k) for k in known):
            return
        difference = standardised_difference(known[0], known[-1]) if len(members) > 1 else None
        missing = sum(int(np.isnan(values[m]).sum()) for m in members)
        rows.append(
            (
                text_cell(label),
                *[text_cell(share(int(k.sum()), len(k))) for k in known],
                _difference(difference),
                count_cell(missing),
            )
        )

    numeric("Age (years)", people["age"].to_numpy(float), 1)
    sex = people["sex"]
    yes_no("Male sex", np.where(sex.isna(), np.nan, (sex == "male").to_numpy(float)))
    numeric("ASSIGN score (%)", people["assign_score"].to_numpy(float), 1)
    table = freeze.table("covariates")
    owner = patient_index(freeze, "covariates")
    for name in table["name"].cat.categories if len(table) else []:
        inside = (table["name"] == name).to_numpy(bool)
        values = np.full(len(people), np.nan)
        values[owner[inside]] = table["value"].to_numpy(float)[inside]
        unit = str(table["unit"].astype(object).to_numpy()[inside][0])
        label = in_words(str(name))
        if unit == YES_NO:
            yes_no(label, values)
        else:
            numeric(f"{label} ({unit})" if unit not in ("", "nan") else label, values, 1)
    numeric("Image quality (1–5)", people["image_quality"].to_numpy(float), 1)
    caption = (
        "Mean (SD), or median (quartiles, type 7) where skewed; n (%) for characteristics. Standardised difference: last group "
        "minus first over the mean SD; a baseline table tests nothing."
    )
    labels = [PURPOSE_LABELS.get(n, n) for n in names]
    headings = ("Characteristic", *labels, "Standardised difference", "Missing")
    return Grid("baseline", "Characteristics", headings, tuple(rows), caption)


def _described(d: Description, digits: int) -> Cell:
    return Cell(d.printed(digits), d.mean)


def _difference(value: float | None) -> Cell:
    return Cell("–") if value is None else Cell(half_up(value, 2), value)


def _missing(found: list[Description]) -> Cell:
    return count_cell(sum(d.missing for d in found))


def _exclusions(people: pd.DataFrame, keep: NDArray[np.bool_], link: str) -> Grid:
    out = people[keep & people["excluded"].to_numpy(bool)]
    counts = (
        out["exclusion_reason"]
        .astype(object)
        .where(out["exclusion_reason"].notna(), "no reason given")
        .value_counts()
    )
    rows = tuple(
        (
            text_cell(str(reason)),
            count_cell(int(n), link=f"{link}reason={quote(str(reason))}"),
            text_cell(share(int(n), int(keep.sum()))),
        )
        for reason, n in counts.items()
    )
    return Grid(
        "exclusions",
        "Exclusions",
        ("Reason", "Patients", "Of all"),
        rows,
        "Every patient who came is counted.",
    )


def _scanners(people: pd.DataFrame, keep: NDArray[np.bool_], link: str) -> Grid:
    table = people[keep]
    columns = ["site", *SCANNER_COLUMNS]
    known = table[columns].astype({"site": str, "vendor": object, "scanner": object, "kernel": object})
    counts = known.groupby(columns, dropna=False, sort=True).size()
    rows: list[tuple[Cell, ...]] = []
    for values, n in counts.items():
        site, vendor, scanner, voltage, kernel, slices = _fields(values)
        named = zip(columns, _fields(values), strict=True)
        behind = {c: "" if v != v or v is None else str(v) for c, v in named} | {"excluded": "0"}
        rows.append(
            (
                text_cell(site, link=f"{link}site={quote(site)}"),
                *(text_cell("–" if v != v or v is None else str(v)) for v in (vendor, scanner)),
                Cell("–") if voltage != voltage else Cell(f"{voltage:g}", float(voltage)),
                text_cell("–" if kernel != kernel or kernel is None else str(kernel)),
                Cell("–") if slices != slices else Cell(f"{slices:g}", float(slices)),
                count_cell(int(n), link=f"{link}{urlencode(behind)}"),
            )
        )
    headings = (
        "Site",
        "Vendor",
        "Scanner",
        "Tube voltage (kV)",
        "Kernel",
        "Slice thickness (mm)",
        "Patients",
    )
    return Grid(
        "scanners",
        "Scanners",
        headings,
        tuple(rows),
        "Patients in the analysis by site and scanner settings.",
    )


def _fields(values: Any) -> tuple[Any, ...]:
    return tuple(values)


SCANNER_COLUMNS = ("vendor", "scanner", "tube_voltage", "kernel", "slice_thickness")


def cases(freeze: Freeze, parameters: CohortParameters, selection: Mapping[str, str]) -> pd.DataFrame:
    """The patients behind a band or a box: ``site``, ``cohort``, ``purpose``, ``excluded`` (0, 1), ``reason``."""
    people = freeze.table("patients")
    keep = _everyone(freeze, parameters)
    for name in ("site", "cohort", "purpose"):
        if name in selection:
            keep &= (people[name] == selection[name]).to_numpy(bool)
    for name in SCANNER_COLUMNS:
        if name in selection:
            texts = people[name].astype(object).where(people[name].notna(), "").astype(str)
            keep &= (texts == selection[name]).to_numpy(bool)
    out = people["excluded"].to_numpy(bool)
    if "excluded" in selection:
        keep &= out == (selection["excluded"] == "1")
    if "reason" in selection:
        reason = (
            people["exclusion_reason"]
            .astype(object)
            .where(people["exclusion_reason"].notna(), "no reason given")
        )
        keep &= out & (reason == selection["reason"]).to_numpy(bool)
    rows = np.flatnonzero(keep)
    shown = [
        "patient",
        "exam",
        "site",
        "cohort",
        "purpose",
        "state",
        "excluded",
        "exclusion_reason",
        "image_quality",
        "vendor",
        "scanner",
    ]
    return people.iloc[rows][shown].astype({"patient": str}).assign(row=rows).reset_index(drop=True)
