"""States of an import: previewed, then committed or discarded."""

from __future__ import annotations

from plaquelab.references.models import ReferenceImport
from plaquelab.states import Machine

S = ReferenceImport.State

IMPORT = Machine(
    name="reference import",
    field="state",
    table={
        (S.PREVIEWED, "commit"): S.COMMITTED,
        (S.PREVIEWED, "discard"): S.DISCARDED,
    },
)
