"""``manage.py export_reads STUDY --out DIR``: final signed reads as training data for ``python -m inference train``."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from inference.errors import InferenceError
from plaquelab.reading.exporting import export_reads
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may


class Command(BaseCommand):
    """Only a manager of the study may; the export is an event of its audit trail."""

    help = "Exports a study's final, signed reads as a folder that a network can be trained on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what is needed."""
        parser.add_argument("study", help="the study's short name (slug)")
        parser.add_argument("--out", type=Path, required=True, help="a new folder")
        parser.add_argument(
            "--by", required=True, metavar="USER", help="user name of the manager responsible"
        )
        parser.add_argument(
            "--assisted", action="store_true", help="also reads that began from the network's contours"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Export and say how much."""
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study “{options['study']}”.")
        user = get_user_model().objects.filter(username=options["by"]).first()
        if user is None or not may(user, study, Capability.EXPORT_READS):
            raise CommandError(f"“{options['by']}” may not export reads of this study.")
        try:
            reads, vessels = export_reads(
                study=study, folder=options["out"], by=user, assisted=options["assisted"]
            )
        except InferenceError as error:
            raise CommandError(f"{error} [{error.code}]") from error
        self.stdout.write(f"{reads} reads, {vessels} vessels. Train with “reads” in the configuration.")
