"""``manage.py freeze STUDY``: freeze a study's data here and now; release it if asked."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plaquelab.accounts.models import User
from plaquelab.freezes.freezing import execute
from plaquelab.freezes.frozen import copy_freeze
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.freezes.services import FreezeError, release_freeze, request_freeze
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may


class Command(BaseCommand):
    """Exit codes: 0 the freeze stands (its hash is printed), 1 it does not, with the reason."""

    help = "Freezes a study's tables under a hash; without a worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what is needed."""
        parser.add_argument("study", help="the study's short name (slug)")
        parser.add_argument("--note", default="", help="a sentence for the reader")
        parser.add_argument("--release", default="", metavar="REASON", help="release it to the investigators")
        parser.add_argument(
            "--leave-out-waiting",
            action="store_true",
            help="freeze although some cases are still being measured; they are counted as left out",
        )
        parser.add_argument(
            "--by", default="", metavar="USER", help="the manager responsible (default: the operator)"
        )
        parser.add_argument("--out", type=Path, help="also copy the freeze into this new folder")

    def handle(self, *args: Any, **options: Any) -> None:
        """Freeze, tell what was left out, release, copy."""
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study “{options['study']}”.")
        by = _manager(options["by"], study)
        if options["out"] and options["out"].exists():
            raise CommandError(f"{options['out']} exists already: choose a new folder.")
        try:
            freeze = request_freeze(
                study=study,
                by=by,
                note=options["note"],
                leave_out_waiting=options["leave_out_waiting"],
                queue=False,
            )
        except FreezeError as error:
            raise CommandError(str(error)) from None
        done = execute(freeze.pk)
        if done is None or not done.is_locked:
            freeze.refresh_from_db()
            raise CommandError(freeze.message or "The freeze was taken over by a worker: look at its page.")
        self._tell(done)
        if options["release"]:
            try:
                release_freeze(freeze=done, by=by, reason=options["release"])
            except FreezeError as error:
                raise CommandError(f"frozen, but not released: {error}") from None
            self.stdout.write(f"freeze {done.number} is released to the investigators.")
        if options["out"]:
            copy_freeze(done, options["out"])
            self.stdout.write(f"copied to {options['out']}")

    def _tell(self, freeze: DatasetFreeze) -> None:
        for table, rows in freeze.rows.items():
            self.stdout.write(f"{table}: {rows} rows")
        for what, count in freeze.left_out:
            self.stdout.write(f"left out: {what}: {count}")
        self.stdout.write(f"freeze {freeze.number} of {freeze.study.slug}: {freeze.hash}")


def _manager(name: str, study: Study) -> User | None:
    """Return who is responsible: a person who may freeze the study, or nobody but the operator."""
    if not name:
        return None
    by = User.objects.filter(username=name).first()
    if by is None or not may(by, study, Capability.FREEZE):
        raise CommandError(f"“{name}” may not freeze this study.")
    return by
