"""The original scan date comes back from the moved one, through the study's key, and only there."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plaquelab.imaging.models import Exam
from plaquelab.imaging.scan_dates import index_exams, original_scan_date
from tests.platform.references.conftest import SCANNED, store_image

pytestmark = pytest.mark.django_db


def test_the_moved_date_is_moved_back(world):
    from pydicom import dcmread

    from plaquelab.imaging.selectors import dicom_paths
    from plaquelab.storage import store

    exam = Exam.objects.get(number=1)
    assert original_scan_date(exam) == SCANNED
    assert dcmread(BytesIO(store().get(dicom_paths(exam)[0]))).StudyDate != f"{SCANNED:%Y%m%d}"


def test_without_images_there_is_no_date(world):
    assert original_scan_date(Exam.objects.get(number=2)) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)))
def test_every_date_comes_back(world, day):
    exam = Exam.objects.get(number=2)
    for series in exam.series.all():
        series.instances.all().delete()
        series.delete()
    store_image(exam, day)
    assert original_scan_date(exam) == day


def test_the_index_exam_is_the_first_accepted_one(world):
    first = Exam.objects.get(number=1)
    assert index_exams(world.study.pk)[first.subject_id].number == 1
    Exam.objects.filter(pk=first.pk).update(state="qc_pending")
    assert index_exams(world.study.pk)[first.subject_id].number == 1
    Exam.objects.filter(pk=first.pk).update(state="refused")
    assert first.subject_id not in index_exams(world.study.pk)
