"""Who read what in a study: every read that may enter a comparison, with its identity, before any number is read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from plaquelab.analysis.models import AnalysisRun
from plaquelab.freezes.comparison_runs import reference_of_import, reference_of_revision
from plaquelab.freezes.measured import Owner
from plaquelab.freezes.signed import signed_revisions
from plaquelab.imaging.models import Exam
from plaquelab.imaging.scan_dates import index_exams
from plaquelab.reading.models import Assignment, Read, ReadCase
from plaquelab.reading.repeats import REPEAT_SLOT
from plaquelab.references.models import ImportedRead
from plaquelab.studies.models import Study, Subject
from plaquelab.studies.permissions import Capability, ever_held

Purpose = AnalysisRun.Purpose


@dataclass(frozen=True)
class SourceRead:
    """One read with its identity.

    key : what rows of pair tables carry, such as ``revision 12``. reader : a code, never a name.
    owner : whose measurements are its numbers. at : when it was submitted or had run; None for imports.
    """

    key: str
    patient: str
    exam: int
    kind: str
    reader: str
    owner: Owner
    saw_network: bool | None = None
    at: datetime | None = None
    order: int | None = None
    minutes: float | None = None
    simulated: bool = False


@dataclass
class Case:
    """One subject's exam with everything that was said about it.

    second_operator : the newest run along a second operator's centrelines that was made as ``run`` was.
    made_otherwise : whether there are only such that were not.
    """

    subject: Subject
    exam: Exam
    run: AnalysisRun | None = None
    case: ReadCase | None = None
    final: SourceRead | None = None
    readers: dict[int, SourceRead] = field(default_factory=dict)
    repeats: dict[int, SourceRead] = field(default_factory=dict)
    imported: dict[tuple[str, str, int], SourceRead] = field(default_factory=dict)
    given: dict[str, AnalysisRun] = field(default_factory=dict)
    second_operator: AnalysisRun | None = None
    made_otherwise: bool = False

    @property
    def patient(self) -> str:
        """The pseudonym."""
        return self.subject.pseudonym

    def reads(self) -> list[SourceRead]:
        """Return every read of people, here and outside."""
        return [*self.readers.values(), *self.repeats.values(), *self.imported.values()]

    def imports(self, kind: str, occasion: int = 1) -> list[SourceRead]:
        """Return imported reads of a kind, in the order of their readers' codes."""
        return [read for (k, _, o), read in sorted(self.imported.items()) if k == kind and o == occasion]


def network_read(run: AnalysisRun, patient: str, kind: str = "network") -> SourceRead:
    """Return a run as a read; its reader is the network and its weights."""
    return SourceRead(
        key=f"run {run.pk}",
        patient=patient,
        exam=run.exam_id,
        kind=kind,
        reader=f"{run.model.name} {run.model.weights_sha256[:8]}",
        owner=("run", run.pk),
        at=run.finished_at,
    )


def reader_codes(study: Study) -> dict[int, str]:
    """Return user → code of everybody who was ever a reader of the study, in the order in which they joined."""
    users = ever_held(study, Capability.READ).values_list("user_id", flat=True)
    return {user: f"reader {n}" for n, user in enumerate(dict.fromkeys(users), start=1)}


def gather(study: Study) -> list[Case]:
    """Return every subject that has an exam, with its runs and reads; subjects in the order of their pseudonyms."""
    exams = index_exams(study.pk)
    subjects = Subject.objects.filter(study=study).select_related("site", "cohort").order_by("pseudonym")
    cases = [Case(subject=s, exam=exams[s.pk]) for s in subjects if s.pk in exams]
    by_exam = {case.exam.pk: case for case in cases}
    again = _add_runs(study, by_exam)
    _add_reads(study, by_exam)
    _add_imports(study, by_exam)
    for exam, runs in again.items():
        _choose_second_operator(by_exam[exam], runs)
    return cases


