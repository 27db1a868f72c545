"""Acquisition facts of a de-identified series, in the words that the exam page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# fact → (keyword, kind)
_FACTS: tuple[tuple[str, str, type], ...] = (
    ("manufacturer", "Manufacturer", str),
    ("model", "ManufacturerModelName", str),
    ("software", "SoftwareVersions", str),
    ("body_part", "BodyPartExamined", str),
    ("series_description", "SeriesDescription", str),
    ("protocol", "ProtocolName", str),
    ("kvp", "KVP", float),
    ("tube_current_ma", "XRayTubeCurrent", float),
    ("exposure_mas", "Exposure", float),
    ("ctdi_vol_mgy", "CTDIvol", float),
    ("kernel", "ConvolutionKernel", str),
    ("slice_thickness_mm", "SliceThickness", float),
    ("reconstruction_diameter_mm", "ReconstructionDiameter", float),
    ("gantry_tilt_deg", "GantryDetectorTilt", float),
    ("contrast_agent", "ContrastBolusAgent", str),
    ("heart_rate_bpm", "HeartRate", float),
    ("phase_percent", "NominalPercentageOfCardiacPhase", float),
    ("patient_position", "PatientPosition", str),
)


def acquisition_facts(image: Dataset, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that the header states, with the volume's own metadata beside them."""
    from inference.scan.values import number  # noqa: PLC0415  loads SciPy and numba, which few pages need

    facts: dict[str, Any] = {}
    for name, keyword, kind in _FACTS:
        value = image.get(keyword)
        if value in (None, ""):
            continue
        if kind is float:
            one = number(image, keyword)
            if one is not None:
                facts[name] = one
        else:
            facts[name] = str(value) if isinstance(value, str) else "\\".join(map(str, value))
    for name, value in metadata.items():
        facts.setdefault(name, value)
    return facts


_LABELS = {
    "kvp": "Tube voltage, kV",
    "tube_current_ma": "Tube current, mA",
    "exposure_mas": "Exposure, mAs",
    "ctdi_vol_mgy": "CTDIvol, mGy",
    "slice_thickness_mm": "Slice thickness, mm",
    "spacing_mm": "Voxel spacing, mm",
    "heart_rate_bpm": "Heart rate, /min",
    "phase_percent": "Cardiac phase, % of RR",
    "reconstruction_diameter_mm": "Reconstruction diameter, mm",
    "gantry_tilt_deg": "Gantry tilt, °",
}


def fact_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts as labelled rows for a page; lists are joined, numbers shortened."""
    rows = []
    for name, value in facts.items():
        if value in (None, "", [], {}):
            continue
        label = _LABELS.get(name, name.replace("_", " ").capitalize())
        rows.append((label, _shown(value)))
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return " × ".join(_shown(one) for one in value)
    return str(value)
