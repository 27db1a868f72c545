"""The metrics of the measurement tables: name, label, unit, digits printed, and how an absent lesion counts.

What the statistics need of the field's words, and no more; a house test holds it equal to ``inference.vocabulary``.
"""

from __future__ import annotations

from dataclasses import dataclass

from analytics.errors import AnalyticsError

LEVELS = ("lesion", "vessel", "territory", "patient")
"""From the smallest unit to the largest. A vessel is one path; a territory is LAD, LCx or RCA."""

TERRITORIES = ("LAD", "LCx", "RCA")
TERRITORY_OF: dict[str, str] = {
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
"""Where each vessel counts. RI is the ramus intermedius."""
VESSELS = tuple(TERRITORY_OF)
CADRADS_CATEGORIES = (0, 1, 2, 3, 4, 5)  # CAD-RADS 2.0

LESION = ("lesion",)


@dataclass(frozen=True)
class Metric:
    """A continuous metric.

    Parameters
    ----------
    unit : as printed, empty for a ratio
    digits : decimals printed
    zero_when_absent : whether a lesion that a read does not have counts as 0 of it (volumes, burdens,
        stenosis), or as nothing at all (areas and diameters of the lumen)
    levels : where it exists
    borders : values over which printing never rounds, because a grade changes there
    """

    name: str
    label: str
    unit: str
    digits: int = 1
    zero_when_absent: bool = True
    levels: tuple[str, ...] = LEVELS
    borders: tuple[float, ...] = ()

    @property
    def heading(self) -> str:
        """``Total plaque volume (mm³)``."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("total_plaque_volume", "Total plaque volume", "mm³"),
        Metric("noncalcified_plaque_volume", "Non-calcified plaque volume", "mm³"),
        Metric("calcified_plaque_volume", "Calcified plaque volume", "mm³"),
        Metric("low_attenuation_plaque_volume", "Low-attenuation plaque volume", "mm³"),
        Metric("vessel_volume", "Vessel volume", "mm³", zero_when_absent=False),
        Metric("lumen_volume", "Lumen volume", "mm³", zero_when_absent=False),
        Metric("total_plaque_burden", "Total plaque burden", "%"),
        Metric("noncalcified_plaque_burden", "Non-calcified plaque burden", "%"),
        Metric("calcified_plaque_burden", "Calcified plaque burden", "%"),
        Metric("low_attenuation_plaque_burden", "Low-attenuation plaque burden", "%"),
        Metric("percent_atheroma_volume", "Percent atheroma volume", "%", levels=LEVELS[1:]),
        Metric("diameter_stenosis", "Diameter stenosis", "%", borders=(1.0, 25.0, 50.0, 70.0, 100.0)),
        Metric("diameter_stenosis_feret", "Diameter stenosis, minimum Feret diameter", "%"),
        Metric("area_stenosis", "Area stenosis", "%"),
        Metric("minimal_luminal_area", "Minimal luminal area", "mm²", 2, zero_when_absent=False),
        Metric("reference_luminal_area", "Reference luminal area", "mm²", 2, False, LESION),
        Metric("minimal_luminal_diameter", "Minimal luminal diameter", "mm", 2, zero_when_absent=False),
        Metric("reference_luminal_diameter", "Reference luminal diameter", "mm", 2, False, LESION),
        Metric("remodelling_index", "Remodelling index", "", 2, False, LESION),
        Metric("lesion_length", "Lesion length", "mm", 1, True, LESION),
        Metric("contrast_density_difference", "Contrast density difference", "%", 1, False, LESION),
        Metric(
            "pericoronary_fat_attenuation", "Pericoronary fat attenuation", "HU", 1, zero_when_absent=False
        ),
        Metric("calcified_plaque_mass", "Calcified plaque mass", "mg", 2),
        Metric("calcified_plaque_volume_integrated", "Calcified plaque volume, integrated", "mm³"),
        Metric("necrotic_core_volume", "Necrotic core volume", "mm³"),
        Metric("fibrofatty_volume", "Fibro-fatty volume", "mm³"),
        Metric("fibrous_volume", "Fibrous volume", "mm³"),
        Metric("dense_calcium_volume", "Dense calcium volume", "mm³"),
        Metric("high_risk_features", "High-risk plaque features", "", 0),
        Metric("plaque_stage", "Plaque stage", "", 0, levels=("patient",)),
    )
}

TABLE_METRICS = (
    "total_plaque_volume",
    "noncalcified_plaque_volume",
    "calcified_plaque_volume",
    "low_attenuation_plaque_volume",
    "vessel_volume",
    "diameter_stenosis",
    "total_plaque_burden",
    "noncalcified_plaque_burden",
    "calcified_plaque_burden",
    "low_attenuation_plaque_burden",
)
"""The ten metrics of the paper's Table (Lin et al. 2022), in its order."""


def metric(name: str) -> Metric:
    """Return the metric of that name. Raises AnalyticsError for one that does not exist."""
    if name not in METRICS:
        raise AnalyticsError(f"There is no metric {name!r}; there are {', '.join(METRICS)}.")
    return METRICS[name]
