"""An analysis → ``segmentation.dcm`` and ``report.dcm``."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from inference.analysis import Analysis
from inference.composition_profiles import profile_named
from inference.dicom.labels import voxelise
from inference.dicom.making import Making
from inference.dicom.report import make_report
from inference.dicom.segmentation import make_segmentation
from inference.dicom.segments import segments_of
from inference.dicom.voxels import Grid
from inference.scan import SourceSeries, Volume

SEGMENTATION, REPORT = "segmentation.dcm", "report.dcm"


@dataclass(frozen=True)
class DicomObjects:
    """A segmentation and the report that refers to it."""

    segmentation: Dataset
    report: Dataset

    def save(self, folder: Path) -> None:
        """Write ``segmentation.dcm`` and ``report.dcm`` into an existing folder."""
        for name, made in ((SEGMENTATION, self.segmentation), (REPORT, self.report)):
            made.save_as(folder / name, enforce_file_format=True)


def export(
    analysis: Analysis,
    volume: Volume,
    source: SourceSeries,
    *,
    created: dt.datetime | None = None,
) -> DicomObjects:
    """Turn an analysis into a DICOM segmentation and a DICOM report.

    Parameters
    ----------
    analysis : vessels, contours and measurements of ``volume``. source : the series that the volume was read from.
    created : date and time of the objects; by default now.

    Raises
    ------
    DicomObjectError
        Nothing lies inside the scan, or a row of the table has no code.
    """
    making = making_of(analysis, source, created)
    profile = profile_named(analysis.versions["profile"].split("/")[0])
    grid = Grid.of(volume)
    found = [
        voxelise(vessel, read, profile, grid, imaging=analysis.imaging)
        for vessel, read in zip(analysis.vessels, analysis.reads, strict=True)
    ]
    segments = segments_of(found, analysis.measurements, making)
    segmentation = make_segmentation(source, segments, making)
    report = make_report(source, segmentation, segments, analysis.measurements, making)
    return DicomObjects(segmentation, report)


def making_of(analysis: Analysis, source: SourceSeries, created: dt.datetime | None = None) -> Making:
    """Return what made an analysis; contours that did not come from the network make it semi-automatic."""
    versions = analysis.versions
    contours = hashlib.sha256("".join(read.contours.sha256 for read in analysis.reads).encode())
    return Making(
        network=versions["model"],
        weights_sha256=versions["weights_sha256"],
        parameters={name: versions[name] for name in ("profile", "volume_sha256", "settings_sha256")},
        content_sha256=contours.hexdigest(),
        series_uid=source.series_uid,
        code_version=versions.get("code_version", ""),
        automatic=all(read.contours.provenance.get("source") == "network" for read in analysis.reads),
        created=created or dt.datetime.now(),
    )
