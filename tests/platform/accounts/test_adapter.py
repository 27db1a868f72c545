"""Nobody signs up: accounts are made by the installation's people."""

from __future__ import annotations

import pytest
from django.test import Client

from plaquelab.accounts.models import User


@pytest.mark.django_db
def test_sign_up_is_closed_for_who_looks_and_for_who_posts() -> None:
    client = Client()
    assert b"password1" not in client.get("/accounts/signup/").content
    form = {"username": "eve", "password1": "correct horse battery", "password2": "correct horse battery"}
    client.post("/accounts/signup/", form)
    assert not User.objects.exists()
