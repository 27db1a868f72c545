"""An analysis as DICOM: a segmentation on the CT's own grid, and a structured report of its measurements."""

from inference.dicom.agreement import Agreement, lesion_agreement
from inference.dicom.export import DicomObjects, export
from inference.dicom.reading import Report, read_report
from inference.dicom.source import SourceSeries, read_source

__all__ = [
    "Agreement",
    "DicomObjects",
    "Report",
    "SourceSeries",
    "export",
    "lesion_agreement",
    "read_report",
    "read_source",
]
