"""Lists of exams, one exam with its planes, and the decision on it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from plaquelab.audit import services as audit
from plaquelab.imaging import planes
from plaquelab.imaging.facts import fact_rows
from plaquelab.imaging.models import Exam
from plaquelab.imaging.png import grey_png
from plaquelab.imaging.selectors import may_answer, visible_exams, volume_of
from plaquelab.imaging.services import QualityError, accept_exam, refuse_exam
from plaquelab.refusals import back_to, refusals
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may

WINDOWS = (("coronary", 800, 200), ("soft tissue", 400, 40), ("lung", 1500, -600), ("bone", 1800, 400))
_SORTS = {
    "number": ("number",),
    "-number": ("-number",),
    "received": ("received_at", "number"),
    "-received": ("-received_at", "-number"),
    "subject": ("subject__pseudonym", "number"),
    "site": ("site__name", "number"),
    "state": ("state", "number"),
}


def _filtered(request: StudyRequest, exams: QuerySet[Exam]) -> tuple[QuerySet[Exam], dict[str, Any]]:
    """Apply the filters of the address to the list; unknown values are left aside."""
    chosen = {name: request.GET.get(name, "").strip() for name in ("state", "site", "subject", "sort")}
    if chosen["state"] in Exam.State.values:
        exams = exams.filter(state=chosen["state"])
    if chosen["site"]:
        exams = exams.filter(site__code=chosen["site"])
    if chosen["subject"]:
        exams = exams.filter(subject__pseudonym__icontains=chosen["subject"])
    exams = exams.annotate(
        unsettled=Count("queries", filter=~Q(queries__state="closed"), distinct=True),
        images=Count("series__instances", distinct=True),
    )
    return exams.order_by(*_SORTS.get(chosen["sort"], ("-number",))), chosen


def _list(request: StudyRequest, found: Study, exams: QuerySet[Exam], title: str) -> HttpResponse:
    everything = visible_exams(request.user, found)
    listed, chosen = _filtered(request, exams)
    context = {
        "study": found,
        "title": title,
        "page": Paginator(listed, 50).get_page(request.GET.get("page")),
        "chosen": chosen,
        "states": Exam.State.choices,
        "sites": everything.order_by("site__name").values_list("site__code", "site__name").distinct(),
        "counts": {
            row["state"]: row["n"]
            for row in everything.order_by().values("state").annotate(n=Count("pk", distinct=True))
        },
        "may_control": may(request.user, found, Capability.CONTROL_QUALITY),
        "filtered": any(chosen[name] for name in ("state", "site", "subject")),
    }
    return render(request, "imaging/exams.html", context)


@signed_in
@require_GET
def exam_list(request: StudyRequest, study: str) -> HttpResponse:
    """Every exam that the user may open."""
    found = get_study(request, study, Capability.SEE_EXAMS)
    return _list(request, found, visible_exams(request.user, found), "Exams")


@signed_in
@require_GET
def work_list(request: StudyRequest, study: str) -> HttpResponse:
    """Exams that wait for quality control or for a site's answer."""
    found = get_study(request, study, Capability.SEE_EXAMS)
    waiting = visible_exams(request.user, found).filter(state__in=(Exam.State.QC_PENDING, Exam.State.QUERIED))
    return _list(request, found, waiting, "Quality control")


def _exam(request: StudyRequest, study: str, number: int, capability: Capability) -> Exam:
    found = get_study(request, study, capability)
    return get_object_or_404(visible_exams(request.user, found), number=number)


