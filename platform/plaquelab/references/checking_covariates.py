"""Rows of a covariate file, checked: names, units, ranges, duplicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plaquelab.references.entries import CovariateEntry
from plaquelab.references.reading_csv import CsvRow, number_of
from plaquelab.references.report import Report
from plaquelab.references.subjects import Subjects, days_of
from plaquelab.references.vocabulary import (
    COVARIATES,
    YES_NO,
    CovariateKind,
    UnknownUnitError,
    factor_to,
    suggestion,
)


def check_covariates(
    rows: Sequence[CsvRow], *, subjects: Subjects, own: Mapping[str, CovariateKind], report: Report
) -> list[CovariateEntry]:
    """Return what can be stored; what cannot is in ``report``.

    Parameters
    ----------
    own : covariates that the study's charter adds to the vocabulary.
    """
    kinds = {**COVARIATES, **own}
    entries: list[CovariateEntry] = []
    first: dict[tuple[int, str], int] = {}
    for row in rows:
        subject = subjects.find(row, report)
        name = row["name"]
        kind = kinds.get(name)
        if kind is None:
            report.refuse(
                f"the covariate “{name[:40]}” is not known: {suggestion(name, kinds)}"
                if name
                else "the name is missing.",
                row.number,
                "name",
            )
        if subject is None or kind is None:
            continue
        if (subject, name) in first:
            report.refuse(
                f"{name} of this subject stands in row {first[subject, name]} already.", row.number, "name"
            )
            continue
        first[subject, name] = row.number
        entry = _entry(row, subject, name, kind, subjects, report)
        if entry is not None:
            entries.append(entry)
    return entries


def _entry(
    row: CsvRow, subject: int, name: str, kind: CovariateKind, subjects: Subjects, report: Report
) -> CovariateEntry | None:
    if kind.categories:
        text = kind.categories.get(row["value"].lower())
        if text is None:
            allowed = ", ".join(dict.fromkeys(kind.categories.values()))
            report.refuse(f"“{row['value'][:20]}” is none of {allowed}.", row.number, "value")
            return None
        return CovariateEntry(row.number, subject, name, None, text, "")
    if kind.is_days:
        days, was_date = days_of(row, "value", subject, subjects, report)
        if was_date and days is not None:
            report.note(
                row.number, "a calendar date was turned into days from the scan; the date is not kept."
            )
        if row["unit"].lower() not in ("", "days", "day", "d", "date"):
            report.refuse(f"{name} is in days (or a date), not “{row['unit'][:20]}”.", row.number, "unit")
            return None
        return _in_range(row, subject, name, kind, days, report)
    if kind.unit == "yes/no" and row["value"].lower() in YES_NO:
        value: float | None = float(YES_NO[row["value"].lower()])
    elif kind.unit == "yes/no":
        report.refuse(f"“{row['value'][:20]}” is neither yes nor no.", row.number, "value")
        return None
    else:
        value = number_of(row, "value", report)
    try:
        factor = factor_to(kind.unit, row["unit"], mg_per_dl=kind.mg_per_dl)
    except UnknownUnitError as error:
        report.refuse(f"{error}.", row.number, "unit")
        return None
    if value is not None and factor != 1.0:
        report.note(row.number, f"{name}: converted from {row['unit']} to {kind.unit}.")
        value *= factor
    return _in_range(row, subject, name, kind, value, report)


def _in_range(
    row: CsvRow, subject: int, name: str, kind: CovariateKind, value: float | None, report: Report
) -> CovariateEntry | None:
    if value is None:
        return None
    if not kind.low <= value <= kind.high:
        report.refuse(
            f"{name} of {value:g} {kind.unit} lies outside {kind.low:g} to {kind.high:g}: is the unit right?",
            row.number,
            "value",
        )
        return None
    return CovariateEntry(row.number, subject, name, value, "", kind.unit)
