"""``manage.py audit_verify``: prove that the audit trail and the signatures are whole."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from plaquelab.audit import services
from plaquelab.audit.models import AuditEvent


class Command(BaseCommand):
    """Exit 0 when every chain and signature holds; exit 1 naming the first bad row of each."""

    help = "Verify the audit chains, their heads outside the database, and every signature."

    def handle(self, *_: Any, **__: Any) -> None:
        """Verify and say so."""
        problems = services.verify()
        for problem in problems:
            self.stderr.write(self.style.ERROR(problem))
        if problems:
            raise SystemExit(1)
        chains = AuditEvent.objects.values("chain").distinct().order_by().count()
        self.stdout.write(
            f"{AuditEvent.objects.count()} events in {chains} chains: all hold; every signature matches."
        )
