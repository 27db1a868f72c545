"""What may happen to an upload session."""

from __future__ import annotations

from plaquelab.states import Machine

UPLOAD = Machine(
    name="upload",
    field="state",
    table={
        ("open", "complete"): "received",
        ("open", "abort"): "aborted",
        ("open", "expire"): "expired",
        ("received", "consume"): "consumed",
        ("received", "abort"): "aborted",
    },
)
