"""``manage.py ingest``: the same service, with a clear result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from plaquelab.imaging.models import Exam, ImportJob
from plaquelab.uploads.models import UploadSession


def _ingest(path: Path, *more: str, by: str = "alpha-technician", site: str = "alpha-north") -> None:
    call_command(
        "ingest", str(path), "--study=alpha", f"--site={site}", "--subject=A-001", f"--by={by}", *more
    )


def test_a_folder_becomes_an_exam(
    series: Callable[..., Path], two_studies: SimpleNamespace, capsys: Any
) -> None:
    source = series()
    (source / "notes.txt").write_text("x")
    _ingest(source, "--cohort=Test")
    said = capsys.readouterr()
    assert "exam 1 is in quality control" in said.out
    assert f"{source / 'notes.txt'}: This is not a DICOM file; it was left out. [not-dicom]" in said.err
    exam = Exam.objects.get()
    assert (exam.subject.cohort, exam.site) == (two_studies.a.cohort, two_studies.a.site)


def test_a_refusal_is_an_error_with_its_reason(
    series: Callable[..., Path], two_studies: SimpleNamespace, capsys: Any
) -> None:
    source = series()
    _ingest(source)
    with pytest.raises(CommandError, match="already in the study"):
        _ingest(source)
    assert Exam.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": "nobody"}, "may not upload"),
        ({"by": "alpha-reader"}, "may not upload"),
        ({"by": "beta-manager"}, "may not upload"),
        ({"by": "alpha-coordinator", "site": "alpha-south"}, "has no site"),
        ({"site": "beta-north"}, "has no site"),
    ],
)
def test_who_and_where_are_checked(
    options: dict[str, str], said: str, series: Callable[..., Path], two_studies: SimpleNamespace
) -> None:
    with pytest.raises(CommandError, match=said):
        _ingest(series(), **options)
    assert not UploadSession.objects.exists()


def test_a_path_that_is_not_there(two_studies: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such file or folder"):
        _ingest(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="no file in this upload"):
        _ingest(tmp_path / "empty")


def test_queued_work_waits_for_a_worker(
    series: Callable[..., Path], two_studies: SimpleNamespace, capsys: Any
) -> None:
    _ingest(series(), "--queue")
    assert "waits in the queue (12 files)" in capsys.readouterr().out
    assert ImportJob.objects.get().state == "queued"


def test_messages_name_the_files_of_this_machine(
    series: Callable[..., Path], two_studies: SimpleNamespace, capsys: Any
) -> None:
    source = series(lambda k, ds: k != 5)
    with pytest.raises(CommandError, match=r"missing between \S+_0004\.dcm and \S+_0006\.dcm"):
        _ingest(source)