def _add_runs(study: Study, by_exam: dict[int, Case]) -> dict[int, list[AnalysisRun]]:
    """Put runs into their cases, and return exam → runs along a second operator's centrelines, oldest first."""
    again: dict[int, list[AnalysisRun]] = defaultdict(list)
    runs = AnalysisRun.objects.filter(study=study, state=AnalysisRun.State.SUCCEEDED)
    for run in runs.select_related("model", "centrelines").order_by("pk"):
        case = by_exam.get(run.exam_id)
        if case is None:
            continue
        if run.purpose == Purpose.MAIN:
            case.run = run
        elif run.purpose == Purpose.GIVEN_EXTENTS:
            case.given[run.reference] = run
        else:
            again[run.exam_id].append(run)
    return again


def _choose_second_operator(case: Case, runs: list[AnalysisRun]) -> None:
    """Take the newest run that differs from the case's own by its centrelines alone: what was read on is known by now."""
    alike = [run for run in runs if case.run is None or _made_as(run) == _made_as(case.run)]
    case.second_operator = alike[-1] if alike else None
    case.made_otherwise = not alike


def _made_as(run: AnalysisRun) -> tuple[str, int, str]:
    return run.code_version, run.model_id, run.profile


def _add_reads(study: Study, by_exam: dict[int, Case]) -> None:
    codes = reader_codes(study)
    rows = ReadCase.objects.filter(study=study).select_related("run__model", "charter", "final_read")
    found = {row.pk: row for row in rows}
    reads = list(
        Read.objects.filter(
            case__in=found, state=Read.State.SIGNED, assignment__purpose=Assignment.Purpose.READ
        ).select_related("assignment")
    )
    revisions = signed_revisions(read.pk for read in reads)
    by_case: dict[int, list[Read]] = defaultdict(list)
    for read in reads:
        by_case[read.case_id].append(read)
    for row in found.values():
        case = by_exam.get(row.exam_id)
        if case is None:
            continue
        case.case = row
        case.run = row.run if row.run.state == AnalysisRun.State.SUCCEEDED else None  # whatever ran later
        for read in by_case[row.pk]:
            if read.pk not in revisions:
                continue
            source = _reader_read(read, case, revisions[read.pk], codes)
            if read.assignment.round != 1:
                case.repeats[read.assignment.slot - REPEAT_SLOT] = replace(source, kind="repeat")
                continue
            case.readers[read.assignment.slot] = source
            if row.state == ReadCase.State.FINAL and row.final_read_id == read.pk:
                case.final = source


def _reader_read(read: Read, case: Case, revision: int, codes: dict[int, str]) -> SourceRead:
    return SourceRead(
        key=reference_of_revision(revision),
        patient=case.patient,
        exam=case.exam.number,
        kind="assisted" if read.saw_network else "expert",
        reader=codes.get(read.assignment.reader_id, "reader"),
        owner=("revision", revision),
        saw_network=read.saw_network,
        at=read.submitted_at,
        order=read.assignment.order_index,
        minutes=_minutes(read),
        simulated=read.is_simulated,
    )


def _minutes(read: Any) -> float | None:
    """Active reading time; a script's time says nothing about readers."""
    if read.is_simulated or not read.active_seconds:
        return None
    return float(read.active_seconds) / 60.0


def _add_imports(study: Study, by_exam: dict[int, Case]) -> None:
    rows = ImportedRead.objects.filter(study=study, superseded_by__isnull=True).select_related("source")
    for row in rows.order_by("pk"):
        case = by_exam.get(row.exam_id)
        if case is None:
            continue
        kind = "repeat" if row.kind == "expert" and row.occasion == 2 else row.kind
        case.imported[row.kind, row.reader, row.occasion] = SourceRead(
            key=reference_of_import(row.pk),
            patient=case.patient,
            exam=case.exam.number,
            kind=kind,
            reader=row.reader,
            owner=("imported", row.pk),
            saw_network=False if row.kind == "expert" else None,
            simulated=row.source.is_simulated,
        )
