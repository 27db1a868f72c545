"""Storing a prepared series and making its exam: files first (content-addressed), then one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import Max

from plaquelab.audit import services as audit
from plaquelab.imaging import quarantine
from plaquelab.imaging.deidentify_table import METHOD_CODES
from plaquelab.imaging.models import (
    DeidentificationReport,
    Exam,
    ImportIssue,
    ImportJob,
    Instance,
    Series,
)
from plaquelab.imaging.preparing import Prepared
from plaquelab.imaging.screening import Finding
from plaquelab.imaging.selection import Chosen, Note, check_duplicate, check_identity
from plaquelab.imaging.transitions import EXAM
from plaquelab.imaging.volumes import StoredVolume, put_volume, write_volume
from plaquelab.jobs import services as jobs
from plaquelab.storage import store
from plaquelab.studies.models import Subject
from plaquelab.uploads import services as uploads


def store_files(
    prepared: Prepared, *, study_id: int, tick: Callable[[float], None]
) -> tuple[dict[str, str], StoredVolume]:
    """Put images, volume and slabs into the store. Paths hold the content's hash: doing it again changes nothing.

    Returns
    -------
    image UID → path, the stored volume.
    """
    files = store()
    paths = {}
    for number, image in enumerate(prepared.images):
        path = f"studies/{study_id}/series/{prepared.series_uid}/{image.uid[-24:]}-{image.sha256[:12]}.dcm"
        files.put(path, image.path.read_bytes())
        paths[image.uid] = path
        if number % 10 == 0:
            tick(0.6 * number / len(prepared.images))
    return paths, put_volume(prepared.volume, study_id=study_id, tick=lambda part: tick(0.6 + 0.25 * part))


def register(
    *,
    job: ImportJob,
    chosen: Chosen,
    prepared: Prepared,
    held: Sequence[Finding],
    notes: Sequence[Note],
    key: bytes,
    tick: Callable[[float], None],
) -> Exam:
    """Store everything and make the exam; ends the job.

    Killed before the commit, only unnamed files remain, which the next attempt overwrites.

    Raises
    ------
    ImportRejected
        Somebody registered the same scan meanwhile.
    JobLostError
        Another attempt holds the job.
    """
    paths, volume = store_files(prepared, study_id=job.study_id, tick=tick)
    quarantine.hold_files(job=job, findings=held)
    tick(0.9)
    whole = not held and all(note.file_index is None for note in notes)
    with transaction.atomic():
        # The audit event takes the chain's lock, so that registrations of one study follow each other:
        # the checks below then see every exam that was registered before.
        jobs.finish(job, "succeed" if whole else "succeed_in_part")
        subject = Subject.objects.get(pk=job.session.subject_id)  # type: ignore[misc]  # it has one: see _work
        check_identity(chosen, subject=subject)
        check_duplicate(chosen, study=job.study, subject=subject, key=key)
        exam = _exam(job=job, subject=subject, prepared=prepared)
        _series(exam=exam, chosen=chosen, prepared=prepared, paths=paths)
        write_volume(exam=exam, stored=volume)
        DeidentificationReport.objects.create(
            exam=exam,
            method_codes=[code for code, _ in METHOD_CODES],
            actions=prepared.actions,
            date_offset_days_hash=prepared.offset_hash,
        )
        if chosen.patient_key and not subject.patient_key:
            Subject.objects.filter(pk=subject.pk).update(patient_key=chosen.patient_key)
        write_issues(job=job, notes=notes)
        quarantine.hold_rows(job=job, findings=held)
        EXAM.apply(exam, "check", by=None)
        uploads.consume(session=job.session)
    return exam


def _exam(*, job: ImportJob, subject: Subject, prepared: Prepared) -> Exam:
    number = (Exam.objects.filter(study=job.study).aggregate(last=Max("number"))["last"] or 0) + 1
    exam = Exam.objects.create(
        study=job.study,
        subject=subject,
        site=job.session.site,
        number=number,
        study_uid=prepared.study_uid,
        import_job=job,
    )
    audit.record(
        verb="exam.register",
        obj=exam,
        by=job.session.by,
        study=job.study,
        site=job.session.site.code,
        after={"number": number, "subject": subject.pseudonym, "images": len(prepared.images)},
    )
    return exam


def _series(*, exam: Exam, chosen: Chosen, prepared: Prepared, paths: dict[str, str]) -> None:
    series = Series.objects.create(
        study=exam.study,
        exam=exam,
        uid=prepared.series_uid,
        source_key=chosen.series_key,
        header=prepared.facts,
        instance_count=len(prepared.images),
    )
    Instance.objects.bulk_create(
        Instance(
            series=series,
            uid=image.uid,
            source_key=image.source_key,
            number=image.number,
            path=paths[image.uid],
            sha256=image.sha256,
        )
        for image in prepared.images
    )


def write_issues(*, job: ImportJob, notes: Sequence[Note]) -> None:
    """Replace the job's issues by those of this attempt."""
    job.issues.all().delete()
    ImportIssue.objects.bulk_create(
        ImportIssue(
            job=job,
            file_index=note.file_index,
            member=note.member,
            code=note.code,
            message=note.message,
            fatal=note.fatal,
        )
        for note in notes
    )
