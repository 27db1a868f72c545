"""How far a segmentation's voxel volumes are from the volumes that its report states; read from the two files alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from inference.dicom.reading import read_report
from inference.errors import DicomObjectError

LEAST_MM3 = 20.0  # lesions from here on are held against their voxels, which miss by at most 0.18 % (docs/validation-inference.md)


@dataclass(frozen=True)
class Agreement:
    """One lesion's total plaque volume, mm³, as its contours and as its segment's voxels hold it."""

    vessel: str
    lesion: int
    contours_mm3: float
    voxels_mm3: float

    @property
    def error_percent(self) -> float:
        """By how much the voxels differ from the contours, % of the contours' volume."""
        return 100 * (self.voxels_mm3 / self.contours_mm3 - 1) if self.contours_mm3 else 0.0


def lesion_agreement(segmentation: Path, report: Path, *, least_mm3: float = LEAST_MM3) -> list[Agreement]:
    """Compare each lesion of at least ``least_mm3`` by its contours.

    Segments and measurements are matched by tracking UID. A lesion without a segment has a voxel volume of 0.

    Raises
    ------
    DicomObjectError
        ``wrong-segmentation``: the report is of another segmentation.
    """
    seg = pydicom.dcmread(segmentation)
    said = read_report(report)
    if seg.SOPInstanceUID != said.segmentation_uid:
        raise DicomObjectError(
            "wrong-segmentation",
            f"{report.name} is of another segmentation than {segmentation.name}.",
            report.name,
        )
    volumes = segment_volumes(seg)
    return [
        Agreement(m.vessel, m.lesion or 0, float(m.value), volumes.get(said.tracking[row][1], 0.0))
        for m in said.measurements
        if m.metric == "total_plaque_volume" and m.level == "lesion"
        for row in [(m.level, m.vessel, m.segment, m.lesion)]
        if isinstance(m.value, int | float) and m.value >= least_mm3
    ]


def segment_volumes(seg: Dataset) -> dict[str, float]:
    """Return the volume (mm³) of each segment's voxels by tracking UID, from a binary segmentation's pixels."""
    shared = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    voxel = float(np.prod([float(x) for x in (*shared.PixelSpacing, shared.SpacingBetweenSlices)]))
    bits = int(seg.Rows) * int(seg.Columns)
    pixels = np.frombuffer(seg.PixelData, np.uint8)
    counts = dict.fromkeys((int(x.SegmentNumber) for x in seg.SegmentSequence), 0)
    for n, frame in enumerate(seg.PerFrameFunctionalGroupsSequence):
        number = int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        first, after = n * bits, (n + 1) * bits
        held = np.unpackbits(pixels[first // 8 : -(-after // 8)], bitorder="little")
        counts[number] += int(held[first % 8 : first % 8 + bits].sum())
    return {str(x.TrackingUID): counts[int(x.SegmentNumber)] * voxel for x in seg.SegmentSequence}
