"""The report as one HTML file: no file beside it, no address in it; figures are drawn by the library inside it."""

from __future__ import annotations

import base64
import json
from html import escape
from importlib.resources import files

from analytics.questions.answer import Figure, Grid
from analytics.report.checklists import Checklist
from analytics.report.contents import Report
from analytics.report.parts import Panel, Section
from analytics.rounding import minus, typeset

STYLE = """
:root { --accent: #2a9d8f; --ink: #22282d; --quiet: #6c757d; --line: #d6dade; --warn: #b3452c; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif; color: var(--ink);
  max-width: 1040px; margin: 0 auto; padding: 24px; background: #fff; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 40px 0 8px; border-top: 2px solid var(--accent); padding-top: 12px; }
h3 { font-size: 17px; margin: 32px 0 6px; } h4 { font-size: 14px; margin: 18px 0 4px; }
.strip { font-weight: 600; color: var(--warn); margin: 8px 0; } .quiet, figcaption, .caption { color: var(--quiet); font-size: 13px; }
nav ol { columns: 2; padding-left: 20px; } a { color: var(--accent); }
figure { margin: 16px 0; break-inside: avoid; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12.5px; font-variant-numeric: tabular-nums; margin: 6px 0; width: 100%; }
th, td { padding: 3px 8px; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; }
th { border-bottom: 2px solid var(--ink); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
td.text, th.text { text-align: left; } tr { break-inside: avoid; }
.panels { display: grid; grid-template-columns: repeat(3, 1fr); gap: 12px; } .panels img { width: 100%; max-height: 320px; object-fit: contain; background: #000; }
.open { color: var(--quiet); font-style: italic; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } nav { display: none; } h2, h3, h4 { break-after: avoid; }
  h2 { margin-top: 24px; } h3 { margin-top: 20px; } figure { margin: 8px 0; } figcaption, .caption { font-size: 10px; } thead { break-after: avoid; }
  table { font-size: 8.5px; } th, td { padding: 2px 4px; } td { white-space: nowrap; } td.text, td:first-child { white-space: normal; } .scroll { overflow: visible; } }
@page { size: A4; margin: 14mm;
  @bottom-left { content: 'Research use only'; font-size: 8px; color: #6c757d; }
  @bottom-right { content: counter(page) ' / ' counter(pages); font-size: 8px; color: #6c757d; } }
"""
DRAW = """
for (const f of JSON.parse(document.getElementById('figures').textContent)) {
  const node = document.getElementById(f.id);
  Plotly.newPlot(node, f.data, f.layout, {displaylogo: false, responsive: true, displayModeBar: false});
}
"""
PRINTED_WIDTH = 680
"""Pixels between the margins of an A4 page; figures keep to it so that screen and print agree."""
PRINTED_HEIGHT, USUAL_HEIGHT = 365, 420
"""Of figures that have the usual height: two of them, with their captions, go on a page."""


def to_html(report: Report) -> str:
    """The whole report. The same report gives the same bytes."""
    drawn: list[dict[str, object]] = []
    parts = [_head(report), _contents(report)]
    parts += [_section(section, drawn) for section in report.main]
    parts.append("<h2 id='methods'>Statistical methods</h2>")
    parts += [f"<p>{escape(p)}</p>" for p in report.methods]
    parts.append("<h2 id='supplement'>Supplement</h2>")
    parts += [
        _section(section, drawn, level=3, number=f"S{i}. ")
        for i, section in enumerate(report.supplement, start=1)
    ]
    parts.append("<h2 id='checklists'>Reporting checklists</h2>")
    parts += [_checklist(checklist) for checklist in report.checklists]
    parts.append(_provenance(report))
    library = (files("plotly.package_data") / "plotly.min.js").read_text(encoding="utf-8")
    figures = json.dumps(drawn, ensure_ascii=False, allow_nan=False).replace("</", "<\\/")
    title = escape(f"{report.title}: report")
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + f"\n<script type='application/json' id='figures'>{figures}</script>"
        + f"<script>{library}</script><script>{DRAW}</script></body></html>\n"
    )


def _head(report: Report) -> str:
    simulated = (
        "<p class='strip'>Simulated data. Nothing here was measured in a patient.</p>"
        if report.simulated
        else ""
    )
    note = f"<p class='quiet'>{escape(report.note)}</p>" if report.note else ""
    return f"<h1>{escape(report.title)}</h1><p class='strip'>Research use only.</p>{simulated}{note}"


def _contents(report: Report) -> str:
    entries = [(s.name, s.title) for s in report.main]
    entries += [("methods", "Statistical methods"), ("supplement", "Supplement")]
    entries += [(s.name, f"S{i}. {s.title}") for i, s in enumerate(report.supplement, start=1)]
    entries += [("checklists", "Reporting checklists"), ("provenance", "Provenance")]
    items = "".join(f"<li><a href='#{name}'>{escape(title)}</a></li>" for name, title in entries)
    return f"<nav><ol>{items}</ol></nav>"


