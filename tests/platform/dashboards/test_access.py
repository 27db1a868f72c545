"""Who sees dashboards: role × page × study."""

from __future__ import annotations

import pytest
from django.urls import reverse

PAGES = [
    ("dashboards:home", {}, 302),
    ("dashboards:agreement", {}, 200),
    ("dashboards:agreement_cases", {}, 200),
    ("dashboards:agreement_csv", {}, 200),
    ("dashboards:agreement_json", {}, 200),
    ("dashboards:outcome", {}, 200),
    ("dashboards:outcome_patients", {}, 200),
    ("dashboards:outcome_csv", {}, 200),
    ("dashboards:outcome_json", {}, 200),
    ("dashboards:exam_rows", {"number": 1}, 200),
    ("dashboards:simulated_lesion", {"patient": "SIM-R001", "lesion": 1}, 200),
    ("dashboards:simulated_patient", {"patient": "SIM-R001"}, 200),
    ("dashboards:simulated_cohort_patient", {"patient": "SIM-0001"}, 200),
]


@pytest.mark.parametrize("role", ["manager", "investigator", "auditor"])
def test_roles_that_see_them(filled, client_for, role):
    client = client_for(filled.a.users[role])
    for name, kwargs, status in PAGES:
        response = client.get(reverse(name, kwargs={"study": "alpha", **kwargs}))
        assert response.status_code == status, name


@pytest.mark.parametrize("role", ["coordinator", "technician", "reader", "reader2", "adjudicator"])
def test_roles_that_are_blinded_or_have_no_part(filled, client_for, role):
    client = client_for(filled.a.users[role])
    for name, kwargs, _ in PAGES:
        assert client.get(reverse(name, kwargs={"study": "alpha", **kwargs})).status_code == 403, name


def test_strangers_learn_nothing(filled, client_for):
    client = client_for(filled.b.users["manager"])
    for name, kwargs, _ in PAGES:
        assert client.get(reverse(name, kwargs={"study": "alpha", **kwargs})).status_code == 404, name


def test_an_investigator_who_also_reads_is_refused(filled, client_for):
    from plaquelab.studies.models import Membership

    Membership.objects.create(user=filled.a.investigator, study=filled.a.study, role="reader")
    response = client_for(filled.a.investigator).get(
        reverse("dashboards:agreement", kwargs={"study": "alpha"})
    )
    assert response.status_code == 403


def test_without_a_login_one_is_asked_for_it(filled, client):
    response = client.get(reverse("dashboards:agreement", kwargs={"study": "alpha"}))
    assert response.status_code == 302
    assert "login" in response["Location"]
