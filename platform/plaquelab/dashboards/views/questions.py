"""The pages: one question each, on one freeze; the cases behind a selection; one case's row of measurements."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from analytics.errors import AnalyticsError
from plaquelab.dashboards import case_list, documents, exports, presenting, sliders
from plaquelab.dashboards.answers import Document
from plaquelab.dashboards.asking import Asked, asked
from plaquelab.dashboards.fields import form_fields
from plaquelab.dashboards.models import Calculation
from plaquelab.dashboards.questions import ALL_SECTIONS, QUESTIONS, Choices
from plaquelab.dashboards.selection_words import selection_words
from plaquelab.freezes import monitoring
from plaquelab.freezes.measuring_code import earlier_words
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.freezes.selectors import freezes_with_content
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.permissions import Capability, may

LISTED = 100
FEW_PATIENTS = 30


@signed_in
@require_GET
def home(request: StudyRequest, study: str) -> HttpResponse:
    """The first dashboard."""
    get_study(request, study, Capability.SEE_DASHBOARDS)
    address = reverse("dashboards:question", kwargs={"study": study, "question": next(iter(QUESTIONS))})
    query = request.GET.urlencode()
    return redirect(f"{address}?{query}" if query else address)


@signed_in
@require_GET
def page(request: StudyRequest, study: str, question: str) -> HttpResponse:
    """One question: filters on the left, figures and tables, and on the right the cases behind them."""
    found = asked(request, study, question)
    if found is None:
        return _nothing_yet(request, study, question)
    context = _frame(request, found)
    try:
        calculation = documents.calculation_of(found) if found.question.can_resample else None
        document = documents.shown_document(found, calculation)
        context |= _answer(found, document, calculation) | _cases(request, found)
    except AnalyticsError as refused:
        context["refused"] = str(refused)
    response = render(request, "dashboards/question.html", context)
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        response["HX-Push-Url"] = f"{request.path}?{found.address.query()}"
    return response


@signed_in
@require_GET
def cases(request: StudyRequest, study: str, question: str) -> HttpResponse:
    """The right-hand list for a selection; a click on a figure's point (``go``) opens a single case at once."""
    found = asked(request, study, question)
    if found is None:
        return redirect("dashboards:question", study=study, question=question)
    try:
        context = {"study": found.study, "asked": found, **_cases(request, found)}
    except AnalyticsError as refused:
        context = {"study": found.study, "asked": found, "refused": str(refused)}
    response = render(request, "dashboards/case_list.html", context)
    listed = context.get("cases")
    if "go" in request.GET and isinstance(listed, case_list.CaseList) and listed.total == 1:
        response["HX-Redirect"] = listed.rows[0].link
    else:
        address = reverse("dashboards:question", kwargs={"study": found.study.slug, "question": question})
        response["HX-Replace-Url"] = f"{address}?{found.address.query()}"
    return response


def _nothing_yet(request: StudyRequest, slug: str, question: str) -> HttpResponse:
    """Before the first freeze: how far the study is, and what to do."""
    found = get_study(request, slug, Capability.SEE_DASHBOARDS)
    context = {
        "study": found,
        "questions": QUESTIONS.values(),
        "question": QUESTIONS[question],
        "makes": may(request.user, found, Capability.FREEZE),
        "readiness": monitoring.readiness(found),
    }
    return render(request, "dashboards/nothing_yet.html", context)


def _frame(request: StudyRequest, found: Asked) -> dict[str, Any]:
    """What stands around an answer: freezes to choose from, tabs and filters."""
    choices = found.question.choices(found.freeze, found.parameters)
    own, shared = form_fields(
        found.question,
        found.parameters,
        choices,
        sliders.sliders(found.question, found.freeze, found.parameters),
    )
    freezes = list(freezes_with_content(request.user, found.study))
    return {
        "study": found.study,
        "is_simulated": found.study.is_simulated or found.freeze.simulated,
        "asked": found,
        "question": found.question,
        "questions": QUESTIONS.values(),
        "freezes": freezes,
        "full_size": _full_size(found, freezes),
        "measured_earlier": earlier_words(found.row),
        "may_start": may(request.user, found.study, Capability.START_ANALYSIS),
        "released": found.row.state == found.row.State.RELEASED,
        "own_fields": own,
        "shared_fields": shared,
        "sections": _sections(found, choices),
        "query": found.address.without_selection,
        "watermark": exports.watermark(found),
        "may_calculate": may(request.user, found.study, Capability.CALCULATE),
    }


def _full_size(found: Asked, freezes: list[DatasetFreeze]) -> str:
    """The query of the simulated cohort, offered beside a freeze of few patients."""
    if (
        found.row.source == DatasetFreeze.Source.SIMULATION
        or found.row.rows.get("patients", 0) >= FEW_PATIENTS
    ):
        return ""
    simulated = next((f for f in freezes if f.source == DatasetFreeze.Source.SIMULATION), None)
    return f"freeze={simulated.number}" if simulated else ""


def _sections(found: Asked, choices: Choices) -> list[dict[str, Any]]:
    """The question's sections with their addresses, and all of them together."""
    if "section" not in choices:
        return []
    now = found.address.parameters["section"]
    offered = (*choices["section"], (ALL_SECTIONS, "All"))
    return [
        {"label": label, "active": name == now, "query": found.address.with_parameter("section", name)}
        for name, label in offered
    ]


def _answer(found: Asked, document: Document, calculation: Calculation | None) -> dict[str, Any]:
    """Figures, grids with addresses for links, and the state of the bootstrap."""
    grids = [presenting.shown_grid(found, grid) for grid in document["grids"]]
    return {
        "document": document,
        "figures": [{**figure, "wide": presenting.is_wide(figure)} for figure in document["figures"]],
        "grids": grids,
        "calculation": calculation,
        "replicates": documents.REPLICATES,
    }


def _cases(request: StudyRequest, found: Asked) -> dict[str, Any]:
    frame = case_list.frame(found)
    return {
        "cases": case_list.case_list(found, frame, request.user, most=LISTED),
        "selection": selection_words(found),
        "query": found.address.query(),
        "everything": found.address.without_selection,
    }
