"""How well readers agree with each other and with themselves, how often they are overruled, how long they take, how they learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.errors import AnalyticsError
from analytics.freeze import Freeze
from analytics.metrics import METRICS, TABLE_METRICS
from analytics.profiles import PROFILES
from analytics.questions import agreement
from analytics.questions import filters as shared
from analytics.questions.answer import Answer, Part, joined
from analytics.questions.filters import patient_index, query_of
from analytics.questions.paired import metrics_of
from analytics.questions.readers_sections import (
    PAIRS_SHOWN,
    Asked,
    ReadersParameters,
    mrmc_part,
    reproducibility_part,
)
from analytics.questions.readers_work import assisted_part, disagreement_part, learning_part, timing_part
from analytics.questions.steps import Steps


def choices(freeze: Freeze, parameters: ReadersParameters) -> dict[str, tuple[tuple[str, str], ...]]:
    """What each parameter may be in this freeze: name → (value, label)."""
    there: dict[str, str] = {}
    for pair in PAIRS_SHOWN:
        there |= {m: METRICS[m].label for m in metrics_of(freeze, pair, parameters.level)}
    own = {
        "metric": tuple(there.items()),
        "level": (("lesion", "Lesion"), ("territory", "Territory"), ("patient", "Patient")),
        "section": tuple((name, label) for name, (label, _) in SECTIONS.items()),
        "profile": tuple((p.name, p.label) for p in PROFILES.values()),
    }
    return shared.choices(freeze) | own


SECTIONS: dict[str, tuple[str, Callable[[Asked], Part]]] = {
    "reproducibility": ("Inter- and intra-reader agreement, centrelines", reproducibility_part),
    "disagreement": ("Disagreement and adjudication", disagreement_part),
    "timing": ("Time per case", timing_part),
    "learning": ("Learning", learning_part),
    "assisted": ("Assisted reads", assisted_part),
    "mrmc": ("Multi-reader multi-case", mrmc_part),
}


SECTIONS_OF_READS = ("timing", "learning", "assisted")
"""Sections about single reads: their cases are reads, not cases that were read twice."""


def answer(
    freeze: Freeze,
    parameters: ReadersParameters,
    *,
    replicates: int = 0,
    link: str = "?",
    steps: Steps | None = None,
) -> Answer:
    """Answer the question. Parameters as in :func:`analytics.questions.agreement.answer`."""
    p = parameters
    if p.section and p.section not in SECTIONS:
        raise AnalyticsError(f"There is no section {p.section!r}; there are {', '.join(SECTIONS)}.")
    steps = steps or Steps()
    asked = Asked(freeze, p, replicates, link, steps)
    wanted = [p.section] if p.section else list(SECTIONS)
    steps.total = len(wanted) + (3 * (len(TABLE_METRICS) + 1) if "reproducibility" in wanted else 0)
    parts = [steps.run(f"readers {name} {replicates}", partial(SECTIONS[name][1], asked)) for name in wanted]
    whole = joined(parts)
    missing = [
        f"{SECTIONS[name][0]}: this freeze has no such reads."
        for name, part in zip(wanted, parts, strict=True)
        if not part.grids and not part.figures
    ]
    if words := p.filters.words():
        missing.append(f"Only {words}.")
    return Answer(
        question="readers",
        title="Readers",
        parameters=query_of(p),
        freeze=freeze.hash,
        simulated=freeze.simulated,
        figures=whole.figures,
        grids=whole.grids,
        results=whole.results,
        notes=tuple(missing),
    )


def cases(freeze: Freeze, parameters: ReadersParameters, selection: Mapping[str, str]) -> pd.DataFrame:
    """The rows behind a reader (``reader``, ``reason``), a read (``read``), a bar (``changed_from``) or a pair (``pair``, ``metric``)."""
    p = parameters
    if "pair" in selection:
        inner = agreement.AgreementParameters(
            pair=selection["pair"], metric=selection.get("metric", p.metric), level=p.level, filters=p.filters
        )
        return agreement.cases(freeze, inner, {})
    if "modality" in selection:
        rows = np.flatnonzero(p.filters.rows(freeze, "ratings"))
        chosen = (freeze.table("ratings")["modality"] == selection["modality"]).to_numpy(bool)[rows]
        return _with_people(freeze, "ratings", rows[chosen], ("territory", "reader", "score", "diseased"))
    of_reads = {"read", "changed_from", "kind_reader", "patient"} & set(selection)
    if of_reads or (p.section in SECTIONS_OF_READS and not selection):
        return _read_cases(freeze, p, selection)
    rows = np.flatnonzero(p.filters.rows(freeze, "disagreement"))
    table = freeze.table("disagreement").iloc[rows]
    keep = np.ones(len(table), bool)
    if "reader" in selection:
        first, second = ((table[c] == selection["reader"]).to_numpy(bool) for c in ("reader_1", "reader_2"))
        keep &= first | second
        if selection.get("overruled"):
            chosen = table["chosen"].to_numpy(float)
            decided = ~np.isnan(chosen)
            keep &= decided & ((first & (chosen != 1)) | (second & (chosen != 2)))
    if selection.get("discordant"):
        keep &= table["discordant"].to_numpy(bool)
    if "reason" in selection:
        keep &= (table["reason"] == selection["reason"]).to_numpy(bool) & table["discordant"].to_numpy(bool)
    return _with_people(
        freeze,
        "disagreement",
        rows[keep],
        ("reader_1", "reader_2", "discordant", "reason", "adjudicated", "chosen"),
    )


def _read_cases(freeze: Freeze, p: ReadersParameters, selection: Mapping[str, str]) -> pd.DataFrame:
    table = freeze.table("reads")
    keep = p.filters.rows(freeze, "reads")
    if not selection:
        assisted = (table["kind"] == "assisted").to_numpy(bool)
        keep = keep & (
            assisted if p.section == "assisted" else table["minutes"].notna().to_numpy() & ~assisted
        )
    if "read" in selection:
        keep = keep & (np.arange(len(table)) == int(selection["read"]))
    if "patient" in selection:
        keep = keep & (patient_index(freeze, "reads") == int(selection["patient"]))
    if "kind_reader" in selection:
        keep = (
            keep
            & (table["reader"] == selection["kind_reader"]).to_numpy(bool)
            & table["minutes"].notna().to_numpy()
        )
    if "changed_from" in selection:
        share = table["share_changed"].to_numpy(float)
        upper = float(selection.get("changed_to", "inf"))
        keep = (
            keep
            & (share >= float(selection["changed_from"]))
            & (share <= upper)
            & (table["kind"] == "assisted").to_numpy(bool)
        )
    first = "share_changed" if p.section == "assisted" or "changed_from" in selection else "kind"
    columns = ("reader", first, "minutes", "kind", "share_changed", "order", "read")
    return _with_people(freeze, "reads", np.flatnonzero(keep), tuple(dict.fromkeys(columns)))


def _with_people(
    freeze: Freeze, name: str, rows: NDArray[np.int64], columns: tuple[str, ...]
) -> pd.DataFrame:
    table = freeze.table(name).iloc[rows]
    people = freeze.table("patients").iloc[patient_index(freeze, name)[rows]]
    found = {"row": rows, "patient": people["patient"].astype(str).to_numpy()}
    found |= {c: people[c].to_numpy() for c in ("exam", "site", "cohort")}
    return pd.DataFrame(found | {c: table[c].to_numpy() for c in columns})
