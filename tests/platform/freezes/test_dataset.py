"""The study's tables: which reads enter which pair, with which numbers, and what is counted instead."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.freeze import About, read_freeze, write_freeze
from plaquelab.analysis.models import AnalysisRun, Measurement, ModelVersion
from plaquelab.freezes.dataset import build
from plaquelab.freezes.signed import signed_revisions
from plaquelab.reading.models import ReadCase
from plaquelab.references.services import import_file
from tests.platform.filled_study import lesion_rows, territory_rows
from tests.platform.references.conftest import file_of

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]


def given_run(case, rows):
    """Store a succeeded run inside the lesions of a case's final read."""
    revision = signed_revisions([case.final_read_id])[case.final_read_id]
    run = AnalysisRun.objects.create(
        study=case.study, exam=case.exam, model=case.run.model, centrelines=case.run.centrelines,
        profile="corrected", parameters_sha256=f"g{case.pk}", state="succeeded", purpose="given_extents",
        reference=f"revision {revision}",
    )  # fmt: skip
    Measurement.objects.bulk_create(
        Measurement(exam=case.exam, run=run, profile="corrected", unit="", **row) for row in rows
    )
    return run


def bring(world, kind, *rows):
    return import_file(study=world.study, kind=kind, data=file_of(kind, *rows), by=world.manager)


def pairs(dataset, table, pair, extents=None):
    return [
        row for row in dataset.tables.get(table, [])
        if row["pair"] == pair and extents in (None, row["extents"])
    ]  # fmt: skip


def volumes(rows):
    return [(row["total_plaque_volume_first"], row["total_plaque_volume_second"]) for row in rows]


def test_network_and_expert_within_given_and_own_extents(filled):
    world = filled.a
    case = ReadCase.objects.get(study=world.study, exam__number=1)
    stenosis = {"LAD": 57.0, "LCx": 22.0, "RCA": 0.0}
    inside = (
        lesion_rows("LAD", 1, 10, 20, 111, 57)
        + lesion_rows("LCx", 1, 5, 9, 28, 22)
        + territory_rows(stenosis, {"LAD": "3", "LCx": "1", "RCA": "0"}, 139)
    )
    given_run(case, inside)
    dataset = build(world.study)
    given = pairs(dataset, "lesion_pairs", "network_expert", "given")
    assert volumes(given) == [(110, 111), (30, 28)]
    assert {row["match"] for row in given} == {"matched"}
    own = [
        row for row in pairs(dataset, "lesion_pairs", "network_expert", "own") if row["patient"] == "P-001"
    ]
    assert volumes(own) == [(0.0, 8), (110, 116), (30, 0.0), (0.0, 12)]
    assert [row["match"] for row in own] == ["second_only", "matched", "first_only", "second_only"]
    patient = pairs(dataset, "patient_pairs", "network_expert", "given")
    assert volumes(patient) == [(140, 139)]
    territory = pairs(dataset, "territory_pairs", "network_expert", "given")
    assert [(row["territory"], row["cadrads_first"], row["cadrads_second"]) for row in territory] == [
        ("LAD", 3, 3), ("LCx", 1, 1), ("RCA", 0, 0),
    ]  # fmt: skip
    told = dict(dataset.left_out)
    # Cases 2, 3 and 4 wait for their run; 6 is discordant and 7 half read; 5 saw the network.
    assert told["network_expert: cases not yet measured inside the reference's lesions"] == 3
    assert told["network_expert: cases that are not final yet"] == 2


def test_assisted_reads_stand_apart(filled):
    dataset = build(filled.a.study)
    assert {row["patient"] for row in pairs(dataset, "patient_pairs", "assisted")} == {"P-005"}
    for pair in ("network_expert", "expert_expert"):
        assert "P-005" not in {row["patient"] for row in pairs(dataset, "patient_pairs", pair)}
    assert dict(dataset.left_out)["expert_expert: cases whose readers saw the network"] == 1
    kinds = {(row["patient"], row["kind"]) for row in dataset.tables["reads"]}
    assert ("P-005", "assisted") in kinds
    assert ("P-005", "expert") not in kinds
    assert ("P-001", "second_expert") in kinds


