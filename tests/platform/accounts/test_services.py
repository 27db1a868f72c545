"""Accounts have names and strong passwords, and coming and going leaves its event."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from plaquelab.accounts.models import User
from plaquelab.accounts.services import create_user
from plaquelab.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def events(verb: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(chain="installation", verb=verb))


@pytest.fixture
def ada() -> User:
    return create_user(username="ada", printed_name="Ada Example", password=PASSWORD, by=None)


def test_an_account_is_named_and_its_making_audited(ada: User) -> None:
    root = create_user(username="root", printed_name="Root", password=PASSWORD, by=ada)
    assert (str(ada), ada.is_demonstration, ada.is_staff) == ("Ada Example", False, False)
    assert PASSWORD not in ada.password
    assert ada.check_password(PASSWORD)
    made = events("user.create")
    assert [(event.actor, event.after) for event in made] == [
        ("system", {"username": "ada"}),
        ("ada", {"username": "root"}),
    ]
    assert made[1].object_id == str(root.pk)


@pytest.mark.parametrize(
    ("username", "password", "said"),
    [
        ("ada", PASSWORD, "already exists"),
        ("", PASSWORD, "blank"),
        ("eve with spaces", PASSWORD, "valid username"),
        ("eve", "elevenchars", "too short"),
        ("eve", "qwerty123456", "too common"),
    ],
)
def test_what_is_no_account_is_refused_and_leaves_nothing(
    ada: User, username: str, password: str, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        create_user(username=username, printed_name="Eve", password=password, by=None)
    assert list(User.objects.values_list("username", flat=True)) == ["ada"]
    assert len(events("user.create")) == 1


def test_without_a_printed_name_the_account_shows_its_user_name() -> None:
    assert str(User(username="ada")) == "ada"


def test_coming_and_going_are_events(ada: User) -> None:
    client = Client()
    client.force_login(ada)
    client.logout()
    assert [event.actor for event in events("user.log_in")] == ["ada"]
    assert [event.actor for event in events("user.log_out")] == ["ada"]
    client.logout()  # nobody was there
    assert len(events("user.log_out")) == 1


def test_a_failed_log_in_names_the_account_only_if_there_is_one(ada: User) -> None:
    client = Client()
    assert not client.login(username="ada", password="wrong")
    assert not client.login(username="hunter2 typed into the wrong field", password="wrong")
    known, unknown = events("user.log_in_failed")
    assert (known.object_type, known.object_id) == ("accounts.user", str(ada.pk))
    assert (unknown.object_type, unknown.object_id) == ("accounts.user", "unknown")
    for event in (known, unknown):
        assert event.actor == "system"
        assert "hunter2" not in f"{event.before}{event.after}{event.reason}"
