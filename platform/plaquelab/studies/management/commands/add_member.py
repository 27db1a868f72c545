"""``manage.py add_member``: give a person a role in a study."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaquelab.accounts.models import User
from plaquelab.studies.models import Role, Site, Study
from plaquelab.studies.services import add_membership


class Command(BaseCommand):
    """Give a role."""

    help = "Give a person a role in a study."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("study")
        parser.add_argument("username")
        parser.add_argument("role", choices=Role.values)
        parser.add_argument("--site", help="site code; needed for a coordinator")

    def handle(self, *args: Any, **options: Any) -> None:
        """Give it, or say why not."""
        study = Study.objects.filter(slug=options["study"]).first()
        user = User.objects.filter(username=options["username"]).first()
        site = Site.objects.filter(code=options["site"]).first() if options["site"] else None
        if study is None:
            raise CommandError(f"There is no study {options['study']}.")
        if user is None:
            raise CommandError(f"There is no account {options['username']}.")
        if options["site"] and site is None:
            raise CommandError(f"There is no site {options['site']}.")
        try:
            add_membership(user=user, study=study, role=options["role"], site=site, by=None)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self.stdout.write(f"{user.username} is now {options['role']} in {study.slug}.")
