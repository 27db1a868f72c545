"""The demonstration's reference files are accepted by the import, and say what they should about the truth."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from plaquelab.demo import reference_tables
from plaquelab.demo.plan import PATIENTS
from plaquelab.demo.reading_steps import Case
from plaquelab.references.assign_score import INPUTS
from plaquelab.references.vocabulary import COLUMNS

PATIENT = PATIENTS[1]


@pytest.fixture(scope="module")
def case(tiny_phantom: Any, stored_points: Any) -> Case:
    from inference.straightening import straighten

    vessels = tuple(straighten(tiny_phantom.volume, line) for line in stored_points)
    truths = tuple(tiny_phantom.truth_read(vessel) for vessel in vessels)
    return Case((), vessels, truths, "corrected")


def test_ultrasound_lies_near_the_truth_and_its_lesions_apart(case: Case) -> None:
    truth = reference_tables._by_lesion(reference_tables.measured_truth(case, "wall_minus_lumen"))
    rows = reference_tables.ivus_rows(PATIENT, case)
    assert rows == reference_tables.ivus_rows(PATIENT, case)
    assert rows
    seen: dict[Any, dict[str, float]] = {}
    for _, vessel, lesion, start, end, metric, value, unit, reader in rows:
        seen.setdefault((vessel, lesion), {"start": float(start), "end": float(end)})[metric] = float(value)
        assert (unit, reader) in (("mm³", "ivus core"), ("mm²", "ivus core"))
    for place, values in seen.items():
        assert values["vessel_volume"] == pytest.approx(truth[place]["vessel_volume"], rel=0.3)
        assert values["lumen_volume"] <= values["vessel_volume"]
        assert values["end"] > values["start"] >= 0
    ends = sorted((v, s["start"], s["end"]) for (v, _), s in seen.items())
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(ends))


def test_an_angiographer_writes_in_steps_of_five(case: Case) -> None:
    rows = reference_tables.ica_rows(PATIENT, case)
    assert len({row[1] for row in rows}) == len(rows) > 0
    assert all(float(row[2]) % 5 == 0 or float(row[2]) == 99 for row in rows)
    assert all(0 <= float(row[2]) <= 99 for row in rows)


def test_an_expert_reads_twice(case: Case) -> None:
    rows = reference_tables.expert_rows(PATIENT, case)
    first = {
        tuple(row[1:3]): float(row[6]) for row in rows if row[8] == "X1" and row[5] == "total_plaque_volume"
    }
    second = {
        tuple(row[1:3]): float(row[6]) for row in rows if row[8] == "X1#2" and row[5] == "total_plaque_volume"
    }
    assert first.keys() == second.keys() != set()
    assert first != second


def test_covariates_hold_what_the_score_needs_and_one_patient_has_an_infarction() -> None:
    names = {row[1] for row in reference_tables.covariate_rows(PATIENT)}
    assert {"sex", *INPUTS} <= names
    rows = reference_tables.outcome_rows(PATIENTS[:6])
    assert [row[1] for row in rows].count("myocardial_infarction") == 1
    assert [row[1] for row in rows].count("end_of_follow_up") == 6
    ends = {row[0]: row[2] for row in rows if row[1] == "end_of_follow_up"}
    event = next(row for row in rows if row[1] == "myocardial_infarction")
    assert event[2] < ends[event[0]]


@pytest.mark.django_db
def test_the_import_takes_covariates_and_outcomes(two_studies: SimpleNamespace) -> None:
    from plaquelab.references.services import check_file
    from plaquelab.studies.models import Subject

    world = two_studies.a
    for patient in PATIENTS:
        Subject.objects.create(study=world.study, site=world.site, pseudonym=patient.pseudonym)
    covariates = [row for patient in PATIENTS for row in reference_tables.covariate_rows(patient)]
    for kind, rows in (("covariates", covariates), ("outcomes", reference_tables.outcome_rows(PATIENTS))):
        data = reference_tables.as_csv(kind, rows)
        assert next(csv.reader(io.StringIO(data.decode()))) == list(COLUMNS[kind])
        checked = check_file(study=world.study, kind=kind, data=data)
        assert checked.report.problems == []
        assert checked.good
