"""What reading tells the applications above it."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with ``case`` inside the transaction that makes a case final.
case_final = Signal()
