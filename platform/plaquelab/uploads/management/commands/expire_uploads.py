"""``manage.py expire_uploads``: end abandoned uploads and erase what they left."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from plaquelab.uploads.services import expire_uploads


class Command(BaseCommand):
    """Run it daily where no worker runs; every worker also does it at its start."""

    help = "Ends uploads that nobody touched for a day and erases staged files that belong to nobody."

    def handle(self, *_: Any, **__: Any) -> None:
        """Expire and say how many."""
        self.stdout.write(f"{expire_uploads()} abandoned uploads erased")
