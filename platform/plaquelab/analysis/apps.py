"""Django application: analysis."""

from __future__ import annotations

from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    """Registers analysis runs as jobs and listens to accepted exams."""

    name = "plaquelab.analysis"
    label = "analysis"

    def ready(self) -> None:
        """Connect to jobs and imaging."""
        from plaquelab.analysis import receivers, services
        from plaquelab.analysis.models import AnalysisRun
        from plaquelab.analysis.transitions import RUN
        from plaquelab.imaging.signals import exam_accepted
        from plaquelab.jobs import services as jobs

        jobs.register(
            AnalysisRun,
            machine=RUN,
            ring=services.ring,
            code_field="refusal",
        )
        exam_accepted.connect(receivers.start_on_acceptance, dispatch_uid="plaquelab.analysis.start")