def _plane(oriented: planes.Oriented, name: str, request: StudyRequest, parameter: str) -> dict[str, Any]:
    """Describe one plane: how many there are, which is shown, under which window."""
    count = oriented.count(name)
    width, _, level = request.GET.get("window", "").partition("/")
    return {
        "name": name,
        "last": count - 1,
        "index": _number(request.GET.get(parameter), count // 2, 0, count - 1),
        "letters": planes.LETTERS[name],
        "window": _number(width, WINDOWS[0][1], 1, 8000),
        "level": _number(level, WINDOWS[0][2], -2000, 6000),
    }


def _number(text: str | None, default: float, lowest: float, highest: float) -> int:
    try:
        return int(min(max(float(text or default), lowest), highest))
    except (ValueError, OverflowError):
        return int(default)


@signed_in
@require_GET
def exam_page(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """One exam: acquisition facts, warnings, planes, queries, decisions, and what can be done now."""
    exam = _exam(request, study, number, Capability.SEE_EXAMS)
    oriented = planes.orient(volume_of(exam))
    shown = [_plane(oriented, name, request, name) for name in planes.LETTERS]
    control = may(request.user, exam.study, Capability.CONTROL_QUALITY)
    queries = list(exam.queries.prefetch_related("messages__by"))
    decided = exam.state in (Exam.State.ACCEPTED, Exam.State.REFUSED)
    audit.record(verb="exam.open_images", obj=exam, by=request.user, study=exam.study, site=exam.site.code)
    context = {
        "study": exam.study,
        "exam": exam,
        "series": [(one, fact_rows(one.header)) for one in exam.series.order_by("pk")],
        "geometry": exam.volume.geometry,
        "planes": shown,
        "tilt": oriented.tilt_degrees if oriented.tilt_degrees > 1 else 0,
        "windows": WINDOWS,
        "issues": exam.import_job.issues.all(),
        "queries": [(query, may_answer(request.user, query)) for query in queries],
        "unsettled": [query for query in queries if query.state != "closed"],
        "reviews": exam.quality_reviews.select_related("by"),
        "may_control": control,
        "may_accept": control and exam.state == Exam.State.QC_PENDING,
        "may_refuse": control and not decided,
        "may_query": control and not decided,
        "centrelines": exam.centreline_sets.filter(is_second_operator=False).exists(),
        "run": exam.runs.filter(purpose="main").order_by("-pk").first(),
        "sees_runs": may(request.user, exam.study, Capability.SEE_RUNS),
        "may_start": may(request.user, exam.study, Capability.START_ANALYSIS),
        "qualities": ((1, "non-diagnostic"), (2, "poor"), (3, "adequate"), (4, "good"), (5, "excellent")),
    }
    return render(request, "imaging/exam.html", context)


@signed_in
@require_GET
def plane_figure(request: StudyRequest, study: str, number: int, plane: str) -> HttpResponse:
    """One plane with its letters, for the page's sliders."""
    exam = _exam(request, study, number, Capability.SEE_EXAMS)
    if plane not in planes.LETTERS:
        raise Http404
    shown = _plane(planes.orient(volume_of(exam)), plane, request, "i")
    return render(request, "imaging/_plane.html", {"study": exam.study, "exam": exam, "plane": shown})


@signed_in
@require_GET
def plane_image(request: StudyRequest, study: str, number: int, plane: str) -> HttpResponse:
    """One plane as a PNG. ``i`` is the plane's number, ``w`` and ``l`` window and level in HU."""
    exam = _exam(request, study, number, Capability.SEE_EXAMS)
    if plane not in planes.LETTERS:
        raise Http404
    oriented = planes.orient(volume_of(exam))
    last = oriented.count(plane) - 1
    pixels = planes.render(
        oriented,
        plane,
        _number(request.GET.get("i"), last // 2, 0, last),
        window=_number(request.GET.get("w"), 800, 1, 8000),
        level=_number(request.GET.get("l"), 200, -2000, 6000),
    )
    response = HttpResponse(grey_png(pixels), content_type="image/png")
    response["Cache-Control"] = "private, max-age=600"
    return response


@signed_in
@require_POST
@refusals(back_to("imaging:exam"))
def accept(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """Accept the exam for analysis."""
    exam = _exam(request, study, number, Capability.CONTROL_QUALITY)
    quality = request.POST.get("image_quality", "")
    if not quality.isdecimal():
        raise QualityError("Choose an image quality from 1 to 5.")
    accept_exam(
        exam=exam,
        by=request.user,
        image_quality=int(quality),
        note=request.POST.get("note", "").strip(),
    )
    messages.success(request, f"Exam {exam.number} is accepted.")
    return redirect("imaging:exam", study=study, number=number)


@signed_in
@require_POST
@refusals(back_to("imaging:exam"))
def refuse(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """Refuse the exam with a reason."""
    exam = _exam(request, study, number, Capability.CONTROL_QUALITY)
    refuse_exam(exam=exam, by=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, f"Exam {exam.number} is refused.")
    return redirect("imaging:exam", study=study, number=number)
