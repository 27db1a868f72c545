"""Django application: accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.accounts"
    label = "accounts"
