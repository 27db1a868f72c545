"""Queued work of a page: asking for bootstrap intervals, and watching them come."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from plaquelab.dashboards import documents, selectors, services
from plaquelab.dashboards.asking import Asked, asked
from plaquelab.dashboards.models import Calculation


def _asked(request: HttpRequest, study: str, question: str) -> Asked:
    found = asked(request, study, question)
    if found is None or not found.question.can_resample:
        raise Http404("There is nothing to resample here.")
    return found


@login_required
@require_POST
def start(request: HttpRequest, study: str, question: str) -> HttpResponse:
    """Ask for the page's bootstrap intervals; the address carries the filters."""
    found = _asked(request, study, question)
    selectors.require_calculating(request.user, found.study)  # type: ignore[arg-type]
    services.request_calculation(
        freeze=found.row,
        kind=Calculation.Kind.ANSWER,
        key=documents.resampled_key(found),
        by=request.user,  # type: ignore[arg-type]
        question=found.question.key,
        parameters=found.address.parameters,
        replicates=documents.REPLICATES,
    )
    if request.headers.get("HX-Request"):
        return _state(request, found)
    address = reverse("dashboards:question", kwargs={"study": study, "question": question})
    return redirect(f"{address}?{found.address.query()}")


@login_required
@require_GET
def progress(request: HttpRequest, study: str, question: str) -> HttpResponse:
    """The strip above the figures that is fetched while a worker resamples."""
    return _state(request, _asked(request, study, question))


def _state(request: HttpRequest, found: Asked) -> HttpResponse:
    calculation = documents.calculation_of(found)
    context = {
        "study": found.study,
        "asked": found,
        "question": found.question,
        "query": found.address.query(),
        "calculation": calculation,
        "replicates": documents.REPLICATES,
        "may_calculate": selectors.may_calculate(request.user, found.study),  # type: ignore[arg-type]
    }
    response = render(request, "dashboards/resampling.html", context)
    if calculation is not None and calculation.state == Calculation.State.SUCCEEDED:
        response["HX-Refresh"] = "true"
    return response
