"""Django application: studies."""

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.studies"
    label = "studies"
