"""A draft's present state: its base with the commands up to the cursor replayed, always, bit by bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plaquelab.analysis.models import ContourSet
from plaquelab.analysis.selectors import vessel_read
from plaquelab.reading.commands import apply
from plaquelab.reading.measuring import Recent
from plaquelab.reading.models import ReadDraft
from plaquelab.reading.start import normal_wall_of

if TYPE_CHECKING:
    from inference.quantification import VesselRead

_states: Recent[VesselRead] = Recent(128)


def of_contour_set(contour_set: ContourSet) -> VesselRead:
    """Return a stored contour set with its lesions."""
    return _states.get(base_digest(contour_set), lambda: vessel_read(contour_set))


def base_digest(contour_set: ContourSet) -> str:
    """Name a contour set among all states of its vessel. Sets are never changed, so its row names it."""
    return hashlib.sha256(f"set {contour_set.pk} {contour_set.sha256}".encode()).hexdigest()


def digests(draft: ReadDraft) -> list[str]:
    """Name the states after 0, 1, … ``cursor`` commands; equal names mean equal states."""
    wall = json.dumps(draft.read.normal_wall, sort_keys=True)
    names = [hashlib.sha256(f"{base_digest(draft.base)} {wall}".encode()).hexdigest()]
    for command in draft.commands[: draft.cursor]:
        names.append(hashlib.sha256((names[-1] + canonical(command)).encode()).hexdigest())
    return names


def canonical(command: Mapping[str, Any]) -> str:
    """Return a command as JSON with sorted keys."""
    return json.dumps(command, sort_keys=True, separators=(",", ":"))


def present(draft: ReadDraft) -> tuple[VesselRead, str]:
    """Return a draft's state after ``commands[:cursor]``, and its name."""
    names = digests(draft)
    known, state = 0, None
    for n in range(draft.cursor, 0, -1):
        state = _states.find(names[n])
        if state is not None:
            known = n
            break
    if state is None:
        state = of_contour_set(draft.base)
    wall = normal_wall_of(draft.read)
    for n in range(known, draft.cursor):
        state = apply(state, draft.commands[n], normal_wall=wall, load_replacement=_replacement)
        _states.keep(names[n + 1], state)
    return state, names[-1]


def _replacement(contour_set_id: int) -> VesselRead:
    return of_contour_set(ContourSet.objects.select_related("vessel").get(pk=contour_set_id))
