"""Django application: references."""

from django.apps import AppConfig


class ReferencesConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.references"
    label = "references"
