"""The row that is the truth of a job. The broker is only a doorbell."""

from __future__ import annotations

from django.db import models


class Job(models.Model):
    """A piece of queued work that may be killed at any point and run again.

    A claim is one conditional UPDATE (state and attempt → running, attempt + 1, lease) that must change
    exactly one row; a heartbeat renews the lease; the reaper rings again for rows whose lease ran out.
    """

    attempt = models.PositiveIntegerField(default=0)
    attempt_base = models.PositiveIntegerField(default=0, help_text="attempts before a person's last retry")
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True, help_text="when the reaper last rang again")
    stage = models.CharField(max_length=40, blank=True)
    progress = models.FloatField(default=0.0)
    cancel_requested = models.BooleanField(default=False)
    message = models.TextField(blank=True, help_text="for the person; internals are logged with error_id")
    error_id = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
