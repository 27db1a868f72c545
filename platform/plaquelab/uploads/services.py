"""All writes of uploads: open, receive, complete, abort, expire."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.studies.models import Cohort, Site, Study, Subject
from plaquelab.uploads import staging
from plaquelab.uploads.errors import UploadError
from plaquelab.uploads.models import UploadFile, UploadSession
from plaquelab.uploads.signals import session_received
from plaquelab.uploads.transitions import UPLOAD

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True)
class FileSpec:
    """An announced file: its running number in the drop and its size in bytes."""

    index: int
    size: int

    def __post_init__(self) -> None:
        if self.index < 0:
            raise UploadError("bad-file-list", f"File number {self.index}: numbers count from 0.")
        if self.size < 0:
            raise UploadError("bad-file-list", f"File {self.index}: the size is below 0.")


def check_quota(files: Sequence[FileSpec]) -> None:
    """Refuse a drop that is empty, too large or has too many files."""
    if not files:
        raise UploadError(
            "no-files", "There is no file in this upload: choose a folder, files or a zip archive."
        )
    if len(files) > settings.UPLOAD_MAX_FILES:
        raise UploadError(
            "too-many-files",
            f"{len(files)} files are more than the {settings.UPLOAD_MAX_FILES} that one upload may have: "
            "send one examination at a time.",
        )
    total = sum(file.size for file in files)
    if total > settings.UPLOAD_MAX_BYTES:
        raise UploadError(
            "too-large",
            f"The upload has {total / 2**20:.0f} MiB, more than the {settings.UPLOAD_MAX_BYTES / 2**20:.0f} MiB "
            "allowed: send one examination at a time.",
        )
    if len({file.index for file in files}) != len(files):
        raise UploadError("bad-file-list", "Two files have the same running number.")


def check_subject(*, study: Study, site: Site, pseudonym: str) -> None:
    """Refuse a pseudonym that is malformed or that belongs to another site."""
    if not PSEUDONYM.fullmatch(pseudonym):
        raise UploadError(
            "bad-pseudonym",
            "A pseudonym has 1 to 40 letters, digits, hyphens or underscores; never a name or a hospital number.",
        )
    known = Subject.objects.filter(study=study, pseudonym=pseudonym).first()
    if known is not None and known.site_id != site.pk:
        raise UploadError("pseudonym-taken", "This pseudonym is taken: choose another one.")


@transaction.atomic
def open_session(
    *,
    study: Study,
    site: Site,
    pseudonym: str,
    files: Sequence[FileSpec],
    by: User,
    cohort: Cohort | None = None,
) -> UploadSession:
    """Announce an upload. Nothing is ingested before ``complete``.

    Raises
    ------
    UploadError
        A quota, the pseudonym, the site or the cohort is wrong.
    """
    check_quota(files)
    if not study.study_sites.filter(site=site).exists():
        raise UploadError("unknown-site", "This site takes no part in the study.")
    if cohort is not None and cohort.study_id != study.pk:
        raise UploadError("unknown-cohort", "This cohort belongs to another study.")
    check_subject(study=study, site=site, pseudonym=pseudonym)
    session = UploadSession.objects.create(
        study=study,
        site=site,
        pseudonym=pseudonym,
        cohort=cohort,
        by=by,
        expected_files=len(files),
        expected_bytes=sum(file.size for file in files),
    )
    UploadFile.objects.bulk_create(
        UploadFile(session=session, index=file.index, size=file.size, sha256="") for file in files
    )
    audit.record(
        verb="upload.open",
        obj=session,
        by=by,
        study=study,
        site=site.code,
        after={"files": session.expected_files, "bytes": session.expected_bytes},
    )
    return session


def receive_file(
    *, session: UploadSession, index: int, pieces: Iterator[bytes], expected_sha256: str = ""
) -> UploadFile:
    """Write one announced file to staging; sending it again replaces it.

    Raises
    ------
    UploadError
        The session is no longer open, the number was not announced, or bytes or checksum differ.
    """
    if session.state != UploadSession.State.OPEN:
        raise UploadError("not-open", "This upload is no longer open: start again.")
    file = session.files.filter(index=index).first()
    if file is None:
        raise UploadError("unknown-file", f"File {index} was not announced.")
    sha256 = staging.write_file(session_id=session.pk, index=index, pieces=pieces, size=file.size)
    if expected_sha256 and expected_sha256.lower() != sha256:
        staging.file_path(session.pk, index).unlink(missing_ok=True)
        raise UploadError("checksum", f"File {index} changed on its way (SHA-256 differs): send it again.")
    UploadFile.objects.filter(pk=file.pk).update(sha256=sha256)
    still_open = UploadSession.objects.filter(pk=session.pk, state=UploadSession.State.OPEN).update(
        touched_at=timezone.now()
    )
    if not still_open:
        # Aborted or expired while the bytes came in: what was written after the erasure goes too.
        current = UploadSession.objects.get(pk=session.pk)
        if current.state in (UploadSession.State.ABORTED, UploadSession.State.EXPIRED):
            staging.erase(session.pk)
        raise UploadError("not-open", "This upload was ended meanwhile.")
    file.sha256 = sha256
    return file


@transaction.atomic
def complete(*, session: UploadSession, by: User) -> UploadSession:
    """Close the upload: make the subject if it is new and tell the listeners (``session_received``).

    Raises
    ------
    UploadError
        A file is still missing, or the pseudonym was taken by another site meanwhile.
    TransitionError
        The session is not open.
    """
    missing = list(session.files.filter(sha256="").values_list("index", flat=True))
    if missing and session.state == UploadSession.State.OPEN:
        shown = ", ".join(str(index) for index in missing[:5])
        raise UploadError(
            "missing-files", f"{len(missing)} files have not arrived (numbers {shown} …): send them."
        )
    UPLOAD.apply(session, "complete", by=by)
    check_subject(study=session.study, site=session.site, pseudonym=session.pseudonym)
    subject = _subject(session=session, by=by)
    session.subject = subject
    session.save(update_fields=["subject"])
    session_received.send(sender=UploadSession, session=session, by=by)
    return session


def _subject(*, session: UploadSession, by: User) -> Subject:
    """Get or make the session's subject; a cohort once set is not changed by an upload."""
    try:
        with transaction.atomic():
            subject, made = Subject.objects.get_or_create(
                study=session.study,
                pseudonym=session.pseudonym,
                defaults={"site": session.site, "cohort": session.cohort},
            )
    except IntegrityError:
        raise UploadError("pseudonym-taken", "This pseudonym was just taken: try again.") from None
    if made:
        audit.record(
            verb="subject.create",
            obj=subject,
            by=by,
            study=session.study,
            site=session.site.code,
            after={"pseudonym": subject.pseudonym, "cohort": session.cohort.name if session.cohort else None},
        )
    elif session.cohort is not None and subject.cohort_id is None:
        subject.cohort = session.cohort
        subject.save(update_fields=["cohort"])
        audit.record(
            verb="subject.set_cohort",
            obj=subject,
            by=by,
            study=session.study,
            before={"cohort": None},
            after={"cohort": session.cohort.name},
        )
    elif session.cohort is not None and subject.cohort_id != session.cohort_id:
        raise UploadError(
            "other-cohort", "This subject belongs to another cohort: choose no cohort or ask the core lab."
        )
    return subject


