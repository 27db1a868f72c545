"""CAD-RADS 2.0 of a patient: stenosis grade, plaque burden and modifiers (Cury et al., J Cardiovasc Comput Tomogr 2022;16:536)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.errors import QuantificationError
from inference.grading import cadrads2
from inference.quantification.records import Value, VesselRecord, value_of
from inference.vocabulary import SEGMENTS, TERRITORIES, territory_of

MODIFIERS = ("N", "HRP", "I", "S", "G", "E")
# All from CAD-RADS 2.0 (Cury et al., 2022).
FEATURES_FOR_HIGH_RISK = 2
_BY_SEGMENTS = ((8, "P4"), (5, "P3"), (3, "P2"), (1, "P1"))
_BY_CALCIUM = ((1000, "P4"), (301, "P3"), (101, "P2"), (1, "P1"))


@dataclass(frozen=True)
class CadRads2:
    """A patient's CAD-RADS 2.0 category.

    Parameters
    ----------
    grade : ``0`` … ``3``, ``4A``, ``4B``, ``5`` or ``N``. burden : ``P1`` … ``P4``, empty where there is no plaque.
    burden_by : ``segment_involvement`` or ``calcium_score``: what the burden was told from.
    modifiers : of ``MODIFIERS``, in that order. segments : number of segments with plaque.

    Raises
    ------
    QuantificationError
        A modifier is unknown or out of order.
    """

    grade: str
    burden: str
    burden_by: str
    modifiers: tuple[str, ...]
    segments: int

    def __post_init__(self) -> None:
        if self.modifiers != tuple(m for m in MODIFIERS if m in self.modifiers):
            raise QuantificationError(
                "bad-modifier",
                f"CAD-RADS modifiers are {', '.join(MODIFIERS)}, each at most once and in that order; "
                f"these are {', '.join(self.modifiers)}.",
            )

    def __str__(self) -> str:
        return "CAD-RADS " + "/".join(x for x in (self.grade, self.burden, *self.modifiers) if x)


def segments_with_plaque(vessels: Iterable[VesselRecord]) -> set[str]:
    """Return the SCCT segments (short names) whose plaque volume is above 0, for the segment involvement score."""
    known = {segment.short for segment in SEGMENTS}
    return {
        record.segment
        for vessel in vessels
        for record in vessel.segments
        if record.segment in known and (value_of(record, "total_plaque_volume").number or 0.0) > 0
    }


def plaque_burden(*, segments: int, calcium_score: float | None = None) -> tuple[str, str]:
    """Return the burden category and what it was told from.

    By segment involvement: P1 1–2, P2 3–4, P3 5–7, P4 ≥ 8; by calcium score, where given: P1 1–100, P2 101–300,
    P3 301–999, P4 ≥ 1000 (Agatston units, rounded to whole units).
    """
    if calcium_score is not None:
        if calcium_score < 0:
            raise QuantificationError("bad-calcium-score", "A calcium score cannot be below 0.")
        score = round(calcium_score)
        return next((name for least, name in _BY_CALCIUM if score >= least), ""), "calcium_score"
    return next((name for least, name in _BY_SEGMENTS if segments >= least), ""), "segment_involvement"


def cadrads2_of_patient(
    vessels: Sequence[VesselRecord],
    *,
    calcium_score: float | None = None,
    nondiagnostic: bool = False,
    ischaemia: bool = False,
    stent: bool = False,
    graft: bool = False,
    exception: bool = False,
) -> CadRads2:
    """Grade a patient from all that was measured of the vessels.

    Parameters
    ----------
    vessels : every measured vessel, with its lesions and segments (``records_of`` makes them from a table).
    calcium_score : Agatston units; where given the plaque burden is told from it.
    nondiagnostic : some segment cannot be read. Below a stenosis of 50 % the grade itself is then N; from 50 % on the
        grade stands and N is a modifier.
    ischaemia, stent, graft, exception : modifiers I, S, G and E, which no contour can tell.
    """
    lesions = [lesion for vessel in vessels for lesion in vessel.lesions]
    stenosis = {name: 0.0 for name in (*TERRITORIES, "LM")}
    for lesion in lesions:
        # The left main stands alone: it does not make the LAD a vessel with 70 %.
        place = "LM" if lesion.vessel == "LM" else territory_of(lesion.vessel)
        stenosis[place] = max(stenosis[place], _number(lesion.diameter_stenosis))
    segments = len(segments_with_plaque(vessels))
    grade = cadrads2(
        [stenosis[name] for name in TERRITORIES],
        left_main=stenosis["LM"],
        has_plaque=any(_number(lesion.total_plaque_volume) > 0 for lesion in lesions),
        occluded=any(lesion.cadrads is not None and lesion.cadrads.value == "5" for lesion in lesions),
    )
    obstructive = grade in ("3", "4A", "4B", "5")
    high_risk = any(_number(lesion.high_risk_features) >= FEATURES_FOR_HIGH_RISK for lesion in lesions)
    given = {
        "N": nondiagnostic and obstructive,
        "HRP": high_risk,
        "I": ischaemia,
        "S": stent,
        "G": graft,
        "E": exception,
    }
    burden, burden_by = plaque_burden(segments=segments, calcium_score=calcium_score)
    return CadRads2(
        grade="N" if nondiagnostic and not obstructive else grade,
        burden=burden,
        burden_by=burden_by,
        modifiers=tuple(name for name in MODIFIERS if given[name]),
        segments=segments,
    )


def _number(value: Value | None) -> float:
    """The number that was measured, 0 where there is none."""
    return (value.number or 0.0) if value else 0.0
