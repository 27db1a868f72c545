"""Checked rows, ready to be stored: what a preview keeps and a commit writes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ReadEntry:
    """One number (or category) of an outside read.

    Parameters
    ----------
    row : of the file; a derived number names the row it was derived from.
    subject, exam : primary keys.
    level : ``lesion``, ``segment``, ``vessel`` or ``patient``. occasion : 2 for a second reading.
    """

    row: int
    subject: int
    exam: int
    reader: str
    occasion: int
    level: str
    vessel: str
    segment: str
    lesion: int | None
    metric: str
    value: float | None
    text: str
    unit: str


@dataclass(frozen=True)
class CovariateEntry:
    """One covariate of a subject, in the vocabulary's unit."""

    row: int
    subject: int
    name: str
    value: float | None
    text: str
    unit: str


@dataclass(frozen=True)
class OutcomeEntry:
    """One event of a subject, in days from the scan."""

    row: int
    subject: int
    event: str
    days: float
    origin: str


Entry = ReadEntry | CovariateEntry | OutcomeEntry
_TYPES: dict[str, type[Any]] = {
    "expert": ReadEntry,
    "ivus": ReadEntry,
    "ica": ReadEntry,
    "covariates": CovariateEntry,
    "outcomes": OutcomeEntry,
}


def to_json(entries: list[Entry]) -> list[dict[str, Any]]:
    """Return entries as plain rows."""
    return [asdict(entry) for entry in entries]


def from_json(kind: str, rows: list[dict[str, Any]]) -> list[Entry]:
    """Return plain rows as entries of their kind."""
    return [_TYPES[kind](**row) for row in rows]
