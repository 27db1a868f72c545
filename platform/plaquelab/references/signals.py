"""What references tell the applications above them."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with ``reference_import`` and ``exams`` (primary keys of exams with new reads) inside the committing transaction.
reads_imported = Signal()
