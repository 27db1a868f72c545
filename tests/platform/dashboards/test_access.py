"""Who sees dashboards: role × page × study, and which freezes."""

from __future__ import annotations

import pytest
from django.urls import reverse

from plaquelab.analysis import measuring_code
from plaquelab.dashboards.questions import QUESTIONS
from plaquelab.dashboards.urls import urlpatterns
from plaquelab.freezes.models import DatasetFreeze
from tests.platform.studies.address_walk import NOTED, OF_AN_EVENT, written

PER_QUESTION = ["question", "cases", "cases_csv", "numbers_json"]
SEE = ["manager", "investigator", "auditor"]
BLINDED = ["coordinator", "technician", "reader", "reader2", "adjudicator"]


def address(view, **kwargs):
    return reverse(f"dashboards:{view}", kwargs={"study": "alpha", **kwargs})


def every_address():
    found = [address(name, question=key) + "?freeze=2" for name in PER_QUESTION for key in QUESTIONS]
    found += [address(f"figure_{kind}", question="agreement", name="scatter") for kind in ("csv", "json")]
    found += [
        address("grid_csv", question="agreement", name="metrics"),
        address("bootstrap_progress", question="agreement"),
        address("case", number=1) + "?patient=P-001&table=lesion_pairs&row=0",
    ]
    return found


@pytest.mark.parametrize("role", SEE)
def test_roles_that_see_them(pages, client_for, role):
    client = client_for(pages.a.users[role])
    assert client.get(address("home")).status_code == 302
    for url in every_address():
        assert client.get(url).status_code == 200, url


@pytest.mark.parametrize("role", BLINDED)
def test_roles_that_are_blinded_or_have_no_part(pages, client_for, role):
    client = client_for(pages.a.users[role])
    for url in [address("home"), *every_address()]:
        assert client.get(url).status_code == 403, url
    assert client.post(address("bootstrap", question="agreement")).status_code == 403


def test_strangers_learn_nothing(pages, client_for):
    client = client_for(pages.b.users["manager"])
    for url in [address("home"), *every_address()]:
        assert client.get(url).status_code == 404, url
    assert client.post(address("bootstrap", question="agreement")).status_code == 404


def test_an_investigator_who_also_reads_is_refused(pages, client_for):
    from plaquelab.studies.models import Membership

    Membership.objects.create(user=pages.a.investigator, study=pages.a.study, role="reader")
    client = client_for(pages.a.investigator)
    for url in every_address():
        assert client.get(url).status_code == 403, url


def test_without_a_login_one_is_asked_for_it(pages, client):
    for url in every_address():
        response = client.get(url)
        assert response.status_code == 302
        assert "login" in response["Location"]


def test_a_freeze_that_is_not_released_shows_nothing_to_an_investigator(pages, client_for):
    """Not its hash, not its number in a list, not its numbers through any address."""
    client = client_for(pages.a.investigator)
    for url in every_address():
        joint = "&" if "?" in url else "?"
        text = client.get(f"{url.replace('freeze=2', '')}{joint}freeze=3").content.decode()
        assert pages.newer.hash[:12] not in text, url
        assert "not released" not in text, url
    assert client.get(address("case", number=3) + "?patient=P-001").status_code == 404
    page = client.get(address("question", question="agreement"), {"freeze": "3"}).content.decode()
    assert "There is no freeze “3” that you may open: showing freeze 1." in page


@pytest.mark.parametrize("role", ["manager", "auditor"])
def test_manager_and_auditor_may_look_at_it_and_are_told_so(pages, client_for, role):
    text = (
        client_for(pages.a.users[role])
        .get(address("question", question="agreement"), {"freeze": "3"})
        .content.decode()
    )
    assert "This freeze is not released" in text
    assert pages.newer.hash[:12] in text


def test_only_those_who_may_change_something_start_work(pages, client_for):
    url = address("bootstrap", question="agreement")
    assert client_for(pages.a.auditor).post(url).status_code == 403
    assert "Bootstrap 10,000 resamples" not in (
        client_for(pages.a.auditor).get(address("question", question="agreement")).content.decode()
    )
    assert client_for(pages.a.investigator).post(url).status_code == 302