def test_the_share_that_an_assisted_reader_changed(filled):
    from plaquelab.freezes.measured import Values
    from plaquelab.freezes.reading_tables import share_changed

    network, assisted = Values(), Values()
    network.vessels = {"LAD": {"total_plaque_volume": 80.0}, "RCA": {"total_plaque_volume": 20.0}}
    assisted.vessels = {"LAD": {"total_plaque_volume": 70.0}, "RCA": {"total_plaque_volume": 30.0}}
    assert share_changed(network, assisted) == pytest.approx(20.0)  # 10 less and 10 more, of 100
    assert share_changed(Values(), assisted) is None


def test_two_readers_are_compared_once_both_signed(filled):
    found = pairs(build(filled.a.study), "patient_pairs", "expert_expert")
    assert {row["patient"] for row in found} == {"P-001", "P-002", "P-003", "P-004", "P-006"}
    assert volumes(found)[0] == (140, 120)


def test_ultrasound_angiography_and_imported_experts(filled, monkeypatch):
    from plaquelab.freezes import comparing
    from plaquelab.freezes.measured import values_of

    world = filled.a
    # The fixture's runs are rows without files; what is counted again is the next test's.
    monkeypatch.setattr(
        comparing,
        "wall_minus_lumen",
        lambda run, vessels: values_of(study=world.study, owners=[("run", run)])["run", run],
    )
    bring(
        world, "ivus",
        "P-001,LAD,1,12,21,vessel_volume,200,mm³,core",
        "P-001,LAD,1,12,21,lumen_volume,120,mm³,core",
        "P-002,LAD,1,12,21,vessel_volume,200,mm³,core",
        "P-002,LAD,1,12,21,lumen_volume,120,mm³,core",
    )  # fmt: skip
    bring(world, "covariates", "P-002,ivus_days,44,days", "P-001,ivus_days,9,days")
    bring(world, "ica", "P-001,6,75,A", "P-001,7,20,A", "P-001,2,0,A")
    # The runs that the import asked for are done here by hand.
    for run in AnalysisRun.objects.filter(
        purpose="given_extents", exam__study=world.study, variant="wall_minus_lumen"
    ):
        AnalysisRun.objects.filter(pk=run.pk).update(state="succeeded")
        Measurement.objects.bulk_create(
            Measurement(exam=run.exam, run=run, profile="x", unit="", **row)
            for row in lesion_rows("LAD", 1, 12, 21, 88, 61)
        )
    dataset = build(world.study)
    (given,) = pairs(dataset, "lesion_pairs", "network_ivus", "given")
    assert (given["patient"], *volumes([given])[0]) == ("P-001", 80, 88)
    own = pairs(dataset, "lesion_pairs", "network_ivus", "own")
    assert volumes(own) == [(80, 116)]  # the network's lesion at 12–21 mm; that at 2–6 mm was not imaged
    assert volumes(pairs(dataset, "patient_pairs", "network_ivus", "given")) == [(80, 88)]
    assert dict(dataset.left_out)["network_ivus: patients with ultrasound more than 30 days from the CT"] == 1
    ica = pairs(dataset, "territory_pairs", "network_ica")
    assert [(r["territory"], r["diameter_stenosis_first"], r["diameter_stenosis_second"], r["cadrads_first"], r["cadrads_second"]) for r in ica] == [
        ("LAD", 75, 69, 4, 4), ("RCA", 0, 0, 0, 0),
    ]  # fmt: skip
    grades = [row for row in dataset.tables["segment_grades"] if row["kind"] == "ica"]
    assert [(row["segment"], row["territory"], row["cadrads"]) for row in grades] == [(2, "RCA", 0), (6, "LAD", 4), (7, "LAD", 1)]  # fmt: skip
    ratings = [(r["territory"], r["modality"], r["score"], r["diseased"]) for r in dataset.tables["ratings"] if r["reader"] == "reader 1"]  # fmt: skip
    assert ratings == [("LAD", "unaided", 56, True), ("RCA", "unaided", 0.0, False)]


