"""Export final reads as training data, so that a lab can fine-tune a network on its own signed work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction

from inference.training.reads import write_reads
from plaquelab.accounts.models import User
from plaquelab.analysis.selectors import load_contours, load_vessel
from plaquelab.audit.services import record
from plaquelab.reading.models import Read, ReadCase, ReadRevision
from plaquelab.studies.blinding import hidden_exams
from plaquelab.studies.models import Study

if TYPE_CHECKING:
    from inference.contours import VesselContours
    from inference.straightening import StraightenedVessel


def export_reads(*, study: Study, folder: Path, by: User, assisted: bool = False) -> tuple[int, int]:
    """Write every final, signed read of a study into a new folder; return how many reads and vessels.

    Parameters
    ----------
    folder : new or empty; its form is that of ``inference.training.reads``.
    assisted : also reads that began from the network's own contours. A network that learns from them learns in part
        from itself, so they stay out unless asked for.

    Patients are numbered in this folder alone: neither subject, site nor reader is named. Cases that ``by`` is to read a
    second time stay out.
    """
    reads = [
        case.final_read
        for case in ReadCase.objects.filter(study=study, state=ReadCase.State.FINAL)
        .exclude(exam__in=hidden_exams(by, study))
        .select_related("final_read", "exam")
        .order_by("pk")
        if case.final_read is not None and (assisted or not case.final_read.saw_network)
    ]
    rows = write_reads(folder, _vessels(reads))
    with transaction.atomic():
        record(
            verb="read.export",
            obj=study,
            by=by,
            study=study,
            after={"reads": [read.pk for read in reads], "vessels": len(rows), "assisted": assisted},
        )
    return len(reads), len(rows)


def _vessels(reads: list[Read]) -> Iterator[tuple[str, StraightenedVessel, VesselContours, bool]]:
    patients: dict[int, str] = {}
    for read in reads:
        patient = patients.setdefault(read.case.exam.subject_id, f"patient {len(patients) + 1}")
        signed = (
            ReadRevision.objects.filter(read=read, signatures__isnull=False).order_by("number").distinct()
        )
        last = signed.last()
        if last is None:
            continue
        for contour_set in last.contour_sets.select_related("vessel").order_by("vessel__order"):
            simulated = read.is_simulated
            yield patient, load_vessel(contour_set.vessel), load_contours(contour_set), simulated
