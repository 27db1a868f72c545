"""Transport only: files in, checksums, quotas, expiry. Names of files stay with the person who sent them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from plaquelab.studies.models import Site, Study, Subject


class UploadSession(models.Model):
    """One drop of files for one subject; nothing is ingested before it is complete."""

    class State(models.TextChoices):
        OPEN = "open"
        RECEIVED = "received"
        CONSUMED = "consumed"
        ABORTED = "aborted"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="uploads")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="uploads")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="uploads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="uploads")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    expected_files = models.PositiveIntegerField(default=0)
    expected_bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)


class UploadFile(models.Model):
    """One received file, named by its running number only: a file name may hold a patient's name."""

    session = models.ForeignKey(UploadSession, on_delete=models.CASCADE, related_name="files")
    index = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "index"], name="upload_file_once")]
