"""Exams, series, volumes; imports, quality control and queries to sites."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from plaquelab.jobs.models import Job
from plaquelab.studies.models import Site, Study, Subject
from plaquelab.uploads.models import UploadSession


class ImportJob(Job):
    """Turning one received upload into an exam."""

    class State(models.TextChoices):
        QUEUED = "queued"
        EXTRACTING = "extracting"
        DEIDENTIFYING = "deidentifying"
        VALIDATING = "validating"
        REGISTERING = "registering"
        SUCCEEDED = "succeeded"
        PARTIAL = "partial"
        REJECTED = "rejected"
        FAILED = "failed"
        CANCELLED = "cancelled"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="imports")
    session = models.OneToOneField(UploadSession, on_delete=models.PROTECT, related_name="import_job")
    state = models.CharField(max_length=14, choices=State.choices, default=State.QUEUED)


class ImportIssue(models.Model):
    """What was wrong with one file (by running number) or with the whole upload (``file_index`` null)."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="issues")
    file_index = models.PositiveIntegerField(null=True)
    member = models.PositiveIntegerField(null=True, help_text="running number inside an archive")
    code = models.CharField(max_length=40)
    message = models.TextField()
    fatal = models.BooleanField(default=True)

    class Meta:
        ordering = ("file_index", "pk")


class Exam(models.Model):
    """One CCTA examination of a subject. ``number`` is the exam's running number in the study."""

    class State(models.TextChoices):
        RECEIVED = "received"
        QC_PENDING = "qc_pending", "QC pending"
        QUERIED = "queried"
        ACCEPTED = "accepted"
        REFUSED = "refused"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="exams")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="exams")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="exams")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    study_uid = models.CharField(max_length=64, help_text="the mapped StudyInstanceUID")
    received_at = models.DateTimeField(auto_now_add=True)
    import_job = models.OneToOneField(ImportJob, on_delete=models.PROTECT, related_name="exam")

    class Meta:
        ordering = ("study", "number")
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="exam_number_once")]

    def __str__(self) -> str:
        return f"exam {self.number}"


class DeidentificationReport(models.Model):
    """What was removed, replaced and kept, by tag; never the values."""

    exam = models.OneToOneField(Exam, on_delete=models.PROTECT, related_name="deidentification")
    method_codes = models.JSONField()
    actions = models.JSONField(help_text="tag → action counts")
    date_offset_days_hash = models.CharField(max_length=64)


class Series(models.Model):
    """A stored, de-identified CT series. A scan is in a study once, whatever pseudonym it came under."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="series")
    uid = models.CharField(max_length=64)
    source_key = models.CharField(max_length=64, help_text="keyed hash of the source SeriesInstanceUID")
    header = models.JSONField(help_text="acquisition facts: manufacturer, model, kvp, kernel, spacing …")
    instance_count = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "series"
        constraints = [models.UniqueConstraint(fields=["study", "source_key"], name="series_once_in_study")]


class Instance(models.Model):
    """A stored DICOM instance."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    uid = models.CharField(max_length=64, db_index=True)
    source_key = models.CharField(max_length=64, db_index=True, help_text="keyed hash of the source SOP UID")
    number = models.PositiveIntegerField()
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("series", "number")


class Volume(models.Model):
    """The HU volume of an exam as a stored file (``inference.scan.Volume.to_bytes``)."""

    exam = models.OneToOneField(Exam, on_delete=models.PROTECT, related_name="volume")
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    geometry = models.JSONField(help_text="affine, shape, warnings, volume_sha256")


class CtSlab(models.Model):
    """Some slices of an exam's CT as the viewer takes them (``imaging.slabs``), in order."""

    volume = models.ForeignKey(Volume, on_delete=models.PROTECT, related_name="slabs")
    index = models.PositiveSmallIntegerField()
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()

    class Meta:
        ordering = ("volume", "index")
        constraints = [models.UniqueConstraint(fields=["volume", "index"], name="slab_once_per_volume")]


class QualityReview(models.Model):
    """A person's decision on an exam: image quality 1 (non-diagnostic) to 5."""

    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="quality_reviews")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    decision = models.CharField(max_length=10)
    image_quality = models.PositiveSmallIntegerField(null=True)
    note = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at", "pk")


class Query(models.Model):
    """A question to a site about an exam."""

    class State(models.TextChoices):
        OPEN = "open"
        ANSWERED = "answered"
        CLOSED = "closed"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="queries")
    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="queries")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-opened_at", "-pk")
        verbose_name_plural = "queries"


class QueryMessage(models.Model):
    """One message of a query."""

    query = models.ForeignKey(Query, on_delete=models.PROTECT, related_name="messages")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at", "pk")


class Quarantine(models.Model):
    """An object that is no plain CT image, kept apart until a person decides or seven days have passed.

    The bytes lie as they came in ``QUARANTINE_DIR`` (mode 0700, outside backups and outside the store).
    """

    class State(models.TextChoices):
        HELD = "held"
        REJECTED = "rejected"
        EXPIRED = "expired"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="quarantine")
    job = models.ForeignKey(ImportJob, on_delete=models.PROTECT, related_name="quarantine")
    file_index = models.PositiveIntegerField()
    member = models.PositiveIntegerField(null=True)
    code = models.CharField(max_length=40)
    message = models.TextField()
    size = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    held_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("state", "-held_at", "pk")
        verbose_name_plural = "quarantine"

    def __str__(self) -> str:
        return f"quarantined object {self.pk}"
