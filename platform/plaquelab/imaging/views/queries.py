"""Queries to sites: the list, and what can be done with one."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from plaquelab.imaging import services
from plaquelab.imaging.models import Query
from plaquelab.imaging.selectors import may_answer, visible_exams, visible_queries
from plaquelab.refusals import back_to, refusals
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.permissions import Capability


@signed_in
@require_GET
def query_list(request: StudyRequest, study: str) -> HttpResponse:
    """Queries with their age; those that wait for somebody first."""
    found = get_study(request, study, Capability.SEE_EXAMS)
    everything = visible_queries(request.user, found)
    state = request.GET.get("state", "")
    queries = everything.prefetch_related("messages")
    queries = queries.filter(state=state) if state in Query.State.values else queries
    order = ("-state", "opened_at") if request.GET.get("sort") != "newest" else ("-opened_at",)
    page = Paginator(queries.order_by(*order), 50).get_page(request.GET.get("page"))
    now = timezone.now()
    context = {
        "study": found,
        "page": page,
        "rows": [
            (query, ((query.closed_at or now) - query.opened_at).days, list(query.messages.all())[-1])
            for query in page
        ],
        "state": state,
        "states": Query.State.choices,
        "counts": {
            row["state"]: row["n"] for row in everything.order_by().values("state").annotate(n=Count("pk"))
        },
    }
    return render(request, "imaging/queries.html", context)


@signed_in
@require_POST
@refusals(back_to("imaging:exam"))
def open_one(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """Ask the exam's site a question."""
    found = get_study(request, study, Capability.CONTROL_QUALITY)
    exam = get_object_or_404(visible_exams(request.user, found), number=number)
    services.open_query(exam=exam, by=request.user, text=request.POST.get("text", ""))
    messages.success(request, "The query is open.")
    return redirect("imaging:exam", study=study, number=number)


def _exam_of(study: str, pk: int) -> str:
    """Return the page of a query's exam; who may not see the query was turned away before anything was refused."""
    number = Query.objects.values_list("exam__number", flat=True).get(pk=pk)
    return reverse("imaging:exam", kwargs={"study": study, "number": number})


def _query(request: StudyRequest, study: str, pk: int, capability: Capability) -> Query:
    found = get_study(request, study, capability)
    return get_object_or_404(visible_queries(request.user, found), pk=pk)


def _back(query: Query) -> HttpResponse:
    return redirect("imaging:exam", study=query.study.slug, number=query.exam.number)


@signed_in
@require_POST
@refusals(back_to(_exam_of))
def answer(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """Answer as the site (or for it)."""
    query = _query(request, study, pk, Capability.ANSWER_QUERIES)
    if not may_answer(request.user, query):
        raise PermissionDenied
    text = request.POST.get("text", "")
    services.answer_query(query=query, by=request.user, text=text)
    messages.success(request, "The answer was sent.")
    return _back(query)


@signed_in
@require_POST
@refusals(back_to(_exam_of))
def close(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """Close a settled query."""
    query = _query(request, study, pk, Capability.CONTROL_QUALITY)
    text = request.POST.get("text", "")
    services.close_query(query=query, by=request.user, text=text)
    messages.success(request, "The query is closed.")
    return _back(query)


@signed_in
@require_POST
@refusals(back_to(_exam_of))
def reopen(request: StudyRequest, study: str, pk: int) -> HttpResponse:
    """Ask again."""
    query = _query(request, study, pk, Capability.CONTROL_QUALITY)
    text = request.POST.get("text", "")
    services.reopen_query(query=query, by=request.user, text=text)
    messages.success(request, "The query is open again.")
    return _back(query)
