"""Downloads of a page: a figure's or grid's table, its numbers, all numbers, and the cases of a selection."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from plaquelab.dashboards import case_list, documents, exports, services
from plaquelab.dashboards.answers import Document
from plaquelab.dashboards.asking import Asked, asked
from plaquelab.dashboards.downloads import csv_response, json_response
from plaquelab.refusals import as_text, refusals
from plaquelab.studies.access import StudyRequest, signed_in


def _asked(request: StudyRequest, study: str, question: str) -> Asked:
    found = asked(request, study, question)
    if found is None:
        raise Http404("There is no freeze to take anything from.")
    return found


def _document(found: Asked) -> Document:
    calculation = documents.calculation_of(found) if found.question.can_resample else None
    return documents.shown_document(found, calculation)


def _part(document: Document, kind: str, name: str) -> Document:
    part: Document | None = next((p for p in document[kind] if p["name"] == name), None)
    if part is None:
        raise Http404("There is no such figure or table on this page.")
    return part


def _csv(request: StudyRequest, found: Asked, what: str, table: exports.Table) -> HttpResponse:
    services.note_export(freeze=found.row, by=request.user, what=f"{found.question.key}: {what}")
    headings, rows = exports.marked(found, table)
    return csv_response(f"{found.file_name}-{what}", headings, rows)


def _json(request: StudyRequest, found: Asked, what: str, content: dict[str, Any]) -> HttpResponse:
    services.note_export(freeze=found.row, by=request.user, what=f"{found.question.key}: {what}")
    return json_response(f"{found.file_name}-{what}", {"provenance": exports.provenance(found), **content})


@signed_in
@require_GET
@refusals(as_text)
def figure_csv(request: StudyRequest, study: str, question: str, name: str) -> HttpResponse:
    """A figure's points, cells, bars and steps."""
    found = _asked(request, study, question)
    return _csv(request, found, name, exports.figure_table(_part(_document(found), "figures", name)))


@signed_in
@require_GET
@refusals(as_text)
def figure_json(request: StudyRequest, study: str, question: str, name: str) -> HttpResponse:
    """A figure's caption, sentences and every number of the results that it shows."""
    found = _asked(request, study, question)
    figure = _part(_document(found), "figures", name)
    content = {part: figure[part] for part in ("name", "title", "caption", "sentences", "numbers")}
    return _json(request, found, name, content)


@signed_in
@require_GET
@refusals(as_text)
def grid_csv(request: StudyRequest, study: str, question: str, name: str) -> HttpResponse:
    """A table as printed."""
    found = _asked(request, study, question)
    return _csv(request, found, name, exports.grid_table(_part(_document(found), "grids", name)))


@signed_in
@require_GET
@refusals(as_text)
def numbers_json(request: StudyRequest, study: str, question: str) -> HttpResponse:
    """Every number of the page."""
    found = _asked(request, study, question)
    return _json(request, found, "numbers", _document(found)["numbers"])


@signed_in
@require_GET
@refusals(as_text)
def cases_csv(request: StudyRequest, study: str, question: str) -> HttpResponse:
    """Every case of the selection with the values that were asked about."""
    found = _asked(request, study, question)
    frame = case_list.frame(found).drop(columns="row", errors="ignore")
    rows = [
        [None if cell != cell else cell for cell in row] for row in frame.astype(object).to_numpy().tolist()
    ]
    return _csv(request, found, "cases", ([str(c) for c in frame.columns], rows))
