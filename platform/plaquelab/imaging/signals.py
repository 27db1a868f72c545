"""What imaging tells the applications above it."""

from __future__ import annotations

from django.dispatch import Signal

# Sent inside the transaction that accepts an exam, with ``exam`` and ``by``.
exam_accepted = Signal()
