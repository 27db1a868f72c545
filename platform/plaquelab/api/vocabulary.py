"""Which metrics the viewer shows, and how it writes them: the vocabulary's words, sent once a case."""

from __future__ import annotations

from typing import Any

from inference.composition_profiles import profile_named
from inference.vocabulary import METRICS, Metric

IN_OTHER_COLUMNS = ("lesion_start", "lesion_end", "cadrads", "percent_atheroma_volume")
"""Of lesions and vessels, but not columns of their own: from–to stands beside the number, PAV is the vessel's burden."""
OF_THE_PATIENT = (
    "cadrads",
    "plaque_stage",
    "diameter_stenosis",
    "total_plaque_volume",
    "noncalcified_plaque_volume",
    "calcified_plaque_volume",
    "low_attenuation_plaque_volume",
    "percent_atheroma_volume",
)


def columns(profile: str) -> dict[str, list[dict[str, Any]]]:
    """Return the lesion table's columns and the patient's items, in their order.

    Parameters
    ----------
    profile : composition profile of the read; one of four classes has columns for them.
    """
    four = profile_named(profile).four_classes
    of_lesions = [
        metric
        for metric in METRICS.values()
        if {"lesion", "vessel"} & set(metric.levels)
        and metric.name not in IN_OTHER_COLUMNS
        and (four or not metric.four_classes)
    ]
    return {
        "lesion": [_column(metric) for metric in of_lesions],
        "patient": [_column(METRICS[name], of_patient=True) for name in OF_THE_PATIENT],
    }


def _column(metric: Metric, *, of_patient: bool = False) -> dict[str, Any]:
    """``ranged``: whether the value with both contours moved stands beside it as a range."""
    short, label = metric.short, metric.label
    if of_patient and metric.roll_up == "highest" and metric.printed_unit:
        short, label = f"Worst {short}", f"Worst {label[:1].lower()}{label[1:]}"
    return {
        "metric": metric.name,
        "short": short,
        "label": f"{label} ({metric.note})" if metric.note else label,
        "unit": metric.printed_unit,
        "digits": metric.digits,
        "borders": list(metric.borders),
        "ranged": metric.unit not in ("category", "stage", "count"),
    }
