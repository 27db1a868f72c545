"""Writing checked rows: reads with their measurements, covariates, outcomes. Called inside one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from plaquelab.analysis.services import store_measurements
from plaquelab.imaging.models import Exam
from plaquelab.references.entries import CovariateEntry, Entry, OutcomeEntry, ReadEntry
from plaquelab.references.models import Covariate, ImportedRead, Outcome, ReferenceImport
from plaquelab.references.report import Report

BATCH = 500
ReadKey = tuple[int, str, int]
"""Subject, reader, occasion."""


def check_known(*, source: ReferenceImport, entries: Sequence[Entry], replace: bool, report: Report) -> None:
    """Say what is stored already; with ``replace`` it is superseded, otherwise the row is refused."""
    how = "to correct it, import again with a reason for the replacement."
    if source.kind == "covariates":
        known: dict[Any, int] = dict(_covariates(source, entries).values_list("pk", "source__number"))
        rows = {(c.subject_id, c.name): c for c in _covariates(source, entries)}
        for entry in entries:
            old = rows.get((entry.subject, getattr(entry, "name", "")))
            if old is not None:
                _already(report, entry.row, f"{old.name} of this subject", known[old.pk], replace, how)
    elif source.kind == "outcomes":
        known = dict(_outcomes(source, entries).values_list("pk", "source__number"))
        events = {(o.subject_id, o.event): o for o in _outcomes(source, entries)}
        for entry in entries:
            past = events.get((entry.subject, getattr(entry, "event", "")))
            if past is not None:
                _already(report, entry.row, f"{past.event} of this subject", known[past.pk], replace, how)
    else:
        seen: set[ReadKey] = set()
        reads = {(r.subject_id, r.reader, r.occasion): r.source.number for r in _reads(source, entries)}
        for entry in (entry for entry in entries if isinstance(entry, ReadEntry)):
            key = (entry.subject, entry.reader, entry.occasion)
            if key in reads and key not in seen:
                seen.add(key)
                what = f"a read of this subject by reader {entry.reader}"
                _already(report, entry.row, what, reads[key], replace, how)


def _already(report: Report, row: int, what: str, number: int, replace: bool, how: str) -> None:
    if replace:
        report.note(row, f"{what} from import {number} is replaced; the old one is kept.")
    else:
        report.refuse(f"{what} came with import {number} already: {how}", row)


def _covariates(source: ReferenceImport, entries: Iterable[Entry]) -> Any:
    names = {entry.name for entry in entries if isinstance(entry, CovariateEntry)}
    return Covariate.objects.filter(study_id=source.study_id, name__in=names, superseded_by__isnull=True)


def _outcomes(source: ReferenceImport, entries: Iterable[Entry]) -> Any:
    events = {entry.event for entry in entries if isinstance(entry, OutcomeEntry)}
    return Outcome.objects.filter(study_id=source.study_id, event__in=events, superseded_by__isnull=True)


def _reads(source: ReferenceImport, entries: Iterable[Entry]) -> Any:
    readers = {entry.reader for entry in entries if isinstance(entry, ReadEntry)}
    return ImportedRead.objects.filter(
        study_id=source.study_id, kind=source.kind, reader__in=readers, superseded_by__isnull=True
    ).select_related("source")


def write(*, source: ReferenceImport, entries: Sequence[Entry]) -> None:
    """Write every row; what it replaces is marked as superseded first."""
    if source.kind == "covariates":
        _write_covariates(source, [e for e in entries if isinstance(e, CovariateEntry)])
    elif source.kind == "outcomes":
        _write_outcomes(source, [e for e in entries if isinstance(e, OutcomeEntry)])
    else:
        _write_reads(source, [e for e in entries if isinstance(e, ReadEntry)])


def _supersede(rows: Any, keys: set[Any], key_of: Any, source: ReferenceImport) -> None:
    old = [row.pk for row in rows if key_of(row) in keys]
    for start in range(0, len(old), BATCH):
        rows.model.objects.filter(pk__in=old[start : start + BATCH]).update(superseded_by=source)


def _write_covariates(source: ReferenceImport, entries: Sequence[CovariateEntry]) -> None:
    keys = {(e.subject, e.name) for e in entries}
    _supersede(_covariates(source, entries), keys, lambda c: (c.subject_id, c.name), source)
    Covariate.objects.bulk_create(
        (
            Covariate(
                study_id=source.study_id, subject_id=e.subject, name=e.name, value=e.value, text=e.text,
                unit=e.unit, row=e.row, source=source,
            )
            for e in entries
        ),
        batch_size=BATCH,
    )  # fmt: skip


def _write_outcomes(source: ReferenceImport, entries: Sequence[OutcomeEntry]) -> None:
    keys = {(e.subject, e.event) for e in entries}
    _supersede(_outcomes(source, entries), keys, lambda o: (o.subject_id, o.event), source)
    Outcome.objects.bulk_create(
        (
            Outcome(
                study_id=source.study_id, subject_id=e.subject, event=e.event, days=e.days,
                origin=e.origin, row=e.row, source=source,
            )
            for e in entries
        ),
        batch_size=BATCH,
    )  # fmt: skip


def _write_reads(source: ReferenceImport, entries: Sequence[ReadEntry]) -> None:
    by_read: dict[ReadKey, list[ReadEntry]] = defaultdict(list)
    for entry in entries:
        by_read[entry.subject, entry.reader, entry.occasion].append(entry)
    _supersede(_reads(source, entries), set(by_read), lambda r: (r.subject_id, r.reader, r.occasion), source)
    exams = Exam.objects.in_bulk({rows[0].exam for rows in by_read.values()})
    for (subject, reader, occasion), rows in by_read.items():
        read = ImportedRead.objects.create(
            study_id=source.study_id, subject_id=subject, exam_id=rows[0].exam, kind=source.kind,
            reader=reader, occasion=occasion, source=source,
        )  # fmt: skip
        store_measurements(exam=exams[rows[0].exam], imported=read, rows=[_measured(e, source) for e in rows])


def _measured(entry: ReadEntry, source: ReferenceImport) -> Any:
    """One row of the long table; its profile names where it came from."""
    return SimpleNamespace(
        level=entry.level,
        vessel=entry.vessel,
        segment=entry.segment,
        lesion=entry.lesion,
        metric=entry.metric,
        value=entry.text or entry.value,
        unit=entry.unit,
        low=None,
        high=None,
        interval_low=None,
        interval_high=None,
        profile=f"imported {source.kind}",
    )
