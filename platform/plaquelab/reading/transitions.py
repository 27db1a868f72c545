"""States of a read and of a case."""

from __future__ import annotations

from plaquelab.reading.models import Read, ReadCase
from plaquelab.states import Machine

R = Read.State
C = ReadCase.State

OPEN_READ = (R.ASSIGNED, R.IN_PROGRESS)
TO_ADJUDICATE = (C.DISCORDANT, C.ADJUDICATING)

READ = Machine(
    name="read",
    field="state",
    table={
        (R.ASSIGNED, "start"): R.IN_PROGRESS,
        (R.IN_PROGRESS, "submit"): R.SUBMITTED,
        (R.SUBMITTED, "sign"): R.SIGNED,
    },
)

CASE = Machine(
    name="case",
    field="state",
    table={
        (C.WAITING, "assign"): C.READING,
        (C.READING, "agree"): C.CONCORDANT,
        (C.CONCORDANT, "finalise"): C.FINAL,
        (C.READING, "disagree"): C.DISCORDANT,
        (C.DISCORDANT, "begin_adjudication"): C.ADJUDICATING,
        (C.ADJUDICATING, "decide"): C.FINAL,
    },
)
