"""What analysis tells the applications above it."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with ``run`` inside the transaction that stores the run's results.
run_succeeded = Signal()
