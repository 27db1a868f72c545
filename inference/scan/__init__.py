"""The scan: a DICOM CT series → HU and patient geometry (LPS, mm), and what its headers say of it."""

from inference.scan.series import read_series
from inference.scan.source import SourceSeries, read_source
from inference.scan.volume import Volume

__all__ = ["SourceSeries", "Volume", "read_series", "read_source"]
