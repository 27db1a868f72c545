"""Pages of reading: own work lists, the viewer's page, and the manager's list of cases."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from plaquelab.reading import selectors, work_lists
from plaquelab.reading.charter import read_design
from plaquelab.reading.errors import AssignmentError
from plaquelab.reading.models import ReadCase
from plaquelab.reading.repeats import repeatable
from plaquelab.reading.services import assign_adjudicator, assign_cases, draw_repeats
from plaquelab.refusals import back_to, refusals
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.blinding import hidden_exams
from plaquelab.studies.permissions import Capability, capabilities_of, may
from plaquelab.studies.selectors import current_charter

_SORTS = {
    "exam": lambda row: row.case.exam.number,
    "-exam": lambda row: -row.case.exam.number,
    "state": lambda row: (row.case.state, row.case.exam.number),
    "site": lambda row: (row.case.exam.site.name, row.case.exam.number),
    "subject": lambda row: row.case.exam.subject.pseudonym,
}

_SORT_LABELS = (
    ("exam", "oldest first"),
    ("-exam", "newest first"),
    ("state", "by state"),
    ("site", "by site"),
    ("subject", "by subject"),
)


@signed_in
@require_GET
def cases(request: StudyRequest, study: str) -> HttpResponse:
    """The person's own work: cases to read, cases to adjudicate. Overseers are sent to the list of all cases."""
    found = get_study(request, study, Capability.TAKE_PART)
    held = capabilities_of(request.user, found)
    if Capability.OPEN_OWN_CASES not in held:
        if Capability.SEE_EVERY_CASE in held:
            return redirect("reading:case_list", study=found.slug)
        raise Http404("No such page.")
    reads = work_lists.reader_rows(request.user, found)
    chosen = request.GET.get("state", "")
    sort = request.GET.get("sort", "n")
    shown = [row for row in reads if not chosen or row.state == chosen]
    if sort == "due":
        shown.sort(key=lambda row: (row.due_on is None, row.due_on, row.n))
    signed = sum(row.state == "signed" for row in reads)
    adjudications = work_lists.adjudicator_rows(request.user, found)
    next_read = selectors.next_read(request.user, found)
    next_decision = selectors.next_adjudication(request.user, found)
    context = {
        "study": found,
        "reads": reads,
        "shown": shown,
        "chosen": chosen,
        "sort": sort,
        "states": list(work_lists.READ_STATES.items()),
        "signed": signed,
        "percent": round(100 * signed / len(reads)) if reads else 0,
        "overdue": sum(row.overdue for row in reads),
        "adjudications": adjudications,
        "undecided": sum(not row.decided for row in adjudications),
        "next_n": next_read.assignment.order_index if next_read else None,
        "next_started": bool(next_read and next_read.state == "in_progress"),
        "next_decision_n": next_decision.order_index if next_decision else None,
        "is_reader": Capability.READ in held,
        "is_adjudicator": Capability.ADJUDICATE in held,
    }
    return render(request, "reading/cases.html", context)


@signed_in
@require_GET
def next_case(request: StudyRequest, study: str) -> HttpResponse:
    """Open the person's next case to read, else the next to adjudicate, else the list."""
    found = get_study(request, study, Capability.OPEN_OWN_CASES)
    read = selectors.next_read(request.user, found)
    if read is not None:
        return redirect("reading:case", study=found.slug, n=read.assignment.order_index)
    decision = selectors.next_adjudication(request.user, found)
    if decision is not None:
        return redirect("reading:case", study=found.slug, n=decision.order_index)
    messages.info(request, "Nothing waits for you.")
    return redirect("reading:cases", study=found.slug)


def _viewer(request: StudyRequest, api_root: str) -> HttpResponse:
    config = {"api_root": api_root, "printed_name": str(request.user)}
    response = render(request, "reading/viewer.html", {"viewer_config": config})
    response["Cache-Control"] = "private, no-store"
    return response


@signed_in
@require_GET
def case(request: StudyRequest, study: str, n: int) -> HttpResponse:
    """The viewer with the person's own case number ``n``."""
    found = get_study(request, study, Capability.TAKE_PART)
    if selectors.own_assignment(request.user, found, n) is None:
        raise Http404("No such case.")
    return _viewer(request, reverse("api:case", kwargs={"study": found.slug, "n": n}))


