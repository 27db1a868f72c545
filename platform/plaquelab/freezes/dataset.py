"""The study's own data as the tables of a freeze: one documented query over signed and final reads.

:func:`build` gathers who read what (``gathering``), decides what is compared with what (``comparing``), reads every
number in one go (``measured``), pairs them (``pairing``), and adds the tables about patients and about the work. What
does not enter is counted with its reason. No row holds a name, a user or a date: patients are pseudonyms, readers
codes, time counts in days from the study's first exam or in years from the CT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plaquelab.freezes import certainty_tables, patient_tables, quality_table, reading_tables
from plaquelab.freezes.comparing import Plan, compare, plan
from plaquelab.freezes.gathering import Case, gather
from plaquelab.freezes.measured import Owner, values_of
from plaquelab.freezes.measuring_code import measured_by
from plaquelab.freezes.pairing import pair_rows
from plaquelab.references.models import Outcome
from plaquelab.references.selectors import covariates_of, outcomes_of, own_covariates
from plaquelab.studies.models import Study

Rows = list[dict[str, Any]]
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Dataset:
    """Tables of a study by the names that freezes have, and what did not enter.

    tables : table → rows. left_out : (what and why, how many).
    cases : the gathered cases, for what else is made of them.
    measured_by : version of the measuring code → how many runs and reads it measured.
    """

    tables: dict[str, Rows]
    left_out: tuple[tuple[str, int], ...]
    cases: tuple[Case, ...]
    measured_by: Mapping[str, int]

    def columns(self) -> dict[str, dict[str, list[Any]]]:
        """Return the tables by column, as ``analytics.freeze`` takes them."""
        return {name: _columns(rows) for name, rows in self.tables.items() if rows or name == "patients"}


def _columns(rows: Rows) -> dict[str, list[Any]]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: [row.get(name) for row in rows] for name in names}


def silent(stage: str, fraction: float) -> None:
    """Tell nobody."""


def build(study: Study, *, progress: Progress = silent) -> Dataset:
    """Build every table of a study as it stands now."""
    progress("gather", 0.0)
    cases = gather(study)
    covariates = covariates_of(study)
    plans, left = plan(cases, covariates)
    progress("measure", 0.0)
    owners = _owners(cases, plans)
    values = values_of(study=study, owners=owners)
    tables: dict[str, Rows] = {}
    known = {case.patient for case in cases if case.subject.cohort is not None}
    for n, one in enumerate(plans):
        if one.first.patient not in known:
            continue
        progress("pair", n / len(plans))
        found, counts = pair_rows(compare(one, values))
        for name, rows in found.items():
            tables.setdefault(name, []).extend(rows)
        for what, count in counts.items():
            left[f"{one.pair} ({one.extents})", what] += count
    progress("tables", 0.0)
    rows, without = patient_tables.patients(study=study, cases=cases, values=values, covariates=covariates)
    if without:
        left["every table", "subjects without a cohort"] += without
    names = {case.subject.pk: case.patient for case in cases if case.subject.cohort is not None}
    tables["patients"] = rows
    tables["covariates"] = patient_tables.covariates_table(
        facts=covariates, names=names, own=own_covariates(study)
    )
    tables["outcomes"] = patient_tables.outcomes_table(
        outcomes=outcomes_of(study), origins=_origins(study), names=names
    )
    tables["markers"] = patient_tables.markers(cases=cases, values=values)
    days = reading_tables.Days(study)
    tables["network_intervals"] = certainty_tables.intervals(cases)
    tables["network_doubts"] = certainty_tables.doubts(cases)
    tables["reads"] = reading_tables.reads(cases=cases, values=values, days=days)
    tables["segment_grades"] = reading_tables.segment_grades(cases=cases, values=values)
    tables["disagreement"] = reading_tables.disagreement(cases=cases, days=days)
    tables["ratings"] = reading_tables.ratings(cases=cases, values=values)
    tables["quality"] = quality_table.quality(study=study, cases=cases, days=days)
    progress("tables", 1.0)
    return Dataset(tables=tables, left_out=_told(left), cases=tuple(cases), measured_by=measured_by(owners))


def _owners(cases: list[Case], plans: list[Plan]) -> list[Owner]:
    owners = [owner for one in plans for owner in one.owners]
    owners += [("run", case.run.pk) for case in cases if case.run is not None]
    owners += [read.owner for case in cases for read in case.reads()]
    return list(dict.fromkeys(owners))


def _origins(study: Study) -> dict[tuple[int, str], str]:
    rows = Outcome.objects.filter(study=study, superseded_by__isnull=True)
    return {
        (subject, event): origin
        for subject, event, origin in rows.values_list("subject_id", "event", "origin")
    }


def _told(left: Counter[tuple[str, str]]) -> tuple[tuple[str, int], ...]:
    return tuple((f"{where}: {what}", count) for (where, what), count in sorted(left.items()) if count)
