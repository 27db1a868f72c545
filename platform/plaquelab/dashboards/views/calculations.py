"""Queued work of a page: asking for bootstrap intervals, and watching them come."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from plaquelab.dashboards import documents, services
from plaquelab.dashboards.asking import Asked, asked
from plaquelab.dashboards.models import Calculation
from plaquelab.studies.access import StudyRequest, signed_in
from plaquelab.studies.permissions import Capability, may


def _asked(request: StudyRequest, study: str, question: str, capability: Capability) -> Asked:
    found = asked(request, study, question, capability)
    if found is None or not found.question.can_resample:
        raise Http404("There is nothing to resample here.")
    return found


@signed_in
@require_POST
def start(request: StudyRequest, study: str, question: str) -> HttpResponse:
    """Ask for the page's bootstrap intervals; the address carries the filters."""
    found = _asked(request, study, question, Capability.CALCULATE)
    services.request_calculation(
        freeze=found.row,
        kind=Calculation.Kind.ANSWER,
        key=documents.resampled_key(found),
        by=request.user,
        question=found.question.key,
        parameters=found.address.parameters,
        replicates=documents.REPLICATES,
    )
    if request.headers.get("HX-Request"):
        return _state(request, found)
    address = reverse("dashboards:question", kwargs={"study": study, "question": question})
    return redirect(f"{address}?{found.address.query()}")


@signed_in
@require_GET
def progress(request: StudyRequest, study: str, question: str) -> HttpResponse:
    """The strip above the figures that is fetched while a worker resamples."""
    return _state(request, _asked(request, study, question, Capability.SEE_DASHBOARDS))


def _state(request: StudyRequest, found: Asked) -> HttpResponse:
    calculation = documents.calculation_of(found)
    context = {
        "study": found.study,
        "asked": found,
        "question": found.question,
        "query": found.address.query(),
        "calculation": calculation,
        "replicates": documents.REPLICATES,
        "may_calculate": may(request.user, found.study, Capability.CALCULATE),
    }
    response = render(request, "dashboards/resampling.html", context)
    if calculation is not None and calculation.state == Calculation.State.SUCCEEDED:
        response["HX-Refresh"] = "true"
    return response
