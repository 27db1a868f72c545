"""The metrics that can be compared: label, unit, and how lesions add up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A continuous metric of the measurement table.

    zero_when_absent : whether a lesion that a read does not have counts as 0 of it (volumes, stenosis),
        or as nothing at all (areas and diameters of the lumen).
    """

    name: str
    label: str
    unit: str
    zero_when_absent: bool = True
    levels: tuple[str, ...] = ("lesion", "vessel", "territory", "patient")


METRICS = {
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
        Metric("diameter_stenosis", "Diameter stenosis", "%"),
        Metric("area_stenosis", "Area stenosis", "%", levels=("lesion",)),
        Metric(
            "minimal_luminal_area", "Minimal luminal area", "mm²", zero_when_absent=False, levels=("lesion",)
        ),
        Metric(
            "minimal_luminal_diameter",
            "Minimal luminal diameter",
            "mm",
            zero_when_absent=False,
            levels=("lesion",),
        ),
        Metric("lesion_length", "Lesion length", "mm", levels=("lesion",)),
    )
}
LEVELS = {"lesion": "Lesion", "vessel": "Vessel", "territory": "Territory", "patient": "Patient"}
CADRADS_LEVELS = (0, 1, 2, 3, 4, 5)