def test_an_imported_expert_stands_where_no_final_read_does(filled):
    world = filled.a
    rows = [
        "P-006,LAD,1,10,20,total_plaque_volume,90,mm³,X1",
        "P-006,LAD,1,11,20,total_plaque_volume,80,mm³,X2",
    ]
    rows += [
        "P-006,LAD,1,10,21,total_plaque_volume,95,mm³,X1#2",
        "P-001,LAD,1,10,20,total_plaque_volume,1,mm³,X1",
    ]
    bring(world, "expert", *rows)
    dataset = build(world.study)
    six = [r for r in pairs(dataset, "patient_pairs", "network_expert", "own") if r["patient"] == "P-006"]
    assert volumes(six) == [(90, 196)]
    one = [r for r in pairs(dataset, "patient_pairs", "network_expert", "own") if r["patient"] == "P-001"]
    assert volumes(one) == [(140, 136)]  # the final read, not the imported one
    assert volumes(pairs(dataset, "lesion_pairs", "repeat")) == [(90, 95)]
    # Both readers signed case 6: they are compared, not the imported ones.
    six = [r for r in pairs(dataset, "patient_pairs", "expert_expert") if r["patient"] == "P-006"]
    assert volumes(six) == [(190, 170)]


def second_operators_run(case, volume=120, **more):
    """Store a succeeded run along a second operator's centrelines, made as the case's own run was."""
    made = {"model": case.run.model, "profile": "corrected", **more}
    run = AnalysisRun.objects.create(
        study=case.study, exam=case.exam, centrelines=case.run.centrelines, state="succeeded",
        parameters_sha256=f"second {volume}", purpose="second_operator", **made,
    )  # fmt: skip
    Measurement.objects.bulk_create(
        Measurement(exam=case.exam, run=run, profile="corrected", unit="", **row)
        for row in lesion_rows("LAD", 1, 12, 21, volume, 60)
        + territory_rows({"LAD": 60.0, "LCx": 20.0, "RCA": 0.0}, {"LAD": "3", "LCx": "1", "RCA": "0"}, volume)
    )
    return run


def test_two_operators_centrelines(filled):
    world = filled.a
    case = ReadCase.objects.get(study=world.study, exam__number=2)
    second_operators_run(case)
    found = pairs(build(world.study), "lesion_pairs", "centreline")
    assert [(r["match"], *volumes([r])[0]) for r in found] == [
        ("first_only", 8, 0.0), ("matched", 128, 120), ("first_only", 12, 0.0),
    ]  # fmt: skip


def test_two_operators_are_compared_by_the_code_that_the_case_was_read_on(filled):
    """The exam was run anew after its case was read: what was read on stays, and with it the run of its code."""
    world = filled.a
    case = ReadCase.objects.get(study=world.study, exam__number=2)
    alike = second_operators_run(case)
    AnalysisRun.objects.create(
        study=world.study, exam=case.exam, model=case.run.model, centrelines=case.run.centrelines,
        profile="corrected", parameters_sha256="again", state="succeeded", code_version="f" * 16,
    )  # fmt: skip
    second_operators_run(case, 150, code_version="f" * 16)
    dataset = build(world.study)
    matched = [r for r in pairs(dataset, "lesion_pairs", "centreline") if r["match"] == "matched"]
    assert volumes(matched) == [(128, 120)]
    assert [r["read"] for r in dataset.tables["reads"] if r["kind"] == "centreline_b"] == [f"run {alike.pk}"]
    assert not [what for what, _ in dataset.left_out if what.startswith("centreline")]


@pytest.mark.parametrize("other", ["code", "network", "profile"])
def test_a_second_operators_run_that_was_made_otherwise_is_counted_and_not_compared(filled, other):
    world = filled.a
    case = ReadCase.objects.get(study=world.study, exam__number=2)
    more = {
        "code": {"code_version": "f" * 16},
        "network": {"model": ModelVersion.objects.create(name="other", weights_sha256="o" * 64, card={})},
        "profile": {"profile": "published"},
    }
    second_operators_run(case, **more[other])
    dataset = build(world.study)
    assert pairs(dataset, "lesion_pairs", "centreline") == []
    assert [r for r in dataset.tables["reads"] if r["kind"] == "centreline_b"] == []
    words = "centreline: second operators' runs by another measuring code, network or profile"
    assert (words, 1) in dataset.left_out


