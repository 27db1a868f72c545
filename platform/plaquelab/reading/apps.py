"""Django application: reading."""

from django.apps import AppConfig


class ReadingConfig(AppConfig):
    """Opens cases when runs succeed, says what waits for whom, and lets ``audit_verify`` check every signature."""

    name = "plaquelab.reading"
    label = "reading"

    def ready(self) -> None:
        """Connect to analysis, to the rule of blinding and to the audit trail."""
        from plaquelab.analysis.signals import run_succeeded
        from plaquelab.audit import services as audit
        from plaquelab.reading import content, in_hand, receivers
        from plaquelab.studies import blinding

        run_succeeded.connect(receivers.open_case_of_run, dispatch_uid="plaquelab.reading.open_case")
        audit.register_check(content.signatures_match)
        blinding.register(in_hand.exams_in_hand)
