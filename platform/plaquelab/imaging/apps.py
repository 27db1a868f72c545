"""Django application: imaging."""

from django.apps import AppConfig


class ImagingConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.imaging"
    label = "imaging"
