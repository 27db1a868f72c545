"""``manage.py create_study``: a study with its charter, sites and cohorts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaquelab.studies.services import DEFAULT_RULES, create_study


class Command(BaseCommand):
    """Make a study."""

    help = "Make a study with charter version 1, its sites and cohorts."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("slug")
        parser.add_argument("--title", required=True)
        parser.add_argument("--site", action="append", default=[], metavar="CODE=NAME")
        parser.add_argument("--cohort", action="append", default=[], metavar="NAME=PURPOSE")
        parser.add_argument(
            "--rules", type=Path, help="JSON file of the charter's rules (default: the product's)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, or say why not."""
        rules = json.loads(options["rules"].read_text()) if options["rules"] else DEFAULT_RULES
        pairs = {}
        for name in ("site", "cohort"):
            if bad := [text for text in options[name] if "=" not in text]:
                raise CommandError(f"--{name} takes CODE=NAME, not “{bad[0]}”.")
            pairs[name] = [tuple(text.split("=", 1)) for text in options[name]]
        if not pairs["site"]:
            raise CommandError("A study needs at least one --site CODE=NAME.")
        try:
            study = create_study(
                slug=options["slug"],
                title=options["title"],
                sites=pairs["site"],
                cohorts=pairs["cohort"],
                rules=rules,
                by=None,
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self.stdout.write(f"Study {study.slug} made with {len(pairs['site'])} sites.")