@pytest.mark.parametrize("key", [*QUESTIONS, "case"])
def test_every_page_of_a_freeze_says_when_older_code_measured_it(pages, client_for, key):
    DatasetFreeze.objects.filter(pk=pages.own.pk).update(measured_by={measuring_code.today(): 4})
    url = address("case", number=1) if key == "case" else address("question", question=key)
    query = {"freeze": "1", "patient": "P-001"}
    manager, investigator = client_for(pages.a.manager), client_for(pages.a.investigator)
    assert "older-code" not in manager.get(url, query).content.decode()
    DatasetFreeze.objects.filter(pk=pages.own.pk).update(measured_by={"0" * 16: 3, measuring_code.today(): 1})
    for client, offered in ((manager, True), (investigator, False)):
        text = client.get(url, query).content.decode()
        assert "3 of its 4 measured runs and reads were measured by older code than today&#x27;s." in text
        assert ("Run exams again" in text) is offered
    if key != "case":  # the simulated cohort was measured by nobody's code
        assert "older-code" not in manager.get(url, {"freeze": "2"}).content.decode()


def test_before_the_first_release_investigators_see_progress_alone(filled, client_for):
    for key in QUESTIONS:
        response = client_for(filled.a.investigator).get(address("question", question=key))
        assert response.status_code == 200
        text = response.content.decode()
        assert "No freeze is released yet" in text
        assert "Freeze the study" not in text
        assert "Freeze the study" in (
            client_for(filled.a.manager).get(address("question", question=key)).content.decode()
        )
    assert (
        client_for(filled.a.investigator).get(address("cases_csv", question="agreement")).status_code == 404
    )


def test_an_unknown_question_is_none(pages, client_for):
    assert client_for(pages.a.manager).get(address("question", question="horoscope")).status_code == 404


def every_pattern():
    """Each address of the dashboards, made from its pattern: whatever is added is asked for here as well."""
    filled = {"study": "alpha", "question": "agreement", "name": "scatter", "number": 1, "pk": 1}
    filled |= {"file": "report.html", "action": "release"}
    for pattern in urlpatterns:
        names = pattern.pattern.converters
        kwargs = {name: filled[name] for name in names}
        if pattern.name == "grid_csv":
            kwargs["name"] = "metrics"
        yield pattern.name, reverse(f"dashboards:{pattern.name}", kwargs=kwargs)


POSTED = {"bootstrap", "freeze_act"}


@pytest.mark.parametrize("role", [*SEE, *BLINDED])
def test_role_by_address_in_both_studies(pages, client_for, role):
    """Who sees dashboards is never refused a page for the role; who is blinded always; another study's person learns nothing."""
    mine, stranger = client_for(pages.a.users[role]), client_for(pages.b.users[role])
    for name, url in every_pattern():
        ask = "post" if name in POSTED else "get"
        found = getattr(mine, ask)(url).status_code
        if role in BLINDED:
            assert found == 403, name
        elif ask == "get":
            # There is no case without a patient, no panel and no report of these names.
            expected = (
                (404,)
                if name in ("case", "freeze_panel", "report_progress", "report_download")
                else (200, 302)
            )
            assert found in expected, name
        assert getattr(stranger, ask)(url).status_code == 404, name


def test_every_address_asks_for_a_login(pages, client):
    for name, url in every_pattern():
        response = client.post(url) if name in POSTED else client.get(url)
        assert response.status_code == 302, name
        assert "login" in response["Location"], name


@pytest.mark.parametrize("role", SEE)
def test_looking_at_a_freeze_writes_the_events_of_exports_alone(pages, client_for, role):
    """With freezes to show, where the walk over every address has none."""
    client = client_for(pages.a.users[role])
    wrong = []
    for name, url in every_pattern():
        tables = written(client, url)
        if tables - (OF_AN_EVENT if f"dashboards:{name}" in NOTED else set()):
            wrong.append((name, tables))
    assert wrong == []
    taken = reverse("dashboards:freeze_download", kwargs={"study": "alpha", "number": 1})
    assert written(client, taken) == OF_AN_EVENT
