"""All writes of references: preview a file, commit or discard the preview, import in one go."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.references import storing
from plaquelab.references.checking_covariates import check_covariates
from plaquelab.references.checking_outcomes import check_outcomes
from plaquelab.references.checking_reads import check_ica, check_reads
from plaquelab.references.entries import Entry, ReadEntry, from_json, to_json
from plaquelab.references.models import Outcome, ReferenceImport
from plaquelab.references.reading_csv import CsvRow, read_rows
from plaquelab.references.report import ImportRefusedError, Report
from plaquelab.references.selectors import own_covariates
from plaquelab.references.signals import reads_imported
from plaquelab.references.subjects import Subjects
from plaquelab.references.transitions import IMPORT
from plaquelab.references.vocabulary import COLUMNS
from plaquelab.studies.models import Study

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

SHORTEST_REASON = 10


@dataclass(frozen=True)
class Checked:
    """A file as it was understood: entries to store, and what is said about its rows."""

    kind: str
    entries: tuple[Entry, ...]
    rows: int
    sha256: str
    report: Report

    @property
    def good(self) -> bool:
        """Whether nothing stands against storing it."""
        return not self.report.problem_count


def check_file(*, study: Study, kind: str, data: bytes, replace_reason: str = "") -> Checked:
    """Read and check a file without writing anything.

    Parameters
    ----------
    kind : ``expert``, ``ivus``, ``ica``, ``covariates`` or ``outcomes``.
    replace_reason : why rows that are stored already are to be replaced; without it they are refused.
    """
    report = Report()
    digest = hashlib.sha256(data).hexdigest()
    if kind not in COLUMNS:
        report.refuse(f"there is no kind “{kind[:20]}”: use one of {', '.join(COLUMNS)}.")
        return Checked(kind, (), 0, digest, report)
    before = (
        ReferenceImport.objects.filter(
            study=study, kind=kind, file_sha256=digest, state=ReferenceImport.State.COMMITTED
        )
        .order_by("number")
        .last()
    )
    if before is not None:
        report.refuse(f"this very file was imported before (import {before.number}): there is nothing to do.")
        return Checked(kind, (), 0, digest, report)
    if replace_reason and len(replace_reason.strip()) < SHORTEST_REASON:
        report.refuse(f"give the reason of the replacement (at least {SHORTEST_REASON} characters).")
        return Checked(kind, (), 0, digest, report)
    rows = read_rows(data, kind=kind, report=report)
    entries = (
        _entries(study=study, kind=kind, rows=rows, replace=bool(replace_reason), report=report)
        if rows
        else []
    )
    if entries:
        source = ReferenceImport(study=study, kind=kind)
        storing.check_known(source=source, entries=entries, replace=bool(replace_reason), report=report)
    report.problems.sort(key=lambda problem: (problem.row or 0, problem.column))
    report.notes.sort()
    return Checked(kind, tuple(entries), len(rows), digest, report)


def _entries(
    *, study: Study, kind: str, rows: Sequence[CsvRow], replace: bool, report: Report
) -> Sequence[Entry]:
    subjects = Subjects(study)
    if kind == "covariates":
        return check_covariates(rows, subjects=subjects, own=own_covariates(study), report=report)
    if kind == "outcomes":
        return check_outcomes(rows, subjects=subjects, known=_known(study, rows, replace), report=report)
    if kind == "ica":
        return check_ica(rows, subjects=subjects, report=report)
    return check_reads(rows, kind=kind, subjects=subjects, report=report)


def _known(study: Study, rows: Sequence[CsvRow], replace: bool) -> dict[int, dict[str, float]]:
    """Outcomes that stay beside this file's: those it replaces do not count."""
    replaced = {(row["subject"], row["event"]) for row in rows} if replace else set()
    known: dict[int, dict[str, float]] = defaultdict(dict)
    stored = Outcome.objects.filter(study=study, superseded_by__isnull=True)
    for subject, name, event, days in stored.values_list("subject_id", "subject__pseudonym", "event", "days"):
        if (name, event) not in replaced:
            known[subject][event] = days
    return known