def test_patients_covariates_outcomes_and_markers(filled):
    world = filled.a
    bring(
        world, "covariates",
        "P-001,age,56,years", "P-001,sex,male,", "P-001,total_cholesterol,5.2,mmol/L", "P-001,hdl_cholesterol,1.5,mmol/L",
        "P-001,systolic_blood_pressure,137,mmHg", "P-001,diabetes,no,", "P-001,family_history,no,",
        "P-001,cigarettes_per_day,4,cigarettes/day", "P-001,simd,2.974,SIMD/10", "P-002,age,70,years",
    )  # fmt: skip
    bring(
        world, "outcomes",
        "P-001,myocardial_infarction,365.25,registry", "P-001,end_of_follow_up,1461,study",
        "P-002,cardiac_death,100,registry", "P-003,stroke,30,notes",
    )  # fmt: skip
    dataset = build(world.study)
    one, two = (
        next(r for r in dataset.tables["patients"] if r["patient"] == name) for name in ("P-001", "P-002")
    )
    assert (round(one["assign_score"], 2), one["assign_version"]) == (11.53, "ASSIGN v1")
    assert (two["assign_score"], two["assign_version"], two["age"]) == (None, None, 70)
    assert (one["state"], one["lesions"], one["cohort"], one["purpose"], one["exam"]) == (
        "final",
        2,
        "Test",
        "test",
        1,
    )
    names = {row["name"] for row in dataset.tables["covariates"] if row["patient"] == "P-001"}
    assert "total_cholesterol" in names
    assert "age" not in names
    events = {(row["patient"], row["event"]): row["years"] for row in dataset.tables["outcomes"]}
    assert events["P-001", "myocardial_infarction"] == 1.0
    assert events["P-001", "end_of_follow_up"] == 4.0
    assert events["P-002", "end_of_follow_up"] == events["P-002", "cardiac_death"]
    assert events["P-003", "end_of_follow_up"] == events["P-003", "stroke"]
    marker = next(row for row in dataset.tables["markers"] if row["patient"] == "P-001")
    assert (marker["total_plaque_volume"], marker["cadrads"]) == (136, 4)
    # Markers are the network's, of everybody who was analysed, read or not.
    assert len(dataset.tables["markers"]) == 7


def test_subjects_without_a_cohort_are_counted(filled):
    from plaquelab.studies.models import Subject

    Subject.objects.filter(study=filled.a.study, pseudonym="P-001").update(cohort=None)
    dataset = build(filled.a.study)
    assert dict(dataset.left_out)["every table: subjects without a cohort"] == 1
    for name, rows in dataset.tables.items():
        assert "P-001" not in {row["patient"] for row in rows}, name


def test_refused_and_failed_exams_are_named(filled):
    from plaquelab.imaging.models import Exam, QualityReview

    world = filled.a
    exam = Exam.objects.get(study=world.study, number=4)
    QualityReview.objects.create(exam=exam, by=world.technician, decision="refused", note="motion")
    Exam.objects.filter(pk=exam.pk).update(state="refused")
    seven = ReadCase.objects.get(study=world.study, exam__number=7)
    AnalysisRun.objects.filter(pk=seven.run_id).update(state="failed", refusal="no-contrast")
    rows = {row["patient"]: row for row in build(world.study).tables["patients"]}
    assert (rows["P-004"]["excluded"], rows["P-004"]["exclusion_reason"]) == (
        True,
        "refused in quality control: motion",
    )
    assert rows["P-007"]["exclusion_reason"] == "the analysis failed: no-contrast"
    assert rows["P-001"]["excluded"] is False
    quality = {row["patient"]: row for row in build(world.study).tables["quality"]}
    assert (quality["P-004"]["evaluable"], quality["P-004"]["not_evaluable_reason"]) == (False, "motion")
    assert (quality["P-007"]["failed"], quality["P-007"]["failure_reason"]) == (True, "no-contrast")
    assert quality["P-001"]["evaluable"] is True


def test_exams_that_nobody_has_judged_yet_are_not_counted_as_evaluable(filled):
    from plaquelab.imaging.models import Exam

    Exam.objects.filter(study=filled.a.study, number=3).update(state="qc_pending")
    assert "P-003" not in {row["patient"] for row in build(filled.a.study).tables["quality"]}


