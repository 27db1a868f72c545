"""The audit trail: append-only, hash-chained events."""

from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """One thing that somebody did. Rows are written once; the database refuses UPDATE and DELETE.

    ``chain`` is ``"installation"`` or ``"study:<slug>"``; ``sequence`` counts from 1 in each chain.
    No foreign keys: an event outlives what it speaks of.
    """

    chain = models.CharField(max_length=80)
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    role = models.CharField(max_length=20, blank=True)
    site = models.CharField(max_length=40, blank=True)
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=80)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ("chain", "sequence")
        constraints = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="audit_one_event_per_place")
        ]
        indexes = [models.Index(fields=["object_type", "object_id"])]


class ChainHead(models.Model):
    """The last sequence and hash of a chain; its row serialises writers."""

    chain = models.CharField(max_length=80, primary_key=True)
    sequence = models.PositiveIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)
