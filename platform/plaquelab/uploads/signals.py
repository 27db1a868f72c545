"""What uploads tell the applications above them."""

from __future__ import annotations

from django.dispatch import Signal

# Sent inside the transaction that completes an upload, with ``session`` and ``by``.
session_received = Signal()
