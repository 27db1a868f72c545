"""Studies, accounts and roles from the command line."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from plaquelab.accounts.models import User
from plaquelab.audit.services import verify
from plaquelab.studies.models import Study
from plaquelab.studies.selectors import roles_of, sites_of, studies_visible


@pytest.fixture
def installed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    call_command("create_study", "gamma", title="Gamma", site=["n=North", "s=South"], cohort=["Test=test"])
    call_command("create_user", "ada", name="Ada Example")


def test_study_user_and_role(installed: None) -> None:
    call_command("add_member", "gamma", "ada", "coordinator", site="n")
    user, study = User.objects.get(username="ada"), Study.objects.get(slug="gamma")
    assert user.check_password("correct horse battery")
    assert roles_of(user, study) == {"coordinator"}
    assert [s.code for s in sites_of(user, study, "coordinator")] == ["n"]
    assert list(studies_visible(user)) == [study]
    assert verify() == []


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        (("create_study", "gamma"), {"title": "Again", "site": ["n=North"]}, "already exists"),
        (("create_study", "delta"), {"title": "Delta", "site": []}, "at least one --site"),
        (("create_study", "delta"), {"title": "Delta", "site": ["n"]}, "CODE=NAME"),
        (("create_study", "delta"), {"title": "Delta", "site": ["n=N"], "cohort": ["x=fun"]}, "fun"),
        (("add_member", "gamma", "ada", "coordinator"), {}, "needs a site"),
        (("add_member", "gamma", "bob", "reader"), {}, "no account bob"),
        (("add_member", "gamma", "ada", "reader"), {"site": "zz"}, "no site zz"),
    ],
)
def test_mistakes_are_said_plainly(
    installed: None, command: tuple[str, ...], options: Any, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        call_command(*command, **options)
    assert not Study.objects.filter(slug="delta").exists()


def test_weak_password_is_refused(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError, match="too short"):
        call_command("create_user", "eve", name="Eve")
    assert not User.objects.filter(username="eve").exists()
