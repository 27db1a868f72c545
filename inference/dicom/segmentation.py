"""DICOM SEG: binary segments on the CT series' own grid, each frame tied to the CT image that it lies on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from highdicom import PixelMeasuresSequence, PlaneOrientationSequence, SOPClass
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import SegmentationStorage

from inference.dicom.codes import LABELS
from inference.dicom.making import Making, describe, image_reference, new_object
from inference.dicom.segments import Segment
from inference.errors import DicomObjectError
from inference.scan import SourceSeries

SERIES_NUMBER = 8001  # ours, far above a scanner's
_PURPOSE = Code("121322", "DCM", "Source image for image processing operation")
_DERIVATION = Code("113076", "DCM", "Segmentation")


def make_segmentation(source: SourceSeries, segments: Sequence[Segment], making: Making) -> SOPClass:
    """Return a segmentation (Segmentation Storage, BINARY); frames without any voxel are left out.

    Raises
    ------
    DicomObjectError
        ``no-voxels``: there is no segment, so that there is nothing to write.
    """
    if not segments:
        raise DicomObjectError(
            "no-voxels", "No contour encloses a voxel of this series: there is nothing to segment."
        )
    made = new_object(
        source,
        making,
        sop_class=SegmentationStorage,
        modality="SEG",
        what="Coronary plaque",
        number=SERIES_NUMBER,
    )
    made.ImageType = ["DERIVED", "PRIMARY"]
    made.ContentLabel = "RESEARCH"
    made.ContentDescription = describe(source, "Coronary plaque segments")
    made.ContentCreatorName = None
    made.FrameOfReferenceUID, made.PositionReferenceIndicator = source.frame_uid, ""
    made.update(source.lossy)
    _reference(made, source)
    _describe_pixels(made, source)
    _describe_segments(made, segments, making)
    _lay_frames(made, source, segments, making)
    return made


def _reference(made: SOPClass, source: SourceSeries) -> None:
    """Name the CT series and all its images."""
    series = Dataset()
    series.SeriesInstanceUID = source.series_uid
    series.ReferencedInstanceSequence = [image_reference(uid) for uid in source.image_uids]
    made.ReferencedSeriesSequence = [series]


def _describe_pixels(made: SOPClass, source: SourceSeries) -> None:
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = source.rows, source.columns
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 1, 1, 0, 0
    shared = Dataset()
    shared.PixelMeasuresSequence = PixelMeasuresSequence(
        pixel_spacing=source.pixel_spacing,
        slice_thickness=round(source.slice_mm, 6),
        spacing_between_slices=round(source.slice_mm, 6),
    )
    shared.PlaneOrientationSequence = PlaneOrientationSequence(
        coordinate_system="PATIENT", image_orientation=source.orientation.tolist()
    )
    made.SharedFunctionalGroupsSequence = [shared]


def _describe_segments(made: SOPClass, segments: Sequence[Segment], making: Making) -> None:
    kind = (
        SegmentAlgorithmTypeValues.AUTOMATIC if making.automatic else SegmentAlgorithmTypeValues.SEMIAUTOMATIC
    )
    items = []
    for number, segment in enumerate(segments, start=1):
        label = LABELS[segment.label]
        item = SegmentDescription(
            segment_number=number,
            segment_label=segment.name,
            segmented_property_category=label.category,
            segmented_property_type=label.kind,
            algorithm_type=kind,
            algorithm_identification=making.for_segment(),
            tracking_uid=segment.tracking_uid,
            tracking_id=segment.name,
            anatomic_regions=[segment.site],
            display_color=CIELabColor(*label.colour),
        )
        if label.modifier:
            kind_item = item.SegmentedPropertyTypeCodeSequence[0]
            kind_item.SegmentedPropertyTypeModifierCodeSequence = [CodedConcept.from_code(label.modifier)]
        items.append(item)
    made.SegmentationType = "BINARY"
    made.SegmentsOverlap = "YES"
    made.SegmentSequence = items


def _lay_frames(made: SOPClass, source: SourceSeries, segments: Sequence[Segment], making: Making) -> None:
    """Fill dimensions, per-frame groups and pixels: frames by segment, then along the slices."""
    made.DimensionOrganizationSequence, made.DimensionIndexSequence = _dimensions(making)
    plane = source.rows * source.columns
    slices = [np.unique(segment.keys // plane) for segment in segments]
    counts = [len(x) for x in slices]
    firsts = np.cumsum([0, *counts])
    pixels = np.zeros(-(-int(firsts[-1]) * plane // 8), np.uint8)
    for segment, used, first in zip(segments, slices, firsts, strict=False):
        frame = first + np.searchsorted(used, segment.keys // plane)
        bit = frame * plane + segment.keys % plane
        np.bitwise_or.at(pixels, bit >> 3, (1 << (bit & 7)).astype(np.uint8))
    made.NumberOfFrames = int(firsts[-1])
    made.PixelData = pixels.tobytes() + b"\0" * (len(pixels) % 2)
    made["PixelData"].VR = "OB"
    places = {k: _place(source, k) for k in np.unique(np.concatenate(slices)).tolist()}
    order = {k: n for n, k in enumerate(places, start=1)}
    made.PerFrameFunctionalGroupsSequence = [
        _frame(places[k], number, order[k])
        for number, used in enumerate(slices, start=1)
        for k in used.tolist()
    ]


def _dimensions(making: Making) -> tuple[list[Dataset], list[Dataset]]:
    organization = Dataset()
    organization.DimensionOrganizationUID = making.uid("dimensions")
    items = []
    for pointer, group, said in (
        (0x0062000B, 0x0062000A, "Segment Number"),
        (0x00200032, 0x00209113, "Image Position Patient"),
    ):
        item = Dataset()
        item.DimensionOrganizationUID = organization.DimensionOrganizationUID
        item.DimensionIndexPointer, item.FunctionalGroupPointer = pointer, group
        item.DimensionDescriptionLabel = said
        items.append(item)
    return [organization], items


def _place(source: SourceSeries, k: int) -> tuple[list[Dataset], list[Dataset]]:
    """Plane position and derivation of frames on slice ``k``."""
    position = Dataset()
    position.ImagePositionPatient = [f"{x:.10g}" for x in source.positions[k]]
    image = image_reference(source.image_uids[source.nearest[k]])
    image.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(_PURPOSE)]
    image.SpatialLocationsPreserved = "YES"
    derivation = Dataset()
    derivation.DerivationCodeSequence = [CodedConcept.from_code(_DERIVATION)]
    derivation.SourceImageSequence = [image]
    return [position], [derivation]


def _frame(place: tuple[list[Dataset], list[Dataset]], number: int, position: int) -> Dataset:
    """Functional groups of one frame."""
    content, identification, out = Dataset(), Dataset(), Dataset()
    content.DimensionIndexValues = [number, position]
    identification.ReferencedSegmentNumber = number
    out.FrameContentSequence = [content]
    out.PlanePositionSequence, out.DerivationImageSequence = place
    out.SegmentIdentificationSequence = [identification]
    return out
