"""Writes of imports and exams. Queries to sites are in ``queries.py``, held objects in ``quarantine.py``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.errors import Refusal
from plaquelab.imaging.importing import run_import
from plaquelab.imaging.models import Exam, ImportJob, QualityReview
from plaquelab.imaging.queries import answer_query, close_query, open_query, reopen_query
from plaquelab.imaging.signals import exam_accepted
from plaquelab.imaging.tasks import run_import_job
from plaquelab.imaging.transitions import EXAM, IMPORT
from plaquelab.jobs import services as jobs
from plaquelab.states import ConflictError
from plaquelab.studies.models import Cohort, Site, Study
from plaquelab.uploads import services as uploads
from plaquelab.uploads import staging
from plaquelab.uploads.errors import UploadError
from plaquelab.uploads.models import UploadSession
from plaquelab.uploads.services import FileSpec

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

__all__ = [
    "accept_exam",
    "answer_query",
    "cancel_import",
    "close_query",
    "import_path",
    "open_query",
    "refuse_exam",
    "reopen_query",
    "retry_import",
    "ring_import",
    "start_import",
]


class QualityError(Refusal):
    """A review that is not complete."""

    code = "review-incomplete"


@transaction.atomic
def start_import(*, session: UploadSession) -> ImportJob:
    """Queue the import of a received upload and ring after commit; asking twice gives the same job."""
    job, _ = ImportJob.objects.get_or_create(session=session, defaults={"study": session.study})
    transaction.on_commit(lambda: ring_import(job.pk))
    return job


def ring_import(job_id: int) -> None:
    """Tell a worker that there is an import to do."""
    run_import_job.delay_on_commit(job_id)  # type: ignore[attr-defined]


@transaction.atomic
def retry_import(*, job: ImportJob, by: User) -> ImportJob:
    """Queue a failed import again from its staged files.

    Raises
    ------
    UploadError
        It did not fail, or its files were erased meanwhile.
    """
    if not staging.session_folder(job.session_id).exists():
        raise UploadError("staging-gone", "The uploaded files were erased meanwhile: send them again.")
    if not jobs.retry(job, by=by):
        raise UploadError("not-failed", "Only a failed import can be tried again.")
    transaction.on_commit(lambda: ring_import(job.pk))
    return job


def cancel_import(*, job: ImportJob, by: User) -> None:
    """Cancel an import: one that waits ends now, one that runs stops at its next stage.

    Raises
    ------
    UploadError
        It has ended already.
    """
    with transaction.atomic():
        waiting = _cancel_waiting(job, by=by)
        if not waiting:
            if not jobs.request_cancel(job):
                raise UploadError("ended", "This import has ended already.")
            audit.record(verb="import_job.request_cancel", obj=job, by=by, study=job.study)
    if waiting:
        uploads.abort(session=job.session, by=by, reason="import cancelled")


def _cancel_waiting(job: ImportJob, *, by: User) -> bool:
    job.refresh_from_db()
    if job.state != ImportJob.State.QUEUED:
        return False
    fields = {"finished_at": timezone.now(), "message": "Cancelled by a person."}
    try:
        IMPORT.apply(job, "cancel", by=by, fields=fields)
    except ConflictError:  # a worker took it in this moment
        return False
    return True


def _source_files(path: Path) -> list[Path]:
    """List the files to send: one file, or every file of a folder, links left aside."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UploadError("no-such-path", "There is no such file or folder.")
    found = [
        Path(folder) / name
        for folder, _, names in os.walk(path)
        for name in names
        if not name.startswith(".") and not (Path(folder) / name).is_symlink()
    ]
    return sorted(found)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from staging.chunks_of(stream)


def import_path(
    *,
    study: Study,
    site: Site,
    subject_pseudonym: str,
    path: Path | str,
    by: User,
    cohort: Cohort | None = None,
    queue: bool = False,
) -> tuple[ImportJob, list[Path]]:
    """Ingest a folder, a file or a zip of this machine by the same way as a browser's upload.

    Parameters
    ----------
    queue : leave the work to a worker; otherwise it is done here and now.

    Returns
    -------
    the job (ended, unless queued), and the local path of each file number, for messages.

    Raises
    ------
    UploadError
        The drop itself is refused (quota, pseudonym, site, cohort, no file).
    """
    paths = _source_files(Path(path))
    session = uploads.open_session(
        study=study,
        site=site,
        pseudonym=subject_pseudonym,
        cohort=cohort,
        files=[FileSpec(index=number, size=file.stat().st_size) for number, file in enumerate(paths)],
        by=by,
    )
    try:
        for number, file in enumerate(paths):
            uploads.receive_file(session=session, index=number, pieces=_pieces(file))
        with transaction.atomic():
            uploads.complete(session=session, by=by)
    except BaseException:
        session.refresh_from_db()
        if session.state == UploadSession.State.OPEN:
            uploads.abort(session=session, by=by, reason="the copy into staging was interrupted")
        raise
    job = ImportJob.objects.get(session=session)
    if not queue:
        run_import(job.pk)
        job.refresh_from_db()
    return job, paths


def _review(*, exam: Exam, by: User, decision: str, quality: int | None, note: str) -> None:
    QualityReview.objects.create(exam=exam, by=by, decision=decision, image_quality=quality, note=note)


@transaction.atomic
def accept_exam(*, exam: Exam, by: User, image_quality: int, note: str = "") -> Exam:
    """Accept an exam for analysis with its image quality, 1 (non-diagnostic) to 5 (excellent).

    Raises
    ------
    QualityError
        The quality is out of range or a query is still open.
    TransitionError
        The exam's quality control is not pending.
    """
    if not 1 <= image_quality <= 5:
        raise QualityError("Image quality is a number from 1 (non-diagnostic) to 5 (excellent).")
    EXAM.apply(exam, "accept", by=by, reason=note, detail={"image_quality": image_quality})
    if exam.queries.exclude(state="closed").exists():
        raise QualityError("This exam has a query that is not closed: close it first.")
    _review(exam=exam, by=by, decision="accepted", quality=image_quality, note=note)
    exam_accepted.send(sender=Exam, exam=exam, by=by)
    return exam


@transaction.atomic
def refuse_exam(*, exam: Exam, by: User, reason: str, image_quality: int | None = None) -> Exam:
    """Refuse an exam for good, with a reason; its images stay stored.

    Raises
    ------
    QualityError
        No reason is given or the quality is out of range.
    TransitionError
        The exam was already decided.
    """
    if not reason.strip():
        raise QualityError("Refusing an exam needs a reason.")
    if image_quality is not None and not 1 <= image_quality <= 5:
        raise QualityError("Image quality is a number from 1 (non-diagnostic) to 5 (excellent).")
    EXAM.apply(exam, "refuse", by=by, reason=reason, detail={"image_quality": image_quality})
    _review(exam=exam, by=by, decision="refused", quality=image_quality, note=reason)
    return exam


def job_summary(job: ImportJob) -> dict[str, Any]:
    """Return what a page or script shows of a job; nothing in it identifies anybody."""
    exam = Exam.objects.filter(import_job=job).first()
    return {
        "job": job.pk,
        "state": job.state,
        "stage": job.stage,
        "progress": round(job.progress, 3),
        "message": job.message,
        "exam": exam.number if exam else None,
        "issues": list(job.issues.values("file_index", "member", "code", "message", "fatal")),
    }
