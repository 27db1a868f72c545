"""The scan: a DICOM CT series → HU and patient geometry (LPS, mm), and what its headers say of it."""

from inference.scan.contents import (
    FolderContents,
    FolderVolume,
    choose_volume,
    list_volumes,
    read_volume,
)
from inference.scan.series import read_series
from inference.scan.source import SourceSeries, read_source
from inference.scan.volume import Volume

__all__ = [
    "FolderContents",
    "FolderVolume",
    "SourceSeries",
    "Volume",
    "choose_volume",
    "list_volumes",
    "read_series",
    "read_source",
    "read_volume",
]
