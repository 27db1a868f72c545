"""A subject's original scan date, known only while something is turned into days: never stored, logged or shown."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import BytesIO

from pydicom import dcmread

from plaquelab.imaging.keys import date_offset_days, study_key
from plaquelab.imaging.models import Exam
from plaquelab.imaging.reading_dicom import quiet
from plaquelab.imaging.selectors import dicom_paths
from plaquelab.storage import store

_KEYWORDS = ("AcquisitionDate", "AcquisitionDateTime", "SeriesDate", "StudyDate")


def original_scan_date(exam: Exam) -> date | None:
    """Return the day on which an exam was scanned: its stored, moved date less the subject's offset.

    None where no image is stored or its header states no date. The caller turns dates into days with it and
    keeps neither.

    Raises
    ------
    MissingKeyError
        The study's key file is missing.
    """
    paths = dicom_paths(exam)
    if not paths:
        return None
    with quiet():
        header = dcmread(
            BytesIO(store().get(paths[0])), stop_before_pixels=True, specific_tags=list(_KEYWORDS)
        )
        texts = [str(header.get(keyword, "") or "")[:8] for keyword in _KEYWORDS]
    offset = timedelta(days=date_offset_days(study_key(exam.study), str(exam.subject_id)))
    for text in texts:
        try:
            return datetime.strptime(text, "%Y%m%d").date() - offset
        except ValueError:
            continue
    return None


def index_exams(study_id: int) -> dict[int, Exam]:
    """Return each subject's exam that references speak of: the first accepted one, else the first not refused."""
    exams = (
        Exam.objects.filter(study_id=study_id)
        .exclude(state=Exam.State.REFUSED)
        .select_related("study", "subject")
        .order_by("number")
    )
    found: dict[int, Exam] = {}
    for exam in exams:
        known = found.get(exam.subject_id)
        if known is None or (exam.state == Exam.State.ACCEPTED and known.state != Exam.State.ACCEPTED):
            found[exam.subject_id] = exam
    return found
