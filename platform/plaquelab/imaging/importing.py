"""The import job, start to end. It may be killed at any line and run again, and makes exactly one exam."""

from __future__ import annotations

import logging
import shutil
import traceback
from collections.abc import Sequence

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction

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
from plaquelab.imaging.transitions import IMPORT_QUEUED, IMPORT_RUNNING
from plaquelab.jobs import services as jobs
from plaquelab.storage import StorageError
from plaquelab.uploads import services as uploads
from plaquelab.uploads import staging

log = logging.getLogger(__name__)
S = ImportJob.State


def run_import(job_id: int) -> ImportJob | None:
    """Run one import job, or do nothing when it is done or in other hands.

    Returns
    -------
    the job as it ended; None when there was nothing to do.
    """
    job = jobs.claim(ImportJob, job_id, from_states=(*IMPORT_QUEUED, *IMPORT_RUNNING), to_state=S.EXTRACTING)
    if job is None:
        return None
    findings: list[Finding] = []
    with jobs.heartbeat(job):
        try:
            with quiet():
                exam = _work(job, findings)
            log.info("import %s: exam %s of study %s", job.pk, exam.number, job.study_id)
            staging.erase(job.session_id)
        except ImportRejected as error:
            _reject(job, findings, error)
        except jobs.JobLostError:
            log.info("import %s: another attempt holds it now", job.pk)
        except jobs.JobCancelledError:
            _cancel(job)
        except SoftTimeLimitExceeded:
            _fail(job, "The import took too long and was stopped. Try again, or send fewer files.", None)
        except (MissingKeyError, StorageError) as error:
            _fail(job, f"{error} Ask the operator, then try again.", error)
        except Exception as error:  # noqa: BLE001  what we did wrong is logged without values, never shown
            _fail(job, "Something went wrong on our side. Try again; if it stays, tell the operator", error)
    return job


def _work(job: ImportJob, findings: list[Finding]) -> Exam:
    """Extract, choose, check, de-identify, validate, register. ``findings`` is filled for the caller."""
    session = job.session
    if session.subject is None:
        raise ImportRejected("no-subject", "The upload was never completed: send it again.")
    key = study_key(job.study)
    work = staging.session_folder(session.pk) / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700, parents=True)

    def tick(fraction: float) -> None:
        jobs.report(job, _STAGES[ImportJob.State(job.state)], fraction)

    def next_stage(state: ImportJob.State) -> None:
        jobs.move(job, to_state=state, event=_EVENTS[state])
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
    next_stage(S.DEIDENTIFYING)
    prepared = prepare(
        chosen,
        work=work,
        key=key,
        subject_key=str(session.subject_id),
        pseudonym=session.subject.pseudonym,
        tick=tick,
        validating=lambda: next_stage(S.VALIDATING),
    )
    next_stage(S.REGISTERING)
    notes = [*_file_notes(findings), *chosen.notes, *identity_notes]
    return register(
        job=job,
        chosen=chosen,
        prepared=prepared,
        held=[finding for finding in findings if finding.verdict is Verdict.QUARANTINE],
        notes=notes,
        key=key,
        tick=tick,
    )


_EVENTS = {S.DEIDENTIFYING: "deidentify", S.VALIDATING: "validate", S.REGISTERING: "register"}
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


def _reject(job: ImportJob, findings: Sequence[Finding], error: ImportRejected) -> None:
    """End the job as rejected with every issue; nothing of the upload stays."""
    job.refresh_from_db(fields=["state"])
    notes = _file_notes(findings)
    whole = Note(error.code, str(error), file_index=error.file_index, member=error.member, fatal=True)
    if not any(
        (note.code, note.file_index, note.member) == (whole.code, whole.file_index, whole.member)
        for note in notes
    ):
        notes.insert(0, whole)
    with transaction.atomic():
        if not jobs.fail(job, to_state=S.REJECTED, message=str(error), event="reject"):
            return
        write_issues(job=job, notes=notes)
        uploads.consume(session=job.session)
        uploads.withdraw_subject(session=job.session)
    quarantine.erase_job(job.pk)
    staging.erase(job.session_id)
    log.info("import %s rejected: %s", job.pk, error.code)


def _cancel(job: ImportJob) -> None:
    with transaction.atomic():
        if not jobs.fail(job, to_state=S.CANCELLED, message="Cancelled by a person.", event="cancel"):
            return
    quarantine.erase_job(job.pk)
    uploads.abort(session=job.session, by=None, reason="import cancelled")


def _fail(job: ImportJob, message: str, error: BaseException | None) -> None:
    """End the job as failed. Its files stay in staging for a retry, seven days at the latest."""
    number = jobs.error_id()
    if error is not None:
        # The exception's own text may quote a header: only its type and place are logged.
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.error("import %s failed [%s] %s\n%s", job.pk, number, type(error).__name__, frames)
    jobs.fail(job, to_state=S.FAILED, message=f"{message} (error {number}).", error_id=number)
    shutil.rmtree(staging.session_folder(job.session_id) / "work", ignore_errors=True)
    quarantine.erase_job(job.pk)
