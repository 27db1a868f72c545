"""The row of a simulated patient of the outcome cohort: there are no images behind it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from plaquelab.dashboards import outcome as statistics
from plaquelab.dashboards import simulated
from plaquelab.dashboards.filters import MARKERS
from plaquelab.dashboards.selectors import open_study


@login_required
@require_GET
def cohort_patient(request: HttpRequest, study: str, patient: str) -> HttpResponse:
    """One simulated patient of the outcome cohort."""
    found = open_study(request, study)
    cohort = simulated.cohort()
    if patient not in cohort.patient:
        raise Http404("No such simulated patient.")
    row = statistics.patient_at(cohort, cohort.patient.index(patient))
    facts: list[tuple[str, Any]] = [("Patient", row.name)]
    facts += [(f"{m.label} ({m.unit})", f"{getattr(row, m.name):.1f}") for m in MARKERS.values()]
    facts += [
        ("ASSIGN score (%)", f"{row.assign:.1f}"),
        ("Follow-up (years)", f"{row.follow_up:.2f}"),
        ("Myocardial infarction", "yes, at the end of follow-up" if row.event else "no"),
        ("Source", cohort.note),
    ]
    context = {"study": found, "is_simulated": True, "title": f"Simulated patient {patient}", "facts": facts}
    return render(request, "dashboards/simulated_row.html", context)
