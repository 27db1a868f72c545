"""What is compared with what: paired values, with the identities that a click needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pair:
    """Two reads to compare. Differences are second minus first; the first is the reference."""

    key: str
    label: str
    first: str
    second: str


PAIRS = {
    pair.key: pair
    for pair in (
        Pair("network-expert", "Network and expert (final read)", "expert", "network"),
        Pair("reader-reader", "Reader A and reader B", "reader A", "reader B"),
    )
}


@dataclass(frozen=True)
class Row:
    """One unit in both reads. ``first`` and ``second`` are None where that read has no value."""

    patient: str
    exam: int | None
    site: str
    vessel: str
    lesion_first: int | None
    lesion_second: int | None
    first: float | None
    second: float | None
    link: str

    @property
    def label(self) -> str:
        """``P-004 · LAD · lesion 2``."""
        lesion = self.lesion_first if self.lesion_first is not None else self.lesion_second
        parts = [self.patient, self.vessel, "" if lesion is None else f"lesion {lesion}"]
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True)
class PairedRows:
    """Paired values of one metric at one level.

    extents : how lesions were paired, in words (lesion level only)
    counts : what was counted on the way, e.g. lesions that one read does not have
    """

    pair: Pair
    metric: str
    level: str
    unit: str
    rows: tuple[Row, ...]
    is_simulated: bool
    source: str
    extents: str = ""
    counts: tuple[tuple[str, int], ...] = field(default=())

    def values(self) -> tuple[list[float], list[float]]:
        """First and second values, NaN where missing."""
        nan = float("nan")
        return (
            [nan if r.first is None else r.first for r in self.rows],
            [nan if r.second is None else r.second for r in self.rows],
        )

    def complete(self) -> Sequence[Row]:
        """Rows with both values, in the order in which figures draw them."""
        return [r for r in self.rows if r.first is not None and r.second is not None]

    @property
    def patients(self) -> list[str]:
        """Patient of each row: the cluster."""
        return [r.patient for r in self.rows]
