"""Making accounts."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

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
