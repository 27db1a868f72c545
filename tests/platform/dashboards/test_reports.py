"""The report as queued work: asked for, made once, downloaded under its lock state, and by whom."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from plaquelab.audit.models import AuditEvent
from plaquelab.dashboards import calculating
from plaquelab.dashboards.models import Calculation
from plaquelab.storage import store


def address(view="reports", number=2, **more):
    return reverse(f"dashboards:{view}", kwargs={"study": "alpha", "number": number, **more})


@pytest.fixture(autouse=True)
def without_a_browser(monkeypatch):
    """The PDF has its own test in the library; here its absence must be told."""
    monkeypatch.setenv("PLAQUELAB_CHROMIUM", "nowhere")


def test_from_the_button_to_the_files(pages, client_for):
    client = client_for(pages.a.investigator)
    assert "No report of this freeze yet." in client.get(address()).content.decode()
    assert client.post(address(), {"profile": "recommended"}).status_code == 302
    client.post(address(), {"profile": "recommended"})
    calculation = Calculation.objects.get()
    assert calculation.kind == "report"
    assert "Waits for a worker." in client.get(address()).content.decode()
    assert calculating.execute(calculation.pk).state == "succeeded"
    calculation.refresh_from_db()
    line = client.get(address("report_progress", pk=calculation.pk)).content.decode()
    assert "No PDF: no Chromium was found" in line
    assert "hx-trigger" not in line
    assert set(calculation.files) == {"report.html", "numbers.json"}

    html = client.get(address("report_download", pk=calculation.pk, file="report.html"))
    name = f"alpha-freeze-2-released-{pages.simulated.hash[:12]}-recommended-report.html"
    assert html["Content-Disposition"] == f'attachment; filename="{name}"'
    text = html.content.decode()
    assert "STARD-AI" in text
    assert "imulated" in text
    numbers = json.loads(
        client.get(address("report_download", pk=calculation.pk, file="numbers.json")).content
    )
    assert numbers["freeze"] == pages.simulated.hash
    assert [e.after["what"] for e in AuditEvent.objects.filter(verb="dashboard.export").order_by("pk")] == [
        "report: report.html",
        "report: numbers.json",
    ]
    for wrong in ("report.pdf", "manifest.json"):
        assert client.get(address("report_download", pk=calculation.pk, file=wrong)).status_code == 404

    # The same freeze again: the same bytes of numbers.
    first = store().get(f"{calculation.folder}/numbers.json")
    Calculation.objects.filter(pk=calculation.pk).update(state="queued", attempt_base=1)
    calculating.execute(calculation.pk)
    assert store().get(f"{calculation.folder}/numbers.json") == first


def test_who_may_ask_and_who_may_read(pages, client_for):
    asked = {"profile": "lin2022"}
    assert client_for(pages.a.auditor).post(address(), asked).status_code == 403
    assert client_for(pages.a.auditor).get(address()).status_code == 200
    for role in ("coordinator", "technician", "reader", "adjudicator"):
        client = client_for(pages.a.users[role])
        assert client.get(address()).status_code == 403, role
        assert client.post(address(), asked).status_code == 403, role
    stranger = client_for(pages.b.manager)
    assert stranger.get(address()).status_code == 404
    assert stranger.post(address(), asked).status_code == 404
    # The freeze that is not released: the manager alone, and nobody through another freeze's address.
    assert client_for(pages.a.investigator).post(address(number=3), asked).status_code == 404
    assert client_for(pages.a.manager).post(address(number=3), asked).status_code == 302
    calculation = Calculation.objects.get()
    calculation.files, calculation.state = {"report.html": 5}, "succeeded"
    calculation.save()
    store().put(f"{calculation.folder}/report.html", b"<p>1</p>")
    mine = {"pk": calculation.pk, "file": "report.html"}
    assert client_for(pages.a.manager).get(address("report_download", 3, **mine)).status_code == 200
    for number in (1, 2, 3):
        found = client_for(pages.a.investigator).get(address("report_download", number, **mine))
        assert found.status_code == 404, number


def test_an_unknown_profile_is_none(pages, client_for):
    assert client_for(pages.a.manager).post(address(), {"profile": "lucky"}).status_code == 404
    assert not Calculation.objects.exists()
