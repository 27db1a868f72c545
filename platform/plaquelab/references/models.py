"""What came from outside the platform: expert, IVUS and ICA reads, clinical covariates, outcomes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaquelab.imaging.models import Exam
from plaquelab.studies.models import Study, Subject


class ReferenceImport(models.Model):
    """One file that was brought in: who, what, when, and what was said about its rows.

    A previewed import keeps its checked rows (``prepared``, days instead of dates) until somebody commits or
    discards it. The file itself is never kept.
    """

    class Kind(models.TextChoices):
        EXPERT = "expert", "Expert reads"
        IVUS = "ivus", "IVUS"
        ICA = "ica", "ICA (invasive angiography)"
        COVARIATES = "covariates", "Clinical covariates"
        OUTCOMES = "outcomes", "Outcomes"

    class State(models.TextChoices):
        PREVIEWED = "previewed"
        COMMITTED = "committed"
        DISCARDED = "discarded"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="reference_imports")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREVIEWED)
    file_sha256 = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    notes = models.JSONField(default=list, help_text="[[row, text], ...]: conversions and what to know")
    prepared = models.JSONField(default=list, help_text="checked rows while previewed; then empty")
    replace_reason = models.TextField(blank=True)
    is_simulated = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    committed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("study", "-number")
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="reference_import_number")]


class ImportedRead(models.Model):
    """What one outside reader said about one subject's exam; its numbers are ``analysis.Measurement`` rows."""

    class Kind(models.TextChoices):
        EXPERT = "expert"
        IVUS = "ivus"
        ICA = "ica"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="imported_reads")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="imported_reads")
    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="imported_reads")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    reader = models.CharField(max_length=40, help_text="the outside reader's code")
    occasion = models.PositiveSmallIntegerField(default=1, help_text="2 for a reader's second reading")
    source = models.ForeignKey(ReferenceImport, on_delete=models.PROTECT, related_name="reads")
    superseded_by = models.ForeignKey(
        ReferenceImport, null=True, on_delete=models.PROTECT, related_name="superseded_reads"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "subject", "kind", "reader", "occasion"],
                condition=Q(superseded_by__isnull=True),
                name="imported_read_once",
            )
        ]


class Covariate(models.Model):
    """One clinical fact of a subject at the time of the scan, in the vocabulary's unit."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="covariates")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="covariates")
    name = models.CharField(max_length=40)
    value = models.FloatField(null=True)
    text = models.CharField(max_length=40, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    row = models.PositiveIntegerField()
    source = models.ForeignKey(ReferenceImport, on_delete=models.PROTECT, related_name="covariates")
    superseded_by = models.ForeignKey(
        ReferenceImport, null=True, on_delete=models.PROTECT, related_name="superseded_covariates"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "name"], condition=Q(superseded_by__isnull=True), name="covariate_once"
            )
        ]


class Outcome(models.Model):
    """An event of a subject, in days from the scan; or the end of follow-up."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="outcomes")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="outcomes")
    event = models.CharField(max_length=40)
    days = models.FloatField()
    origin = models.CharField(max_length=120, blank=True, help_text="the file's column “source”")
    row = models.PositiveIntegerField()
    source = models.ForeignKey(ReferenceImport, on_delete=models.PROTECT, related_name="outcomes")
    superseded_by = models.ForeignKey(
        ReferenceImport, null=True, on_delete=models.PROTECT, related_name="superseded_outcomes"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "event"], condition=Q(superseded_by__isnull=True), name="outcome_once"
            ),
            models.CheckConstraint(condition=Q(days__gte=0), name="outcome_after_scan"),
        ]
