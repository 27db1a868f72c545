"""Sections of the readers question about the work: disagreement and adjudication, time, learning, assisted reads."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from analytics.cohort import Description, describe
from analytics.figures import draw
from analytics.figures.drawing import Drawing
from analytics.figures.style import ACCENT
from analytics.monitoring.disagreement import reader_disagreement
from analytics.monitoring.learning import learning_curve
from analytics.monitoring.timing import PairedTiming, paired_timing_of
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
from analytics.questions.filters import patient_index
from analytics.questions.readers_sections import Asked
from analytics.rounding import p_value, percent

Array = NDArray[np.float64]
DEVICES = {"seconds_gpu": "graphics processor", "seconds_cpu": "central processor"}


# --- disagreement --------------------------------------------------------------------------------------------------


def disagreement_part(a: Asked) -> Part:
    """Adjudication rate, what differed, and each reader's disagreement index."""
    rows = a.rows("disagreement")
    table = a.freeze.table("disagreement").iloc[rows]
    found = reader_disagreement(
        table["reader_1"].astype(str).tolist(),
        table["reader_2"].astype(str).tolist(),
        table["discordant"].to_numpy(bool),
        table["adjudicated"].to_numpy(bool),
        table["chosen"].to_numpy(float),
        simulated=a.freeze.simulated,
    )
    links = [f"{a.link}reader={quote(r.reader)}" for r in found.readers]
    grid_rows = tuple(
        (
            text_cell(r.reader, link=f"{target}"),
            count_cell(r.cases, link=target),
            count_cell(r.discordant, link=f"{target}&discordant=1"),
            count_cell(r.adjudicated),
            count_cell(r.overruled, link=f"{target}&overruled=1"),
            number_cell(100 * r.index, 1),
            interval_cell(r.interval, 1, scale=100),
            text_cell("stands out" if r.stands_out else ""),
        )
        for r, target in zip(found.readers, links, strict=True)
    )
    headings = ("Reader", "Cases", "Discordant", "Adjudicated", "Overruled", "RDI (%)", "95 % CI (exact)", "")
    caption = (
        "Reader Disagreement Index: decisions of the adjudicator against the reader, per 100 cases read. A reader at the mean "
        "plus one SD or above is marked: to be looked at, not judged."
    )
    grids = [Grid("disagreement", "Readers", headings, grid_rows, caption)]
    reasons = table.loc[table["discordant"].to_numpy(bool), "reason"].value_counts()
    reasons = reasons[reasons > 0]
    if len(reasons):
        cells = tuple(
            (
                text_cell(str(name)),
                count_cell(int(n), link=f"{a.link}reason={quote(str(name))}"),
                number_cell(100 * n / len(table), 1),
            )
            for name, n in reasons.items()
        )
        grids.append(
            Grid(
                "reasons",
                "What differed",
                ("Reason", "Cases", "%"),
                cells,
                "Per cent of all cases read twice.",
            )
        )
    figure = Figure("disagreement", "Reader Disagreement Index", draw(found, links=links), found.sentence())
    return Part((figure,), tuple(grids), {"disagreement": found})


# --- time ----------------------------------------------------------------------------------------------------------


def _times(a: Asked) -> tuple[Array, dict[str, Array]]:
    """Expert minutes and network minutes by device, one a row of the table of patients, NaN where not read."""
    table = a.freeze.table("reads")
    keep = a.p.filters.rows(a.freeze, "reads")
    owner = patient_index(a.freeze, "reads")
    n = len(a.freeze.table("patients"))

    def minutes(kind: str, column: str, scale: float) -> Array:
        rows = keep & (table["kind"] == kind).to_numpy(bool)
        values = np.full(n, np.nan)
        values[owner[rows]] = table[column].to_numpy(float)[rows] / scale
        return values

    network = {name: minutes("network", name, 60.0) for name in DEVICES}
    return minutes("expert", "minutes", 1.0), network


def timing_part(a: Asked) -> Part:
    """Time per case of experts and of the network by device, with the paired ratio."""
    expert, network = _times(a)
    figures: list[Figure] = []
    rows: list[tuple[Cell, ...]] = []
    results: dict[str, PairedTiming] = {}
    timed = ~np.isnan(expert)  # the network reads many more patients than experts were timed on
    summary = describe(expert[timed])
    rows.append(_time_row("expert", summary, None))
    for column, label in DEVICES.items():
        values = network[column]
        found = paired_timing_of(
            expert[timed],
            values[timed],
            names=("expert", f"network, {label}"),
            time_unit="min",
            unit="patient",
            simulated=a.freeze.simulated,
        )
        if found.estimate is None:
            if (~np.isnan(values)).any():  # the network's own time is known all the same
                rows.append(_time_row(f"network, {label}", describe(values[~np.isnan(values)]), None))
            continue
        both = np.flatnonzero(~np.isnan(expert) & ~np.isnan(values))
        links = [f"{a.link}patient={row}" for row in both.tolist()]
        results[f"timing {column}"] = found
        rows.append(_time_row(f"network, {label}", describe(values[timed]), found))
        figures.append(
            Figure(
                f"timing_{column}",
                f"Time per case: expert and network ({label})",
                draw(found, links=links),
                found.caption(),
            )
        )
    headings = ("", "Cases", "Mean (min)", "SD", "Median", "Quartiles", "Expert ÷ network", "95 % CI", "p")
    caption = (
        "Active time per case; ratio of geometric means over the same cases, paired t of the logarithms."
    )
    if not timed.any():
        caption += " No expert's time is known in these reads: reading time is measured while a reader works in the viewer."
    grid = Grid("timing", "Time per case", headings, tuple(rows), caption)
    return Part(tuple(figures), (grid,), dict(results))


