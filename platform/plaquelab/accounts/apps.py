"""Django application: accounts."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed


class AccountsConfig(AppConfig):
    """Named accounts; log-ins are audited."""

    name = "plaquelab.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Connect the log-in events."""
        from plaquelab.accounts import receivers

        user_logged_in.connect(receivers.note_log_in, dispatch_uid="plaquelab.accounts.log_in")
        user_logged_out.connect(receivers.note_log_out, dispatch_uid="plaquelab.accounts.log_out")
        user_login_failed.connect(receivers.note_failed_log_in, dispatch_uid="plaquelab.accounts.failed")
