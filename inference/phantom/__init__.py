"""Digital coronary CT phantoms whose truth is exact. Everything made here is simulated."""

from .dicom import write_case, write_dicom
from .phantom import Phantom, generate
from .scenario import SCENARIOS, Scenario
from .truth import lesion_truth, soft_targets, truth_document

__all__ = [
    "SCENARIOS",
    "Phantom",
    "Scenario",
    "generate",
    "lesion_truth",
    "soft_targets",
    "truth_document",
    "write_case",
    "write_dicom",
]
