"""Pairing the lesions of two reads of one vessel by overlap along its centreline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """A lesion's number and where it lies, mm along the path."""

    number: int
    start_mm: float
    end_mm: float


def match(first: Sequence[Extent], second: Sequence[Extent]) -> list[tuple[Extent | None, Extent | None]]:
    """Pair lesions one to one, the largest overlap first; lesions without a partner stand alone.

    Returned in the order of position. Touching ends are no overlap.
    """
    overlaps = sorted(
        (
            (min(a.end_mm, b.end_mm) - max(a.start_mm, b.start_mm), i, j)
            for i, a in enumerate(first)
            for j, b in enumerate(second)
        ),
        key=lambda item: (-item[0], item[1], item[2]),
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for overlap, i, j in overlaps:
        if overlap > 0 and i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    pairs: list[tuple[Extent | None, Extent | None]] = [
        (a, second[partner[i]] if i in partner else None) for i, a in enumerate(first)
    ]
    pairs += [(None, b) for j, b in enumerate(second) if j not in taken]
    return sorted(pairs, key=lambda pair: (pair[0] or pair[1]).start_mm)  # type: ignore[union-attr]
