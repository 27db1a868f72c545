"""Django application: accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Named accounts; log-ins are audited."""

    name = "plaquelab.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Connect the log-in events."""
        from plaquelab.accounts import services  # noqa: F401
