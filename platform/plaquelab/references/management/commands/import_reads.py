"""``manage.py import_reads STUDY KIND FILE``: expert, IVUS or ICA reads, covariates or outcomes from a CSV file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plaquelab.accounts.models import User
from plaquelab.references.report import ImportRefusedError, Report
from plaquelab.references.services import Checked, check_file, import_file
from plaquelab.references.vocabulary import COLUMNS
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may

LARGEST_BYTES = 512 * 2**20


class Command(BaseCommand):
    """Exit codes: 0 the file was imported (or could be), 1 it was refused, with every reason and nothing stored."""

    help = "Imports reference reads, covariates or outcomes from a CSV file; all of it or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what is needed."""
        parser.add_argument("study", help="the study's short name (slug)")
        parser.add_argument("kind", choices=list(COLUMNS))
        parser.add_argument(
            "file", type=Path, help="; ".join(f"{k}: {','.join(c)}" for k, c in COLUMNS.items())
        )
        parser.add_argument("--dry-run", action="store_true", help="check and report, store nothing")
        parser.add_argument("--replace", default="", metavar="REASON", help="replace what is stored already")
        parser.add_argument(
            "--by", default="", metavar="USER", help="the manager responsible (default: the operator)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, report row by row, and import."""
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study “{options['study']}”.")
        by = None
        if options["by"]:
            by = User.objects.filter(username=options["by"]).first()
            if by is None or not may(by, study, Capability.IMPORT_REFERENCES):
                raise CommandError(f"“{options['by']}” may not import references into this study.")
        data = _read(options["file"])
        what = {"study": study, "kind": options["kind"], "data": data, "replace_reason": options["replace"]}
        if options["dry_run"]:
            self._dry(check_file(**what), options["verbosity"])
            return
        try:
            made = import_file(by=by, **what)
        except ImportRefusedError as error:
            self._problems(error.report)
            raise CommandError(f"{options['file'].name} was refused; nothing is stored.") from None
        for row, text in made.notes:
            self.stdout.write(f"row {row}: {text}")
        self.stdout.write(f"import {made.number}: {made.rows} {made.kind} rows stored in {study.slug}.")

    def _dry(self, checked: Checked, verbosity: int) -> None:
        self._problems(checked.report)
        for row, text in checked.report.notes:
            self.stdout.write(f"row {row}: {text}")
        if verbosity > 1:
            for entry in checked.entries:
                self.stdout.write(f"row {entry.row}: would be stored as {entry}")
        if not checked.good:
            raise CommandError(f"{checked.report.problem_count} problems: nothing would be stored.")
        self.stdout.write(f"dry run: {checked.rows} rows would be stored ({len(checked.entries)} values).")

    def _problems(self, report: Report) -> None:
        for problem in report.problems:
            self.stderr.write(str(problem))
        if report.problem_count > len(report.problems):
            self.stderr.write(f"… and {report.problem_count - len(report.problems)} more.")


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise CommandError(f"There is no file {path}.")
    if path.stat().st_size > LARGEST_BYTES:
        raise CommandError(f"{path.name} is larger than {LARGEST_BYTES >> 20} MiB: split it.")
    return path.read_bytes()
