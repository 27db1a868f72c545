"""What may happen to imports, exams, queries and quarantined objects."""

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

S = ImportJob.State
IMPORT_RUNNING = (S.EXTRACTING, S.DEIDENTIFYING, S.VALIDATING, S.REGISTERING)
IMPORT_ENDED = (S.SUCCEEDED, S.PARTIAL, S.REJECTED, S.FAILED, S.CANCELLED)

IMPORT = Machine(
    name="import job",
    field="state",
    table={
        (S.QUEUED, "claim"): S.EXTRACTING,
        # A worker that died leaves its import in any of these; the next one begins again.
        **{(state, "claim"): S.EXTRACTING for state in IMPORT_RUNNING},
        (S.EXTRACTING, "deidentify"): S.DEIDENTIFYING,
        (S.DEIDENTIFYING, "validate"): S.VALIDATING,
        (S.VALIDATING, "register"): S.REGISTERING,
        (S.REGISTERING, "succeed"): S.SUCCEEDED,
        # An exam came of it, and some files did not become part of it.
        (S.REGISTERING, "succeed_in_part"): S.PARTIAL,
        **{(state, "reject"): S.REJECTED for state in IMPORT_RUNNING},
        **{(state, "fail"): S.FAILED for state in IMPORT_RUNNING},
        (S.QUEUED, "cancel"): S.CANCELLED,
        **{(state, "cancel"): S.CANCELLED for state in IMPORT_RUNNING},
        (S.FAILED, "retry"): S.QUEUED,
    },
)
