"""The study's audit trail for its auditor and manager: search, page, export, verify."""

from __future__ import annotations

import csv
import json

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from plaquelab.audit import services
from plaquelab.audit.models import AuditEvent
from plaquelab.audit.selectors import events_of
from plaquelab.csv_cells import guarded
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.permissions import Capability

PAGE = 50


def _narrowed(request: StudyRequest, chain: str):
    return events_of(
        chain,
        actor=request.GET.get("actor", ""),
        verb=request.GET.get("verb", ""),
        text=request.GET.get("text", "").strip(),
    )


@signed_in
@require_GET
def audit_page(request: StudyRequest, study: str) -> HttpResponse:
    """Show the chain's events, newest first, with filters that live in the URL."""
    found = get_study(request, study, Capability.SEE_AUDIT)
    chain = services.chain_of(found)
    events = _narrowed(request, chain)
    page = Paginator(events, PAGE).get_page(request.GET.get("page"))
    whole = AuditEvent.objects.filter(chain=chain)
    query = request.GET.copy()
    query.pop("page", None)
    query.pop("verify", None)
    context = {
        "page": page,
        "count": page.paginator.count,
        "actors": whole.values_list("actor", flat=True).distinct().order_by("actor"),
        "verbs": whole.values_list("verb", flat=True).distinct().order_by("verb"),
        "query": query,
        "problems": services.verify() if "verify" in request.GET else None,
    }
    return render(request, "studies/audit.html", context)


def _cell(event: AuditEvent, name: str) -> str | int:
    value = getattr(event, name)
    if name == "at":
        value = value.isoformat()
    elif isinstance(value, (dict, list)):
        value = json.dumps(value)
    cell: str | int = guarded(value)
    return cell


@signed_in
@require_GET
def audit_csv(request: StudyRequest, study: str) -> HttpResponse:
    """Export what the filters leave as CSV; the export is itself an event."""
    found = get_study(request, study, Capability.SEE_AUDIT)
    events = _narrowed(request, services.chain_of(found))
    services.record(
        verb="audit.export",
        obj=found,
        by=request.user,
        study=found,
        after={"events": events.count()},
    )
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-{found.slug}.csv"'
    names = (
        "sequence",
        "at",
        "actor",
        "role",
        "site",
        "verb",
        "object_type",
        "object_id",
        "before",
        "after",
        "reason",
        "hash",
    )
    writer = csv.writer(response)
    writer.writerow(names)
    for event in events.iterator(2000):
        writer.writerow([_cell(event, name) for name in names])
    return response
