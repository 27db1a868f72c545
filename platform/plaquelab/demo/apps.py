"""Django application: demo."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.demo"
    label = "demo"
