"""The import job, start to end. It may be killed at any line and run again, and makes exactly one exam."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from functools import partial

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from plaquelab.imaging import quarantine
from plaquelab.imaging.archive import SourceFile
from plaquelab.imaging.errors import ImportRejected, MissingKeyError
from plaquelab.imaging.keys import study_key
from plaquelab.imaging.models import Exam, ImportJob
from plaquelab.imaging.preparing import gather, prepare
from plaquelab.imaging.reading_dicom import quiet
from plaquelab.imaging.registering import register, write_issues
from plaquelab.imaging.screening import Finding, Verdict
from plaquelab.imaging.selection import Note, check_duplicate, check_identity, choose
from plaquelab.jobs import services as jobs
from plaquelab.jobs.attempt import End, Progress, attempt
from plaquelab.storage import StorageError
from plaquelab.uploads import services as uploads
from plaquelab.uploads import staging

log = logging.getLogger(__name__)
S = ImportJob.State


def run_import(job_id: int) -> ImportJob | None:
    """Run one attempt at an import, or do nothing when it is done or in other hands.

    Returns
    -------
    the job as it ended; None when there was nothing to do.
    """
    findings: list[Finding] = []

    def work(job: ImportJob, progress: Progress) -> None:
        with quiet():
            exam = _work(job, findings, progress)
        log.info("import %s: exam %s of study %s", job.pk, exam.number, job.study_id)
        staging.erase(job.session_id)

    def meaning(job: ImportJob, error: Exception) -> End:
        return _meaning(job, findings, error)

    # An error's own text may quote a header: only its type and place are logged.
    return attempt(ImportJob, job_id, what="import", work=work, meaning=meaning, private=True)


def _meaning(job: ImportJob, findings: Sequence[Finding], error: Exception) -> End:
    """Say what an error means: rejected with every issue, cancelled, or failed and to be tried again."""
    if isinstance(error, ImportRejected):
        return End(
            "reject",
            str(error),
            code=error.code,
            stored=partial(_store_rejection, job, findings, error),
            after=partial(_erase_all, job),
        )
    if isinstance(error, jobs.JobCancelledError):
        return End("cancel", "Cancelled by a person.", code="cancelled", after=partial(_abort, job))
    if isinstance(error, SoftTimeLimitExceeded):
        said = "The import took too long and was stopped. Try again, or send fewer files."
    elif isinstance(error, (MissingKeyError, StorageError)):
        said = f"{error} Ask the operator, then try again."
    else:
        said = "Something went wrong on our side. Try again; if it stays, tell the operator"
    return End("fail", lambda number: f"{said} (error {number}).", after=partial(_keep_staged, job))


def _work(job: ImportJob, findings: list[Finding], progress: Progress) -> Exam:
    """Extract, choose, check, de-identify, validate, register. ``findings`` is filled for the caller."""
    session = job.session
    if session.subject is None:
        raise ImportRejected("no-subject", "The upload was never completed: send it again.")
    key = study_key(job.study)
    work = staging.session_folder(session.pk) / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700, parents=True)

    def tick(fraction: float) -> None:
        progress(_STAGES[S(job.state)], fraction)

    def next_stage(event: str) -> None:
        jobs.step(job, event)
        tick(0.0)

    tick(0.0)
    found, _ = gather(
        _received(job),
        work=work,
        max_bytes=settings.UPLOAD_MAX_BYTES,
        max_files=settings.UPLOAD_MAX_FILES,
        tick=tick,
    )
    findings.extend(found)
    chosen = choose(findings, key=key)
    identity_notes = check_identity(chosen, subject=session.subject)
    check_duplicate(chosen, study=job.study, subject=session.subject, key=key)
    next_stage("deidentify")
    prepared = prepare(
        chosen,
        work=work,
        key=key,
        subject_key=str(session.subject_id),
        pseudonym=session.subject.pseudonym,
        tick=tick,
        validating=lambda: next_stage("validate"),
    )
    next_stage("register")
    headers = [Note("header-value", said) for said in prepared.header_notes]
    notes = [*_file_notes(findings), *chosen.notes, *identity_notes, *headers]
    return register(
        job=job,
        chosen=chosen,
        prepared=prepared,
        held=[finding for finding in findings if finding.verdict is Verdict.QUARANTINE],
        notes=notes,
        key=key,
        tick=tick,
    )


_STAGES = {
    S.EXTRACTING: "reading files",
    S.DEIDENTIFYING: "de-identifying",
    S.VALIDATING: "checking the volume",
    S.REGISTERING: "storing",
}


def _received(job: ImportJob) -> list[SourceFile]:
    """List the session's files in staging.

    Raises
    ------
    ImportRejected
        They were erased (too old, or the session was ended).
    """
    indices = list(job.session.files.order_by("index").values_list("index", flat=True))
    files = [SourceFile(path=staging.file_path(job.session_id, index), file_index=index) for index in indices]
    if not files or not all(file.path.exists() for file in files):
        raise ImportRejected("staging-gone", "The uploaded files are no longer there: send them again.")
    return files


def _file_notes(findings: Sequence[Finding]) -> list[Note]:
    """Return one note for every file that is no slice."""
    return [
        Note(
            finding.code,
            finding.message,
            file_index=finding.source.file_index,
            member=finding.source.member,
            fatal=finding.verdict is Verdict.ERROR,
        )
        for finding in findings
        if finding.verdict is not Verdict.SLICE
    ]


def _store_rejection(job: ImportJob, findings: Sequence[Finding], error: ImportRejected) -> None:
    """Write every issue and give the upload up, in the transaction that ends the job."""
    notes = _file_notes(findings)
    whole = Note(error.code, str(error), file_index=error.file_index, member=error.member, fatal=True)
    if not any(
        (note.code, note.file_index, note.member) == (whole.code, whole.file_index, whole.member)
        for note in notes
    ):
        notes.insert(0, whole)
    write_issues(job=job, notes=notes)
    uploads.consume(session=job.session)
    uploads.withdraw_subject(session=job.session)


def _erase_all(job: ImportJob) -> None:
    """Nothing of a rejected upload stays."""
    quarantine.erase_job(job.pk)
    staging.erase(job.session_id)


def _abort(job: ImportJob) -> None:
    quarantine.erase_job(job.pk)
    uploads.abort(session=job.session, by=None, reason="import cancelled")


def _keep_staged(job: ImportJob) -> None:
    """The files of a failed import stay in staging for a retry, seven days at the latest; what was made of them goes."""
    shutil.rmtree(staging.session_folder(job.session_id) / "work", ignore_errors=True)
    quarantine.erase_job(job.pk)
