"""Managers and adjudicators reach no page without a second factor; everybody else reaches theirs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from plaquelab.accounts.models import User
from plaquelab.studies.models import Membership

SET_UP = "/accounts/2fa/totp/activate/"
HOME = "/studies/alpha/exams/"


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def no_demonstration(settings: Any) -> None:
    settings.DEMONSTRATION = False


@pytest.mark.parametrize("role", ["manager", "adjudicator"])
@pytest.mark.parametrize("address", [HOME, "/studies/beta/exams/", "/", "/no/such/page/"])
def test_whoever_needs_one_is_led_to_its_set_up(
    two_studies: SimpleNamespace, role: str, address: str
) -> None:
    answer = client_of(two_studies.a.users[role]).get(address)
    assert (answer.status_code, answer["Location"]) == (302, SET_UP)


def test_a_script_is_told_instead_of_led(two_studies: SimpleNamespace) -> None:
    answer = client_of(two_studies.a.adjudicator).get("/api/v1/studies/alpha/cases/")
    assert (answer.status_code, answer.content) == (403, b"Set up a second factor first.")


def test_a_post_is_not_carried_out(two_studies: SimpleNamespace) -> None:
    answer = client_of(two_studies.a.manager).post("/studies/alpha/cases/assign/", {"exam": "1"})
    assert (answer.status_code, answer["Location"]) == (302, SET_UP)


@pytest.mark.parametrize("address", [SET_UP, "/health"])
def test_the_way_to_set_it_up_and_the_health_page_stay_open(
    two_studies: SimpleNamespace, address: str
) -> None:
    location = client_of(two_studies.a.manager).get(address).headers.get("Location", "")
    assert location != SET_UP


@pytest.mark.parametrize("role", ["reader", "technician", "coordinator", "investigator", "auditor"])
def test_other_roles_need_none(two_studies: SimpleNamespace, role: str) -> None:
    assert client_of(two_studies.a.users[role]).get("/").headers.get("Location") != SET_UP


def test_with_the_factor_the_page_opens(two_studies: SimpleNamespace) -> None:
    manager = two_studies.a.manager
    Authenticator.objects.create(user=manager, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert client_of(manager).get(HOME).status_code == 200


def test_a_role_in_any_study_counts_and_an_ended_one_does_not(two_studies: SimpleNamespace) -> None:
    technician = two_studies.a.technician
    role = Membership.objects.create(user=technician, study=two_studies.b.study, role="manager")
    assert client_of(technician).get(HOME)["Location"] == SET_UP
    role.ends_at = timezone.now()
    role.save()
    assert client_of(technician).get(HOME).status_code == 200


def test_the_demonstrations_persons_need_none(two_studies: SimpleNamespace, settings: Any) -> None:
    settings.DEMONSTRATION = True
    assert client_of(two_studies.a.manager).get(HOME).status_code == 200
