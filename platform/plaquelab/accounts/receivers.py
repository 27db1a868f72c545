"""The events of coming and going."""

from __future__ import annotations

from typing import Any

from plaquelab.accounts.models import User
from plaquelab.audit import services as audit


def note_log_in(*, user: User, **_: Any) -> None:
    """Write the event of a log-in."""
    audit.record(verb="user.log_in", obj=user, by=user, study=None)


def note_log_out(*, user: User | None, **_: Any) -> None:
    """Write the event of a log-out, if somebody was there."""
    if user is not None:
        audit.record(verb="user.log_out", obj=user, by=user, study=None)


def note_failed_log_in(*, credentials: dict[str, Any], **_: Any) -> None:
    """Write the event of a log-in that failed."""
    # Only names that exist are kept: people type passwords into the wrong field.
    known = User.objects.filter(username=credentials.get("username") or "").first()
    audit.record(
        verb="user.log_in_failed",
        obj=known or ("accounts.user", "unknown"),
        by=None,
        study=None,
    )
