"""``manage.py ingest PATH``: a folder, file or zip of this machine, by the same service as the upload page."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from plaquelab.imaging.models import ImportJob
from plaquelab.imaging.services import import_path, job_summary
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may
from plaquelab.uploads.errors import UploadError
from plaquelab.uploads.selectors import upload_sites


class Command(BaseCommand):
    """Exit codes: 0 an exam was made (or the job queued), 1 the input was refused, with every reason printed."""

    help = "Ingests one examination (DICOM folder, file or zip) into a study's quality control."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what is needed."""
        parser.add_argument("path", type=Path)
        parser.add_argument("--study", required=True, help="the study's short name (slug)")
        parser.add_argument("--site", required=True, help="the site's code")
        parser.add_argument("--subject", required=True, help="the subject's pseudonym, new or existing")
        parser.add_argument("--cohort", default="", help="the cohort's name")
        parser.add_argument("--by", required=True, metavar="USER", help="user name of the person responsible")
        parser.add_argument("--queue", action="store_true", help="leave the work to a worker")

    def handle(self, *_: Any, **options: Any) -> None:
        """Ingest and print what became of it."""
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study “{options['study']}”.")
        user = get_user_model().objects.filter(username=options["by"]).first()
        if user is None or not may(user, study, Capability.UPLOAD):
            raise CommandError(f"“{options['by']}” may not upload to this study.")
        site = upload_sites(user, study).filter(code=options["site"]).first()
        if site is None:
            raise CommandError(f"“{options['by']}” has no site “{options['site']}” in this study.")
        cohort = None
        if options["cohort"]:
            cohort = study.cohorts.filter(name=options["cohort"]).first()
            if cohort is None:
                raise CommandError(f"This study has no cohort “{options['cohort']}”.")
        try:
            job, paths = import_path(
                study=study,
                site=site,
                subject_pseudonym=options["subject"],
                path=options["path"],
                by=user,
                cohort=cohort,
                queue=options["queue"],
            )
        except UploadError as error:
            raise CommandError(f"{error} [{error.code}]") from error
        self._tell(job, paths, queued=options["queue"])

    def _tell(self, job: ImportJob, paths: list[Path], *, queued: bool) -> None:
        """Print the outcome; file names are put back here, on the machine that has the files."""
        summary = job_summary(job)
        for issue in summary["issues"]:
            index, member = issue["file_index"], issue["member"]
            where = "whole upload" if index is None else str(paths[index])
            where += f", member {member}" if member is not None else ""
            self.stderr.write(f"{where}: {_with_names(issue['message'], paths)} [{issue['code']}]")
        if queued:
            self.stdout.write(f"import {job.pk} waits in the queue ({len(paths)} files)")
        elif summary["exam"] is None:
            raise CommandError(f"import {job.pk} {job.state}: {_with_names(job.message, paths)}")
        else:
            self.stdout.write(f"import {job.pk} {job.state}: exam {summary['exam']} is in quality control")


def _with_names(text: str, paths: list[Path]) -> str:
    """Put this machine's paths where the message says “file 12”."""

    def name(found: re.Match[str]) -> str:
        index = int(found[1])
        return str(paths[index]) if index < len(paths) else found[0]

    return re.sub(r"\bfile (\d+)\b", name, text)
