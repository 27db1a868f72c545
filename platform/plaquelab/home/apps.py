"""Django application: home."""

from django.apps import AppConfig


class HomeConfig(AppConfig):
    """The first screen of each role, and the demonstration's start page."""

    name = "plaquelab.home"
    label = "home"
