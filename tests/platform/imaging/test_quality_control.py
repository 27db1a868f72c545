"""Decisions on exams and queries to sites, as services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from plaquelab.audit.models import AuditEvent
from plaquelab.imaging.models import Exam, Query
from plaquelab.imaging.quarantine import expire_quarantine, reject
from plaquelab.imaging.queries import QueryError, answer_query, close_query, open_query, reopen_query
from plaquelab.imaging.services import QualityError, accept_exam, refuse_exam
from plaquelab.imaging.signals import exam_accepted
from plaquelab.states import TransitionError


@pytest.fixture
def exam(series: Callable[..., Path], ingest: Callable[..., Any]) -> Exam:
    return ingest(series()).exam


def _events(obj: Any) -> list[str]:
    events = AuditEvent.objects.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk))
    return list(events.order_by("sequence").values_list("verb", flat=True))


def test_accepting_tells_the_listeners_and_keeps_the_quality(
    exam: Exam, two_studies: SimpleNamespace
) -> None:
    heard: list[Any] = []

    def listen(*, exam: Exam, by: Any, **_: Any) -> None:
        heard.append((exam.number, exam.state, by.username))

    exam_accepted.connect(listen)
    try:
        accept_exam(exam=exam, by=two_studies.a.technician, image_quality=4, note="calm heart")
    finally:
        exam_accepted.disconnect(listen)
    assert heard == [(1, "accepted", "alpha-technician")]
    review = exam.quality_reviews.get()
    assert (review.decision, review.image_quality, review.note) == ("accepted", 4, "calm heart")
    assert _events(exam) == ["exam.register", "exam.check", "exam.accept"]
    with pytest.raises(TransitionError):
        refuse_exam(exam=exam, by=two_studies.a.technician, reason="too late")


@pytest.mark.parametrize("quality", [0, 6, -1])
def test_a_quality_out_of_range_changes_nothing(
    quality: int, exam: Exam, two_studies: SimpleNamespace
) -> None:
    with pytest.raises(QualityError):
        accept_exam(exam=exam, by=two_studies.a.technician, image_quality=quality)
    exam.refresh_from_db()
    assert exam.state == "qc_pending"


def test_a_listener_that_fails_leaves_the_exam_unaccepted(exam: Exam, two_studies: SimpleNamespace) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError

    exam_accepted.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            accept_exam(exam=exam, by=two_studies.a.technician, image_quality=4)
    finally:
        exam_accepted.disconnect(fail)
    exam.refresh_from_db()
    assert exam.state == "qc_pending"
    assert not exam.quality_reviews.exists()


def test_refusing_needs_a_reason(exam: Exam, two_studies: SimpleNamespace) -> None:
    with pytest.raises(QualityError):
        refuse_exam(exam=exam, by=two_studies.a.technician, reason="  ")
    refuse_exam(exam=exam, by=two_studies.a.technician, reason="no contrast in the coronaries")
    assert exam.state == "refused"
    assert AuditEvent.objects.get(verb="exam.refuse").reason == "no contrast in the coronaries"


def test_the_way_of_a_query(exam: Exam, two_studies: SimpleNamespace) -> None:
    technician, coordinator = two_studies.a.technician, two_studies.a.coordinator
    query = open_query(exam=exam, by=technician, text="Which phase is this?")
    exam.refresh_from_db()
    assert (exam.state, query.state) == ("queried", "open")
    with pytest.raises(TransitionError):
        accept_exam(exam=exam, by=technician, image_quality=4)
    answer_query(query=query, by=coordinator, text="75 %")
    exam.refresh_from_db()
    assert (exam.state, query.state) == ("qc_pending", "answered")
    with pytest.raises(QualityError, match="not closed"):
        accept_exam(exam=exam, by=technician, image_quality=4)
    exam.refresh_from_db()
    reopen_query(query=query, by=technician, text="of the RR interval?")
    exam.refresh_from_db()
    assert (exam.state, query.state) == ("queried", "open")
    answer_query(query=query, by=coordinator, text="yes")
    close_query(query=query, by=technician)
    assert query.closed_at is not None
    exam.refresh_from_db()
    accept_exam(exam=exam, by=technician, image_quality=4)
    assert [message.text for message in query.messages.all()] == [
        "Which phase is this?", "75 %", "of the RR interval?", "yes",
    ]  # fmt: skip
    with pytest.raises(QueryError, match="decided"):
        reopen_query(query=query, by=technician, text="once more")
    assert _events(query) == ["query.open", "query.answer", "query.reopen", "query.answer", "query.close"]


def test_an_exam_waits_for_every_open_query(exam: Exam, two_studies: SimpleNamespace) -> None:
    technician = two_studies.a.technician
    first = open_query(exam=exam, by=technician, text="a?")
    second = open_query(exam=exam, by=technician, text="b?")
    answer_query(query=first, by=technician, text="a")
    exam.refresh_from_db()
    assert exam.state == "queried"
    close_query(query=second, by=technician)
    exam.refresh_from_db()
    assert exam.state == "qc_pending"


def test_a_query_needs_a_text(exam: Exam, two_studies: SimpleNamespace) -> None:
    with pytest.raises(QueryError):
        open_query(exam=exam, by=two_studies.a.technician, text=" ")
    assert not Query.objects.exists()
    exam.refresh_from_db()
    assert exam.state == "qc_pending"


def _quarantined(series: Callable[..., Path], ingest: Callable[..., Any]) -> Any:
    source = series()

    def capture(k: int, ds: Any) -> object:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        return k == 0

    series(capture, folder=source, series="8")
    return ingest(source).quarantine.get()


def test_rejecting_erases_the_held_object(
    series: Callable[..., Path], ingest: Callable[..., Any], two_studies: SimpleNamespace, tmp_path: Path
) -> None:
    held = _quarantined(series, ingest)
    reject(held=held, by=two_studies.a.technician, reason="a screen picture")
    assert [path for path in (tmp_path / "quarantine").rglob("*") if path.is_file()] == []
    held.refresh_from_db()
    assert (held.state, held.decided_by) == ("rejected", two_studies.a.technician)
    with pytest.raises(TransitionError):
        reject(held=held, by=two_studies.a.technician, reason="again")


def test_undecided_objects_are_erased_after_a_week(
    series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path
) -> None:
    from datetime import timedelta

    from django.utils import timezone

    held = _quarantined(series, ingest)
    assert expire_quarantine() == 0
    type(held).objects.update(held_at=timezone.now() - timedelta(days=8))
    expire_quarantine()
    held.refresh_from_db()
    assert held.state == "expired"
    assert not any((tmp_path / "quarantine").iterdir())
