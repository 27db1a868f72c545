"""States of an analysis run: pending → claimed → running → storing → an end."""

from __future__ import annotations

from plaquelab.analysis.models import AnalysisRun
from plaquelab.states import Machine

S = AnalysisRun.State
HELD = (S.CLAIMED, S.RUNNING, S.STORING)
ENDED_WITHOUT_RESULT = (S.FAILED, S.TIMED_OUT, S.CANCELLED)

RUN = Machine(
    name="analysis run",
    field="state",
    table={
        (S.PENDING, "claim"): S.CLAIMED,
        # A worker that died leaves its run in any of these; the next one takes it from there.
        **{(state, "claim"): S.CLAIMED for state in HELD},
        (S.CLAIMED, "start"): S.RUNNING,
        (S.RUNNING, "store"): S.STORING,
        (S.STORING, "succeed"): S.SUCCEEDED,
        **{(state, "fail"): S.FAILED for state in HELD},
        **{(state, "time_out"): S.TIMED_OUT for state in HELD},
        (S.PENDING, "cancel"): S.CANCELLED,
        **{(state, "cancel"): S.CANCELLED for state in HELD},
        **{(state, "retry"): S.PENDING for state in ENDED_WITHOUT_RESULT},
    },
)
