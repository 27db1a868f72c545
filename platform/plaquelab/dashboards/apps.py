"""Django application: dashboards."""

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    """See the package's modules."""

    name = "plaquelab.dashboards"
    label = "dashboards"
