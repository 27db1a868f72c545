"""Staging: private, numbered, whole or not at all; ended uploads leave nothing."""

from __future__ import annotations

import hashlib
import stat
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from plaquelab.audit.models import AuditEvent
from plaquelab.states import TransitionError
from plaquelab.studies.models import Subject
from plaquelab.uploads import services, staging
from plaquelab.uploads.errors import UploadError
from plaquelab.uploads.models import UploadSession
from plaquelab.uploads.services import FileSpec


def _open(tenant: SimpleNamespace, *sizes: int, pseudonym: str = "A-001", **options: Any) -> UploadSession:
    files = [FileSpec(index=number, size=size) for number, size in enumerate(sizes)]
    site = options.pop("site", tenant.site)
    return services.open_session(
        study=tenant.study, site=site, pseudonym=pseudonym, files=files, by=tenant.technician, **options
    )


def _send(session: UploadSession, index: int, data: bytes, sha256: str = "") -> None:
    services.receive_file(session=session, index=index, pieces=iter([data]), expected_sha256=sha256)


def _files(root: Path) -> list[Path]:
    return [path for path in (root / "staging").rglob("*") if path.is_file()]


def test_files_lie_privately_under_their_number(two_studies: SimpleNamespace, tmp_path: Path) -> None:
    session = _open(two_studies.a, 3, 2)
    _send(session, 1, b"de")
    _send(session, 0, b"abc")
    folder = tmp_path / "staging" / str(session.pk) / "files"
    assert sorted(path.name for path in folder.iterdir()) == ["000000", "000001"]
    assert (folder / "000000").read_bytes() == b"abc"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent, folder.parent.parent)} == {
        0o700
    }
    assert stat.S_IMODE((folder / "000000").stat().st_mode) == 0o600
    assert session.files.get(index=0).sha256 == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize(("data", "code"), [(b"ab", "file-incomplete"), (b"abcd", "file-too-large")])
def test_a_file_of_another_size_leaves_nothing(
    data: bytes, code: str, two_studies: SimpleNamespace, tmp_path: Path
) -> None:
    session = _open(two_studies.a, 3)
    with pytest.raises(UploadError) as error:
        _send(session, 0, data)
    assert error.value.code == code
    assert _files(tmp_path) == []


def test_a_checksum_that_differs_leaves_nothing(two_studies: SimpleNamespace, tmp_path: Path) -> None:
    session = _open(two_studies.a, 3)
    with pytest.raises(UploadError, match="changed on its way"):
        _send(session, 0, b"abc", sha256="0" * 64)
    assert _files(tmp_path) == []
    _send(session, 0, b"abc", sha256=hashlib.sha256(b"abc").hexdigest().upper())


