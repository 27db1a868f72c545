"""What may happen to exams, queries and quarantined objects.

Import jobs move by claims and leases (``plaquelab.jobs``); the states are in ``models.ImportJob.State``.
"""

from __future__ import annotations

from plaquelab.imaging.models import ImportJob
from plaquelab.states import Machine

EXAM = Machine(
    name="exam",
    field="state",
    table={
        ("received", "check"): "qc_pending",
        ("qc_pending", "accept"): "accepted",
        ("qc_pending", "query"): "queried",
        ("queried", "answer"): "qc_pending",
        ("qc_pending", "refuse"): "refused",
        ("queried", "refuse"): "refused",
    },
)
QUERY = Machine(
    name="query",
    field="state",
    table={
        ("open", "answer"): "answered",
        ("open", "close"): "closed",
        ("answered", "close"): "closed",
        ("answered", "reopen"): "open",
        ("closed", "reopen"): "open",
    },
)
QUARANTINE = Machine(
    name="quarantined object",
    field="state",
    table={("held", "reject"): "rejected", ("held", "expire"): "expired"},
)

IMPORT_QUEUED = (ImportJob.State.QUEUED,)
IMPORT_RUNNING = (
    ImportJob.State.EXTRACTING,
    ImportJob.State.DEIDENTIFYING,
    ImportJob.State.VALIDATING,
    ImportJob.State.REGISTERING,
)
IMPORT_ENDED = (
    ImportJob.State.SUCCEEDED,
    ImportJob.State.PARTIAL,
    ImportJob.State.REJECTED,
    ImportJob.State.FAILED,
    ImportJob.State.CANCELLED,
)
