"""Pages of quality control: what each role sees and may do, and nothing of another site or study."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.test import Client

from plaquelab.audit.models import AuditEvent
from plaquelab.imaging.models import Exam, ImportJob, Query
from plaquelab.imaging.services import open_query

S = "/studies/alpha/"


@pytest.fixture
def exams(
    series: Callable[..., Path], ingest: Callable[..., Any], two_studies: SimpleNamespace
) -> SimpleNamespace:
    """Exam 1 at alpha's north, exam 2 at its south, exam 1 of beta."""
    a, b = two_studies.a, two_studies.b
    north = ingest(series()).exam
    south = ingest(series(series="2", patient="P-2"), subject="A-002", site=a.other_site).exam
    beta = ingest(series(), tenant=b).exam
    return SimpleNamespace(north=north, south=south, beta=beta)


def _statuses(client: Client, urls: list[str]) -> list[int]:
    return [client.get(url).status_code for url in urls]


# exams, qc, queries, imports, quarantine, north exam, its plane, south exam
SEES = {
    "manager": [200, 200, 200, 200, 200, 200, 200, 200],
    "technician": [200, 200, 200, 200, 200, 200, 200, 200],
    "auditor": [200, 200, 200, 200, 200, 200, 200, 200],
    "coordinator": [200, 200, 200, 200, 403, 200, 200, 404],
    "reader": [403] * 8,
    "adjudicator": [403] * 8,
    "investigator": [403] * 8,
}


