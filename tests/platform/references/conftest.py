"""A study with two scanned subjects and one without a scan, and files as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest

HEADINGS = {
    "expert": "subject,vessel,lesion,start_mm,end_mm,metric,value,unit,reader",
    "ivus": "subject,vessel,lesion,start_mm,end_mm,metric,value,unit,reader",
    "ica": "subject,segment,diameter_stenosis,reader",
    "covariates": "subject,name,value,unit",
    "outcomes": "subject,event,days,source",
}


def file_of(kind: str, *rows: str) -> bytes:
    """Return a CSV file of a kind with these rows."""
    return "\n".join([HEADINGS[kind], *rows, ""]).encode()


def store_image(exam: Any, scanned_on: date) -> None:
    """Store one de-identified image of an exam, its date moved as ingest moves it."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    from plaquelab.imaging.keys import date_offset_days, study_key
    from plaquelab.imaging.models import Instance, Series
    from plaquelab.storage import store

    moved = scanned_on + timedelta(days=date_offset_days(study_key(exam.study), str(exam.subject_id)))
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, f"2.25.{exam.pk}1"
    image.StudyDate = image.AcquisitionDate = f"{moved:%Y%m%d}"
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = BytesIO()
    image.save_as(data, enforce_file_format=True)
    path = f"studies/{exam.study_id}/series/{exam.pk}.dcm"
    store().put(path, data.getvalue())
    series = Series.objects.create(
        study=exam.study,
        exam=exam,
        uid=f"2.25.{exam.pk}2",
        source_key=f"k{exam.pk}",
        header={},
        instance_count=1,
    )
    Instance.objects.create(
        series=series, uid=image.SOPInstanceUID, source_key=f"i{exam.pk}", number=1, path=path,
        sha256=hashlib.sha256(data.getvalue()).hexdigest(),
    )  # fmt: skip


SCANNED = date(2013, 5, 17)


@pytest.fixture
def world(two_studies: SimpleNamespace) -> SimpleNamespace:
    """Study alpha: P-1 (scanned on a known day), P-2 (an exam without images), P-3 (no exam)."""
    from plaquelab.imaging.keys import make_key
    from plaquelab.imaging.models import Exam, ImportJob
    from plaquelab.studies.models import Subject
    from plaquelab.uploads.models import UploadSession

    a = two_studies.a
    make_key(a.study)
    for number in (1, 2, 3):
        subject = Subject.objects.create(study=a.study, site=a.site, cohort=a.cohort, pseudonym=f"P-{number}")
        if number == 3:
            continue
        session = UploadSession.objects.create(
            study=a.study, site=a.site, subject=subject, pseudonym=subject.pseudonym, by=a.manager
        )
        exam = Exam.objects.create(
            study=a.study, subject=subject, site=a.site, number=number, state="accepted",
            study_uid=f"2.25.{number}",
            import_job=ImportJob.objects.create(study=a.study, session=session, state="succeeded"),
        )  # fmt: skip
        if number == 1:
            store_image(exam, SCANNED)
    a.other = two_studies.b
    return a


@pytest.fixture
def check(world: SimpleNamespace) -> Callable[..., Any]:
    """Check rows of a kind in study alpha."""
    from plaquelab.references.services import check_file

    def run(kind: str, *rows: str, **more: Any) -> Any:
        return check_file(study=world.study, kind=kind, data=file_of(kind, *rows), **more)

    return run


@pytest.fixture
def bring(world: SimpleNamespace) -> Callable[..., Any]:
    """Import rows of a kind into study alpha."""
    from plaquelab.references.services import import_file

    def run(kind: str, *rows: str, **more: Any) -> Any:
        return import_file(study=world.study, kind=kind, data=file_of(kind, *rows), by=world.manager, **more)

    return run
