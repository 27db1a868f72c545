"""Pages of references: what was imported, a new file's preview row by row, and its commit."""

from __future__ import annotations

import csv

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from plaquelab.references import selectors, services
from plaquelab.references.forms import ImportForm
from plaquelab.references.report import ImportRefusedError, Report
from plaquelab.references.rows import Line, lines_of
from plaquelab.references.vocabulary import COLUMNS
from plaquelab.refusals import back_to, refusals
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may

PAGE = 50


@signed_in
@require_http_methods(["GET", "POST"])
def imports(request: StudyRequest, study: str) -> HttpResponse:
    """List imports; a posted file is checked and becomes a preview, or its problems are shown row by row."""
    found = get_study(
        request,
        study,
        Capability.IMPORT_REFERENCES if request.method == "POST" else Capability.SEE_REFERENCES,
    )
    form, refused = ImportForm(), None
    if request.method == "POST":
        form = ImportForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                made = services.preview_import(
                    study=found,
                    kind=form.cleaned_data["kind"],
                    data=form.cleaned_data["file"],
                    by=request.user,
                    replace_reason=form.cleaned_data["replace_reason"],
                )
            except ImportRefusedError as error:
                refused = error.report
            else:
                return redirect("references:import", study=found.slug, number=made.number)
    return render(request, "references/imports.html", _context(request, found, form, refused))


def _context(
    request: StudyRequest, study: Study, form: ImportForm, refused: Report | None
) -> dict[str, object]:
    rows = selectors.visible_imports(request.user, study)
    kind = request.GET.get("kind", "")
    if kind in COLUMNS:
        rows = rows.filter(kind=kind)
    return {
        "study": study,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "kind": kind,
        "totals": selectors.totals(study),
        "columns": [(name, ",".join(columns)) for name, columns in COLUMNS.items()],
        "form": form,
        "refused": refused,
        "may_import": may(request.user, study, Capability.IMPORT_REFERENCES),
    }


@signed_in
@require_GET
def detail(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """One import: its rows, what was said about them, and, while it is a preview, its commit."""
    found = get_study(request, study, Capability.SEE_REFERENCES)
    reference_import = get_object_or_404(selectors.visible_imports(request.user, found), number=number)
    lines: list[Line] = lines_of(reference_import)
    context = {
        "study": found,
        "import": reference_import,
        "page": Paginator(lines, PAGE).get_page(request.GET.get("page")),
        "previewed": reference_import.state == reference_import.State.PREVIEWED,
        "may_import": may(request.user, found, Capability.IMPORT_REFERENCES),
    }
    return render(request, "references/import.html", context)


@signed_in
@require_POST
@refusals(back_to("references:import"))
def commit(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """Store a preview's rows."""
    found = get_study(request, study, Capability.IMPORT_REFERENCES)
    reference_import = get_object_or_404(selectors.visible_imports(request.user, found), number=number)
    try:
        services.commit_import(reference_import=reference_import, by=request.user)
        messages.success(request, f"Import {number}: {reference_import.rows} rows are stored.")
    except ImportRefusedError as error:
        for problem in error.report.problems[:5]:
            messages.error(request, str(problem))
        messages.error(request, "Nothing was stored.")
    return redirect("references:import", study=found.slug, number=number)


@signed_in
@require_POST
@refusals(back_to("references:imports", "study"))
def discard(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """Forget a preview."""
    found = get_study(request, study, Capability.IMPORT_REFERENCES)
    reference_import = get_object_or_404(selectors.visible_imports(request.user, found), number=number)
    services.discard_import(reference_import=reference_import, by=request.user)
    messages.success(request, f"Import {number} was discarded: none of its rows are stored.")
    return redirect("references:imports", study=found.slug)


@signed_in
@require_GET
def template(request: StudyRequest, study: str, kind: str) -> HttpResponse:
    """An empty file of a kind: its heading."""
    get_study(request, study, Capability.SEE_REFERENCES)
    if kind not in COLUMNS:
        raise Http404("No such kind of file.")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    csv.writer(response).writerow(COLUMNS[kind])
    return response
