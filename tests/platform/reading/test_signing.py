"""What a signature needs, what it covers, and that every later change of it is found and named."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from inference.code_version import code_version
from plaquelab.analysis import measuring_code
from plaquelab.analysis.models import ContourSet, Lesion, Measurement
from plaquelab.audit import services as audit
from plaquelab.audit.models import AuditEvent
from plaquelab.reading.content import content_of
from plaquelab.reading.errors import EditError, FormError, SigningError
from plaquelab.reading.models import ReadRevision, Signature, SigningLock
from plaquelab.reading.services import save_revision, submit_and_sign
from plaquelab.states import TransitionError
from tests.platform.ready_cases import FORM, PASSWORD, read_as, sign_as

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]


def test_a_signature_says_who_what_when_and_why(assigned: SimpleNamespace) -> None:
    signature = sign_as(assigned.reads[0], assigned.reader)
    revision = assigned.reads[0].revisions.get()
    assert signature.printed_name == "alpha reader"
    assert signature.meaning == "authorship"
    assert signature.content_sha256 == revision.content_sha256
    assert timezone.now() - signature.at < timedelta(minutes=1)
    event = AuditEvent.objects.get(verb="signature.sign")
    assert event.after["content_sha256"] == signature.content_sha256
    assert revision.reviewed == ["LAD", "RCA"]
    assert {row.level for row in revision.measurements.all()} == {
        "lesion",
        "segment",
        "vessel",
        "territory",
        "patient",
    }


def test_the_head_goes_outside_the_database_when_the_signature_is_committed(
    assigned: SimpleNamespace, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    read_as(assigned.reads[0], assigned.reader)
    with django_capture_on_commit_callbacks(execute=True):
        submit_and_sign(read=assigned.reads[0], by=assigned.reader, password=PASSWORD, form=FORM)
    line = json.loads(Path(settings.AUDIT_HEADS_FILE).read_text().splitlines()[-1])
    assert line["chain"] == "study:alpha"
    assert line["why"].startswith("signature ")
    assert (
        line["sequence"] == AuditEvent.objects.filter(chain="study:alpha").order_by("-sequence")[0].sequence
    )


def test_wrong_passwords_are_recorded_and_close_signing(assigned: SimpleNamespace) -> None:
    read = assigned.reads[0]
    read_as(read, assigned.reader)
    for left in (4, 3, 2, 1):
        with pytest.raises(SigningError, match=f"{left} more"):
            submit_and_sign(read=read, by=assigned.reader, password="no", form=FORM)
    with pytest.raises(SigningError, match="closed for 15 minutes"):
        submit_and_sign(read=read, by=assigned.reader, password="no", form=FORM)
    with pytest.raises(SigningError, match="try again in 15 min"):
        submit_and_sign(read=read, by=assigned.reader, password=PASSWORD, form=FORM)
    verbs = list(AuditEvent.objects.filter(verb__startswith="signature.").values_list("verb", flat=True))
    assert verbs == ["signature.refused"] * 4 + ["signature.locked"]
    assert "no" not in [event.reason for event in AuditEvent.objects.all()]
    read.refresh_from_db()
    assert read.state == "in_progress"
    SigningLock.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    submit_and_sign(read=read, by=assigned.reader, password=PASSWORD, form=FORM)
    assert SigningLock.objects.get().failures == 0


def test_a_right_password_forgets_the_wrong_ones(assigned: SimpleNamespace) -> None:
    for read, reader in zip(assigned.reads, (assigned.reader, assigned.reader2), strict=True):
        with pytest.raises(SigningError, match="4 more"):
            submit_and_sign(read=read, by=reader, password="no", form=FORM)
        sign_as(read, reader)
    assert set(SigningLock.objects.values_list("failures", flat=True)) == {0}


def test_what_cannot_be_signed(assigned: SimpleNamespace) -> None:
    read = assigned.reads[0]
    with pytest.raises(EditError, match="Only the reader"):
        submit_and_sign(read=read, by=assigned.reader2, password=PASSWORD, form=FORM)
    with pytest.raises(FormError, match="image quality"):
        submit_and_sign(read=read, by=assigned.reader, password=PASSWORD, form={"remarks": "x"})
    with pytest.raises(FormError, match="1 \\(non-diagnostic\\)"):
        save_revision(read=read, by=assigned.reader, form={"image_quality": 6})
    assert not Signature.objects.exists()
    sign_as(read, assigned.reader)
    with pytest.raises(TransitionError, match="signed"):
        submit_and_sign(read=read, by=assigned.reader, password=PASSWORD, form=FORM)
    with pytest.raises(TransitionError, match="cannot be saved"):
        save_revision(read=read, by=assigned.reader, form=FORM)


def test_signing_what_is_saved_makes_no_second_revision(assigned: SimpleNamespace) -> None:
    read = assigned.reads[0]
    read_as(read, assigned.reader)
    first = save_revision(read=read, by=assigned.reader, form=FORM)
    signature = submit_and_sign(read=read, by=assigned.reader, password=PASSWORD, form=FORM)
    assert signature.revision_id == first.pk
    with pytest.raises(TypeError, match="immutable"):
        first.save()


def alter_contours(signature: Signature, folder: Path) -> str:
    row = signature.revision.contour_sets.get(vessel__name="RCA")
    path = folder / row.path
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"x")
    return "vessel RCA was altered"


def remove_contours(signature: Signature, folder: Path) -> str:
    (folder / signature.revision.contour_sets.get(vessel__name="LAD").path).unlink()
    return "cannot be read"


def alter_image(signature: Signature, folder: Path) -> str:
    path = folder / signature.revision.contour_sets.get(vessel__name="LAD").vessel.path
    path.chmod(0o600)
    path.write_bytes(b"")
    return "vessel LAD was altered"


def alter_measurement(signature: Signature, folder: Path) -> str:
    row = signature.revision.measurements.get(level="patient", metric="total_plaque_volume")
    Measurement.objects.filter(pk=row.pk).update(value=row.value + 1e-9)
    return "no longer matches"


def remove_measurement(signature: Signature, folder: Path) -> str:
    signature.revision.measurements.get(level="patient", metric="cadrads").delete()
    return "no longer matches"


def alter_lesion(signature: Signature, folder: Path) -> str:
    Lesion.objects.filter(contour_set__revisions=signature.revision).update(end_mm=11.8)
    return "no longer matches"


def alter_form(signature: Signature, folder: Path) -> str:
    ReadRevision.objects.filter(pk=signature.revision_id).update(form={**FORM, "image_quality": 5})
    return "no longer matches"


def point_to_other_contours(signature: Signature, folder: Path) -> str:
    signed = signature.revision.contour_sets.get(vessel__name="LAD")
    network = ContourSet.objects.get(vessel=signed.vessel, source="network")
    ContourSet.objects.filter(pk=signed.pk).update(path=network.path, sha256=network.sha256)
    return "no longer matches"


def alter_hash_everywhere_but_in_the_signature(signature: Signature, folder: Path) -> str:
    alter_form(signature, folder)
    ReadRevision.objects.filter(pk=signature.revision_id).update(content_sha256="0" * 64)
    return "no longer matches"


def remove_signature(signature: Signature, folder: Path) -> str:
    Signature.objects.filter(pk=signature.pk).delete()
    return "signature is missing"


@pytest.mark.parametrize(
    "alter",
    [
        alter_contours,
        remove_contours,
        alter_image,
        alter_measurement,
        remove_measurement,
        alter_lesion,
        alter_form,
        point_to_other_contours,
        alter_hash_everywhere_but_in_the_signature,
        remove_signature,
    ],
)
def test_every_later_change_invalidates_the_signature(
    assigned: SimpleNamespace, settings: Any, alter: Any
) -> None:
    # Thicker than the network's drawing: its files are not the same ones.
    signature = sign_as(assigned.reads[0], assigned.reader, thick=1.4)
    sign_as(assigned.reads[1], assigned.reader2, thick=1.5)
    assert audit.verify() == []
    says = alter(signature, Path(settings.FILES_DIR))
    problems = audit.verify()
    assert problems
    assert any(says in problem for problem in problems), problems
    named = f"signature {signature.pk} by alpha reader (" if alter is not remove_signature else "read "
    assert all(named in problem or "alpha reader2" in problem for problem in problems), problems


def test_a_signature_that_is_rolled_back_leaves_nothing(assigned: SimpleNamespace) -> None:
    class StopError(Exception):
        pass

    read_as(assigned.reads[0], assigned.reader)
    events = AuditEvent.objects.count()

    @transaction.atomic
    def sign_and_fail() -> None:
        submit_and_sign(read=assigned.reads[0], by=assigned.reader, password=PASSWORD, form=FORM)
        raise StopError

    with pytest.raises(StopError):
        sign_and_fail()
    assert AuditEvent.objects.count() == events
    assert not Signature.objects.exists()
    assert connection.in_atomic_block
    assert audit.verify() == []


def test_what_is_signed_was_measured_by_the_code_of_that_day(
    assigned: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = assigned.reads[0]
    read_as(read, assigned.reader)
    with monkeypatch.context() as earlier:
        earlier.setattr(measuring_code, "today", lambda: "0" * 16)
        saved = save_revision(read=read, by=assigned.reader, form=FORM)
    assert saved.code_version == "0" * 16
    revision = submit_and_sign(read=read, by=assigned.reader, password=PASSWORD, form=FORM).revision
    assert (revision.number, revision.code_version) == (saved.number + 1, code_version())
    assert audit.verify() == []


def test_the_version_of_the_code_is_signed_too_and_none_is_missed_in_older_reads(
    assigned: SimpleNamespace,
) -> None:
    signature = sign_as(assigned.reads[0], assigned.reader)
    content = content_of(signature.revision)
    assert content["code_version"] == code_version()
    ReadRevision.objects.filter(pk=signature.revision_id).update(code_version="0" * 16)
    assert any("no longer matches" in problem for problem in audit.verify())
    ReadRevision.objects.filter(pk=signature.revision_id).update(code_version="")
    signature.revision.refresh_from_db()
    assert "code_version" not in content_of(signature.revision)
