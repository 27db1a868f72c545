"""All or nothing: previews, commits, replacements, and what the audit trail says."""

from __future__ import annotations

import pytest

from plaquelab.analysis.models import Measurement
from plaquelab.audit.models import AuditEvent
from plaquelab.audit.services import verify
from plaquelab.references import services, storing
from plaquelab.references.models import Covariate, ImportedRead, Outcome, ReferenceImport
from plaquelab.references.report import ImportRefusedError
from plaquelab.references.selectors import covariates_of, outcomes_of
from plaquelab.states import TransitionError
from tests.platform.references.conftest import file_of

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]
READ = ("P-1,LAD,1,10,20,total_plaque_volume,85,mm³,R1", "P-1,LAD,1,10,20,diameter_stenosis,40,%,R1")


def test_a_read_ends_in_the_rows_of_every_other_read(world, bring):
    made = bring("expert", *READ)
    read = ImportedRead.objects.get()
    assert (read.reader, read.kind, read.exam.number, read.source_id) == ("R1", "expert", 1, made.pk)
    rows = {
        m.metric: (m.level, m.vessel, m.lesion, m.value, m.unit, m.profile) for m in read.measurements.all()
    }
    assert rows["total_plaque_volume"] == ("lesion", "LAD", 1, 85, "mm³", "imported expert")
    assert rows["lesion_end"][3] == 20
    assert (made.number, made.state, made.rows, made.is_simulated) == (1, "committed", 2, True)
    event = AuditEvent.objects.get(verb="reference_import.commit")
    assert event.actor == "alpha-manager"
    assert event.after["rows"] == 2
    assert event.after["file_sha256"] == made.file_sha256
    assert verify() == []


def test_one_bad_row_and_nothing_is_stored(world, bring):
    with pytest.raises(ImportRefusedError) as refused:
        bring("expert", *READ, "P-1,RCA,1,10,20,total_plaque_volume,x,mm³,R1")
    assert str(refused.value) == "row 4, column value: “x” is no number."
    assert not ReferenceImport.objects.exists()
    assert not Measurement.objects.exists()


def test_a_failure_half_way_leaves_nothing(world, bring, monkeypatch):
    def broken(**_):
        raise RuntimeError("disc full")

    monkeypatch.setattr(storing, "store_measurements", broken)
    with pytest.raises(RuntimeError):
        bring("expert", *READ)
    assert not ReferenceImport.objects.exists()
    assert not ImportedRead.objects.exists()
    assert not AuditEvent.objects.filter(verb__startswith="reference_import").exists()


def test_the_same_file_again_and_the_same_rows_in_another(world, bring):
    bring("covariates", "P-1,age,61,years")
    with pytest.raises(ImportRefusedError, match=r"imported before \(import 1\)"):
        bring("covariates", "P-1,age,61,years")
    with pytest.raises(ImportRefusedError, match=r"row 3: age of this subject came with import 1 already"):
        bring("covariates", "P-1,sex,male,", "P-1,age,62,years")
    assert covariates_of(world.study) == {world.study.subjects.get(pseudonym="P-1").pk: {"age": 61}}


def test_a_correction_needs_a_reason_and_keeps_the_old_row(world, bring):
    bring("covariates", "P-1,age,61,years")
    with pytest.raises(ImportRefusedError, match="at least 10 characters"):
        bring("covariates", "P-1,age,62,years", replace_reason="typo")
    second = bring("covariates", "P-1,age,62,years", replace_reason="transcription error at the site")
    old, new = Covariate.objects.order_by("pk")
    assert (old.value, old.superseded_by_id, new.value, new.superseded_by_id) == (61, second.pk, 62, None)
    assert AuditEvent.objects.filter(verb="reference_import.commit").latest("sequence").reason == (
        "transcription error at the site"
    )
    assert list(covariates_of(world.study).values()) == [{"age": 62}]


def test_a_read_is_replaced_whole(world, bring):
    bring("expert", *READ)
    bring("expert", READ[0].replace("85", "80"), replace_reason="re-read after calibration")
    current = ImportedRead.objects.get(superseded_by__isnull=True)
    assert {m.metric for m in current.measurements.all()} == {
        "total_plaque_volume", "lesion_start", "lesion_end", "lesion_length",
    }  # fmt: skip
    assert ImportedRead.objects.count() == 2


def test_outcomes_are_replaced_in_their_order(world, bring):
    bring("outcomes", "P-1,end_of_follow_up,300,study")
    bring(
        "outcomes",
        "P-1,end_of_follow_up,500,study",
        "P-1,stroke,400,registry",
        replace_reason="follow-up extended",
    )
    assert list(outcomes_of(world.study).values()) == [{"end_of_follow_up": 500, "stroke": 400}]
    assert Outcome.objects.count() == 3


def test_a_preview_stores_nothing_until_it_is_committed(world):
    data = file_of("expert", *READ)
    made = services.preview_import(study=world.study, kind="expert", data=data, by=world.manager)
    assert made.state == "previewed"
    assert len(made.prepared) == 5
    assert not Measurement.objects.exists()
    services.commit_import(reference_import=made, by=world.manager)
    made.refresh_from_db()
    assert (made.state, made.prepared) == ("committed", [])
    assert Measurement.objects.count() == 5
    with pytest.raises(TransitionError):
        services.commit_import(reference_import=made, by=world.manager)
    with pytest.raises(TransitionError):
        services.discard_import(reference_import=made, by=world.manager)


def test_a_newer_preview_discards_the_older_one(world):
    first = services.preview_import(
        study=world.study, kind="expert", data=file_of("expert", *READ), by=world.manager
    )
    services.preview_import(
        study=world.study, kind="ica", data=file_of("ica", "P-1,6,75,A"), by=world.manager
    )
    first.refresh_from_db()
    assert (first.state, first.prepared) == ("discarded", [])


def test_a_preview_overtaken_by_another_import_is_refused_whole(world, bring):
    rows = ("P-1,age,61,years", "P-1,sex,male,")
    made = services.preview_import(
        study=world.study, kind="covariates", data=file_of("covariates", *rows), by=world.manager
    )
    bring("covariates", "P-1,sex,female,")
    with pytest.raises(ImportRefusedError, match="row 3: sex of this subject came with import 2 already"):
        services.commit_import(reference_import=made, by=world.manager)
    made.refresh_from_db()
    assert made.state == "previewed"
    assert Covariate.objects.count() == 1


def test_another_study_has_other_subjects(world):
    checked = services.check_file(
        study=world.other.study, kind="covariates", data=file_of("covariates", "P-1,age,61,years")
    )
    assert not checked.good
    assert "this study has no subject “P-1”" in str(checked.report.problems[0])


def test_a_measurement_has_one_owner(world, bring):
    from django.db import IntegrityError, transaction

    bring("expert", *READ)
    read = ImportedRead.objects.get()
    for owner in ({}, {"imported": read, "run_id": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Measurement.objects.create(exam=read.exam, level="lesion", metric="x", profile="p", **owner)
