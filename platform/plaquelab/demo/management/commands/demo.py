"""``manage.py demo``: build the demonstration study, or go on where the last time ended."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from plaquelab.demo import concluding, director
from plaquelab.demo.building import NotDemonstrationError, World, build
from plaquelab.demo.plan import PATIENTS, Patient
from plaquelab.failures import is_busy

PAUSE_SECONDS = 0.5


class Command(BaseCommand):
    """Send eight phantom patients through upload, quality control, analysis and reading."""

    failed: dict[str, str]
    help = "Build the demonstration study through the real queue (a worker must be running); resumes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument(
            "--minutes", type=float, default=60.0, help="give up waiting for the worker after this"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Step through the patients until all are where they shall be."""
        started = time.monotonic()
        try:
            world = build()
        except NotDemonstrationError as error:
            raise CommandError(str(error)) from None
        limit = started + 60 * options["minutes"]
        worked, self.failed = False, {}
        while True:
            moved, waiting = self._pass_or_look_again(world, started)
            worked = worked or moved
            if not moved and not waiting:
                moved, waiting = self._conclude(world, started)
                worked = worked or moved
                if not moved and not waiting:
                    break
            if time.monotonic() > limit:
                raise CommandError("The worker did not get through in time: is it running?")
            if not moved:
                time.sleep(PAUSE_SECONDS)
        if self.failed:
            raise CommandError(
                f"{len(self.failed)} of {len(PATIENTS)} patients or the last steps did not get through; see above."
            )
        if worked:
            self._say(
                started,
                f"complete: all {len(PATIENTS)} patients are where they shall be, and the freeze is released",
            )

    def _pass_or_look_again(self, world: World, started: float) -> tuple[bool, bool]:
        """Make a pass; when another process held the database for long, look again."""
        try:
            return self._pass(world, started)
        except OperationalError as error:
            if not is_busy(error):
                raise
            return True, True

    def _pass(self, world: World, started: float) -> tuple[bool, bool]:
        """Take every patient as far as it goes in short steps, then one its long one (making the phantom)."""
        first = concluding.begin(world)
        moved, waiting = bool(first.did), first.waiting
        if first.did:
            self._say(started, first.did)
        for patient in PATIENTS:
            if patient.pseudonym in self.failed or director.needs_sending(world, patient):
                continue
            try:
                while (step := director.step(world, patient)).did:
                    self._say(started, step.did)
                    moved = True
                waiting = waiting or step.waiting
            except director.DemonstrationError as error:
                self._fail(started, patient, error)
        for patient in PATIENTS:
            if patient.pseudonym not in self.failed and director.needs_sending(world, patient):
                try:
                    self._say(started, director.send(world, patient).did)
                except director.DemonstrationError as error:
                    self._fail(started, patient, error)
                return True, True
        return moved, waiting

    def _conclude(self, world: World, started: float) -> tuple[bool, bool]:
        """Take the last steps, once every patient that gets through is where it shall be."""
        if self.failed:
            return False, False
        try:
            step = concluding.conclude(world)
        except (director.DemonstrationError, CommandError) as error:
            self.failed["references and freeze"] = str(error)
            self._say(started, str(error))
            return False, False
        if step.did:
            self._say(started, step.did)
        return bool(step.did), step.waiting

    def _fail(self, started: float, patient: Patient, error: Exception) -> None:
        """Leave a patient where it is; the others go on."""
        self.failed[patient.pseudonym] = str(error)
        self._say(started, str(error))

    def _say(self, started: float, text: str) -> None:
        self.stdout.write(f"[{time.monotonic() - started:5.0f} s] demonstration: {text}")
        self.stdout.flush()
