"""Killed at any stage and run again, an import yields exactly one exam; so do two workers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from plaquelab.imaging import importing, preparing, registering, services
from plaquelab.imaging.models import Exam, ImportJob, Instance, Series, Volume
from plaquelab.storage import store
from plaquelab.uploads import staging


class Killed(BaseException):
    """Stands for SIGKILL: no handler of the product catches it."""


def _die(*args: Any, **kwargs: Any) -> Any:
    raise Killed


def _die_after(number: int, real: Callable[..., Any]) -> Callable[..., Any]:
    calls = [0]

    def call(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] > number:
            raise Killed
        return real(*args, **kwargs)

    return call


STAGES: dict[str, tuple[Any, str, int]] = {
    "while files are read": (preparing, "screen", 3),
    "while de-identifying": (preparing, "make_native", 5),
    "before the volume is checked": (preparing, "build_volume", 0),
    "while files are stored": (registering.store().__class__, "put", 4),
    "before quarantine": (registering.quarantine, "hold_files", 0),
    "in the transaction, at the exam": (registering, "_exam", 0),
    "in the transaction, at the end": (registering.uploads, "consume", 0),
    "after the commit": (importing.staging, "erase", 0),
}


@pytest.mark.parametrize("stage", STAGES)
def test_one_exam_after_a_kill(
    stage: str,
    series: Callable[..., Path],
    ingest: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    owner, name, after = STAGES[stage]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, _die_after(after, getattr(owner, name)))
        with pytest.raises(Killed):
            ingest(series())
    job = ImportJob.objects.get()
    ImportJob.objects.update(lease_until=None)  # what the reaper does when the worker is dead
    importing.run_import(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.message
    assert Exam.objects.count() == Series.objects.count() == Volume.objects.count() == 1
    assert Instance.objects.count() == 12
    for path in [*Instance.objects.values_list("path", flat=True), Volume.objects.get().path]:
        assert store().exists(path)
    stored = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert (
        len(stored) == 14
    )  # 12 images, the volume and its slab: the second attempt wrote over what the first had left
    from plaquelab.uploads.services import expire_uploads

    expire_uploads()
    assert not any((tmp_path / "staging").iterdir())


def test_a_finished_import_is_not_done_twice(series: Callable[..., Path], ingest: Callable[..., Any]) -> None:
    job = ingest(series())
    assert importing.run_import(job.pk) is None
    assert Exam.objects.count() == 1


def test_a_cancelled_import_leaves_nothing(
    series: Callable[..., Path],
    ingest: Callable[..., Any],
    two_studies: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    real = preparing.deidentify_series

    def cancel_then_go_on(*args: Any, **kwargs: Any) -> Any:
        services.cancel_import(job=ImportJob.objects.get(), by=two_studies.a.manager)
        return real(*args, **kwargs)

    monkeypatch.setattr(preparing, "deidentify_series", cancel_then_go_on)
    job = ingest(series())
    assert job.state == "cancelled"
    job.session.refresh_from_db()
    assert job.session.state == "aborted"
    assert not Exam.objects.exists()
    assert [path for path in (tmp_path / "staging").rglob("*") if path.is_file()] == []


@pytest.mark.both_worlds
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_one_exam(
    series: Callable[..., Path], transactional_two_studies: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = transactional_two_studies.a
    monkeypatch.setattr(services, "ring_import", lambda job_id: None)
    job, _ = services.import_path(
        study=tenant.study,
        site=tenant.site,
        subject_pseudonym="A-001",
        path=series(),
        by=tenant.technician,
        queue=True,
    )
    outcomes: list[Any] = []
    barrier = threading.Barrier(3)

    def work() -> None:
        try:
            barrier.wait()
            outcomes.append(importing.run_import(job.pk))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(outcome is not None for outcome in outcomes) == 1
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert Exam.objects.count() == 1


@pytest.mark.both_worlds
@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_scan_at_once_make_one_exam(
    series: Callable[..., Path], transactional_two_studies: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = transactional_two_studies.a
    monkeypatch.setattr(services, "ring_import", lambda job_id: None)
    source = series()
    jobs = [
        services.import_path(
            study=tenant.study,
            site=tenant.site,
            subject_pseudonym=pseudonym,
            path=source,
            by=tenant.technician,
            queue=True,
        )[0]
        for pseudonym in ("A-001", "A-002")
    ]
    barrier = threading.Barrier(2)

    def work(pk: int) -> None:
        try:
            barrier.wait()
            importing.run_import(pk)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(job.pk,)) for job in jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    states = sorted(ImportJob.objects.values_list("state", flat=True))
    assert states == ["rejected", "succeeded"]
    assert Exam.objects.count() == 1
    assert not staging.session_folder(jobs[0].session_id).exists()
