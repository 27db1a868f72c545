"""The one executor of every transition table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from plaquelab.audit import services as audit

if TYPE_CHECKING:
    from plaquelab.accounts.models import User


class TransitionError(Exception):
    """An event that the object's present state does not allow. Its text is for a person."""


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

    def apply(
        self,
        obj: Any,
        event: str,
        *,
        by: User | None,
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Move ``obj`` along ``event`` by one conditional UPDATE and write its audit event.

        Must run inside a transaction. ``obj.study`` names the chain.

        Raises
        ------
        TransitionError
            The state does not allow the event, or somebody else moved the object first.
        """
        before = getattr(obj, self.field)
        try:
            after = self.table[(before, event)]
        except KeyError:
            raise TransitionError(
                f"This {self.name} is “{before.replace('_', ' ')}”: “{event.replace('_', ' ')}” is not possible."
            ) from None
        with transaction.atomic():
            changed = (
                type(obj)
                ._default_manager.filter(pk=obj.pk, **{self.field: before})
                .update(**{self.field: after})
            )
            if changed != 1:
                raise TransitionError(f"This {self.name} was changed by somebody else: load the page again.")
            setattr(obj, self.field, after)
            audit.record(
                verb=f"{self.name.replace(' ', '_')}.{event}",
                obj=obj,
                by=by,
                study=obj.study,
                before={self.field: before},
                after={self.field: after, **(detail or {})},
                reason=reason,
            )
