"""States as data: a table, one executor, an error for anything else, one audit event per transition."""

from plaquelab.states.machine import ConflictError, Machine, TransitionError

__all__ = ["ConflictError", "Machine", "TransitionError"]
