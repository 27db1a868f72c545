"""The field's words: SCCT segments, vessels, territories, and every metric with what is true of it everywhere.

A metric is added here and nowhere else: tables, DICOM reports, pages and the viewer read its unit, digits, code and
roll-up from this table. ``analytics/metrics.py`` keeps what the statistics need; a house test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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

    @property
    def territory(self) -> str:
        """LAD, LCx or RCA: where the segment's artery counts."""
        return territory_of(self.artery)


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

TERRITORIES = ("LAD", "LCx", "RCA")
TERRITORY_OF: Mapping[str, str] = {
    "LM": "LAD",
    "LAD": "LAD",
    "D1": "LAD",
    "D2": "LAD",
    "LCx": "LCx",
    "OM1": "LCx",
    "OM2": "LCx",
    "RI": "LCx",
    "RCA": "RCA",
    "R-PDA": "RCA",
    "R-PLB": "RCA",
    "L-PDA": "LCx",
    "L-PLB": "LCx",
    "AM": "RCA",
}
"""Where each vessel counts: the left main in LAD, the ramus (RI) in LCx, the acute marginal in RCA."""
VESSELS = tuple(TERRITORY_OF)
"""A vessel is one path: it ends where a branch or a bifurcation begins the next."""


def territory_of(vessel: str) -> str:
    """Return LAD, LCx or RCA: the left main counts in LAD, the ramus in LCx, the acute marginal in RCA."""
    try:
        return TERRITORY_OF[vessel]
    except KeyError:
        raise QuantificationError(
            "unknown-vessel", f"“{vessel}” is not one of {', '.join(VESSELS)}."
        ) from None


OWN_SCHEME = "99PLAQUELAB"
RollUp = Literal["sum", "ratio", "highest", "lowest", "stage", "none"]
LEVELS = ("lesion", "segment", "vessel", "territory", "patient")
_STRETCHES = LEVELS[1:]
CADRADS_LIMITS = (1.0, 25.0, 50.0, 70.0, 100.0)
"""Diameter stenosis (%) from which CAD-RADS 1, 2, 3, 4 (minimal, mild, moderate, severe) begin, and where the lumen is closed."""


@dataclass(frozen=True)
class Coded:
    """A code of DICOM (DCM), SNOMED CT (SCT) or our own scheme."""

    value: str
    scheme: str
    meaning: str


def _own(value: str, meaning: str) -> Coded:
    return Coded(value, OWN_SCHEME, meaning)


