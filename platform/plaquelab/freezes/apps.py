"""Django application: freezes."""

from __future__ import annotations

from django.apps import AppConfig


class FreezesConfig(AppConfig):
    """Registers freezes as jobs, checks them with the audit trail, and asks for the runs that comparisons need."""

    name = "plaquelab.freezes"
    label = "freezes"

    def ready(self) -> None:
        """Connect to jobs and audit, and to the signals of analysis, reading and references."""
        from plaquelab.analysis.signals import run_succeeded
        from plaquelab.audit import services as audit
        from plaquelab.freezes import frozen, receivers, services
        from plaquelab.freezes.models import DatasetFreeze
        from plaquelab.freezes.transitions import FREEZE
        from plaquelab.jobs import services as jobs
        from plaquelab.reading.signals import case_final
        from plaquelab.references.signals import reads_imported

        jobs.register(DatasetFreeze, machine=FREEZE, ring=services.ring)
        audit.register_check(frozen.freezes_match)
        case_final.connect(receivers.measure_inside_final_read, dispatch_uid="freezes.final_read")
        reads_imported.connect(receivers.measure_inside_imported_reads, dispatch_uid="freezes.imported")
        run_succeeded.connect(receivers.measure_inside_earlier_imports, dispatch_uid="freezes.analysed")
