"""States of a freeze: draft → building → frozen (hash) → released; and of calculations upon one."""

from __future__ import annotations

from plaquelab.dashboards.models import Calculation, DatasetFreeze
from plaquelab.states import Machine

S = DatasetFreeze.State

FREEZE = Machine(
    name="dataset freeze",
    field="state",
    table={
        (S.DRAFT, "claim"): S.BUILDING,
        # A worker that died leaves it here; the next one takes it from there.
        (S.BUILDING, "claim"): S.BUILDING,
        (S.BUILDING, "freeze"): S.FROZEN,
        (S.BUILDING, "fail"): S.FAILED,
        (S.FAILED, "retry"): S.DRAFT,
        (S.DRAFT, "discard"): S.DISCARDED,
        (S.FAILED, "discard"): S.DISCARDED,
        (S.FROZEN, "release"): S.RELEASED,
    },
)

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
