"""``manage.py create_user``: make a named account; the password is read from a prompt or from standard input."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaquelab.accounts.services import create_user


class Command(BaseCommand):
    """Make an account."""

    help = "Make a named account. The password is asked for, or read from standard input when that is no terminal."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="the printed name that stands in signatures")

    def handle(self, *_: Any, **options: Any) -> None:
        """Make it, or say why not."""
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            user = create_user(
                username=options["username"], printed_name=options["name"], password=password, by=None
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self.stdout.write(f"Account {user.username} ({user.printed_name}) made.")
