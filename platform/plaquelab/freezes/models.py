"""Freezes: a study's tables at one moment, dated and hashed, from which investigators' dashboards start."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from plaquelab.jobs.models import Job
from plaquelab.studies.models import Study


class DatasetFreeze(Job):
    """One freeze: requested, built by a worker, frozen under its hash, and released to investigators by the manager.

    The files lie in the store under ``freezes/<study>/<hash>/`` in the form of ``analytics.freeze``; they never change.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        BUILDING = "building"
        FROZEN = "frozen"
        RELEASED = "released"
        FAILED = "failed"
        DISCARDED = "discarded"

    class Stage(models.TextChoices):
        """What an attempt does, in this order, in the words of pages."""

        GATHER = "gather", "Gather who read what"
        MEASURE = "measure", "Read every number"
        PAIR = "pair", "Pair the reads"
        TABLES = "tables", "Make the tables"
        PANELS = "panels", "Draw the case panels"
        WRITE = "write", "Write, check and hash"
        STORE = "store", "Store"

    class Source(models.TextChoices):
        STUDY = "study", "This study's data"
        SIMULATION = "simulation", "Simulated cohort"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="freezes")
    number = models.PositiveIntegerField()
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.STUDY)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    note = models.CharField(max_length=300, blank=True)
    is_simulated = models.BooleanField(default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    hash = models.CharField(max_length=64, blank=True)
    files = models.JSONField(default=dict, help_text="file in the freeze's folder → its size in bytes")
    rows = models.JSONField(default=dict, help_text="table → number of rows")
    left_out = models.JSONField(default=list, help_text="[[what and why, how many], ...]")
    measured_by = models.JSONField(
        null=True,
        help_text="version of the measuring code → how many runs and reads it measured; null: made before versions were kept",
    )
    made_by = models.JSONField(
        default=dict,
        help_text="part → version of the code that made the freeze's own numbers; empty: made before versions were kept",
    )
    frozen_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    release_reason = models.TextField(blank=True)

    audit_type = "dashboards.datasetfreeze"
    """What the audit trail calls it: events outlive the application that freezes were once part of."""

    class Meta:
        db_table = "dashboards_datasetfreeze"
        ordering = ("study", "-number")
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="freeze_number_once")]

    @property
    def folder(self) -> str:
        """Where its files lie in the store."""
        return f"freezes/{self.study_id}/{self.hash}"

    @property
    def is_locked(self) -> bool:
        """Whether its content stands."""
        return self.state in (self.State.FROZEN, self.State.RELEASED)
