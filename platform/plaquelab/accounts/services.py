"""Making accounts, and the events of coming and going."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver

from plaquelab.accounts.models import User
from plaquelab.audit import services as audit


@transaction.atomic
def create_user(*, username: str, printed_name: str, password: str, by: User | None) -> User:
    """Make a named account.

    Raises
    ------
    django.core.exceptions.ValidationError
        The name is taken or empty, or the password too weak.
    """
    user = User(username=username, printed_name=printed_name)
    validate_password(password, user)
    user.set_password(password)
    user.full_clean()
    user.save()
    audit.record(verb="user.create", obj=user, by=by, study=None, after={"username": username})
    return user


@receiver(user_logged_in)
def _logged_in(*, user: User, **_: Any) -> None:
    audit.record(verb="user.log_in", obj=user, by=user, study=None)


@receiver(user_logged_out)
def _logged_out(*, user: User | None, **_: Any) -> None:
    if user is not None:
        audit.record(verb="user.log_out", obj=user, by=user, study=None)


@receiver(user_login_failed)
def _failed(*, credentials: dict[str, Any], **_: Any) -> None:
    # Only names that exist are kept: people type passwords into the wrong field.
    known = User.objects.filter(username=credentials.get("username") or "").first()
    audit.record(
        verb="user.log_in_failed",
        obj=known or ("accounts.user", "unknown"),
        by=None,
        study=None,
    )
