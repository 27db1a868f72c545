"""The report of a freeze: ask for it, watch it being made, take it away."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from analytics.profiles import PROFILES
from plaquelab.dashboards import answers, documents, services
from plaquelab.dashboards.models import Calculation
from plaquelab.freezes.measuring_code import earlier_words
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.freezes.selectors import freezes_with_content
from plaquelab.storage import store
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may

KINDS = {
    "report.html": "text/html; charset=utf-8",
    "report.pdf": "application/pdf",
    "numbers.json": "application/json; charset=utf-8",
}
LABELS = {"report.html": "HTML", "report.pdf": "PDF", "numbers.json": "Numbers (JSON)"}


def _freeze(
    request: StudyRequest, slug: str, number: int, capability: Capability = Capability.SEE_DASHBOARDS
) -> tuple[Study, DatasetFreeze]:
    study = get_study(request, slug, capability)
    rows = freezes_with_content(request.user, study)
    return study, get_object_or_404(rows, number=number)


def _one(freeze: DatasetFreeze, pk: int) -> Calculation:
    return get_object_or_404(
        Calculation.objects.select_related("freeze", "requested_by"),
        freeze=freeze,
        kind=Calculation.Kind.REPORT,
        pk=pk,
    )


@signed_in
@require_http_methods(["GET", "POST"])
def reports(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """The freeze's reports, and the form that asks for one."""
    asked_for = Capability.CALCULATE if request.method == "POST" else Capability.SEE_DASHBOARDS
    found, freeze = _freeze(request, study, number, asked_for)
    if request.method == "POST":
        profile = request.POST.get("profile", "")
        if profile not in PROFILES:
            raise Http404("There is no such statistical profile.")
        replicates = documents.REPLICATES if request.POST.get("bootstrap") else 0
        services.request_calculation(
            freeze=freeze,
            kind=Calculation.Kind.REPORT,
            key=answers.report_key(profile, replicates),
            by=request.user,
            parameters={"profile": profile},
            replicates=replicates,
        )
        return redirect("dashboards:reports", study=found.slug, number=number)
    made = Calculation.objects.filter(freeze=freeze, kind=Calculation.Kind.REPORT).select_related(
        "freeze", "requested_by"
    )
    context = {
        "study": found,
        "is_simulated": found.is_simulated or freeze.is_simulated,
        "freeze": freeze,
        "measured_earlier": earlier_words(freeze),
        "may_start": may(request.user, found, Capability.START_ANALYSIS),
        "reports": [_shown(calculation) for calculation in made],
        "profiles": PROFILES.values(),
        "replicates": documents.REPLICATES,
        "may_calculate": may(request.user, found, Capability.CALCULATE),
    }
    return render(request, "dashboards/reports.html", context)


def _shown(calculation: Calculation) -> dict[str, object]:
    files = [
        {"name": name, "label": LABELS[name], "size": calculation.files[name]}
        for name in KINDS
        if name in calculation.files
    ]
    return {
        "row": calculation,
        "profile": PROFILES[calculation.parameters["profile"]].label,
        "files": files,
        "outdated": calculation.key
        != answers.report_key(calculation.parameters["profile"], calculation.replicates),
    }


@signed_in
@require_GET
def progress(request: StudyRequest, study: str, number: int, pk: int) -> HttpResponse:
    """One report's line, fetched every second while it is made."""
    found, freeze = _freeze(request, study, number)
    context = {"study": found, "freeze": freeze, "report": _shown(_one(freeze, pk))}
    return render(request, "dashboards/report.html", context)


@signed_in
@require_GET
def download(request: StudyRequest, study: str, number: int, pk: int, file: str) -> HttpResponse:
    """One file of a report, its name marked with freeze and lock state."""
    found, freeze = _freeze(request, study, number)
    calculation = _one(freeze, pk)
    if file not in KINDS or file not in calculation.files:
        raise Http404("This report has no such file.")
    services.note_export(freeze=freeze, by=request.user, what=f"report: {file}")
    stem, _, ending = file.partition(".")
    profile = calculation.parameters["profile"]
    name = f"{found.slug}-freeze-{freeze.number}-{freeze.state}-{freeze.hash[:12]}-{profile}-{stem}.{ending}"
    response = HttpResponse(store().get(f"{calculation.folder}/{file}"), content_type=KINDS[file])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
