"""States of a freeze: draft → building → frozen (hash) → released."""

from __future__ import annotations

from plaquelab.freezes.models import DatasetFreeze
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
