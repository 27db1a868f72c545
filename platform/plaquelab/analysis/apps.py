"""Django application: analysis."""

from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.analysis"
    label = "analysis"
