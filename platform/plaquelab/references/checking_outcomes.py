"""Rows of an outcome file, checked: events, days, and what comes after what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from plaquelab.references.entries import OutcomeEntry
from plaquelab.references.reading_csv import CsvRow
from plaquelab.references.report import Report
from plaquelab.references.subjects import NO_SCAN_DATE, Subjects, days_of
from plaquelab.references.vocabulary import DEATHS, END_OF_FOLLOW_UP, EVENTS, suggestion

EVERYBODY = "*"
LONGEST_DAYS = 40_000.0
Known = Mapping[int, Mapping[str, float]]
"""Subject → event → days, as stored before this file."""


def check_outcomes(
    rows: Sequence[CsvRow], *, subjects: Subjects, known: Known, report: Report
) -> list[OutcomeEntry]:
    """Return what can be stored; what cannot is in ``report``.

    A row of subject ``*`` with a calendar date gives every subject with a scan the study's end of follow-up
    (administrative censoring), except those that have a row of their own or an earlier death.
    """
    entries: list[OutcomeEntry] = []
    everybody: CsvRow | None = None
    first: dict[tuple[int, str], int] = {}
    for row in rows:
        event = row["event"]
        if event not in EVENTS:
            report.refuse(
                f"the event “{event[:40]}” is not known: {suggestion(event, EVENTS)}"
                if event
                else "the event is missing.",
                row.number,
                "event",
            )
            continue
        if row["subject"] == EVERYBODY:
            if event != END_OF_FOLLOW_UP or everybody is not None:
                report.refuse(
                    f"“*” stands for every subject, once, with {END_OF_FOLLOW_UP}.", row.number, "subject"
                )
            else:
                everybody = row
            continue
        subject = subjects.find(row, report)
        if subject is None:
            continue
        if (subject, event) in first:
            report.refuse(
                f"{event} of this subject stands in row {first[subject, event]} already: give the first one only.",
                row.number,
                "event",
            )
            continue
        first[subject, event] = row.number
        entry = _entry(row, subject, subjects, report)
        if entry is not None:
            entries.append(entry)
    if everybody is not None:
        entries += _end_for_everybody(everybody, entries, subjects, known, report)
    _check_order(entries, known, report)
    return entries


def _entry(row: CsvRow, subject: int, subjects: Subjects, report: Report) -> OutcomeEntry | None:
    days, was_date = days_of(row, "days", subject, subjects, report)
    if days is None:
        return None
    if days < 0:
        text = "the date lies before the scan" if was_date else f"{days:g} days is a negative time"
        report.refuse(f"{text}: outcomes count from the scan.", row.number, "days")
        return None
    if days > LONGEST_DAYS:
        report.refuse("the time lies more than a century after the scan.", row.number, "days")
        return None
    if was_date:
        report.note(row.number, "a calendar date was turned into days from the scan; the date is not kept.")
    return OutcomeEntry(row.number, subject, row["event"], days, row["source"][:120])


def _end_for_everybody(
    row: CsvRow, entries: Sequence[OutcomeEntry], subjects: Subjects, known: Known, report: Report
) -> list[OutcomeEntry]:
    ends = {e.subject for e in entries if e.event == END_OF_FOLLOW_UP}
    ends |= {subject for subject, events in known.items() if END_OF_FOLLOW_UP in events}
    died: dict[int, float] = {s: d for s, events in known.items() for e, d in events.items() if e in DEATHS}
    died |= {e.subject: e.days for e in entries if e.event in DEATHS}
    made, skipped = [], 0
    for subject in subjects:
        if subject in ends or subjects.exam(subject) is None:
            continue
        if subjects.scan_date(subject) is None:
            skipped += 1
            continue
        entry = _entry(row, subject, subjects, report)
        if entry is None:
            break
        days = min(entry.days, died.get(subject, entry.days))
        made.append(OutcomeEntry(row.number, subject, END_OF_FOLLOW_UP, days, entry.origin))
    if skipped:
        report.note(row.number, f"{skipped} subjects: {NO_SCAN_DATE}")
    return made


def _check_order(entries: Sequence[OutcomeEntry], known: Known, report: Report) -> None:
    """Refuse events after death or after the end of follow-up, and more than one kind of death."""
    by_subject: dict[int, dict[str, tuple[float, int | None]]] = defaultdict(dict)
    for entry in entries:
        by_subject[entry.subject][entry.event] = (entry.days, entry.row)
    for subject, events in by_subject.items():
        for event, days in known.get(subject, {}).items():
            events.setdefault(event, (days, None))
        deaths = [event for event in DEATHS if event in events]
        if len(deaths) > 1:
            report.refuse(
                f"a subject has both {' and '.join(deaths)}: give one.", _row(events, deaths), "event"
            )
        last = [END_OF_FOLLOW_UP, *deaths[:1]]
        for limit in (name for name in last if name in events):
            end, end_row = events[limit]
            where = f"row {end_row}" if end_row is not None else "stored before"
            for event, (days, row) in events.items():
                if event != limit and days > end and event != END_OF_FOLLOW_UP:
                    report.refuse(
                        f"{event} on day {days:g} lies after this subject's {limit} (day {end:g}, {where}).",
                        row if row is not None else end_row,
                        "days",
                    )
                elif event == END_OF_FOLLOW_UP and limit != event and days > end:
                    report.refuse(
                        f"follow-up ends on day {days:g}, after this subject's {limit} (day {end:g}, {where}).",
                        row if row is not None else end_row,
                        "days",
                    )
        if END_OF_FOLLOW_UP not in events and not deaths:
            report.note(
                min(row for _, row in events.values() if row is not None),
                f"no {END_OF_FOLLOW_UP} of this subject: other endpoints have no time at risk.",
            )


def _row(events: Mapping[str, tuple[float, int | None]], names: Sequence[str]) -> int | None:
    return next((events[name][1] for name in names if events[name][1] is not None), None)
