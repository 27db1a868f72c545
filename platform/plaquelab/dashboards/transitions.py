"""States of a calculation upon a freeze: queued → running → succeeded."""

from __future__ import annotations

from plaquelab.dashboards.models import Calculation
from plaquelab.states import Machine

C = Calculation.State

CALCULATION = Machine(
    name="calculation",
    field="state",
    table={
        (C.QUEUED, "claim"): C.RUNNING,
        (C.RUNNING, "claim"): C.RUNNING,
        (C.RUNNING, "succeed"): C.SUCCEEDED,
        (C.RUNNING, "fail"): C.FAILED,
        (C.FAILED, "retry"): C.QUEUED,
    },
)
