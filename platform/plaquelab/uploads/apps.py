"""Django application: uploads."""

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.uploads"
    label = "uploads"
