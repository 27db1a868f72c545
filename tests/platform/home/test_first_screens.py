"""Each role lands on its own first screen; the start page exists in the demonstration only."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

import inference
from inference.code_version import code_version
from plaquelab.accounts.models import User
from plaquelab.audit.models import AuditEvent


@pytest.mark.parametrize(
    ("person", "path"),
    [
        ("manager", "/studies/alpha/progress/"),
        ("coordinator", "/studies/alpha/site/"),
        ("technician", "/studies/alpha/qc/"),
        ("reader", "/studies/alpha/cases/"),
        ("adjudicator", "/studies/alpha/cases/"),
        ("investigator", "/studies/alpha/dashboards/"),
        ("auditor", "/studies/alpha/audit/"),
    ],
)
def test_home_leads_each_role_to_its_first_screen(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client], person: str, path: str
) -> None:
    client = client_for(two_studies.a.users[person])
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, path)
    assert client.get(path, follow=True).status_code == 200


@pytest.mark.parametrize("name", ["site", "progress", "audit", "audit/export/audit.csv"])
@pytest.mark.parametrize(
    "person", ["manager", "coordinator", "technician", "reader", "adjudicator", "investigator", "auditor"]
)
def test_who_may_open_what(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client], name: str, person: str
) -> None:
    allowed = {"site": {"coordinator"}, "progress": {"manager"}}.get(name, {"manager", "auditor"})
    client = client_for(two_studies.a.users[person])
    assert client.get(f"/studies/alpha/{name}{'' if '.' in name else '/'}").status_code == (
        200 if person in allowed else 403
    )
    assert client.get(f"/studies/beta/{name}{'' if '.' in name else '/'}").status_code == 404


def test_nobody_enters_outside_the_demonstration(two_studies: SimpleNamespace, settings: Any) -> None:
    settings.DEMONSTRATION = False
    User.objects.filter(username="alpha-reader").update(is_demonstration=True)
    assert Client().post("/demo/enter/alpha-reader/").status_code == 404
    assert Client().get("/demo/progress/").status_code == 404
    assert Client().get("/")["Location"] == "/accounts/login/"


def test_entering_is_for_demonstration_persons_and_audited(
    two_studies: SimpleNamespace, settings: Any
) -> None:
    settings.DEMONSTRATION = True
    client = Client()
    assert b"Five steps" in client.get("/").content
    assert client.post("/demo/enter/alpha-reader/").status_code == 404
    User.objects.filter(username="alpha-reader").update(is_demonstration=True)
    assert client.get("/demo/enter/alpha-reader/").status_code == 405
    assert client.post("/demo/enter/alpha-reader/").status_code == 302
    assert AuditEvent.objects.filter(verb="user.log_in", actor="alpha-reader").count() == 1


def test_manager_without_second_factor_is_sent_to_set_it_up(
    two_studies: SimpleNamespace, settings: Any
) -> None:
    settings.DEMONSTRATION = False
    client = Client()
    client.force_login(two_studies.a.manager)
    assert client.get("/studies/alpha/progress/")["Location"] == "/accounts/2fa/totp/activate/"
    assert client.get("/api/v1/studies/alpha/exams/1/view/").status_code == 403
    client.force_login(two_studies.a.reader)
    assert client.get("/studies/alpha/cases/").status_code == 200


def test_wrong_passwords_lock_the_log_in_and_are_events(two_studies: SimpleNamespace, settings: Any) -> None:
    settings.DEMONSTRATION = False
    client = Client()
    for _ in range(5):
        client.post("/accounts/login/", {"login": "alpha-reader", "password": "wrong"})
    assert AuditEvent.objects.filter(verb="user.log_in_failed").count() == 5
    answer = client.post("/accounts/login/", {"login": "alpha-reader", "password": "a long test password"})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


def test_audit_page_verifies_and_export_guards_formulas(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    from plaquelab.audit import services

    services.record(verb="test", obj=("x", "=1+1"), by=None, study=two_studies.a.study, reason="@SUM(A1)")
    client = client_for(two_studies.a.auditor)
    assert b"Every chain holds" in client.get("/studies/alpha/audit/?verify=1").content
    text = client.get("/studies/alpha/audit/export/audit.csv").content.decode()
    assert "'=1+1" in text
    assert "'@SUM(A1)" in text
    assert AuditEvent.objects.filter(verb="audit.export").count() == 1


def test_the_foot_of_a_page_says_which_code_measures_but_tells_strangers_nothing(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client], client: Client
) -> None:
    page = client_for(two_studies.a.users["auditor"]).get("/studies/alpha/audit/").content.decode()
    assert f"Plaquelab {inference.__version__} · measuring code {code_version()}" in page
    assert "measuring code" not in client.get("/", follow=True).content.decode()
