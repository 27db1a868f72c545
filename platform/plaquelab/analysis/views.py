"""Pages of analysis: runs, one run with its stages, centrelines of an exam."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from inference.vocabulary import VESSELS
from plaquelab.analysis import selectors, services
from plaquelab.analysis.forms import CentrelineFileForm, TwoPointForm
from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.transitions import RUN
from plaquelab.errors import Refusal
from plaquelab.imaging.models import Exam
from plaquelab.imaging.selectors import visible_exams
from plaquelab.refusals import back_to, refusals
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may


def _run(request: StudyRequest, study: Study, pk: int) -> AnalysisRun:
    return get_object_or_404(selectors.visible_runs(user=request.user, study=study), pk=pk)


@signed_in
@require_GET
def run_list(request: StudyRequest, study: str) -> HttpResponse:
    """Every run of the study, newest first."""
    found = get_study(request, study, Capability.SEE_RUNS)
    runs = selectors.visible_runs(user=request.user, study=found)
    state = request.GET.get("state", "")
    if state in AnalysisRun.State.values:
        runs = runs.filter(state=state)
    older = request.GET.get("code") == "older"
    if older:
        runs = selectors.to_run_again(runs)
    page = Paginator(runs, 50).get_page(request.GET.get("page"))
    context = {
        "study": found,
        "page": page,
        "states": AnalysisRun.State.choices,
        "state": state,
        "older": older,
    }
    return render(request, "analysis/runs.html", context)


def _run_context(request: StudyRequest, study: Study, run: AnalysisRun) -> dict[str, object]:
    starts = may(request.user, study, Capability.START_ANALYSIS)
    active = selectors.is_active(run)
    return {
        "study": study,
        "run": run,
        "stages": selectors.stage_list(run),
        "active": active,
        "may_cancel": starts and active and not run.cancel_requested,
        "may_retry": starts and RUN.allows(run, "retry"),
        "may_run_again": starts and run.purpose == AnalysisRun.Purpose.MAIN,
    }


@signed_in
@require_GET
def run_detail(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """One run: stages, timings, versions, hashes, warnings, results."""
    found = get_study(request, study, Capability.SEE_RUNS)
    run = _run(request, found, pk)
    context = {
        **_run_context(request, found, run),
        "shows_numbers": selectors.shows_numbers(user=request.user, study=found),
        "vessels": run.vessels.prefetch_related("contour_sets__lesions"),
        "patient": selectors.patient_rows(run),
        "artefacts": run.artefacts.order_by("kind"),
    }
    return render(request, "analysis/run.html", context)


@signed_in
@require_GET
def run_progress(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """The part of a run's page that htmx fetches every second; the whole page once the run has ended."""
    found = get_study(request, study, Capability.SEE_RUNS)
    run = _run(request, found, pk)
    response = render(request, "analysis/run_progress.html", _run_context(request, found, run))
    if not selectors.is_active(run):
        response["HX-Refresh"] = "true"
    return response


@signed_in
@require_POST
@refusals(back_to("analysis:run"))
def run_cancel(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """Cancel a run."""
    found = get_study(request, study, Capability.START_ANALYSIS)
    run = _run(request, found, pk)
    services.cancel_run(run=run, by=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, "The run stops at its next stage.")
    return redirect("analysis:run", study=found.slug, pk=run.pk)


@signed_in
@require_POST
@refusals(back_to("analysis:run"))
def run_again(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """Queue a run again that ended without a result."""
    found = get_study(request, study, Capability.START_ANALYSIS)
    run = _run(request, found, pk)
    services.retry_run(run=run, by=request.user)
    messages.success(request, "The run waits in the queue.")
    return redirect("analysis:run", study=found.slug, pk=run.pk)


@signed_in
@require_POST
@refusals(back_to("analysis:centrelines"))
def analyse_exam(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """Start the analysis of an accepted exam under what is served now, along a second operator's centrelines too."""
    found = get_study(request, study, Capability.START_ANALYSIS)
    exam = get_object_or_404(visible_exams(request.user, found), number=number)
    run = services.request_again(exam=exam, by=request.user)
    return redirect("analysis:run", study=found.slug, pk=run.pk)


@signed_in
@require_http_methods(["GET", "POST"])
def centrelines(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """Give an exam's centrelines: a file, or two points a vessel."""
    found = get_study(request, study, Capability.START_ANALYSIS)
    exam = get_object_or_404(visible_exams(request.user, found), number=number)
    form_file, form_points = CentrelineFileForm(), TwoPointForm()
    if request.method == "POST":
        kind = request.POST.get("kind")
        if kind == "file":
            form_file = CentrelineFileForm(request.POST, request.FILES)
        elif kind == "points":
            form_points = TwoPointForm(request.POST)
        else:
            return HttpResponseBadRequest("Give a file or points.")
        try:
            if kind == "file" and form_file.is_valid():
                lines, second = (form_file.cleaned_data[name] for name in ("lines", "is_second_operator"))
                services.add_centrelines(
                    exam=exam,
                    lines=lines,
                    source="file",
                    by=request.user,
                    is_second_operator=second,
                )
                return _after_centrelines(request, found, exam)
            if kind == "points" and form_points.is_valid():
                points, second = (form_points.cleaned_data[name] for name in ("points", "is_second_operator"))
                services.add_two_points(exam=exam, points=points, by=request.user, is_second_operator=second)
                return _after_centrelines(request, found, exam)
        except Refusal as error:
            (form_file if kind == "file" else form_points).add_error(None, str(error))
    context = {
        "study": found,
        "exam": exam,
        "form_file": form_file,
        "form_points": form_points,
        "vessels": VESSELS,
        "sets": exam.centreline_sets.order_by("-pk"),
        "run": selectors.current_run(exam),
    }
    return render(request, "analysis/centrelines.html", context)


def _after_centrelines(request: StudyRequest, study: Study, exam: Exam) -> HttpResponse:
    run = selectors.current_run(exam)
    if run is None:
        messages.success(
            request, "The centrelines are stored. The analysis starts when the exam is accepted."
        )
        return redirect("analysis:centrelines", study=study.slug, number=exam.number)
    messages.success(request, "The centrelines are stored and the analysis has started.")
    return redirect("analysis:run", study=study.slug, pk=run.pk)
