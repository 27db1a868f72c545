"""The field's vocabulary: SCCT segments, paths, territories, CAD-RADS, composition profiles, plaque stage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from inference.errors import QuantificationError

SEGMENT_SCHEME = "SCCT-18"


@dataclass(frozen=True)
class Segment:
    """One segment of the SCCT 18-segment model (Leipsic et al., J Cardiovasc Comput Tomogr 2014;8:342)."""

    number: int
    short: str
    artery: str
    name: str
    snomed: str


SEGMENTS = (
    Segment(1, "pRCA", "RCA", "proximal RCA", "91083009"),
    Segment(2, "mRCA", "RCA", "mid RCA", "450960006"),
    Segment(3, "dRCA", "RCA", "distal RCA", "41879009"),
    Segment(4, "R-PDA", "RCA", "posterior descending from the RCA", "53655008"),
    Segment(5, "LM", "LM", "left main", "3227004"),
    Segment(6, "pLAD", "LAD", "proximal LAD", "68787002"),
    Segment(7, "mLAD", "LAD", "mid LAD", "91748002"),
    Segment(8, "dLAD", "LAD", "distal LAD", "36672000"),
    Segment(9, "D1", "LAD", "first diagonal", "91750005"),
    Segment(10, "D2", "LAD", "second diagonal", "91751009"),
    Segment(11, "pLCx", "LCx", "proximal LCx", "52433000"),
    Segment(12, "OM1", "LCx", "first obtuse marginal", "91754001"),
    Segment(13, "mid-distal LCx", "LCx", "mid and distal LCx", "6511003"),
    Segment(14, "OM2", "LCx", "second obtuse marginal", "91755000"),
    Segment(15, "L-PDA", "LCx", "posterior descending from the LCx", "91760001"),
    Segment(16, "R-PLB", "RCA", "posterolateral branch from the RCA", "17269004"),
    Segment(17, "RI", "LCx", "ramus intermedius", "244252004"),
    Segment(18, "L-PLB", "LCx", "posterolateral branch from the LCx", "57823005"),
)

VESSELS = (
    "LM",
    "LAD",
    "D1",
    "D2",
    "LCx",
    "OM1",
    "OM2",
    "RI",
    "RCA",
    "R-PDA",
    "R-PLB",
    "L-PDA",
    "L-PLB",
    "AM",
)
TERRITORIES = ("LAD", "LCx", "RCA")
_TERRITORY = {
    "LM": "LAD",
    "LAD": "LAD",
    "D1": "LAD",
    "D2": "LAD",
    "LCx": "LCx",
    "OM1": "LCx",
    "OM2": "LCx",
    "RI": "LCx",
    "L-PDA": "LCx",
    "L-PLB": "LCx",
    "RCA": "RCA",
    "R-PDA": "RCA",
    "R-PLB": "RCA",
    "AM": "RCA",
}


def territory_of(vessel: str) -> str:
    """Return LAD, LCx or RCA: the left main counts in LAD, the ramus in LCx, the acute marginal in RCA."""
    try:
        return _TERRITORY[vessel]
    except KeyError:
        raise QuantificationError(
            "unknown-vessel", f"“{vessel}” is not one of {', '.join(VESSELS)}."
        ) from None


@dataclass(frozen=True)
class CompositionProfile:
    """Named, versioned HU limits; bins are half-open on the HU value.

    Parameters
    ----------
    low_attenuation_below, calcified_from : HU.
    corrected : whether low-attenuation is judged after partial-volume correction at lumen and fat borders.
    adaptive : whether the calcified limit rises with the lumen: max(350, m(s) + 2σ).
    """

    name: str
    version: int
    low_attenuation_below: float = 30.0
    calcified_from: float = 350.0
    corrected: bool = False
    adaptive: bool = False
    four_classes: bool = False


PROFILES = {
    p.name: p
    for p in (
        CompositionProfile("fixed", 1),
        CompositionProfile("corrected", 2, corrected=True),
        CompositionProfile("adaptive", 2, corrected=True, adaptive=True),
        # (−30, 75], (75, 130], (130, 350], > 350; calcified starts above 350.
        CompositionProfile("qangio", 1, calcified_from=math.nextafter(350.0, 351.0), four_classes=True),
    )
}


def profile_named(name: str) -> CompositionProfile:
    """Return a composition profile, or say which there are."""
    try:
        return PROFILES[name]
    except KeyError:
        raise QuantificationError(
            "unknown-profile", f"There is no composition profile “{name}”; there are {', '.join(PROFILES)}."
        ) from None


_LIN2022 = ((1.0, "0"), (25.0, "1"), (50.0, "2"), (70.0, "3"), (100.0, "4"))


def cadrads(stenosis_percent: float, *, occluded: bool = False, has_lesion: bool = True) -> str:
    """Grade a diameter stenosis by profile ``lin2022``, on the measured value, never rounded first.

    0 = no lesion or < 1; 1 = [1, 25); 2 = [25, 50); 3 = [50, 70); 4 = [70, 100); 5 = lumen closed.
    """
    if occluded:
        return "5"
    if not has_lesion:
        return "0"
    for limit, grade in _LIN2022:
        if stenosis_percent < limit:
            return grade
    return "5"


def cadrads2(
    worst_by_territory: Sequence[float],
    *,
    left_main: float,
    has_plaque: bool,
    occluded: bool = False,
) -> str:
    """Grade a patient by CAD-RADS 2.0 (Cury et al., 2022): 4A one or two vessels ≥ 70 %, 4B LM ≥ 50 % or three."""
    worst = max([*worst_by_territory, left_main, 0.0])
    if occluded or worst >= 100:
        return "5"
    if left_main >= 50 or sum(x >= 70 for x in worst_by_territory) >= 3:
        return "4B"
    if worst >= 70:
        return "4A"
    if worst >= 50:
        return "3"
    if worst >= 25:
        return "2"
    return "1" if worst >= 1 or has_plaque else "0"


def plaque_stage(total_plaque_volume_mm3: float) -> int:
    """Return the stage by total plaque volume: 0 none, 1 up to 250, 2 up to 750, 3 above (mm³)."""
    return sum(total_plaque_volume_mm3 > limit for limit in (0.0, 250.0, 750.0))


def plaque_stage_by_pav(percent_atheroma_volume: float) -> int:
    """Return the stage by percent atheroma volume: 0 none, 1 up to 5, 2 up to 15, 3 above (%)."""
    return sum(percent_atheroma_volume > limit for limit in (0.0, 5.0, 15.0))
