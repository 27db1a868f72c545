"""The one executor of every transition table, and the only UPDATE of a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from plaquelab.audit import services as audit
from plaquelab.errors import Refusal

if TYPE_CHECKING:
    from plaquelab.accounts.models import User


class TransitionError(Refusal):
    """An event that the object's present state does not allow."""

    code = "not-possible"
    status = 409


class ConflictError(TransitionError):
    """Somebody else moved the object first."""

    code = "changed-meanwhile"


@dataclass(frozen=True)
class Machine:
    """A table (state, event) → state over one field of a model.

    Parameters
    ----------
    name : what the object is called in messages and in the audit trail.
    field : the model's state field.
    table : (state, event) → new state.
    """

    name: str
    field: str
    table: Mapping[tuple[str, str], str]

    def allows(self, obj: models.Model, event: str) -> bool:
        """Tell whether ``event`` may happen to ``obj`` now."""
        return (getattr(obj, self.field), event) in self.table

    def events(self, obj: models.Model) -> list[str]:
        """List the events that the object's state allows."""
        return [event for state, event in self.table if state == getattr(obj, self.field)]

    def sources(self, event: str) -> tuple[str, ...]:
        """List the states from which ``event`` may happen."""
        return tuple(state for state, known in self.table if known == event)

    def apply(
        self,
        obj: Any,
        event: str,
        *,
        by: User | None,
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
        where: models.Q | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Move ``obj`` along ``event`` by one conditional UPDATE and write its audit event.

        State, further fields and audit event are one transaction; ``obj.study`` names the chain.

        Parameters
        ----------
        detail : what else the audit event says.
        where : further conditions on the row, such as the attempt that holds a job.
        fields : further columns that the same UPDATE writes, as plain values.

        Raises
        ------
        TransitionError
            The state does not allow the event.
        ConflictError
            Somebody else moved the object first, or ``where`` does not hold.
        """
        before = getattr(obj, self.field)
        try:
            after = self.table[(before, event)]
        except KeyError:
            raise TransitionError(
                f"This {self.name} is “{before.replace('_', ' ')}”: “{event.replace('_', ' ')}” is not possible."
            ) from None
        values = {**(fields or {}), self.field: after}
        with transaction.atomic():
            rows = type(obj)._default_manager.filter(where or models.Q(), pk=obj.pk, **{self.field: before})
            if rows.update(**values) != 1:
                raise ConflictError(f"This {self.name} was changed by somebody else: load the page again.")
            for name, value in values.items():
                setattr(obj, name, value)
            audit.record(
                verb=f"{self.name.replace(' ', '_')}.{event}",
                obj=obj,
                by=by,
                study=obj.study,
                before={self.field: before},
                after={self.field: after, **(detail or {})},
                reason=reason,
            )