def test_disagreement_names_codes_and_whose_read_was_chosen(filled):
    from plaquelab.reading.models import Adjudication, Assignment, Discordance, Read

    world = filled.a
    case = ReadCase.objects.get(study=world.study, exam__number=6)
    item = {
        "rule": "total_plaque_volume",
        "level": "patient",
        "territory": "",
        "a": 190.0,
        "b": 60.0,
        "limit": None,
    }
    Discordance.objects.create(case=case, items=[item], is_discordant=True)
    assignment = Assignment.objects.create(
        study=world.study,
        case=case,
        reader=world.adjudicator,
        purpose="adjudicate",
        slot=9,
        order_index=1,
        seed=1,
    )
    Adjudication.objects.create(
        case=case, assignment=assignment, a_slot=1, chosen=Read.objects.get(case=case, assignment__slot=1),
        reason="the wall is right", decided_at=timezone.now(),
    )  # fmt: skip
    (row,) = build(world.study).tables["disagreement"]
    assert (row["reader_1"], row["reader_2"], row["adjudicated"], row["chosen"]) == (
        "reader 1",
        "reader 2",
        True,
        2,
    )
    assert row["reason"].startswith("Total plaque volume: A 190.0 mm³, B 60.0 mm³")


def test_active_time_of_people_counts_and_that_of_scripts_does_not(filled):
    from plaquelab.reading.activity import note_activity
    from plaquelab.reading.models import Read

    read = Read.objects.filter(case__exam__number=1, study=filled.a.study).order_by("assignment__slot")[0]
    Read.objects.filter(pk=read.pk).update(is_simulated=False)
    start = timezone.now()
    for minutes in (0, 2, 4, 30, 31):  # 26 minutes of silence are not reading
        read.refresh_from_db()
        note_activity(read=read, at=start + timedelta(minutes=minutes))
    times = [
        r["minutes"]
        for r in build(filled.a.study).tables["reads"]
        if r["kind"] == "expert" and r["patient"] == "P-001"
    ]
    assert times == [pytest.approx(5.0)]
    Read.objects.filter(pk=read.pk).update(is_simulated=True)
    times = [
        r["minutes"]
        for r in build(filled.a.study).tables["reads"]
        if r["kind"] == "expert" and r["patient"] == "P-001"
    ]
    assert times == [None]


def test_nothing_unblinds_and_no_calendar_date_is_told(filled):
    world = filled.a
    text = json.dumps(build(world.study).tables, default=str)
    for user in world.users.values():
        assert user.username not in text
        assert user.printed_name not in text
    assert not re.search(r"\b(19|20)\d\d-\d\d-\d\d", text)


def test_the_tables_are_a_freeze(filled, tmp_path):
    world = filled.a
    bring(world, "outcomes", "P-001,end_of_follow_up,1461,study")
    dataset = build(world.study)
    about = About(study="Study", made="2026-01-31", simulated=True)
    digest = write_freeze(dataset.columns(), about, tmp_path / "freeze")
    freeze = read_freeze(tmp_path / "freeze")
    freeze.verify()
    assert freeze.hash == digest
    assert len(freeze.table("patients")) == 7
    assert write_freeze(build(world.study).columns(), about, tmp_path / "again") == digest


def test_another_study_is_not_read_and_an_empty_one_has_tables(filled):
    dataset = build(filled.b.study)
    assert dataset.tables["patients"] == []
    assert dataset.left_out == ()
    assert "lesion_pairs" not in dataset.tables


def test_queries_do_not_grow_with_the_cases(filled, django_assert_max_num_queries):
    with django_assert_max_num_queries(60):
        build(filled.a.study)


def test_the_reference_is_the_expert_and_the_other_the_second(filled):
    from plaquelab.reading.models import Read

    world = filled.a
    case = ReadCase.objects.get(study=world.study, exam__number=1)
    second = Read.objects.get(case=case, assignment__slot=1)
    ReadCase.objects.filter(pk=case.pk).update(final_read=second)
    bring(world, "expert", "P-001,LAD,1,10,20,total_plaque_volume,1,mm³,X1")
    rows = [r for r in build(world.study).tables["reads"] if r["patient"] == "P-001"]
    assert [(r["kind"], r["reader"]) for r in rows if "expert" in r["kind"]] == [
        ("second_expert", "reader 1"), ("expert", "reader 2"), ("second_expert", "X1"),
    ]  # fmt: skip
