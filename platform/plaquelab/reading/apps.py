"""Django application: reading."""

from django.apps import AppConfig


class ReadingConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.reading"
    label = "reading"
