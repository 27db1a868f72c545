"""DICOM SR: a Comprehensive 3D SR after TID 1500, one measurement group for every row of the table.

A lesion's group is a volumetric region (TID 1411) that names its segment of the segmentation; the groups of segments,
vessels, territories and the patient (TID 1501) name the segments of lumen and wall. Each group says by codes of our own
which row it is, so that the table can be read back (``reading``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from highdicom import SOPClass
from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    ContainerContentItem,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    ImageContentItem,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    NumContentItem,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    ReferencedSegment,
    RelationshipTypeValues,
    SourceSeriesForSegmentation,
    TextContentItem,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from highdicom.sr import Measurement as Num
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import Comprehensive3DSRStorage, CTImageStorage, SegmentationStorage, generate_uid

from inference.dicom.codes import (
    CADRADS,
    CONCEPTS,
    DERIVATION,
    HIGHEST,
    LEVEL,
    LEVELS,
    LOWEST,
    METHOD,
    METHODS,
    NOT_MEASURABLE,
    NUMBER,
    PATH,
    PATHS,
    PLAQUE,
    SCCT,
    UNITS,
    Concept,
    segment_code,
    site,
)
from inference.dicom.making import MANUFACTURER, MODEL, RESEARCH, Making, image_reference, new_object
from inference.dicom.segments import RowKey, Segment, row_of, tracking
from inference.errors import DicomObjectError
from inference.quantification import Measurement
from inference.scan import SourceSeries

SERIES_NUMBER = 8002  # ours, far above a scanner's
PROCEDURE = Code("419545005", "SCT", "CT angiography of coronary arteries")
SOURCE_OF_MEASUREMENT = Code("121112", "DCM", "Source of Measurement")
COMMENT = Code("121106", "DCM", "Comment")
_DEVICE = Code("121007", "DCM", "Device")
_LIBRARY = Code("111028", "DCM", "Image Library")
_LIBRARY_GROUP = Code("126200", "DCM", "Image Library Group")
_SOURCE = Code("260753009", "SCT", "Source")
_MODALITY = Code("121139", "DCM", "Modality")
_CT = Code("CT", "DCM", "Computed Tomography")
# The labels whose voxels a patient's volume is seen in.
_SEEN_IN = {
    "lumen_volume": ("lumen",),
    "vessel_volume": ("lumen", "wall"),
    "total_plaque_volume": ("calcified", "noncalcified"),
    "calcified_plaque_volume": ("calcified",),
    "noncalcified_plaque_volume": ("noncalcified",),
    "low_attenuation_plaque_volume": ("low_attenuation",),
}


def make_report(
    source: SourceSeries,
    segmentation: Dataset,
    segments: Sequence[Segment],
    measurements: Iterable[Measurement],
    making: Making,
) -> SOPClass:
    """Return a report (Comprehensive 3D SR Storage) of a table of measurements.

    Parameters
    ----------
    source : the CT series. segmentation : the SEG object. segments : what is in it, in its order.
    measurements : the table; rows of one level, vessel, segment and lesion make one group.

    Raises
    ------
    DicomObjectError
        ``no-measurements``: the table is empty. ``unknown-metric``: a row has no code.
    """
    rows: dict[RowKey, list[Measurement]] = {}
    for measurement in measurements:
        rows.setdefault(row_of(measurement), []).append(measurement)
    if not rows:
        raise DicomObjectError("no-measurements", "There are no measurements to report.")
    content = MeasurementReport(
        observation_context=_observer(making),
        procedure_reported=PROCEDURE,
        imaging_measurements=[
            _group(row, mine, source, segmentation, segments, making) for row, mine in rows.items()
        ],
    )[0]
    content.ContentSequence.insert(-1, _library(source))
    content.ContentSequence.append(_comment(source))
    made = new_object(
        source,
        making,
        sop_class=Comprehensive3DSRStorage,
        modality="SR",
        what="Coronary plaque measurements",
        number=SERIES_NUMBER,
    )
    made.update(content)
    made.CompletionFlag, made.VerificationFlag, made.PreliminaryFlag = "COMPLETE", "UNVERIFIED", "PRELIMINARY"
    made.PerformedProcedureCodeSequence, made.ReferencedPerformedProcedureStepSequence = [], []
    made.CurrentRequestedProcedureEvidenceSequence = [_evidence(source, segmentation)]
    return made


def _observer(making: Making) -> ObservationContext:
    """The software that measured."""
    attributes = DeviceObserverIdentifyingAttributes(
        uid=str(generate_uid(entropy_srcs=[MANUFACTURER, making.weights_sha256])),
        name=making.name,
        manufacturer_name=MANUFACTURER,
        model_name=MODEL,
    )
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=CodedConcept.from_code(_DEVICE), observer_identifying_attributes=attributes
        )
    )


def _library(source: SourceSeries) -> ContainerContentItem:
    """All images of the CT series."""
    group = ContainerContentItem(name=_LIBRARY_GROUP, relationship_type=RelationshipTypeValues.CONTAINS)
    group.ContentSequence = ContentSequence(
        [
            CodeContentItem(
                name=_MODALITY, value=_CT, relationship_type=RelationshipTypeValues.HAS_ACQ_CONTEXT
            ),
            *(
                ImageContentItem(
                    name=_SOURCE,
                    referenced_sop_class_uid=CTImageStorage,
                    referenced_sop_instance_uid=uid,
                    relationship_type=RelationshipTypeValues.CONTAINS,
                )
                for uid in source.image_uids
            ),
        ]
    )
    library = ContainerContentItem(name=_LIBRARY, relationship_type=RelationshipTypeValues.CONTAINS)
    library.ContentSequence = ContentSequence([group])
    return library


def _comment(source: SourceSeries) -> TextContentItem:
    simulated = " Simulated scan: no patient was scanned." if source.simulated else ""
    return TextContentItem(
        name=COMMENT,
        value=f"{RESEARCH}; not for diagnosis or treatment.{simulated}",
        relationship_type=RelationshipTypeValues.CONTAINS,
    )


def _evidence(source: SourceSeries, segmentation: Dataset) -> Dataset:
    """Name every object that the report refers to."""
    images, seg = Dataset(), Dataset()
    images.SeriesInstanceUID = source.series_uid
    images.ReferencedSOPSequence = [image_reference(uid) for uid in source.image_uids]
    seg.SeriesInstanceUID = segmentation.SeriesInstanceUID
    reference = Dataset()
    reference.ReferencedSOPClassUID = segmentation.SOPClassUID
    reference.ReferencedSOPInstanceUID = segmentation.SOPInstanceUID
    seg.ReferencedSOPSequence = [reference]
    study = Dataset()
    study.StudyInstanceUID = source.study_uid
    study.ReferencedSeriesSequence = [images, seg]
    return study


def _group(
    row: RowKey,
    measurements: Sequence[Measurement],
    source: SourceSeries,
    segmentation: Dataset,
    segments: Sequence[Segment],
    making: Making,
) -> MeasurementsAndQualitativeEvaluations | VolumetricROIMeasurementsAndQualitativeEvaluations:
    """One row of the table with all its metrics."""
    level, vessel, segment, _ = row
    profiles = {m.profile for m in measurements}
    if len(profiles) != 1 or not profiles <= set(METHODS):
        raise DicomObjectError(
            "unknown-profile",
            f"A row has the profiles {', '.join(sorted(profiles))}: one of {', '.join(METHODS)} is needed.",
        )
    identifier, uid = tracking(making, *row)
    mine = next((n for n, x in enumerate(segments, start=1) if x.tracking_uid == uid), None)
    common: dict[str, Any] = {
        "tracking_identifier": TrackingIdentifier(uid, identifier),
        "finding_sites": [FindingSite(site(vessel, segment))],
        "method": METHODS[profiles.pop()],
        "algorithm_id": making.for_report(),
        "measurements": _numbers(row, measurements, segmentation, segments),
        "qualitative_evaluations": _evaluations(row, measurements),
    }
    if mine is not None:
        referenced = ReferencedSegment(
            SegmentationStorage,
            segmentation.SOPInstanceUID,
            mine,
            source_series=SourceSeriesForSegmentation(source.series_uid),
        )
        return VolumetricROIMeasurementsAndQualitativeEvaluations(
            finding_type=PLAQUE, referenced_segment=referenced, **common
        )
    group = MeasurementsAndQualitativeEvaluations(
        finding_type=PLAQUE if level == "lesion" else None, **common
    )
    seen = _image(segmentation, segments, ("lumen", "wall"), RelationshipTypeValues.CONTAINS)
    group[0].ContentSequence.extend(seen)
    return group


def _evaluations(row: RowKey, measurements: Sequence[Measurement]) -> list[QualitativeEvaluation]:
    """Which row this is, and its categories."""
    level, vessel, segment, _ = row
    out = [QualitativeEvaluation(LEVEL, LEVELS[level])]
    if vessel:
        out.append(QualitativeEvaluation(PATH, PATHS[vessel]))
    if segment:
        out.append(QualitativeEvaluation(SCCT, segment_code(segment)))
    for m in measurements:
        concept = _concept(m)
        if not _is_number(m):
            code = NOT_MEASURABLE if m.value is None else CADRADS[str(m.value)]
            found = QualitativeEvaluation(concept.name, code)
            modifiers = [
                CodeContentItem(name, value, RelationshipTypeValues.HAS_CONCEPT_MOD)
                for name, value in ((DERIVATION, concept.derivation), (METHOD, concept.method))
                if value
            ]
            if modifiers:
                found[0].ContentSequence = ContentSequence(modifiers)
            out.append(found)
    return out


def _concept(measurement: Measurement) -> Concept:
    try:
        return CONCEPTS[measurement.metric]
    except KeyError:
        raise DicomObjectError("unknown-metric", f"Metric {measurement.metric} has no code.") from None


def _is_number(measurement: Measurement) -> bool:
    """Whether a metric has a number; a category or what could not be measured becomes a coded evaluation."""
    return isinstance(measurement.value, int | float)


def _numbers(
    row: RowKey, measurements: Sequence[Measurement], segmentation: Dataset, segments: Sequence[Segment]
) -> list[Num]:
    """Return the numeric metrics of a row; each holds its lowest and highest value with moved contours."""
    out = [] if row[3] is None else [Num(NUMBER, row[3], UNITS["1"])]
    for m in measurements:
        if not _is_number(m):
            continue
        concept, unit = _concept(m), UNITS[m.unit]
        value = float(m.value)  # type: ignore[arg-type]
        number = Num(concept.name, value, unit, derivation=concept.derivation, method=concept.method)
        item = number[0]
        children = item.ContentSequence if "ContentSequence" in item else ContentSequence()
        for name, end in ((LOWEST, m.low), (HIGHEST, m.high)):
            if end is not None:
                children.append(
                    NumContentItem(
                        name, float(end), unit, relationship_type=RelationshipTypeValues.HAS_PROPERTIES
                    )
                )
        if row[0] == "patient" and m.metric in _SEEN_IN:
            children.extend(
                _image(segmentation, segments, _SEEN_IN[m.metric], RelationshipTypeValues.INFERRED_FROM)
            )
        if len(children):
            item.ContentSequence = children
        out.append(number)
    return out


def _image(
    segmentation: Dataset,
    segments: Sequence[Segment],
    labels: Sequence[str],
    relation: RelationshipTypeValues,
) -> list[ImageContentItem]:
    """Return a reference to the segments of some labels; nothing where none has a voxel."""
    numbers = [n for n, segment in enumerate(segments, start=1) if segment.label in labels]
    if not numbers:
        return []
    return [
        ImageContentItem(
            name=SOURCE_OF_MEASUREMENT,
            referenced_sop_class_uid=SegmentationStorage,
            referenced_sop_instance_uid=segmentation.SOPInstanceUID,
            referenced_segment_numbers=numbers,
            relationship_type=relation,
        )
    ]