def _section(section: Section, drawn: list[dict[str, object]], *, level: int = 2, number: str = "") -> str:
    parts = [f"<section><h{level} id='{section.name}'>{number}{escape(section.title)}</h{level}>"]
    if section.reason:
        parts.append(f"<p class='open'>{escape(section.reason)}</p>")
    parts += [f"<p>{escape(typeset(p))}</p>" for p in section.paragraphs]
    parts += [_figure(figure, section.name, drawn) for figure in section.figures]
    if section.panels:
        parts.append(f"<div class='panels'>{''.join(_panel(p) for p in section.panels)}</div>")
    parts += [grid_html(grid) for grid in section.grids]
    return "\n".join([*parts, "</section>"])


def _figure(figure: Figure, section: str, drawn: list[dict[str, object]]) -> str:
    name = f"{section}-{figure.name}-{len(drawn) + 1}"
    height = figure.drawing.layout["height"]
    if isinstance(height, int) and PRINTED_HEIGHT < height <= USUAL_HEIGHT:
        height = PRINTED_HEIGHT
    layout = {**figure.drawing.layout, "paper_bgcolor": "#ffffff", "width": PRINTED_WIDTH, "height": height}
    drawn.append({"id": name, "data": [_still(t) for t in figure.drawing.data], "layout": layout})
    return (
        f"<figure><h4>{escape(figure.title)}</h4><div id='{escape(name)}'></div>"
        f"<figcaption>{escape(typeset(figure.caption))}</figcaption></figure>"
    )


def _still(trace: dict[str, object]) -> dict[str, object]:
    """A trace without its links: in a file they lead nowhere. Labels stay for the pointer."""
    custom = trace.get("customdata")
    if not isinstance(custom, list):
        return trace
    return {**trace, "customdata": [_unlinked(entry) for entry in custom]}


def _unlinked(entry: object) -> object:
    if isinstance(entry, list) and len(entry) > 1 and all(isinstance(e, str) for e in entry):
        return ["", *entry[1:]]
    return [_unlinked(e) for e in entry] if isinstance(entry, list) else entry


def _panel(panel: Panel) -> str:
    kind = "jpeg" if panel.name.lower().endswith((".jpg", ".jpeg")) else "png"
    content = base64.b64encode(panel.content).decode()
    caption = escape(panel.caption)
    return f"<figure><img alt='{caption}' src='data:image/{kind};base64,{content}'><figcaption>{caption}</figcaption></figure>"


def grid_html(grid: Grid) -> str:
    """A grid as a table; a cell's title stays as a tooltip."""
    words = [_is_text(grid, j) for j in range(len(grid.headings))]
    head = "".join(
        f"<th{' class=text' if text else ''}>{escape(h)}</th>"
        for h, text in zip(grid.headings, words, strict=True)
    )
    rows = []
    for row in grid.rows:
        cells = []
        for cell, text in zip(row, words, strict=True):
            title = f" title='{escape(cell.title)}'" if cell.title else ""
            cells.append(f"<td{' class=text' if text else ''}{title}>{escape(minus(cell.text))}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    if not rows:
        rows.append(f"<tr><td class='text' colspan='{len(grid.headings)}'>Nothing to list.</td></tr>")
    caption = f"<p class='caption'>{escape(typeset(grid.caption))}</p>" if grid.caption else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f"<h4>{escape(grid.title)}</h4><div class='scroll'>{table}</div>{caption}"


def _is_text(grid: Grid, column: int) -> bool:
    """Whether a column holds words: those stand left, numbers right."""
    values = [row[column].value for row in grid.rows]
    return any(isinstance(v, str) for v in values) and not any(isinstance(v, int | float) for v in values)


def _checklist(checklist: Checklist) -> str:
    rows = "".join(
        f"<tr><td>{escape(i.number)}</td><td class='text'>{escape(i.topic)}</td>"
        f"<td class='text{'' if i.filled else ' open'}'>{escape(minus(i.text))}</td></tr>"
        for i in checklist.items
    )
    counted = f"{checklist.filled_count} of {len(checklist.items)} items are filled from the data; the others are for the authors."
    return (
        f"<h3>{escape(checklist.name)}</h3><p class='caption'>{escape(checklist.source)}. {counted}</p>"
        f"<table><thead><tr><th>Item</th><th class='text'>Topic</th><th class='text'>In this report</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _provenance(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{escape(k)}</td><td class='text'>{escape(v)}</td></tr>" for k, v in report.provenance
    )
    return f"<h2 id='provenance'>Provenance</h2><table><tbody>{rows}</tbody></table><p class='quiet'>Research use only.</p>"
