"""Pages of analysis: who sees them, and what they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from plaquelab.analysis import measuring_code, services
from plaquelab.analysis.centreline_sets import read_csv, write_csv
from plaquelab.analysis.models import AnalysisRun, CentrelineSet
from plaquelab.analysis.selectors import visible_runs
from plaquelab.imaging.models import Exam
from plaquelab.storage import store

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def run(make_exam: Callable[..., Exam], stored_points: Any, served_model: Path) -> AnalysisRun:
    exam = make_exam()
    services.add_centrelines(exam=exam, lines=stored_points, source="file", by=None)
    return AnalysisRun.objects.get()


SEES = {"manager": 200, "technician": 200, "auditor": 200, "coordinator": 403, "reader": 403, "adjudicator": 403,
        "investigator": 403}  # fmt: skip


@pytest.mark.parametrize(("role", "status"), SEES.items())
def test_who_sees_runs(
    run: AnalysisRun, two_studies: SimpleNamespace, client_for: Any, role: str, status: int
) -> None:
    client = client_for(two_studies.a.users[role])
    for name, extra in (("runs", {}), ("run", {"pk": run.pk}), ("run_progress", {"pk": run.pk})):
        assert (
            client.get(reverse(f"analysis:{name}", kwargs={"study": "alpha", **extra})).status_code == status
        )
    shown = visible_runs(user=two_studies.a.users[role], study=two_studies.a.study)
    assert list(shown) == ([run] if status == 200 else [])


def test_the_other_study_sees_nothing(
    run: AnalysisRun, two_studies: SimpleNamespace, client_for: Any
) -> None:
    client = client_for(two_studies.b.users["manager"])
    assert client.get(reverse("analysis:run", kwargs={"study": "alpha", "pk": run.pk})).status_code == 404
    assert client.get(reverse("analysis:run", kwargs={"study": "beta", "pk": run.pk})).status_code == 404


@pytest.mark.parametrize("role", ["auditor", "reader", "coordinator"])
def test_who_may_not_start_or_cancel(
    run: AnalysisRun, two_studies: SimpleNamespace, client_for: Any, role: str
) -> None:
    client = client_for(two_studies.a.users[role])
    for name, extra in (
        ("run_cancel", {"pk": run.pk}),
        ("run_again", {"pk": run.pk}),
        ("analyse", {"number": run.exam.number}),
        ("centrelines", {"number": run.exam.number}),
    ):
        address = reverse(f"analysis:{name}", kwargs={"study": "alpha", **extra})
        assert client.post(address).status_code == 403
    run.refresh_from_db()
    assert run.state == "pending"


def test_a_waiting_run_polls_and_is_cancelled(
    run: AnalysisRun, two_studies: SimpleNamespace, client_for: Any
) -> None:
    client = client_for(two_studies.a.users["technician"])
    page = client.get(reverse("analysis:run", kwargs={"study": "alpha", "pk": run.pk})).content.decode()
    assert 'hx-trigger="every 1s"' in page
    assert run.model.weights_sha256[:12] in page
    part = client.get(reverse("analysis:run_progress", kwargs={"study": "alpha", "pk": run.pk}))
    assert "HX-Refresh" not in part
    client.post(reverse("analysis:run_cancel", kwargs={"study": "alpha", "pk": run.pk}))
    run.refresh_from_db()
    assert run.state == "cancelled"
    part = client.get(reverse("analysis:run_progress", kwargs={"study": "alpha", "pk": run.pk}))
    assert part["HX-Refresh"] == "true"
    assert "every 1s" not in part.content.decode()
    client.post(reverse("analysis:run_again", kwargs={"study": "alpha", "pk": run.pk}))
    run.refresh_from_db()
    assert run.state == "pending"


def test_a_failed_run_shows_its_message(
    run: AnalysisRun, two_studies: SimpleNamespace, client_for: Any
) -> None:
    AnalysisRun.objects.update(state="failed", message="The scan has no contrast.", refusal="no-contrast")
    client = client_for(two_studies.a.users["manager"])
    page = client.get(reverse("analysis:run", kwargs={"study": "alpha", "pk": run.pk})).content.decode()
    assert "The scan has no contrast." in page
    assert "Run again" in page
    seen = client_for(two_studies.a.users["auditor"]).get(
        reverse("analysis:run", kwargs={"study": "alpha", "pk": run.pk})
    )
    assert "Run again" not in seen.content.decode()


def test_a_centreline_file_starts_the_run(
    make_exam: Callable[..., Exam],
    stored_points: Any,
    served_model: Path,
    two_studies: SimpleNamespace,
    client_for: Any,
) -> None:
    exam = make_exam()
    client = client_for(two_studies.a.users["technician"])
    address = reverse("analysis:centrelines", kwargs={"study": "alpha", "number": exam.number})
    assert client.get(address).status_code == 200
    file = SimpleUploadedFile("lines.csv", write_csv(stored_points), "text/csv")
    answer = client.post(address, {"kind": "file", "file": file})
    run = AnalysisRun.objects.get()
    assert answer["Location"] == reverse("analysis:run", kwargs={"study": "alpha", "pk": run.pk})


def test_files_of_other_programs_are_named_beside_them(
    make_exam: Callable[..., Exam], two_studies: SimpleNamespace, client_for: Any, served_model: Path
) -> None:
    exam = make_exam(state="qc_pending")
    client = client_for(two_studies.a.users["technician"])
    address = reverse("analysis:centrelines", kwargs={"study": "alpha", "number": exam.number})

    def files() -> list[SimpleUploadedFile]:
        text = b"0 0 0 1.5\n0 0 5 1.4\n0 0 10 1.3\n"
        return [SimpleUploadedFile(name, text) for name in ("C:\\out\\case-LAD.txt", "second.txt")]

    page = client.post(address, {"kind": "file", "file": files()}).content.decode()
    assert "second.txt does not say which vessels" in page
    assert client.post(address, {"kind": "file", "file": files(), "vessels": "LAD, RCA"}).status_code == 302
    (stored,) = exam.centreline_sets.all()
    lines = read_csv(store().get(stored.path))
    assert [(x.vessel, round(x.length_mm)) for x in lines] == [("LAD", 10), ("RCA", 10)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"vessel,segment,x_mm,y_mm,z_mm\nLAD,6,1,2,here\n", "row 2"),
        (b"x,y\n1,2\n", "vessel"),
        (b"\xff\xfe\x00\x01", "text"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(
    make_exam: Callable[..., Exam], two_studies: SimpleNamespace, client_for: Any, content: bytes, said: str
) -> None:
    exam = make_exam()
    client = client_for(two_studies.a.users["technician"])
    address = reverse("analysis:centrelines", kwargs={"study": "alpha", "number": exam.number})
    page = client.post(address, {"kind": "file", "file": SimpleUploadedFile("lines.csv", content)})
    assert page.status_code == 200
    assert said in page.content.decode()
    assert not exam.centreline_sets.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("LAD 1 2 3 4 5", "Line 1: a vessel’s name and six numbers".replace("’", "&#x27;")),
        ("LM 0 0 0 0 0 20\nLADD 0 0 0 0 0 50", "Line 2: “LADD” is no vessel"),
        ("LAD 0 0 0 0 0 east", "no number"),
        ("LAD 0 0 0 0 0 1", "less than 5 mm"),
    ],
)
def test_bad_points_are_refused_with_their_line(
    make_exam: Callable[..., Exam], two_studies: SimpleNamespace, client_for: Any, text: str, said: str
) -> None:
    exam = make_exam()
    client = client_for(two_studies.a.users["technician"])
    address = reverse("analysis:centrelines", kwargs={"study": "alpha", "number": exam.number})
    assert said in client.post(address, {"kind": "points", "points": text}).content.decode()


def test_two_points_are_stored(
    make_exam: Callable[..., Exam], two_studies: SimpleNamespace, client_for: Any, served_model: Path
) -> None:
    exam = make_exam(state="qc_pending")
    client = client_for(two_studies.a.users["manager"])
    address = reverse("analysis:centrelines", kwargs={"study": "alpha", "number": exam.number})
    client.post(address, {"kind": "points", "points": "LAD, 1, 2, 3, 4, 5, 60\n\nRCA 1 1 1 30 30 30"})
    assert exam.centreline_sets.get().source == "two-point"


def test_a_run_of_older_code_says_so_and_offers_another_to_who_may_start_one(
    analysed_exam: Exam, two_studies: SimpleNamespace, client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = AnalysisRun.objects.get()
    addresses = [
        reverse("analysis:run", kwargs={"study": "alpha", "pk": run.pk}),
        reverse("imaging:exam", kwargs={"study": "alpha", "number": analysed_exam.number}),
    ]
    older = reverse("analysis:runs", kwargs={"study": "alpha"}) + "?code=older"
    manager, auditor = (client_for(two_studies.a.users[role]) for role in ("manager", "auditor"))
    for address in addresses:
        assert "older-code" not in manager.get(address).content.decode()
    assert list(manager.get(older).context["page"]) == []
    version = run.code_version
    monkeypatch.setattr(measuring_code, "today", lambda: "f" * 16)
    for address in addresses:
        for client, offered in ((manager, True), (auditor, False)):
            page = client.get(address).content.decode()
            assert f"Measured by older code than today&#x27;s (version {version})." in page
            assert ("Run again with today's code" in page) is offered
            assert ("signed reads keep their numbers" in page) is offered
    assert list(manager.get(older).context["page"]) == [run]
    CentrelineSet.objects.create(
        exam=analysed_exam, source="file", path="second", sha256="d" * 64, is_second_operator=True
    )
    asked = manager.post(
        reverse("analysis:analyse", kwargs={"study": "alpha", "number": analysed_exam.number})
    )
    again = AnalysisRun.objects.filter(purpose="main").latest("pk")
    assert AnalysisRun.objects.get(purpose="second_operator").code_version == "f" * 16
    assert asked.url == reverse("analysis:run", kwargs={"study": "alpha", "pk": again.pk})
    assert (again.pk > run.pk, again.code_version) == (True, "f" * 16)
    assert list(manager.get(older).context["page"]) == []
    AnalysisRun.objects.filter(pk=run.pk).update(code_version="")
    assert "before versions of the measuring code were kept" in manager.get(addresses[0]).content.decode()
