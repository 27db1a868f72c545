"""An analysis as DICOM: a segmentation on the CT's own grid, and a structured report of its measurements.

Here is what is written, and what reads exactly that again; the CT series itself is read by ``inference.scan``.
"""

from inference.dicom.agreement import Agreement, lesion_agreement
from inference.dicom.export import DicomObjects, export
from inference.dicom.reading import Report, read_report

__all__ = ["Agreement", "DicomObjects", "Report", "export", "lesion_agreement", "read_report"]
