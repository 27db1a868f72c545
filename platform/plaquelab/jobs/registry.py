"""Which models are jobs, by which table each moves, and how each is rung again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models

from plaquelab.states import Machine


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Parameters
    ----------
    model : a concrete subclass of ``jobs.models.Job`` with a ``state`` field.
    machine : its transition table: ``claim`` leads from where it waits, and from where a dead worker left it, to a
        state in which a worker holds it; ``fail`` ends a held one.
    ring : sends the task for a primary key (a doorbell: the row holds the truth).
    code_field : the column that keeps the code of an end without result; empty where there is none.
    """

    model: type[models.Model]
    machine: Machine
    ring: Callable[[Any], object]
    code_field: str = ""

    def __post_init__(self) -> None:
        if not self.queued_states or not self.running_states:
            raise ValueError("A kind of job needs queued and running states.")

    @property
    def running_states(self) -> tuple[str, ...]:
        """States in which a worker holds a lease: they may fail, and be claimed again when the worker died."""
        failing = self.machine.sources("fail")
        return tuple(state for state in self.machine.sources("claim") if state in failing)

    @property
    def queued_states(self) -> tuple[str, ...]:
        """States in which the job waits for a worker: they may be claimed, and nothing can fail there."""
        failing = self.machine.sources("fail")
        return tuple(state for state in self.machine.sources("claim") if state not in failing)

    @property
    def name(self) -> str:
        """What pages and health call it, for example ``analysis run``."""
        return str(self.model._meta.verbose_name)


_KINDS: dict[type[models.Model], Kind] = {}


def register(
    model: type[models.Model], *, machine: Machine, ring: Callable[[Any], object], code_field: str = ""
) -> Kind:
    """Make a model known to the reaper and to health; called from its application's ``ready``."""
    kind = Kind(model, machine, ring, code_field)
    _KINDS[model] = kind
    return kind


def kinds() -> list[Kind]:
    """Return the registered kinds."""
    return list(_KINDS.values())


def kind_of(model: type[models.Model]) -> Kind:
    """Return the kind of a registered model."""
    return _KINDS[model]
