"""All writes of reading, by one name each."""

from __future__ import annotations

from plaquelab.reading.activity import note_activity
from plaquelab.reading.adjudication import adjudicate
from plaquelab.reading.adjudication import begin as begin_adjudication
from plaquelab.reading.assignment import assign, assign_adjudicator, assign_cases, open_case
from plaquelab.reading.discordance import judge
from plaquelab.reading.editing import apply_command, replace_contours, start_read
from plaquelab.reading.repeats import draw_repeats
from plaquelab.reading.revisions import save_revision
from plaquelab.reading.signing import submit_and_sign

__all__ = [
    "adjudicate",
    "apply_command",
    "assign",
    "assign_adjudicator",
    "assign_cases",
    "begin_adjudication",
    "draw_repeats",
    "judge",
    "note_activity",
    "open_case",
    "replace_contours",
    "save_revision",
    "start_read",
    "submit_and_sign",
]
