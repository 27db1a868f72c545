"""Calculations: queued work of pages upon a freeze, kept so that it is done once."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from plaquelab.freezes.models import DatasetFreeze
from plaquelab.jobs.models import Job
from plaquelab.studies.models import Study


class Calculation(Job):
    """Queued work on a freeze: an answer with resampling, or the report. One row a freeze, kind and content.

    The files lie in the store under ``calculations/<freeze's hash>/<key>/`` and depend on nothing but the freeze, the
    parameters and the version of the code, all of which are in ``key``.
    """

    class Kind(models.TextChoices):
        ANSWER = "answer", "Answer with bootstrap intervals"
        REPORT = "report", "Report"

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="calculations")
    freeze = models.ForeignKey(DatasetFreeze, on_delete=models.PROTECT, related_name="calculations")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    question = models.CharField(max_length=20, blank=True)
    parameters = models.JSONField(default=dict, help_text="the question's parameters as texts of an address")
    replicates = models.PositiveIntegerField(default=0, help_text="bootstrap resamples of patients")
    key = models.CharField(max_length=64, help_text="hash of question, parameters, resamples and code")
    files = models.JSONField(default=dict, help_text="file in its folder → its size in bytes")
    note = models.CharField(max_length=300, blank=True, help_text="what the result lacks, for the person")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["freeze", "kind", "key"], name="calculation_once"),
        ]

    @property
    def folder(self) -> str:
        """Where its files lie in the store."""
        return f"calculations/{self.freeze.hash}/{self.key}"

    @property
    def is_active(self) -> bool:
        """Whether it waits for a worker or runs."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)
