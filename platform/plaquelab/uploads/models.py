"""Transport only: files in, checksums, quotas, expiry. Names of files stay with the person who sent them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from plaquelab.studies.models import Cohort, Site, Study, Subject


class UploadSession(models.Model):
    """One drop of files for one subject; nothing is ingested before it is complete.

    ``subject`` stays empty until the upload is complete, so that an interrupted one leaves no subject.
    """

    class State(models.TextChoices):
        OPEN = "open"
        RECEIVED = "received"
        CONSUMED = "consumed"
        ABORTED = "aborted"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="uploads")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="uploads")
    subject = models.ForeignKey(
        Subject, null=True, blank=True, on_delete=models.PROTECT, related_name="uploads"
    )
    pseudonym = models.CharField(max_length=40)
    cohort = models.ForeignKey(Cohort, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="uploads")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    expected_files = models.PositiveIntegerField(default=0)
    expected_bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(
        auto_now_add=True, help_text="the last file's arrival; expiry counts from here"
    )

    class Meta:
        ordering = ("-created_at",)


class UploadFile(models.Model):
    """One announced file, named by its running number only: a file name may hold a patient's name.

    ``sha256`` is empty until the file has arrived whole.
    """

    session = models.ForeignKey(UploadSession, on_delete=models.CASCADE, related_name="files")
    index = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("index",)
        constraints = [models.UniqueConstraint(fields=["session", "index"], name="upload_file_once")]