def test_who_sees_what(
    exams: SimpleNamespace, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    urls = [f"{S}{page}/" for page in ("exams", "qc", "queries", "imports", "quarantine", "exams/1")]
    urls += [f"{S}exams/1/planes/axial.png", f"{S}exams/2/"]
    seen = {role: _statuses(client_for(two_studies.a.users[role]), urls) for role in SEES}
    assert seen == SEES
    strangers = {status for role in SEES for status in _statuses(client_for(two_studies.b.users[role]), urls)}
    assert strangers == {404}
    assert set(_statuses(Client(), urls)) == {302}


def _writes(exams: SimpleNamespace, query: Query) -> list[tuple[str, dict[str, str]]]:
    return [
        (f"{S}exams/1/accept/", {"image_quality": "4"}),
        (f"{S}exams/1/refuse/", {"reason": "x"}),
        (f"{S}exams/1/query/", {"text": "x"}),
        (f"{S}queries/{query.pk}/close/", {}),
        (f"{S}queries/{query.pk}/reopen/", {"text": "x"}),
        (f"{S}queries/{query.pk}/answer/", {"text": "x"}),
    ]


def test_who_may_not_decide(
    exams: SimpleNamespace, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    query = open_query(exam=exams.south, by=two_studies.a.technician, text="why?")
    for role in ("auditor", "coordinator", "reader", "adjudicator", "investigator"):
        client = client_for(two_studies.a.users[role])
        for url, data in _writes(exams, query):
            assert client.post(url, data).status_code in (403, 404), (role, url)
    states = sorted(Exam.objects.values_list("study__slug", "number", "state"))
    assert states == [("alpha", 1, "qc_pending"), ("alpha", 2, "queried"), ("beta", 1, "qc_pending")]
    assert query.messages.count() == 1


def test_a_manager_of_another_study_can_do_nothing(
    exams: SimpleNamespace, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    query = open_query(exam=exams.north, by=two_studies.a.technician, text="why?")
    client = client_for(two_studies.b.manager)
    assert {client.post(url, data).status_code for url, data in _writes(exams, query)} == {404}


def test_the_technician_accepts_on_the_page(
    exams: SimpleNamespace, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    client = client_for(two_studies.a.technician)
    page = client.get(f"{S}exams/1/").content.decode()
    for text in (
        "A-001",
        "alpha North",
        "12 × 24 × 32",
        "Bv40",
        "Accept for analysis",
        "Quillfeather Imaging",
    ):
        assert text in page
    answer = client.post(f"{S}exams/1/accept/", {"image_quality": "4", "note": "fine"}, follow=True)
    page = answer.content.decode()
    assert "Exam 1 is accepted." in page
    assert "image quality 4 of 5" in page
    assert "No centrelines yet" in page
    assert "Accept for analysis" not in page
    assert (
        "is not possible" in client.post(f"{S}exams/1/refuse/", {"reason": "x"}, follow=True).content.decode()
    )
    missing = client.post(f"{S}exams/2/accept/", {}, follow=True).content.decode()
    assert "Choose an image quality" in missing


def test_the_coordinator_answers_the_own_sites_query(
    exams: SimpleNamespace, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    own = open_query(exam=exams.north, by=two_studies.a.technician, text="Which phase?")
    other = open_query(exam=exams.south, by=two_studies.a.technician, text="Secret of the south?")
    client = client_for(two_studies.a.coordinator)
    listed = client.get(f"{S}queries/").content.decode()
    assert "Which phase?" in listed
    assert "Secret of the south?" not in listed
    assert "Send the answer" in client.get(f"{S}exams/1/").content.decode()
    answered = client.post(f"{S}queries/{own.pk}/answer/", {"text": "75 %"}, follow=True)
    assert "75 %" in answered.content.decode()
    assert client.post(f"{S}queries/{other.pk}/answer/", {"text": "x"}).status_code == 404
    own.refresh_from_db()
    assert own.state == "answered"


def test_lists_filter_count_and_say_when_they_are_empty(
    exams: SimpleNamespace, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    client = client_for(two_studies.a.technician)
    assert "2 exams" in client.get(f"{S}exams/").content.decode()
    south = client.get(f"{S}exams/?site=alpha-south").content.decode()
    assert "1 exam<" in south
    assert "A-001" not in south
    assert "No exam matches" in client.get(f"{S}exams/?subject=zzz").content.decode()
    assert "1 exam<" in client.get(f"{S}exams/?subject=a-002&state=qc_pending").content.decode()
    Exam.objects.filter(study__slug="alpha").update(state="accepted")
    assert "Nothing waits here" in client.get(f"{S}qc/").content.decode()
    order = client.get(f"{S}exams/?sort=number").content.decode()
    assert order.index("A-001") < order.index("A-002")


def test_a_coordinator_sees_only_the_own_sites_imports(
    exams: SimpleNamespace, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    client = client_for(two_studies.a.coordinator)
    page = client.get(f"{S}imports/").content.decode()
    assert "A-001" in page
    assert "A-002" not in page
    assert client.get(f"{S}imports/{exams.north.import_job_id}/").status_code == 200
    assert client.get(f"{S}imports/{exams.south.import_job_id}/").status_code == 404


def test_planes_as_pictures(
    exams: SimpleNamespace, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    from PIL import Image

    client = client_for(two_studies.a.technician)
    answer = client.get(f"{S}exams/1/planes/axial.png?i=11&w=4000&l=0")
    assert answer["Content-Type"] == "image/png"
    pixels = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert pixels.shape == (24, 32)
    assert pixels[-1, -1] == round((1200 + 2000) / 4000 * 255)
    assert abs(int(pixels[0, 0]) - round((-900 + 110 + 2000) / 4000 * 255)) <= 1
    assert client.get(f"{S}exams/1/planes/oblique.png").status_code == 404
    for odd in ("i=-5", "i=9999", "i=abc", "w=0", "w=nan&l=inf"):
        assert client.get(f"{S}exams/1/planes/coronal.png?{odd}").status_code == 200, odd
    figure = client.get(f"{S}exams/1/planes/sagittal/?i=3&window=400/40").content.decode()
    assert "i=3&amp;w=400&amp;l=40" in figure
    assert 'data-letter="left">A<' in figure


def test_opening_images_is_an_event(
    exams: SimpleNamespace, two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    client_for(two_studies.a.auditor).get(f"{S}exams/1/")
    event = AuditEvent.objects.get(verb="exam.open_images")
    assert (event.actor, event.object_id) == ("alpha-auditor", str(exams.north.pk))


def test_a_rejected_import_says_why_by_number_and_a_failed_one_can_be_tried_again(
    series: Callable[..., Path],
    ingest: Callable[..., Any],
    two_studies: SimpleNamespace,
    client_for: Callable[[Any], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from plaquelab.imaging import importing

    def drop(k: int, ds: Any) -> None:
        if k == 5:
            del ds.PixelData

    rejected = ingest(series(drop))
    client = client_for(two_studies.a.technician)
    page = client.get(f"{S}imports/{rejected.pk}/").content.decode()
    assert "no-pixel-data" in page
    assert "Try again" not in page
    again = client.post(f"{S}imports/{rejected.pk}/again/", follow=True).content.decode()
    assert "Only a failed import" in again

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(importing, "prepare", broken)
        failed = ingest(series(series="2"))
    assert "Try again" in client.get(f"{S}imports/{failed.pk}/").content.decode()
    client.post(f"{S}imports/{failed.pk}/again/")
    failed.refresh_from_db()
    assert failed.state == "queued"
    progress = client.get(f"{S}imports/{failed.pk}/progress/")
    assert "every 1s" in progress.content.decode()
    client.post(f"{S}imports/{failed.pk}/cancel/")
    failed.refresh_from_db()
    assert failed.state == "cancelled"
    assert client.get(f"{S}imports/{failed.pk}/progress/")["HX-Refresh"] == "true"
    assert ImportJob.objects.get(pk=rejected.pk).state == "rejected"


def test_the_quarantine_page_erases_with_a_reason(
    series: Callable[..., Path],
    ingest: Callable[..., Any],
    two_studies: SimpleNamespace,
    client_for: Callable[[Any], Client],
) -> None:
    source = series()

    def capture(k: int, ds: Any) -> object:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        return k == 0

    series(capture, folder=source, series="8")
    held = ingest(source).quarantine.get()
    url = f"{S}quarantine/{held.pk}/reject/"
    assert client_for(two_studies.a.auditor).post(url, {"reason": "x"}).status_code == 403
    assert client_for(two_studies.b.manager).post(url, {"reason": "x"}).status_code == 404
    client = client_for(two_studies.a.technician)
    assert "secondary capture" in client.get(f"{S}quarantine/").content.decode()
    assert "needs a reason" in client.post(url, {}, follow=True).content.decode()
    assert "is erased" in client.post(url, {"reason": "screen picture"}, follow=True).content.decode()
    assert "Nothing here" in client.get(f"{S}quarantine/").content.decode()
