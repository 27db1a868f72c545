"""The rows of an import as its page lists them: from the preview, or from what is stored."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from plaquelab.analysis.models import Measurement
from plaquelab.references.entries import CovariateEntry, Entry, OutcomeEntry, from_json
from plaquelab.references.models import ReferenceImport
from plaquelab.studies.models import Subject


@dataclass(frozen=True)
class Line:
    """One stored (or to be stored) value. ``row`` is None for reads that are stored: their rows are not kept."""

    row: int | None
    subject: str
    what: str
    value: str
    note: str = ""
    superseded_by: int | None = None


def lines_of(found: ReferenceImport) -> list[Line]:
    """Return an import's rows with their notes, in the file's order where it is known."""
    notes: dict[int, list[str]] = defaultdict(list)
    for row, text in found.notes:
        notes[row].append(text)
    if found.state == ReferenceImport.State.PREVIEWED:
        return _previewed(found, notes)
    lines = [
        Line(
            c.row, c.subject.pseudonym, c.name, _shown(c.value, c.text, c.unit), _said(notes, c.row), c.number
        )
        for c in _with_successor(found.covariates)
    ]
    lines += [
        Line(o.row, o.subject.pseudonym, o.event, _shown(o.days, "", "days"), _said(notes, o.row), o.number)
        for o in _with_successor(found.outcomes)
    ]
    rows = Measurement.objects.filter(imported__source=found).select_related("imported__subject")
    for m in rows.order_by("pk").annotate(number=F("imported__superseded_by__number")):
        read = m.imported
        assert read is not None  # noqa: S101  told to mypy: the filter asks for rows of imported reads
        what = " · ".join(
            part
            for part in (
                f"{read.kind} {read.reader}{'' if read.occasion == 1 else f'#{read.occasion}'}",
                m.vessel or m.segment,
                f"lesion {m.lesion}" if m.lesion else "",
                m.metric,
            )
            if part
        )
        lines.append(Line(None, read.subject.pseudonym, what, _shown(m.value, m.text, m.unit), "", m.number))
    return lines


def _with_successor(rows: Any) -> Any:
    return rows.select_related("subject").order_by("row").annotate(number=F("superseded_by__number"))


def _previewed(found: ReferenceImport, notes: dict[int, list[str]]) -> list[Line]:
    entries = from_json(found.kind, found.prepared)
    names = dict(Subject.objects.filter(study_id=found.study_id).values_list("pk", "pseudonym"))
    return [
        Line(entry.row, names[entry.subject], *_words(entry), _said(notes, entry.row))
        for entry in sorted(entries, key=lambda entry: entry.row)
    ]


def _words(entry: Entry) -> tuple[str, str]:
    if isinstance(entry, CovariateEntry):
        return entry.name, _shown(entry.value, entry.text, entry.unit)
    if isinstance(entry, OutcomeEntry):
        return entry.event, _shown(entry.days, "", "days")
    reader = entry.reader if entry.occasion == 1 else f"{entry.reader}#{entry.occasion}"
    parts = (
        reader,
        entry.vessel or entry.segment,
        f"lesion {entry.lesion}" if entry.lesion else "",
        entry.metric,
    )
    return " · ".join(part for part in parts if part), _shown(entry.value, entry.text, entry.unit)


def _said(notes: dict[int, list[str]], row: int) -> str:
    return " ".join(notes.get(row, []))


def _shown(value: float | None, text: str, unit: str) -> str:
    if value is None:
        return text
    if unit == "yes/no":
        return "yes" if value else "no"
    return f"{value:g} {'' if unit in ('1', 'category', 'stage', 'count') else unit}".strip()
