"""Asking for the runs that comparisons need: the network measured inside the lesions of each reference read.

Requested when a case becomes final and when expert or IVUS reads are imported; asking again changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.db import transaction

from plaquelab.analysis.models import AnalysisRun, Measurement
from plaquelab.analysis.selectors import latest_run
from plaquelab.analysis.services import GivenExtents, request_given_extents
from plaquelab.freezes.signed import signed_revisions
from plaquelab.imaging.models import Exam
from plaquelab.reading.models import ReadCase, ReadRevision
from plaquelab.references.models import ImportedRead
from plaquelab.studies.models import Study

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

VARIANT_OF = {"expert": "plaque", "ivus": "wall_minus_lumen"}
"""Ultrasound counts everything between lumen and vessel wall; experts count plaque."""


S = AnalysisRun.State
UNFINISHED = (S.PENDING, S.CLAIMED, S.RUNNING, S.STORING)


def reference_of_revision(pk: int) -> str:
    """Return how a given-extents run names a read's revision."""
    return f"revision {pk}"


def reference_of_import(pk: int) -> str:
    """Return how a given-extents run names an imported read."""
    return f"imported read {pk}"


def base_run(exam: Exam) -> AnalysisRun | None:
    """Return the run that an exam's references are compared with: the one that was read on, else the newest."""
    case = ReadCase.objects.filter(exam=exam).select_related("run").first()
    return case.run if case is not None else latest_run(exam)


@transaction.atomic
def request_for_case(*, case: ReadCase, by: User | None) -> AnalysisRun | None:
    """Ask for the network's numbers inside the lesions of a final read; None for a read that saw the network."""
    read = case.final_read
    if read is None or read.saw_network:
        return None
    revision_pk = signed_revisions([read.pk]).get(read.pk)
    if revision_pk is None:
        return None
    return request_given_extents(
        run=case.run,
        extents=extents_of_revision(ReadRevision.objects.get(pk=revision_pk)),
        reference=reference_of_revision(revision_pk),
        by=by,
    )


def extents_of_revision(revision: ReadRevision) -> dict[str, GivenExtents]:
    """Return lesions and excluded stretches of a revision, vessel by vessel."""
    sets = revision.contour_sets.select_related("vessel").prefetch_related("lesions")
    return {
        contour_set.vessel.name: GivenExtents(
            lesions=[(x.number, x.start_mm, x.end_mm) for x in contour_set.lesions.all()],
            excluded=[(a, b, why) for a, b, why in contour_set.excluded],
        )
        for contour_set in sets
    }


@transaction.atomic
def request_for_imports(*, exams: Collection[int], by: User | None) -> list[AnalysisRun]:
    """Ask for the network's numbers inside the lesions of imported expert and IVUS reads of exams that have a run."""
    reads = (
        ImportedRead.objects.filter(
            exam__in=exams, kind__in=list(VARIANT_OF), occasion=1, superseded_by__isnull=True
        )
        .select_related("exam")
        .order_by("pk")
    )
    read_here = set(
        ReadCase.objects.filter(exam__in=exams, state=ReadCase.State.FINAL).values_list("exam_id", flat=True)
    )
    made = []
    for read in reads:
        run = base_run(read.exam)
        extents = extents_of_import(read)
        if run is None or run.state != AnalysisRun.State.SUCCEEDED or not extents:
            continue
        if read.kind == "expert" and read.exam_id in read_here:
            continue  # the study's own final read is the reference
        made.append(
            request_given_extents(
                run=run,
                extents=extents,
                reference=reference_of_import(read.pk),
                variant=VARIANT_OF[read.kind],
                by=by,
            )
        )
    return made


def extents_of_import(read: ImportedRead) -> dict[str, GivenExtents]:
    """Return the lesions of an imported read, vessel by vessel."""
    rows = Measurement.objects.filter(
        imported=read, level="lesion", metric__in=("lesion_start", "lesion_end")
    ).values_list("vessel", "lesion", "metric", "value")
    ends: dict[tuple[str, Any], dict[str, float]] = {}
    for vessel, lesion, metric, value in rows:
        ends.setdefault((vessel, lesion), {})[metric] = float(value or 0.0)
    found: dict[str, list[tuple[int, float, float]]] = {}
    for (vessel, lesion), end in ends.items():
        found.setdefault(vessel, []).append((int(lesion), end["lesion_start"], end["lesion_end"]))
    return {vessel: GivenExtents(lesions=lesions) for vessel, lesions in found.items()}


def request_missing(*, study: Study, by: User | None) -> None:
    """Ask for every run that the study's comparisons need and that is not there yet."""
    cases = ReadCase.objects.filter(study=study, state=ReadCase.State.FINAL, final_read__isnull=False)
    for case in cases.select_related("final_read", "run__exam__study", "run__exam__site"):
        request_for_case(case=case, by=by)
    exams = ImportedRead.objects.filter(study=study).values_list("exam_id", flat=True).distinct()
    request_for_imports(exams=list(exams), by=by)


def waiting(study: Study) -> int:
    """Return how many runs that serve comparisons alone (given extents, second operator) still wait or work."""
    runs = AnalysisRun.objects.filter(study=study, state__in=UNFINISHED)
    return runs.exclude(purpose=AnalysisRun.Purpose.MAIN).count()
