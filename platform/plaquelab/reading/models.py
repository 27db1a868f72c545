"""Cases, blinded assignments, reads and their immutable revisions, signatures, discordance, adjudication."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaquelab.analysis import measuring_code
from plaquelab.analysis.models import CODE_VERSION, AnalysisRun, ContourSet, Vessel
from plaquelab.imaging.models import Exam
from plaquelab.studies.models import CharterVersion, Study


class ReadCase(models.Model):
    """An exam to be read; its final read is what analytics uses."""

    class State(models.TextChoices):
        WAITING = "waiting"
        READING = "reading"
        CONCORDANT = "concordant"
        DISCORDANT = "discordant"
        ADJUDICATING = "adjudicating"
        FINAL = "final"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="cases")
    exam = models.OneToOneField(Exam, on_delete=models.PROTECT, related_name="case")
    run = models.ForeignKey(AnalysisRun, on_delete=models.PROTECT, related_name="cases")
    charter = models.ForeignKey(CharterVersion, on_delete=models.PROTECT)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    first_reader_draw = models.PositiveSmallIntegerField(
        help_text="0 or 1: which assignment is reader 1, drawn by the stored seed"
    )
    final_read = models.ForeignKey("Read", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)


class Assignment(models.Model):
    """A reader's (or adjudicator's) task. ``order_index`` is the person's own running case number."""

    class Purpose(models.TextChoices):
        READ = "read"
        ADJUDICATE = "adjudicate"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="assignments")
    case = models.ForeignKey(ReadCase, on_delete=models.PROTECT, related_name="assignments")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.READ)
    slot = models.PositiveSmallIntegerField(
        help_text="0 or 1 for readers, 9 for the adjudicator, 20 or 21 for a reader's hidden second reading"
    )
    round = models.PositiveSmallIntegerField(
        default=1, help_text="2 for a reader's hidden second reading of the same case"
    )
    order_index = models.PositiveIntegerField()
    seed = models.BigIntegerField()
    due_on = models.DateField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("reader", "order_index")
        constraints = [
            # Nobody is reader and adjudicator of one case.
            models.UniqueConstraint(fields=["case", "reader", "round"], name="one_part_per_person_and_case"),
            models.UniqueConstraint(fields=["case", "slot"], name="one_person_per_slot"),
            models.UniqueConstraint(fields=["study", "reader", "order_index"], name="own_running_number"),
        ]


class Read(models.Model):
    """Who said what about an exam, under which charter version and blinding."""

    class Kind(models.TextChoices):
        EXPERT_PLAQUE = "expert_plaque"

    class State(models.TextChoices):
        ASSIGNED = "assigned"
        IN_PROGRESS = "in_progress"
        SUBMITTED = "submitted"
        SIGNED = "signed"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="reads")
    case = models.ForeignKey(ReadCase, on_delete=models.PROTECT, related_name="reads")
    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="read")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.EXPERT_PLAQUE)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ASSIGNED)
    charter = models.ForeignKey(CharterVersion, on_delete=models.PROTECT)
    saw_network = models.BooleanField(help_text="whether the reader started from the network's contours")
    is_simulated = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    form = models.JSONField(default=dict, help_text="image quality, remarks")
    active_seconds = models.FloatField(
        default=0.0, help_text="time at work on it, as the server saw it, without idle stretches"
    )
    last_active_at = models.DateTimeField(null=True)
    draft_version = models.PositiveIntegerField(
        default=0, help_text="counts every change of the drafts; a page that names an older one is told so"
    )
    normal_wall = models.JSONField(
        null=True, help_text="intercept and slope of the patient's normal wall, fitted when the read began"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "assignment"], name="read_once")]


class ReadRevision(models.Model):
    """An immutable state of a read: contours of every vessel, lesions, form, edits, and their hash."""

    read = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    contour_sets = models.ManyToManyField(ContourSet, related_name="revisions")
    form = models.JSONField(default=dict)
    edits = models.JSONField(
        default=list, help_text="commands (anchors + base revision) since the last revision"
    )
    reviewed = models.JSONField(
        default=list, help_text="names of the vessels that the reader marked as reviewed"
    )
    draft_version = models.PositiveIntegerField(default=0, help_text="the draft that this revision keeps")
    code_version = models.CharField(max_length=16, blank=True, default="", help_text=CODE_VERSION)
    content_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    class Meta:
        ordering = ("read", "number")
        constraints = [models.UniqueConstraint(fields=["read", "number"], name="revision_number_once")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row once; a revision never changes."""
        if self.pk is not None and not self._state.adding:
            raise TypeError("A revision of a read is immutable: save another revision.")
        super().save(*args, **kwargs)

    @property
    def measured_earlier(self) -> str:
        """Words where older measuring code than today's made it, else nothing."""
        return measuring_code.words(self.code_version)


class Signature(models.Model):
    """Re-authenticated: printed name, UTC time, meaning, and the hash of what was signed."""

    class Meaning(models.TextChoices):
        AUTHORSHIP = "authorship"
        REVIEW = "review"
        APPROVAL = "approval"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="signatures")
    revision = models.ForeignKey(ReadRevision, on_delete=models.PROTECT, related_name="signatures")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    printed_name = models.CharField(max_length=120)
    meaning = models.CharField(max_length=12, choices=Meaning.choices)
    at = models.DateTimeField()
    content_sha256 = models.CharField(max_length=64)


class Discordance(models.Model):
    """What differed between the two signed reads, by the charter's rule."""

    case = models.OneToOneField(ReadCase, on_delete=models.PROTECT, related_name="discordance")
    items = models.JSONField(help_text="[{rule, level, territory, a, b, detail}]")
    is_discordant = models.BooleanField()
    at = models.DateTimeField(auto_now_add=True)


class Adjudication(models.Model):
    """The adjudicator's choice between A and B, with the reason. Never an average."""

    case = models.OneToOneField(ReadCase, on_delete=models.PROTECT, related_name="adjudication")
    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="adjudication")
    a_slot = models.PositiveSmallIntegerField(help_text="which reader's slot is shown as A (random side)")
    chosen = models.ForeignKey(Read, null=True, on_delete=models.PROTECT, related_name="chosen_by")
    reason = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(chosen__isnull=True) | (~Q(reason="") & Q(decided_at__isnull=False)),
                name="adjudication_has_reason",
            )
        ]


class ReadDraft(models.Model):
    """One vessel of a read in work: a base, commands in order, and how many of them hold now.

    Undo and redo move ``cursor``; the contours are always the base with ``commands[:cursor]`` replayed, so that
    an undo restores exactly what was there.
    """

    read = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="drafts")
    vessel = models.ForeignKey(Vessel, on_delete=models.PROTECT, related_name="drafts")
    base = models.ForeignKey(ContourSet, on_delete=models.PROTECT, related_name="drafts")
    commands = models.JSONField(default=list)
    cursor = models.PositiveIntegerField(default=0)
    reviewed = models.BooleanField(default=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("read", "vessel__order")
        constraints = [models.UniqueConstraint(fields=["read", "vessel"], name="draft_once_per_vessel")]


class SigningLock(models.Model):
    """How often a person's password was wrong at signing, and until when signing is closed to them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="signing_lock"
    )
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
