"""Who may open and do what with references, and what the pages say."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from plaquelab.references.models import Covariate, ReferenceImport
from plaquelab.studies.models import Membership
from tests.platform.conftest import ROLES
from tests.platform.references.conftest import file_of

pytestmark = pytest.mark.django_db
GOOD = ("P-1,age,61,years", "P-1,total_cholesterol,232,mg/dL")


def url(name, **more):
    return reverse(f"references:{name}", kwargs={"study": "alpha", **more})


def post_file(client, *rows, kind="covariates", **more):
    upload = SimpleUploadedFile("file.csv", file_of(kind, *rows), content_type="text/csv")
    return client.post(url("imports"), {"kind": kind, "file": upload, **more})


@pytest.fixture
def previewed(world, client_for):
    answer = post_file(client_for(world.manager), *GOOD)
    assert answer.status_code == 302
    return ReferenceImport.objects.get()


@pytest.mark.parametrize("role", ROLES)
def test_role_by_page(world, previewed, client_for, role):
    client = client_for(world.users[role])
    sees, imports = role in ("manager", "auditor"), role == "manager"
    for name, more in (("imports", {}), ("import", {"number": 1}), ("template", {"kind": "ivus"})):
        assert client.get(url(name, **more)).status_code == (200 if sees else 403), (role, name)
    assert post_file(client, "P-1,sex,male,").status_code == (302 if imports else 403)
    number = 2 if imports else 1
    assert client.post(url("commit", number=number)).status_code == (302 if imports else 403)
    assert client.post(url("discard", number=number)).status_code == (302 if imports else 403)
    assert Covariate.objects.exists() == imports


@pytest.mark.parametrize("role", ROLES)
def test_strangers_learn_nothing(world, previewed, client_for, role):
    client = client_for(world.other.users[role])
    for name, more in (("imports", {}), ("import", {"number": 1}), ("template", {"kind": "ivus"})):
        assert client.get(url(name, **more)).status_code == 404
    for name in ("commit", "discard"):
        assert client.post(url(name, number=1)).status_code == 404
    assert post_file(client, *GOOD).status_code == 404


@pytest.mark.parametrize("role", ["reader", "adjudicator"])
def test_a_manager_who_also_reads_is_refused(world, previewed, client_for, role):
    Membership.objects.create(user=world.manager, study=world.study, role=role)
    client = client_for(world.manager)
    assert client.get(url("imports")).status_code == 403
    assert client.get(url("import", number=1)).status_code == 403
    assert client.post(url("commit", number=1)).status_code == 403
    assert "References" not in client.get("/", follow=True).content.decode()


def test_without_a_login(world, client):
    assert client.get(url("imports")).status_code == 302


def test_from_preview_to_store(world, previewed, client_for):
    client = client_for(world.manager)
    text = client.get(url("import", number=1)).content.decode()
    assert "Nothing is stored yet" in text
    assert "converted from mg/dL to mmol/L" in text
    assert "5.99952 mmol/L" in text
    page = client.post(url("commit", number=1), follow=True).content.decode()
    assert "2 rows are stored" in page
    assert "Store these" not in page
    assert Covariate.objects.count() == 2
    listed = client.get(url("imports")).content.decode()
    assert "Clinical covariates: 1 subject" in listed
    again = client.post(url("commit", number=1), follow=True).content.decode()
    assert "is not possible" in again


def test_discarding(world, previewed, client_for):
    client = client_for(world.manager)
    assert (
        "none of its rows are stored" in client.post(url("discard", number=1), follow=True).content.decode()
    )
    assert "The preview was discarded" in client.get(url("import", number=1)).content.decode()
    assert not Covariate.objects.exists()


def test_problems_are_listed_row_by_row_and_nothing_is_kept(world, client_for):
    answer = post_file(client_for(world.manager), "P-1,age,x,years", "P-7,age,61,years", "P-1,<b>,1,")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "3 problems" in text
    assert "this study has no subject “P-7”" in text
    assert "<b>,1" not in text
    assert "&lt;b&gt;" in text
    assert not ReferenceImport.objects.exists()


def test_a_file_too_large_for_a_page(world, client_for, monkeypatch):
    from plaquelab.references import forms

    monkeypatch.setattr(forms, "MAX_BYTES", 10)
    assert "manage.py import_reads" in post_file(client_for(world.manager), *GOOD).content.decode()


def test_replacing_through_the_page(world, client_for, bring):
    bring("covariates", "P-1,age,60,years")
    client = client_for(world.manager)
    assert "came with import 1 already" in post_file(client, "P-1,age,61,years").content.decode()
    assert post_file(client, "P-1,age,61,years", replace_reason="the site corrected it").status_code == 302
    client.post(url("commit", number=2))
    text = client.get(url("import", number=1)).content.decode()
    assert "Replaced by import" in text


def test_stored_reads_are_listed_with_what_replaced_them(world, client_for, bring):
    bring("ica", "P-1,6,75,A")
    bring("ica", "P-1,6,70,A", replace_reason="second look at the films")
    text = client_for(world.auditor).get(url("import", number=1)).content.decode()
    assert "ica A · pLAD · diameter_stenosis" in text
    assert "75 %" in text
    assert "Replaced by import" in text


def test_templates_hold_the_heading(world, client_for):
    answer = client_for(world.manager).get(url("template", kind="ica"))
    assert answer.content.decode().strip() == "subject,segment,diameter_stenosis,reader"
    assert client_for(world.manager).get(url("template", kind="other")).status_code == 404
