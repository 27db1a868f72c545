"""What could not be read, counted by patient, vessel and lesion, and what it does to sensitivity and specificity.

A lesion (or a whole vessel) that cannot be read makes its vessel and its patient incomplete; a vessel or patient is lost
entirely when nothing in it can be read. Leaving such cases out flatters a test, therefore accuracy is given three ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.accuracy.two_by_two import TwoByTwo, two_by_two_of
from analytics.columns import codes, is_missing
from analytics.errors import AnalyticsError
from analytics.monitoring.rate import Rate, rate_of
from analytics.result import Dropped, Finding
from analytics.rounding import count, percent

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LevelCount:
    """Units of one kind: ``some`` have something that could not be read, in ``whole`` nothing could."""

    unit: str
    total: int
    some: Rate
    whole: Rate

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "unit": self.unit,
            "total": self.total,
            "some": self.some.to_dict(),
            "whole": self.whole.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class Uninterpretable(Finding):
    """Counts by patient, vessel and lesion (None where the table has no lesions), and the reasons of rows.

    ``n`` counts patients.
    """

    patients: LevelCount
    vessels: LevelCount
    lesions: LevelCount | None
    reasons: tuple[tuple[str, int], ...]

    def sentence(self) -> str:
        """Counts and shares by level."""
        parts = []
        for level in (self.patients, self.vessels, self.lesions):
            if level is None:
                continue
            share = f" ({percent(level.some.estimate)} %)" if level.some.estimate is not None else ""
            whole = f", {count(level.whole.count)} entirely" if level.unit != "lesion" else ""
            parts.append(f"{count(level.some.count)} of {count(level.total)} {level.unit}s{share}{whole}")
        why = "; reasons: " + ", ".join(f"{r} {count(n)}" for r, n in self.reasons) if self.reasons else ""
        nothing = f" not estimable ({self.reason}):" if self.reason else ""
        return f"{self.method}:{nothing} {'; '.join(parts)}{why}."

    def to_dict(self) -> dict[str, Any]:
        """JSON form; ``reasons`` by name."""
        return super().to_dict() | {"reasons": dict(self.reasons)}


def uninterpretable_of(
    patients: Sequence[Any],
    vessels: Sequence[Any],
    flags: Array,
    *,
    lesions: Sequence[Any] | None = None,
    reasons: Sequence[Any] | None = None,
    simulated: bool = False,
) -> Uninterpretable:
    """Count rows flagged 1 (could not be read) by patient, vessel and lesion.

    One row is a lesion, or a vessel where ``lesions`` is absent or empty in that row.

    Raises
    ------
    AnalyticsError
        For flags other than 0/1 or missing, and rows without patient or vessel, naming the row.
    """
    y = np.asarray(flags, np.float64)
    if not len(y) == len(patients) == len(vessels):
        raise AnalyticsError("Patients, vessels and flags differ in length.")
    for row, (flag, p, v) in enumerate(zip(y, patients, vessels, strict=True), start=1):
        if flag not in (0, 1):
            raise AnalyticsError(f"Row {row}: the flag is neither 0 (read) nor 1 (could not be read).")
        if is_missing(p) or is_missing(v):
            raise AnalyticsError(f"Row {row}: patient or vessel is missing.")
    named = None
    if lesions is not None:
        chosen = [i for i, lesion in enumerate(lesions) if not is_missing(lesion)]
        triples = [(patients[i], vessels[i], lesions[i]) for i in chosen]
        named = _level("lesion", triples, y[chosen], [patients[i] for i in chosen], simulated)
    found: dict[str, int] = {}
    for flag, why in () if reasons is None else zip(y, reasons, strict=True):
        if flag != 1:
            continue
        text = "no reason given" if is_missing(why) else str(why)
        found[text] = found.get(text, 0) + 1
    by_patient = _level("patient", list(patients), y, None, simulated)
    return Uninterpretable(
        method="Uninterpretable",
        n=by_patient.total,
        unit="patient",
        reason=None if len(y) else "no row",
        patients=by_patient,
        vessels=_level("vessel", list(zip(patients, vessels, strict=True)), y, patients, simulated),
        lesions=named,
        reasons=tuple(sorted(found.items(), key=lambda item: (-item[1], item[0]))),
        simulated=simulated,
    )


def _level(
    unit: str, identities: list[Any], y: Array, patients: Sequence[Any] | None, simulated: bool
) -> LevelCount:
    of, distinct = codes(identities)
    bad = np.bincount(of, y, len(distinct)) if len(distinct) else np.empty(0)
    size = np.bincount(of, minlength=len(distinct))
    clusters = None
    if patients is not None:
        first = {int(c): p for c, p in zip(of[::-1], list(patients)[::-1], strict=True)}
        clusters = [first[c] for c in range(len(distinct))]
    some, whole = (
        rate_of(share.astype(np.float64), clusters=clusters, name=name, unit=unit, simulated=simulated)
        for share, name in (
            (bad > 0, f"{unit}s not fully interpretable"),
            (bad == size, f"{unit}s not interpretable at all"),
        )
    )
    return LevelCount(unit, len(distinct), some, whole)


@dataclass(frozen=True, kw_only=True)
class ThreeWays(Finding):
    """Accuracy without the uninterpretable, with them called positive, and with each called wrongly.

    ``n`` counts the uninterpretable too; the first table leaves them out, and says so in ``dropped``.
    """

    excluded: TwoByTwo
    positive: TwoByTwo
    worst: TwoByTwo

    def sentence(self) -> str:
        """Sensitivity and specificity three ways."""
        if self.reason:
            return f"{self.method}: not estimable ({self.reason}); {self.counted()}."
        ways = (("without them", self.excluded), ("positive", self.positive), ("called wrongly", self.worst))
        parts = (
            f"{name} sensitivity {table.sensitivity.printed()}, specificity {table.specificity.printed()}"
            for name, table in ways
        )
        return f"{self.method}: {'; '.join(parts)}; {self.counted()}."


def accuracy_with_uninterpretable(
    *, tp: int, fp: int, fn: int, tn: int, diseased: int, healthy: int, unit: str = "territory"
) -> ThreeWays:
    """Sensitivity and specificity when ``diseased`` and ``healthy`` uninterpretable cases stand beside a 2×2 table."""
    if diseased < 0 or healthy < 0:
        raise AnalyticsError("Counts of uninterpretable cases must not be negative.")
    lost, total = diseased + healthy, tp + fp + fn + tn + diseased + healthy
    return ThreeWays(
        method="accuracy with the uninterpretable",
        n=total,
        unit=unit,
        dropped=(Dropped(lost, "uninterpretable, left out of the first of three"),) if lost else (),
        reason=None if total else "no case",
        excluded=two_by_two_of(tp=tp, fp=fp, fn=fn, tn=tn),
        positive=two_by_two_of(tp=tp + diseased, fp=fp + healthy, fn=fn, tn=tn),
        worst=two_by_two_of(tp=tp, fp=fp + healthy, fn=fn + diseased, tn=tn),
    )
