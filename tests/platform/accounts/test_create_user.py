"""``manage.py create_user``: asks at a terminal, reads a line from a pipe, and says plainly what is wrong."""

from __future__ import annotations

import getpass
import io

import pytest
from django.core.management import CommandError, call_command

from plaquelab.accounts.models import User

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    """Standard input that is a person's."""

    def isatty(self) -> bool:
        return True


def test_at_a_terminal_the_password_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("not this one\n"))
    monkeypatch.setattr(getpass, "getpass", lambda: "correct horse battery")
    out = io.StringIO()
    call_command("create_user", "ada", name="Ada Example", stdout=out)
    assert User.objects.get().check_password("correct horse battery")
    assert out.getvalue() == "Account ada (Ada Example) made.\n"


def test_from_a_pipe_it_is_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\nsecond line\n"))
    call_command("create_user", "ada", name="Ada Example", stdout=io.StringIO())
    assert User.objects.get().check_password("correct horse battery")


def test_a_taken_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("ada", password="an older password")
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    with pytest.raises(CommandError, match="already exists"):
        call_command("create_user", "ada", name="Ada")
    assert User.objects.get().check_password("an older password")