@dataclass(frozen=True)
class Metric:
    """What is measured, and how it is called, printed, coded and rolled up everywhere.

    Parameters
    ----------
    name : in the ``metric`` column of every table, in code and in files.
    label, short : for pages and for the heads of narrow columns. note : what a label alone does not say.
    unit : as stored beside the value; ``printed_unit`` is what people see.
    digits : decimals printed for people; files keep full precision.
    borders : values (same unit) over which printing never rounds, because a grade changes there.
    code, derivation, method : what it is in DICOM; which of many values (minimum); how it was measured.
    roll_up : how vessels, territories and patients follow from their parts: the sum, the ratio of two sums, the
        highest or the lowest lesion, the stage of the total, or nothing.
    ratio : numerator and denominator of a ratio, as names of metrics.
    levels : of our own measurements; an imported read may roll up more.
    zero_when_absent : whether a place without lesion counts as 0 of it, or as nothing at all.
    four_classes : measured by composition profiles of four classes alone.
    """

    name: str
    label: str
    short: str
    unit: str
    digits: int
    code: Coded
    derivation: Coded | None = None
    method: Coded | None = None
    roll_up: RollUp = "none"
    ratio: tuple[str, str] | None = None
    levels: tuple[str, ...] = LEVELS
    zero_when_absent: bool = True
    four_classes: bool = False
    borders: tuple[float, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if (self.roll_up == "ratio") != (self.ratio is not None):
            raise ValueError(f"{self.name}: a ratio, and nothing else, names what is divided by what")

    @property
    def printed_unit(self) -> str:
        """The unit as people see it: nothing for a ratio, a count, a category or a stage."""
        return "" if self.unit in ("1", "category", "stage", "count") else self.unit

    @property
    def heading(self) -> str:
        """``Total plaque volume (mm³)``."""
        return f"{self.label} ({self.printed_unit})" if self.printed_unit else self.label


_MINIMUM = Coded("255605001", "SCT", "Minimum")
_STENOSIS = Coded("408715008", "SCT", "Lumen Diameter Stenosis")
_LESION = ("lesion",)


# fmt: off
def _volume(name: str, label: str, short: str, code: Coded, *, note: str = "", zero: bool = True, four: bool = False) -> Metric:
    return Metric(name, label, short, "mm³", 1, code, roll_up="sum", note=note, zero_when_absent=zero, four_classes=four)


def _ratio(name: str, label: str, short: str, code: Coded, volume: str, levels: tuple[str, ...] = LEVELS) -> Metric:
    return Metric(name, label, short, "%", 1, code, roll_up="ratio", ratio=(volume, "vessel_volume"), levels=levels)


def _along(name: str, label: str, short: str, code: str) -> Metric:
    return Metric(name, label, short, "mm", 1, _own(code, f"{label} along the centreline"), levels=_LESION)


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        _along("lesion_start", "Lesion start", "From", "START"),
        _along("lesion_end", "Lesion end", "To", "END"),
        _along("lesion_length", "Lesion length", "Length", "LENGTH"),
        Metric("diameter_stenosis", "Diameter stenosis", "DS", "%", 1, _STENOSIS,
               method=Coded("122651", "DCM", "Diameter Based Method"), roll_up="highest", borders=CADRADS_LIMITS),
        Metric("diameter_stenosis_feret", "Diameter stenosis, minimum Feret diameter", "DS Feret", "%", 1, _STENOSIS,
               method=_own("FERET", "Minimum Feret diameter"), roll_up="highest", levels=_LESION),
        Metric("area_stenosis", "Area stenosis", "AS", "%", 1, Coded("408714007", "SCT", "Lumen Area Stenosis"),
               method=Coded("122650", "DCM", "Area Based Method"), roll_up="highest", levels=_LESION),
        Metric("minimal_luminal_area", "Minimal luminal area", "MLA", "mm²", 2, Coded("397415007", "SCT", "Vessel lumen cross-sectional area"),
               derivation=_MINIMUM, roll_up="lowest", zero_when_absent=False),
        Metric("minimal_luminal_diameter", "Minimal luminal diameter", "MLD", "mm", 2, Coded("397413000", "SCT", "Vessel lumen diameter"),
               derivation=_MINIMUM, roll_up="lowest", levels=_LESION, zero_when_absent=False),
        Metric("reference_luminal_diameter", "Reference luminal diameter", "Ref. D", "mm", 2, _own("RLD", "Reference luminal diameter"),
               levels=_LESION, zero_when_absent=False),
        Metric("reference_luminal_area", "Reference luminal area", "Ref. A", "mm²", 2, _own("RLA", "Reference luminal area"),
               levels=_LESION, zero_when_absent=False),
        _volume("total_plaque_volume", "Total plaque volume", "Total plaque", Coded("122376", "DCM", "Total Plaque Volume")),
        _volume("noncalcified_plaque_volume", "Non-calcified plaque volume", "Non-calc.", _own("NCPV", "Non-calcified plaque volume"),
                note="contains low-attenuation"),
        _volume("calcified_plaque_volume", "Calcified plaque volume", "Calcified", _own("CPV", "Calcified plaque volume")),
        _volume("low_attenuation_plaque_volume", "Low-attenuation plaque volume", "Low-att.", _own("LAPV", "Low-attenuation plaque volume"),
                note="part of non-calcified"),
        Metric("calcified_plaque_mass", "Calcified plaque mass", "Calcium", "mg", 2, _own("CPM", "Calcified plaque mass, hydroxyapatite"),
               roll_up="sum", note="hydroxyapatite, integrated, no threshold"),
        _volume("calcified_plaque_volume_integrated", "Calcified plaque volume, integrated", "Calc. int.",
                _own("CPVI", "Calcified plaque volume, integrated"), note="no threshold"),
        _volume("necrotic_core_volume", "Necrotic core volume", "Necrotic", _own("NCV", "Necrotic core volume"), four=True),
        _volume("fibrofatty_volume", "Fibro-fatty volume", "Fibro-fatty", _own("FFV", "Fibro-fatty plaque volume"), four=True),
        _volume("fibrous_volume", "Fibrous volume", "Fibrous", _own("FV", "Fibrous plaque volume"), four=True),
        _volume("dense_calcium_volume", "Dense calcium volume", "Dense calc.", _own("DCV", "Dense calcium volume"), four=True),
        _ratio("total_plaque_burden", "Total plaque burden", "Burden", Coded("122354", "DCM", "Plaque Burden"), "total_plaque_volume"),
        _ratio("noncalcified_plaque_burden", "Non-calcified plaque burden", "NC burden", _own("NCPB", "Non-calcified plaque burden"),
               "noncalcified_plaque_volume"),
        _ratio("calcified_plaque_burden", "Calcified plaque burden", "C burden", _own("CPB", "Calcified plaque burden"),
               "calcified_plaque_volume"),
        _ratio("low_attenuation_plaque_burden", "Low-attenuation plaque burden", "LA burden", _own("LAPB", "Low-attenuation plaque burden"),
               "low_attenuation_plaque_volume"),
        _ratio("percent_atheroma_volume", "Percent atheroma volume", "PAV", _own("PAV", "Percent atheroma volume"),
               "total_plaque_volume", _STRETCHES),
        _volume("vessel_volume", "Vessel volume", "Vessel", Coded("122371", "DCM", "EEM Volume"), zero=False),
        _volume("lumen_volume", "Lumen volume", "Lumen", Coded("122372", "DCM", "Lumen Volume"), zero=False),
        # "RI" is the ramus intermedius.
        Metric("remodelling_index", "Remodelling index", "Remod.", "1", 2, Coded("122345", "DCM", "Remodeling Index"),
               levels=_LESION, zero_when_absent=False, note="1.1 and more: positive"),
        Metric("contrast_density_difference", "Contrast density difference", "CDD", "%", 1, _own("CDD", "Contrast density difference"),
               levels=_LESION, zero_when_absent=False),
        Metric("pericoronary_fat_attenuation", "Pericoronary fat attenuation", "FAI", "HU", 1,
               Coded("130408", "DCM", "Perivascular adipose tissue fat attenuation index"), levels=("vessel",), zero_when_absent=False),
        Metric("cadrads", "CAD-RADS", "CAD-RADS", "category", 0, Coded("130720", "DCM", "Coronary Artery Disease Assessment"),
               roll_up="highest"),
        Metric("high_risk_features", "High-risk plaque features", "HRP", "count", 0, _own("HRF", "Number of high-risk plaque features"),
               roll_up="highest", note="two and more: high-risk plaque"),
        Metric("plaque_stage", "Plaque stage", "Plaque stage", "stage", 0, _own("STAGE", "Plaque stage by total plaque volume"),
               roll_up="stage", levels=("patient",)),
    )
}
# fmt: on
"""In the order of a lesion's table in the viewer."""

UNITS: Mapping[str, str] = {metric.name: metric.unit for metric in METRICS.values()}


def rolling(roll_up: RollUp, level: str) -> list[Metric]:
    """Return the metrics that our own tables roll up to a level in one way."""
    return [m for m in METRICS.values() if m.roll_up == roll_up and level in m.levels]