def test_quotas(two_studies: SimpleNamespace, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES, settings.UPLOAD_MAX_FILES = 10, 2
    for sizes, code in (((6, 5), "too-large"), ((1, 1, 1), "too-many-files"), ((), "no-files")):
        with pytest.raises(UploadError) as error:
            _open(two_studies.a, *sizes)
        assert error.value.code == code
    assert not UploadSession.objects.exists()


@pytest.mark.parametrize("pseudonym", ["", "Jane Doe", "a/b", "-x", "x" * 41, "Müller"])
def test_a_pseudonym_that_could_be_a_name_is_refused(pseudonym: str, two_studies: SimpleNamespace) -> None:
    with pytest.raises(UploadError) as error:
        _open(two_studies.a, 1, pseudonym=pseudonym)
    assert error.value.code == "bad-pseudonym"


def test_site_and_cohort_must_belong_to_the_study(two_studies: SimpleNamespace) -> None:
    with pytest.raises(UploadError, match="no part in the study"):
        _open(two_studies.a, 1, site=two_studies.b.site)
    with pytest.raises(UploadError, match="another study"):
        _open(two_studies.a, 1, cohort=two_studies.b.cohort)


def test_a_pseudonym_of_another_site_is_taken(two_studies: SimpleNamespace) -> None:
    tenant = two_studies.a
    Subject.objects.create(study=tenant.study, site=tenant.other_site, pseudonym="A-001")
    with pytest.raises(UploadError) as error:
        _open(tenant, 1)
    assert error.value.code == "pseudonym-taken"


def test_completing_makes_the_subject_and_an_import(two_studies: SimpleNamespace) -> None:
    tenant = two_studies.a
    session = _open(tenant, 3, cohort=tenant.cohort)
    assert not Subject.objects.exists()
    with pytest.raises(UploadError, match="have not arrived"):
        services.complete(session=session, by=tenant.technician)
    _send(session, 0, b"abc")
    services.complete(session=session, by=tenant.technician)
    subject = Subject.objects.get()
    assert (subject.pseudonym, subject.site, subject.cohort) == ("A-001", tenant.site, tenant.cohort)
    assert session.import_job.state == "queued"
    verbs = list(AuditEvent.objects.order_by("sequence").values_list("verb", flat=True))
    assert verbs == ["upload.open", "upload.complete", "subject.create"]
    with pytest.raises(TransitionError):
        services.complete(session=session, by=tenant.technician)
    with pytest.raises(UploadError, match="no longer open"):
        _send(session, 0, b"abc")


def test_a_subject_keeps_its_cohort(two_studies: SimpleNamespace) -> None:
    from plaquelab.studies.models import Cohort

    tenant = two_studies.a
    other = Cohort.objects.create(study=tenant.study, name="Other", purpose="test")
    Subject.objects.create(study=tenant.study, site=tenant.site, pseudonym="A-001", cohort=other)
    session = _open(tenant, 1, cohort=tenant.cohort)
    _send(session, 0, b"a")
    with pytest.raises(UploadError) as error:
        services.complete(session=session, by=tenant.technician)
    assert error.value.code == "other-cohort"
    session.refresh_from_db()
    assert session.state == "open"


def test_an_aborted_upload_leaves_nothing(two_studies: SimpleNamespace, tmp_path: Path) -> None:
    tenant = two_studies.a
    session = _open(tenant, 3, 3)
    _send(session, 0, b"abc")
    services.abort(session=session, by=tenant.technician)
    assert not any((tmp_path / "staging").iterdir())
    assert not Subject.objects.exists()
    assert session.state == "aborted"
    services.abort(session=session, by=tenant.technician)
    with pytest.raises(UploadError):
        _send(session, 1, b"abc")
    assert not any((tmp_path / "staging").iterdir())


def test_bytes_that_arrive_while_the_upload_is_aborted_are_erased_too(
    two_studies: SimpleNamespace, tmp_path: Path
) -> None:
    tenant = two_studies.a
    session = _open(tenant, 3)

    def pieces() -> Any:
        yield b"a"
        services.abort(session=UploadSession.objects.get(pk=session.pk), by=tenant.technician)
        staging.files_folder(session.pk)
        yield b"bc"

    with pytest.raises((UploadError, FileNotFoundError)):
        services.receive_file(session=session, index=0, pieces=pieces())
    assert _files(tmp_path) == []


def test_abandoned_uploads_expire(two_studies: SimpleNamespace, tmp_path: Path, capsys: Any) -> None:
    old, new = _open(two_studies.a, 3), _open(two_studies.a, 3, pseudonym="A-002")
    for session in (old, new):
        _send(session, 0, b"abc")
    UploadSession.objects.filter(pk=old.pk).update(touched_at=timezone.now() - timedelta(hours=25))
    call_command("expire_uploads")
    assert "1 abandoned" in capsys.readouterr().out
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state) == ("expired", "open")
    assert [path.name for path in (tmp_path / "staging").iterdir()] == [str(new.pk)]


def test_staging_older_than_a_week_goes_even_when_an_import_waits(
    two_studies: SimpleNamespace, tmp_path: Path
) -> None:
    tenant = two_studies.a
    session = _open(tenant, 3)
    _send(session, 0, b"abc")
    services.complete(session=session, by=tenant.technician)
    services.expire_uploads()
    assert len(_files(tmp_path)) == 1
    UploadSession.objects.update(created_at=timezone.now() - timedelta(days=8))
    services.expire_uploads()
    assert _files(tmp_path) == []


def test_folders_without_a_row_are_erased(db: None, tmp_path: Path) -> None:
    import uuid

    orphan = tmp_path / "staging" / str(uuid.uuid4()) / "files"
    orphan.mkdir(parents=True)
    (orphan / "000000").write_bytes(b"x")
    assert services.expire_uploads() == 1
    assert _files(tmp_path) == []
