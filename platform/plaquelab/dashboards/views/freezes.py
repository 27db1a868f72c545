"""Pages of freezes: list, make, watch, release, download; a single picture of one."""

from __future__ import annotations

import io
import zipfile

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from analytics.freeze import PAIRS
from plaquelab.freezes import monitoring, services
from plaquelab.freezes.frozen import open_freeze
from plaquelab.freezes.measuring_code import earlier_words
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.freezes.selectors import visible_freezes
from plaquelab.freezes.transitions import FREEZE, S
from plaquelab.refusals import back_to, refusals
from plaquelab.storage import store
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may


def _one(request: StudyRequest, study: Study, number: int) -> DatasetFreeze:
    return get_object_or_404(visible_freezes(request.user, study), number=number)


@signed_in
@require_http_methods(["GET", "POST"])
@refusals(back_to("dashboards:freezes"))
def freezes(request: StudyRequest, study: str) -> HttpResponse:
    """List the freezes that the person may open; the manager makes a new one."""
    found = get_study(
        request, study, Capability.FREEZE if request.method == "POST" else Capability.SEE_DASHBOARDS
    )
    if request.method == "POST":
        made = services.request_freeze(
            study=found,
            by=request.user,
            note=request.POST.get("note", "")[:300],
            leave_out_waiting="leave_out_waiting" in request.POST,
        )
        return redirect("dashboards:freeze", study=found.slug, number=made.number)
    makes = may(request.user, found, Capability.FREEZE)
    context = {
        "study": found,
        "freezes": visible_freezes(request.user, found),
        "makes": makes,
        "readiness": monitoring.readiness(found) if makes else None,
    }
    return render(request, "dashboards/freezes.html", context)


def _context(request: StudyRequest, study: Study, freeze: DatasetFreeze) -> dict[str, object]:
    active = freeze.state in (S.DRAFT, S.BUILDING)
    makes = may(request.user, study, Capability.FREEZE)
    return {
        "study": study,
        "is_simulated": freeze.is_simulated or study.is_simulated,
        "freeze": freeze,
        "active": active,
        "measured_earlier": earlier_words(freeze),
        "may_start": may(request.user, study, Capability.START_ANALYSIS),
        "stages": _stages(freeze),
        "may_release": makes and FREEZE.allows(freeze, "release"),
        "may_retry": makes and FREEZE.allows(freeze, "retry"),
        "may_discard": makes and FREEZE.allows(freeze, "discard"),
        "total": sum(freeze.files.values()),
        "left_out": [(pair_words(what), number) for what, number in freeze.left_out],
        "panels": [
            {"file": name.removeprefix("panels/"), "label": panel_label(name)}
            for name in freeze.files
            if name.startswith("panels/")
        ],
    }


def pair_words(text: str) -> str:
    """``network_expert: cases …`` gives ``Network and expert: cases …``."""
    pair, colon, what = text.partition(":")
    return f"{PAIRS[pair].label}{colon}{what}" if pair in PAIRS else text


def panel_label(name: str) -> str:
    """``panels/P-004-LAD-curved_reformation.png`` gives ``P-004-LAD curved reformation``."""
    who, _, kind = name.removeprefix("panels/").rpartition(".")[0].rpartition("-")
    return f"{who} {kind}".replace("_", " ").strip()


def _stages(freeze: DatasetFreeze) -> list[dict[str, object]]:
    order = list(DatasetFreeze.Stage)
    now = len(order) if freeze.is_locked else next((i for i, s in enumerate(order) if s == freeze.stage), -1)
    return [
        {
            "name": stage.label,
            "state": "done" if i < now else "now" if i == now else "todo",
            "percent": 100 if i < now else round(100 * freeze.progress) if i == now else 0,
        }
        for i, stage in enumerate(order)
    ]


@signed_in
@require_GET
def freeze(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """One freeze: its hash, tables, what was left out, pictures, and what may be done with it."""
    found = get_study(request, study, Capability.SEE_DASHBOARDS)
    return render(request, "dashboards/freeze.html", _context(request, found, _one(request, found, number)))


@signed_in
@require_GET
def progress(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """The part of the page that is fetched every second while a worker builds; the whole page once it is done."""
    found = get_study(request, study, Capability.SEE_DASHBOARDS)
    one = _one(request, found, number)
    response = render(request, "dashboards/freeze_progress.html", _context(request, found, one))
    if one.state not in (S.DRAFT, S.BUILDING):
        response["HX-Refresh"] = "true"
    return response


@signed_in
@require_POST
@refusals(back_to("dashboards:freeze", "study", "number"))
def act(request: StudyRequest, study: str, number: int, action: str) -> HttpResponse:
    """Release, retry or discard a freeze."""
    found = get_study(request, study, Capability.FREEZE)
    one = _one(request, found, number)
    by = request.user
    if action == "release":
        services.release_freeze(freeze=one, by=by, reason=request.POST.get("reason", ""))
        messages.success(request, f"Freeze {number} is released to the investigators.")
    elif action == "again":
        services.retry_freeze(freeze=one, by=by)
    else:
        services.discard_freeze(freeze=one, by=by, reason=request.POST.get("reason", ""))
    return redirect("dashboards:freeze", study=found.slug, number=number)


@signed_in
@require_GET
def download(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """The whole freeze with its data dictionary, marked with its lock state and who took it when."""
    found = get_study(request, study, Capability.SEE_DASHBOARDS)
    one = _one(request, found, number)
    if not one.is_locked:
        raise Http404("This freeze has no content.")
    services.note_download(freeze=one, by=request.user)
    name = f"{found.slug}-freeze-{one.number}-{one.state}-{one.hash[:12]}"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/EXPORT.txt", watermark(one, str(request.user)))
        for file in one.files:
            archive.writestr(f"{name}/{file}", store().get(f"{one.folder}/{file}"))
    response = HttpResponse(stream.getvalue(), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return response


def watermark(freeze: DatasetFreeze, person: str) -> str:
    """Say what an exported freeze is: state of its lock, hash, who took it and when."""
    state = "released to the investigators" if freeze.state == S.RELEASED else "frozen, NOT released"
    lines = [
        f"Freeze {freeze.number} of {freeze.study.title}",
        f"Lock state at export: {state}",
        f"Frozen (UTC): {freeze.frozen_at:%Y-%m-%d %H:%M:%S}" if freeze.frozen_at else "",
        f"Hash (SHA-256 over all): {freeze.hash}",
        f"Exported (UTC): {timezone.now():%Y-%m-%d %H:%M:%S} by {person}",
        "Simulated data." if freeze.is_simulated else "",
        "Research use only. dictionary.json explains every table and column.",
    ]
    return "\n".join(line for line in lines if line) + "\n"


@signed_in
@require_GET
def panel(request: StudyRequest, study: str, number: int, file: str) -> HttpResponse:
    """One case panel of a freeze."""
    found = get_study(request, study, Capability.SEE_DASHBOARDS)
    one = _one(request, found, number)
    if f"panels/{file}" not in one.files:
        raise Http404("No such picture.")
    data = open_freeze(one).panel(file)
    return HttpResponse(data, content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