@transaction.atomic
def preview_import(
    *, study: Study, kind: str, data: bytes, by: User | None, replace_reason: str = ""
) -> ReferenceImport:
    """Check a file and keep its checked rows until somebody commits or discards them.

    Raises
    ------
    ImportRefusedError
        Something stands against it; nothing is kept.
    """
    checked = check_file(study=study, kind=kind, data=data, replace_reason=replace_reason)
    if not checked.good:
        raise ImportRefusedError(checked.report)
    for older in ReferenceImport.objects.filter(study=study, by=by, state=ReferenceImport.State.PREVIEWED):
        discard_import(reference_import=older, by=by)
    return _make(study=study, checked=checked, by=by, reason=replace_reason, prepared=True)


def _make(*, study: Study, checked: Checked, by: User | None, reason: str, prepared: bool) -> ReferenceImport:
    # The audit event takes the chain's lock: numbers of one study follow each other.
    audit.record(
        verb="reference_import.preview",
        obj=study,
        by=by,
        study=study,
        after={"kind": checked.kind, "rows": checked.rows, "file_sha256": checked.sha256},
        reason=reason,
    )
    last = ReferenceImport.objects.filter(study=study).aggregate(n=Max("number"))["n"] or 0
    return ReferenceImport.objects.create(
        study=study,
        number=last + 1,
        kind=checked.kind,
        file_sha256=checked.sha256,
        rows=checked.rows,
        notes=[[row, text] for row, text in checked.report.notes],
        prepared=to_json(list(checked.entries)) if prepared else [],
        replace_reason=reason.strip(),
        is_simulated=study.is_simulated,
        by=by,
    )


@transaction.atomic
def commit_import(*, reference_import: ReferenceImport, by: User | None) -> ReferenceImport:
    """Store a previewed import's rows, all or none.

    Raises
    ------
    TransitionError
        It was committed or discarded before.
    ImportRefusedError
        Rows of it were stored by another import meanwhile.
    """
    entries = from_json(reference_import.kind, reference_import.prepared)
    return _commit(reference_import=reference_import, entries=entries, by=by)


def _commit(
    *, reference_import: ReferenceImport, entries: Sequence[Entry], by: User | None
) -> ReferenceImport:
    found = reference_import
    IMPORT.apply(
        found,
        "commit",
        by=by,
        reason=found.replace_reason,
        detail={
            "kind": found.kind,
            "rows": found.rows,
            "file_sha256": found.file_sha256,
            "simulated": found.is_simulated,
        },
    )
    report = Report()
    storing.check_known(source=found, entries=entries, replace=bool(found.replace_reason), report=report)
    if report.problem_count:
        raise ImportRefusedError(report)
    storing.write(source=found, entries=entries)
    found.committed_at = timezone.now()
    found.prepared = []
    found.save(update_fields=["committed_at", "prepared"])
    exams = sorted({entry.exam for entry in entries if isinstance(entry, ReadEntry)})
    reads_imported.send(sender=ReferenceImport, reference_import=found, exams=exams)
    return found


@transaction.atomic
def discard_import(*, reference_import: ReferenceImport, by: User | None) -> ReferenceImport:
    """Forget a preview; its rows are erased, the record stays.

    Raises
    ------
    TransitionError
        It was committed or discarded before.
    """
    IMPORT.apply(reference_import, "discard", by=by)
    reference_import.prepared = []
    reference_import.save(update_fields=["prepared"])
    return reference_import


@transaction.atomic
def import_file(
    *, study: Study, kind: str, data: bytes, by: User | None, replace_reason: str = ""
) -> ReferenceImport:
    """Check and store a file in one transaction.

    Raises
    ------
    ImportRefusedError
        Something stands against it; nothing is stored.
    """
    checked = check_file(study=study, kind=kind, data=data, replace_reason=replace_reason)
    if not checked.good:
        raise ImportRefusedError(checked.report)
    made = _make(study=study, checked=checked, by=by, reason=replace_reason, prepared=False)
    return _commit(reference_import=made, entries=checked.entries, by=by)
