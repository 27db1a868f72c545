"""Django application: reading."""

from django.apps import AppConfig


class ReadingConfig(AppConfig):
    """Opens cases when runs succeed, and lets ``audit_verify`` check every signature."""

    name = "plaquelab.reading"
    label = "reading"

    def ready(self) -> None:
        """Connect to analysis and to the audit trail."""
        from plaquelab.analysis.signals import run_succeeded
        from plaquelab.audit import services as audit
        from plaquelab.reading import content, receivers

        run_succeeded.connect(receivers.open_case_of_run, dispatch_uid="plaquelab.reading.open_case")
        audit.register_check(content.signatures_match)
