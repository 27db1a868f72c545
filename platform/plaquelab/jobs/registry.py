"""Which models are jobs, and how each is rung again and failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Parameters
    ----------
    model : a concrete subclass of ``jobs.models.Job`` with a ``state`` field.
    ring : sends the task for a primary key (a doorbell: the row holds the truth).
    queued_states : states in which the job waits for a worker.
    running_states : states in which a worker holds a lease.
    fail : moves a job (its row as read by the reaper) to its failed state with a message for the person;
        called inside a transaction.
    """

    model: type[models.Model]
    ring: Callable[[Any], object]
    queued_states: tuple[str, ...]
    running_states: tuple[str, ...]
    fail: Callable[[Any, str], object]

    def __post_init__(self) -> None:
        if not self.queued_states or not self.running_states:
            raise ValueError("A kind of job needs queued and running states.")
        if set(self.queued_states) & set(self.running_states):
            raise ValueError("A state is either queued or running.")

    @property
    def name(self) -> str:
        """What pages and health call it, for example ``analysis run``."""
        return str(self.model._meta.verbose_name)


_KINDS: dict[type[models.Model], Kind] = {}


def register(
    model: type[models.Model],
    *,
    ring: Callable[[Any], object],
    queued_states: tuple[str, ...],
    running_states: tuple[str, ...],
    fail: Callable[[Any, str], object],
) -> Kind:
    """Make a model known to the reaper and to health; called from its application's ``ready``."""
    kind = Kind(model, ring, tuple(map(str, queued_states)), tuple(map(str, running_states)), fail)
    _KINDS[model] = kind
    return kind


def kinds() -> list[Kind]:
    """Return the registered kinds."""
    return list(_KINDS.values())


def kind_of(model: type[models.Model]) -> Kind:
    """Return the kind of a registered model."""
    return _KINDS[model]
