"""Contours + HU + profile → measurements; lesions; stenosis; patient roll-up."""

from __future__ import annotations

import numpy as np

from inference.composition_profiles import CompositionProfile
from inference.quantification.aorta import AorticRegion, aortic_region
from inference.quantification.cadrads2 import CadRads2, cadrads2_of_patient
from inference.quantification.calcium import Calibration, calibration
from inference.quantification.composition import PlaqueCells, plaque_cells
from inference.quantification.composition import composition_map as _map
from inference.quantification.imaging import UNKNOWN, Imaging
from inference.quantification.lesions import (
    find_lesions,
    fit_normal_wall,
    mark_plaque,
    mark_whole_wall,
    outside,
    sections_inside,
)
from inference.quantification.measure import VARIANTS, lesion_references, measure, quantify
from inference.quantification.records import (
    LesionRecord,
    StretchRecord,
    Value,
    VesselRecord,
    records_of,
    value_of,
    values_of,
)
from inference.quantification.roll_up import roll_up, roll_up_records
from inference.quantification.sections import lumen_attenuation, measure_sections
from inference.quantification.stenosis import Reference
from inference.quantification.types import Lesion, Measurement, NormalWall, VesselRead
from inference.straightening import StraightenedVessel

__all__ = [
    "UNKNOWN",
    "VARIANTS",
    "AorticRegion",
    "CadRads2",
    "Calibration",
    "Imaging",
    "Lesion",
    "LesionRecord",
    "Measurement",
    "NormalWall",
    "PlaqueCells",
    "Reference",
    "StretchRecord",
    "Value",
    "VesselRead",
    "VesselRecord",
    "aortic_region",
    "cadrads2_of_patient",
    "calibration",
    "composition_map",
    "curves_along",
    "find_lesions",
    "fit_normal_wall",
    "lesion_references",
    "lumen_attenuation",
    "mark_plaque",
    "mark_whole_wall",
    "measure",
    "measure_sections",
    "outside",
    "plaque_cells",
    "quantify",
    "records_of",
    "roll_up",
    "roll_up_records",
    "sections_inside",
    "value_of",
    "values_of",
]


def composition_map(
    vessel: StraightenedVessel,
    read: VesselRead,
    profile: CompositionProfile,
    imaging: Imaging = UNKNOWN,
) -> np.ndarray:
    """Return what the viewer lays over the image: (S, 64, 64) uint8, 0 none, 1 low-attenuation, 2 non-calcified, 3 calcified."""
    return _map(vessel, read.contours, profile, imaging)


def curves_along(vessel: StraightenedVessel, read: VesselRead) -> dict[str, np.ndarray]:
    """Return lumen, wall and plaque area (mm²) and lumen diameter (mm) of every section (S,)."""
    sections = measure_sections(vessel, read.contours)
    return {
        "lumen_area": sections.smooth_lumen_area,
        "wall_area": sections.wall_area,
        "plaque_area": sections.plaque_area,
        "lumen_diameter": sections.lumen_diameter,
    }
