"""Django application: jobs."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.jobs"
    label = "jobs"