def abort(*, session: UploadSession, by: User | None, reason: str = "") -> UploadSession:
    """End an upload and erase its bytes. An upload that was already aborted is fine."""
    if session.state != UploadSession.State.ABORTED:
        with transaction.atomic():
            UPLOAD.apply(session, "abort", by=by, reason=reason)
            session.files.all().delete()
            withdraw_subject(session=session)
    staging.erase(session.pk)
    return session


def consume(*, session: UploadSession) -> None:
    """Mark a received upload as used; its bytes are erased by the caller after commit."""
    UPLOAD.apply(session, "consume", by=None)


@transaction.atomic
def withdraw_subject(*, session: UploadSession) -> None:
    """Remove the subject of an upload that came to nothing, unless an exam or another upload has it too."""
    subject = session.subject
    if subject is None:
        return
    try:
        with transaction.atomic():
            UploadSession.objects.filter(pk=session.pk).update(subject=None)
            audit.record(
                verb="subject.withdraw",
                obj=subject,
                by=None,
                study=session.study,
                site=session.site.code,
                before={"pseudonym": subject.pseudonym},
                reason="its only upload held no exam",
            )
            Subject.objects.get(pk=subject.pk).delete()
    except ProtectedError:
        return
    session.subject = None


def expire_uploads() -> int:
    """End open uploads that nobody touched for a day, and erase bytes that belong to nobody.

    Returns
    -------
    int
        How many sessions expired or folders were erased.
    """
    limit = timezone.now() - timedelta(hours=settings.UPLOAD_IDLE_HOURS)
    count = 0
    for session in UploadSession.objects.filter(state=UploadSession.State.OPEN, touched_at__lt=limit):
        with transaction.atomic():
            UPLOAD.apply(session, "expire", by=None, reason=f"no file for {settings.UPLOAD_IDLE_HOURS} hours")
            session.files.all().delete()
        staging.erase(session.pk)
        count += 1
    return count + _erase_leftovers()


def _erase_leftovers() -> int:
    """Erase staging folders of sessions that ended, that are older than the limit, or that have no row."""
    root = Path(settings.STAGING_DIR)
    if not root.exists():
        return 0
    oldest = timezone.now() - timedelta(days=settings.STAGING_DAYS)
    count = 0
    for folder in sorted(root.iterdir()):
        try:
            session_id = UUID(folder.name)
        except ValueError:
            continue
        session = UploadSession.objects.filter(pk=session_id).first()
        alive = session is not None and session.state in (
            UploadSession.State.OPEN,
            UploadSession.State.RECEIVED,
        )
        if alive and session is not None and session.created_at > oldest:
            continue
        if alive and session is not None:
            abort(session=session, by=None, reason=f"older than {settings.STAGING_DAYS} days")
        staging.erase(session_id)
        count += 1
    return count
