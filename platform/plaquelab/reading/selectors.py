"""Who may see which case, and as what. Lists, pages, the API and the tests all ask here.

A reader's cases are found through the reader's own assignments and under the reader's own running numbers; no
query of a reader's touches another person's assignment, read, revision or signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from plaquelab.analysis.models import AnalysisRun, ContourSet, Vessel
from plaquelab.analysis.selectors import latest_run, network_contours
from plaquelab.imaging.models import Exam
from plaquelab.reading.charter import read_design
from plaquelab.reading.models import Assignment, Read, ReadCase, ReadRevision
from plaquelab.reading.revisions import latest_revision
from plaquelab.reading.transitions import OPEN_READ, TO_ADJUDICATE, C, R
from plaquelab.studies.blinding import hidden_exams
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, capabilities_of, may

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from plaquelab.accounts.models import User

P = Assignment.Purpose
NETWORK, FINAL = "network", "final"


def own_assignments(user: User | AnonymousUser, study: Study) -> QuerySet[Assignment]:
    """Return the person's assignments of a study, as far as the person's roles of today reach."""
    held = capabilities_of(user, study)
    allowed = Q(pk__in=[])
    if Capability.READ in held:
        allowed |= Q(purpose=P.READ)
    if Capability.ADJUDICATE in held:
        allowed |= Q(purpose=P.ADJUDICATE, case__state__in=(*TO_ADJUDICATE, C.FINAL))
    return (
        Assignment.objects.filter(allowed, study=study, reader_id=user.pk)
        .select_related("case__exam__volume", "case__run", "case__charter", "study")
        .order_by("order_index")
    )


def own_assignment(user: User | AnonymousUser, study: Study, n: int) -> Assignment | None:
    """Return the person's case number ``n`` of a study, or None."""
    return own_assignments(user, study).filter(order_index=n).first()


def own_reads(user: User | AnonymousUser, study: Study) -> QuerySet[Read]:
    """Return the person's own reads in the order in which they are to be read."""
    assignments = own_assignments(user, study).filter(purpose=P.READ)
    return (
        Read.objects.filter(assignment__in=assignments.values("pk"))
        .select_related("assignment", "charter", "study")
        .order_by("assignment__order_index")
    )


def next_read(user: User | AnonymousUser, study: Study, *, after: int = 0) -> Read | None:
    """Return the person's next unsigned read, first beyond running number ``after``, then from the start."""
    waiting = own_reads(user, study).filter(state__in=OPEN_READ)
    return (
        waiting.filter(assignment__order_index__gt=after).first()
        or waiting.exclude(assignment__order_index=after).first()
    )


def own_adjudications(user: User | AnonymousUser, study: Study) -> QuerySet[Assignment]:
    """Return the person's cases to adjudicate, decided ones last."""
    return (
        own_assignments(user, study)
        .filter(purpose=P.ADJUDICATE)
        .select_related("adjudication", "case__discordance")
        .order_by("adjudication__decided_at", "order_index")
    )


def next_adjudication(user: User | AnonymousUser, study: Study, *, after: int = 0) -> Assignment | None:
    """Return the person's next undecided case."""
    waiting = own_adjudications(user, study).filter(adjudication__decided_at__isnull=True)
    return waiting.filter(order_index__gt=after).order_by("order_index").first() or (
        waiting.exclude(order_index=after).order_by("order_index").first()
    )


def visible_cases(user: User | AnonymousUser, study: Study) -> QuerySet[ReadCase]:
    """Return the cases that the person may oversee with readers' names: manager and auditor, else none.

    Who also adjudicates in the study oversees waiting and final cases alone: any other may yet be hers to decide, and
    what is told here (who reads it, and which reader said what) names the sides of a decision.
    """
    cases = ReadCase.objects.filter(study=study).select_related(
        "exam__subject", "exam__site", "exam__volume", "run", "charter", "study", "discordance", "final_read"
    )
    if not may(user, study, Capability.SEE_EVERY_CASE):
        return cases.none()
    if may(user, study, Capability.ADJUDICATE):
        cases = cases.filter(state__in=(C.WAITING, C.FINAL))
    return cases.exclude(exam__in=hidden_exams(user, study)).order_by("exam__number")


@dataclass(frozen=True)
class View:
    """What somebody who neither reads nor adjudicates may see of an exam in the viewer.

    Parameters
    ----------
    sources : what can be shown, first the default: ``final``, ``network``, ``reader 1``, ``reader 2``.
    """

    exam: Exam
    run: AnalysisRun
    case: ReadCase | None
    sources: tuple[str, ...]


def exam_view(user: User | AnonymousUser, study: Study, number: int) -> View | None:
    """Return how the person may view an exam, or None.

    Manager and auditor see the network's contours and every signed read; the technician the network's;
    an investigator a final read where the charter says so. An exam that waits for the person's own read shows
    nothing here, whatever other roles the person holds.
    """
    held = capabilities_of(user, study)
    exam = (
        Exam.objects.filter(study=study, number=number)
        .exclude(pk__in=hidden_exams(user, study))
        .select_related("study", "volume", "subject", "site")
        .first()
    )
    if exam is None:
        return None
    case = ReadCase.objects.filter(exam=exam).select_related("run", "charter", "final_read").first()
    run = case.run if case else latest_run(exam)
    if run is None:
        return None
    sources: list[str] = []
    oversees = Capability.SEE_EVERY_CASE in held
    allowed = case is not None and read_design(case.charter).investigators_see_images
    if case and case.final_read_id and (oversees or (Capability.SEE_FINAL_IMAGES in held and allowed)):
        sources.append(FINAL)
    if Capability.SEE_NETWORK in held:
        sources.append(NETWORK)
    if oversees and case:
        signed = case.reads.filter(state=R.SIGNED, assignment__round=1)
        slots = signed.values_list("assignment__slot", flat=True)
        sources += [f"reader {slot + 1}" for slot in sorted(slots)]
    return View(exam=exam, run=run, case=case, sources=tuple(sources)) if sources else None


def revision_of_source(view: View, source: str) -> ReadRevision | None:
    """Return the signed revision behind a source of a view; None for the network's contours."""
    if source == NETWORK or view.case is None:
        return None
    if source == FINAL:
        read = view.case.final_read
    else:
        read = view.case.reads.get(assignment__slot=int(source.removeprefix("reader ")) - 1, state=R.SIGNED)
    return latest_revision(read) if read else None


def contour_set_of(vessel: Vessel, revision: ReadRevision | None) -> ContourSet:
    """Return a vessel's contours in a revision, or the network's when there is none."""
    if revision is None:
        return network_contours(vessel)
    return revision.contour_sets.select_related("vessel").get(vessel=vessel)