def _time_row(name: str, d: Description, found: PairedTiming | None) -> tuple[Cell, ...]:
    quartiles = "–" if d.quartiles is None else f"{d.quartiles[0]:.2f}–{d.quartiles[1]:.2f}"
    ratio = [Cell("–")] * 3
    if found is not None:
        p = text_cell(p_value(found.test.p)) if found.test else Cell("–")
        ratio = [estimate_cell(found, 1), interval_cell(found.interval, 1), p]
    return (
        text_cell(name),
        count_cell(d.n),
        number_cell(d.mean, 2),
        number_cell(d.sd, 2),
        number_cell(d.median, 2),
        text_cell(quartiles),
        *ratio,
    )


def learning_part(a: Asked) -> Part:
    """Time per case against experience."""
    table = a.freeze.table("reads")
    rows = a.rows("reads")
    known = table["minutes"].notna() & table["order"].notna() & (table["kind"] != "assisted")
    rows = rows[known.to_numpy()[rows]]
    found = learning_curve(
        table["reader"].astype(str).to_numpy()[rows].tolist(),
        table["order"].to_numpy(float)[rows],
        table["minutes"].to_numpy(float)[rows],
        simulated=a.freeze.simulated,
    )
    links = [f"{a.link}read={row}" for row in rows.tolist()]
    prefix = "Simulated data. " if a.freeze.simulated else ""
    figure = Figure("learning", "Learning curve", draw(found, links=links), prefix + found.sentence())
    by_name = sorted(enumerate(found.readers), key=lambda entry: entry[1])
    grid_rows = tuple(
        (
            text_cell(name, link=f"{a.link}kind_reader={quote(name)}"),
            count_cell(int((found.reader == i).sum())),
            number_cell(found.levels[i] if i < len(found.levels) else None, 1),
        )
        for i, name in by_name
    )
    caption = (
        "" if found.alike is None else f"Readers learn alike: {found.alike.name}, {p_value(found.alike.p)}."
    )
    grid = Grid(
        "learning", "Readers", ("Reader", "Reads", "Fitted minutes of the first read"), grid_rows, caption
    )
    return Part((figure,), (grid,), {"learning": found})


# --- assisted reads ------------------------------------------------------------------------------------------------


def assisted_part(a: Asked) -> Part:
    """Share of volume that experts changed in the network's result, and their time; shown apart."""
    table = a.freeze.table("reads")
    rows = a.rows("reads")
    rows = rows[(table["kind"] == "assisted").to_numpy(bool)[rows]]
    if not len(rows):
        return Part()
    share, minutes = (table[c].to_numpy(float)[rows] for c in ("share_changed", "minutes"))
    changed, time = describe(share), describe(minutes)
    drawn = Drawing("Plaque volume changed (%)", "Reads", simulated=a.freeze.simulated, height=300)
    known = share[~np.isnan(share)]
    counts, edges = np.histogram(
        known,
        bins=min(20, max(5, len(known) // 5 + 1)),
        range=(0, max(float(known.max()) if len(known) else 1, 1)),
    )
    drawn.trace(
        "bar",
        x=[round((low + high) / 2, 4) for low, high in pairwise(edges)],
        y=counts.tolist(),
        width=float(edges[1] - edges[0]) * 0.95,
        marker={"color": ACCENT},
        customdata=[
            [f"{a.link}changed_from={low!r}&changed_to={high!r}", ""]
            for low, high in pairwise(edges.tolist())
        ],
        hovertemplate="%{x:.1f} %: %{y} reads<extra></extra>",
    )
    prefix = "Simulated data. " if a.freeze.simulated else ""
    caption = f"{prefix}Assisted reads: {changed.n} reads, share of plaque volume changed {changed.printed()} %; shown apart and never pooled."
    untouched = int((known < 0.5).sum())
    row = (
        text_cell("assisted"),
        count_cell(changed.n),
        text_cell(changed.printed()),
        text_cell(f"{untouched} ({percent(untouched / max(len(known), 1))} %)"),
        text_cell(time.printed()),
    )
    headings = ("", "Reads", "Share changed (%)", "Changed by less than 0.5 %", "Minutes")
    grid = Grid(
        "assisted", "Assisted reads", headings, (row,), "Mean (SD), or median (quartiles) where skewed."
    )
    return Part(
        (Figure("assisted", "What assisted readers changed", drawn, caption),),
        (grid,),
        {"share_changed": changed, "minutes": time},
    )
