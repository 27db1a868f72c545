"""Imports with their issues, and what lies in quarantine."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from plaquelab.errors import Refusal
from plaquelab.imaging import quarantine
from plaquelab.imaging.models import ImportJob, Quarantine
from plaquelab.imaging.selectors import visible_imports, visible_quarantine
from plaquelab.imaging.services import cancel_import, retry_import
from plaquelab.refusals import back_to, refusals
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.permissions import Capability, may
from plaquelab.uploads.errors import UploadError


@signed_in
@require_GET
def import_list(request: StudyRequest, study: str) -> HttpResponse:
    """Every import that the user may see, newest first."""
    found = get_study(request, study, Capability.SEE_EXAMS)
    everything = visible_imports(request.user, found)
    state = request.GET.get("state", "")
    jobs = everything.filter(state=state) if state in ImportJob.State.values else everything
    jobs = jobs.select_related("exam").annotate(issue_count=Count("issues"))
    context = {
        "study": found,
        "page": Paginator(jobs.order_by("-pk"), 50).get_page(request.GET.get("page")),
        "state": state,
        "states": ImportJob.State.choices,
        "counts": {
            row["state"]: row["n"] for row in everything.order_by().values("state").annotate(n=Count("pk"))
        },
    }
    return render(request, "imaging/imports.html", context)


def _context(request: StudyRequest, study: str, pk: int, capability: Capability) -> dict[str, Any]:
    found = get_study(request, study, capability)
    job = get_object_or_404(visible_imports(request.user, found), pk=pk)
    control = may(request.user, found, Capability.CONTROL_QUALITY)
    running = job.finished_at is None
    return {
        "study": found,
        "job": job,
        "exam": getattr(job, "exam", None),
        "issues": job.issues.all(),
        "running": running,
        "may_retry": job.state == ImportJob.State.FAILED
        and (
            control or (job.session.by_id == request.user.pk and may(request.user, found, Capability.UPLOAD))
        ),
        "may_cancel": running and control and not job.cancel_requested,
    }


@signed_in
@require_GET
def import_page(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """One import: stage, issues by file number, and the exam that came of it."""
    return render(request, "imaging/import.html", _context(request, study, pk, Capability.SEE_EXAMS))


@signed_in
@require_GET
def import_progress(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """The part of the page that changes while the import runs; the whole page once it has ended."""
    context = _context(request, study, pk, Capability.SEE_EXAMS)
    response = render(request, "imaging/import_progress.html", context)
    if not context["running"]:
        response["HX-Refresh"] = "true"
    return response


@signed_in
@require_POST
@refusals(back_to("imaging:import"))
def again(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """Queue a failed import again."""
    context = _context(request, study, pk, Capability.SEE_EXAMS)
    if not context["may_retry"]:
        raise UploadError(
            "not-failed", "Only a failed import can be tried again, by its sender or the core lab."
        )
    retry_import(job=context["job"], by=request.user)
    messages.success(request, "The import waits in the queue.")
    return redirect("imaging:import", study=study, pk=pk)


@signed_in
@require_POST
@refusals(back_to("imaging:import"))
def cancel(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """Ask a waiting or running import to stop; what it brought is erased."""
    context = _context(request, study, pk, Capability.CONTROL_QUALITY)
    cancel_import(job=context["job"], by=request.user)
    messages.success(request, "The import stops; what was sent is erased.")
    return redirect("imaging:import", study=study, pk=pk)


@signed_in
@require_GET
def quarantine_list(request: StudyRequest, study: str) -> HttpResponse:
    """Objects that are in no exam, with the reason; a person erases them, or seven days do."""
    found = get_study(request, study, Capability.SEE_QUARANTINE)
    state = request.GET.get("state", Quarantine.State.HELD)
    everything = visible_quarantine(request.user, found)
    held = everything.filter(state=state) if state in Quarantine.State.values else everything
    context = {
        "study": found,
        "page": Paginator(held, 50).get_page(request.GET.get("page")),
        "state": state,
        "states": Quarantine.State.choices,
        "counts": {
            row["state"]: row["n"] for row in everything.order_by().values("state").annotate(n=Count("pk"))
        },
        "may_control": may(request.user, found, Capability.CONTROL_QUALITY),
    }
    return render(request, "imaging/quarantine.html", context)


@signed_in
@require_POST
@refusals(back_to("imaging:quarantine", "study"))
def quarantine_reject(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """Erase one held object."""
    found = get_study(request, study, Capability.CONTROL_QUALITY)
    held = get_object_or_404(visible_quarantine(request.user, found), pk=pk)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise Refusal("Erasing needs a reason.", code="no-reason")
    quarantine.reject(held=held, by=request.user, reason=reason)
    messages.success(request, "The object is erased.")
    return redirect("imaging:quarantine", study=study)