@signed_in
@require_GET
def exam_view(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """The viewer with an exam, read-only, for those who oversee it."""
    found = get_study(request, study, Capability.TAKE_PART)
    if selectors.exam_view(request.user, found, number) is None:
        raise Http404("No such exam.")
    return _viewer(request, reverse("api:view", kwargs={"study": found.slug, "number": number}))


@signed_in
@require_GET
def case_list(request: StudyRequest, study: str) -> HttpResponse:
    """Every case of the study with its readers; the manager assigns persons here."""
    found = get_study(request, study, Capability.SEE_EVERY_CASE)
    everything = work_lists.case_rows(request.user, found)
    state, subject = request.GET.get("state", ""), request.GET.get("subject", "").strip().casefold()
    sort = request.GET.get("sort", "exam")
    rows = [
        row
        for row in everything
        if (not state or row.case.state == state)
        and (not subject or subject in row.case.exam.subject.pseudonym.casefold())
    ]
    rows.sort(key=_SORTS.get(sort, _SORTS["exam"]))
    manages = may(request.user, found, Capability.ASSIGN)
    context: dict[str, Any] = {
        "study": found,
        "rows": rows,
        "total": len(everything),
        "counts": work_lists.states_with_counts(everything),
        "state": state,
        "subject": request.GET.get("subject", ""),
        "sort": sort,
        "sorts": _SORT_LABELS,
        "manages": manages,
        "adjudicates": may(request.user, found, Capability.ADJUDICATE),
        "waiting": sum(row.case.state == ReadCase.State.WAITING for row in rows),
        "without_case": work_lists.exams_without_case(found),
        "design": read_design(current_charter(found)),
    }
    if manages:
        context["readers"] = work_lists.readers_of(found)
        context["adjudicators"] = work_lists.adjudicators_of(found)
        context["repeatable"] = (
            repeatable(found)
            .exclude(reader=request.user)
            .exclude(case__exam__in=hidden_exams(request.user, found))
            .count()
        )
        context["slots"] = [f"Reader {n + 1}" for n in range(context["design"].readers)]
    return render(request, "reading/case_list.html", context)


@signed_in
@require_POST
@refusals(back_to("reading:case_list", "study"))
def assign_readers(request: StudyRequest, study: str) -> HttpResponse:
    """Assign the chosen readers to the chosen waiting cases."""
    found = get_study(request, study, Capability.ASSIGN)
    numbers = [int(text) for text in request.POST.getlist("exam") if text.isdecimal()]
    chosen = list(selectors.visible_cases(request.user, found).filter(exam__number__in=numbers))
    persons = {str(person.pk): person for person in work_lists.readers_of(found)}
    readers = [persons[text] for text in request.POST.getlist("reader") if text in persons]
    assign_cases(cases=chosen, readers=readers, by=request.user)
    messages.success(
        request,
        f"{len(chosen)} case{'s' if len(chosen) != 1 else ''} assigned, in an own random order each.",
    )
    return redirect("reading:case_list", study=found.slug)


@signed_in
@require_POST
@refusals(back_to("reading:case_list", "study"))
def name_adjudicator(request: StudyRequest, study: str, number: int) -> HttpResponse:
    """Give a discordant case to an adjudicator."""
    found = get_study(request, study, Capability.ASSIGN)
    row = get_object_or_404(selectors.visible_cases(request.user, found), exam__number=number)
    persons = {str(person.pk): person for person in work_lists.adjudicators_of(found)}
    person = persons.get(request.POST.get("adjudicator", ""))
    if person is None:
        raise AssignmentError("Choose an adjudicator.")
    assign_adjudicator(case=row, adjudicator=person, by=request.user)
    messages.success(request, f"Exam {number} waits for {person}.")
    return redirect("reading:case_list", study=found.slug)


@signed_in
@require_POST
@refusals(back_to("reading:case_list", "study"))
def draw_repeat_reads(request: StudyRequest, study: str) -> HttpResponse:
    """Draw hidden second readings by the charter's share and washout."""
    found = get_study(request, study, Capability.ASSIGN)
    made = draw_repeats(study=found, by=request.user)
    messages.success(request, f"{len(made)} hidden second reading{'s' if len(made) != 1 else ''} drawn.")
    return redirect("reading:case_list", study=found.slug)
