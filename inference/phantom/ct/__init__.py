"""A phantom's scene imaged by CT physics: materials, a polychromatic fan beam, quantum noise, filtered back-projection."""

from .attenuation import VOLTAGES, Beam, beam
from .materials import Materials, at_voltage, materials_of, without_calcium
from .scan import CtSettings, draw_ct, scan_materials

__all__ = [
    "VOLTAGES",
    "Beam",
    "CtSettings",
    "Materials",
    "at_voltage",
    "beam",
    "draw_ct",
    "materials_of",
    "scan_materials",
    "without_calcium",
]
