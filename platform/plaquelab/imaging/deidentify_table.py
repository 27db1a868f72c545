"""What may stay in a de-identified CT image; everything that is not named here is removed.

Source: DICOM PS3.15 Table E.1-1, Basic Application Level Confidentiality Profile, with the options Clean
Descriptors, Retain Longitudinal Temporal Information with Modified Dates, Retain Device Identity and
Retain Safe Private. An allow-list is stricter than the table (it removes what the table leaves alone).

Actions
-------
K keep · U map the UID with the study's key · D move the date by the subject's offset · Z leave empty ·
P put the pseudonym · C keep known words only · S sequence: the same rules for every item
"""

from __future__ import annotations

# (0012,0064) De-identification Method Code Sequence, coding scheme DCM.
METHOD_CODES: tuple[tuple[str, str], ...] = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113109", "Retain Device Identity Option"),
    ("113111", "Retain Safe Private Option"),
)

_KEEP = """
Modality SOPClassUID ImageType ConversionType BodyPartExamined PatientPosition Laterality SeriesNumber
InstanceNumber AcquisitionNumber StudyTime SeriesTime AcquisitionTime ContentTime InstanceCreationTime
Manufacturer ManufacturerModelName DeviceSerialNumber StationName SoftwareVersions GantryID DetectorID
SpatialResolution TimeOfLastCalibration
PixelSpacing ImageOrientationPatient ImagePositionPatient SliceThickness SliceLocation SpacingBetweenSlices
SamplesPerPixel PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation
PixelAspectRatio SmallestImagePixelValue LargestImagePixelValue PixelPaddingValue PixelPaddingRangeLimit
RescaleIntercept RescaleSlope RescaleType WindowCenter WindowWidth LossyImageCompression
LossyImageCompressionRatio LossyImageCompressionMethod BurnedInAnnotation RecognizableVisualFeatures
QualityControlImage PresentationLUTShape VolumetricProperties
KVP ScanOptions DataCollectionDiameter ReconstructionDiameter DistanceSourceToDetector DistanceSourceToPatient
GantryDetectorTilt TableHeight RotationDirection ExposureTime XRayTubeCurrent Exposure ExposureInuAs FilterType
GeneratorPower FocalSpots ConvolutionKernel RevolutionTime SingleCollimationWidth TotalCollimationWidth
TableSpeed TableFeedPerRotation SpiralPitchFactor ExposureModulationType EstimatedDoseSaving CTDIvol
AcquisitionType TubeAngle ConstantVolumeFlag FluoroscopyFlag ReconstructionAlgorithm
DataCollectionCenterPatient ReconstructionTargetCenterPatient TemporalResolution
ContrastBolusVolume ContrastBolusStartTime ContrastBolusStopTime ContrastBolusTotalDose ContrastFlowRate
ContrastFlowDuration ContrastBolusIngredient ContrastBolusIngredientConcentration
HeartRate CardiacNumberOfImages TriggerTime NominalInterval LowRRValue HighRRValue IntervalsAcquired
IntervalsRejected CardiacRRIntervalSpecified NominalPercentageOfCardiacPhase
CardiacSynchronizationTechnique CardiacSignalSource RRIntervalTimeNominal
TriggerWindow BeatRejectionFlag
CodeValue CodingSchemeDesignator CodingSchemeVersion ReferencedSOPClassUID ReferencedFrameNumber
PixelData
"""
_MAP = """
SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID ReferencedSOPInstanceUID
IrradiationEventUID
"""
_DATE = """
StudyDate SeriesDate AcquisitionDate ContentDate InstanceCreationDate AcquisitionDateTime DateOfLastCalibration
"""
_EMPTY = """
PatientBirthDate PatientSex ReferringPhysicianName StudyID AccessionNumber PositionReferenceIndicator
"""
_PSEUDONYM = "PatientName PatientID"
_CLEAN = """
StudyDescription SeriesDescription ProtocolName ContrastBolusAgent ContrastBolusRoute
WindowCenterWidthExplanation CodeMeaning AcquisitionProtocolName DerivationDescription
"""
_SEQUENCE = """
CTDIPhantomTypeCodeSequence AnatomicRegionSequence ContrastBolusAgentSequence
ContrastBolusAdministrationRouteSequence ReferencedImageSequence SourceImageSequence DerivationCodeSequence
"""

ACTIONS: dict[str, str] = {
    keyword: action
    for action, block in (
        ("K", _KEEP),
        ("U", _MAP),
        ("D", _DATE),
        ("Z", _EMPTY),
        ("P", _PSEUDONYM),
        ("C", _CLEAN),
        ("S", _SEQUENCE),
    )
    for keyword in block.split()
}

# Safe private attributes of CT (PS3.15 Table E.3.10-1): (group, private creator) → element bytes.
SAFE_PRIVATE: dict[tuple[int, str], frozenset[int]] = {
    (0x0019, "GEMS_ACQU_01"): frozenset({0x23, 0x24, 0x27}),  # table speed, mid scan time, rotation speed
    (0x0043, "GEMS_PARM_01"): frozenset({0x27}),  # scan pitch ratio
    (0x00E1, "ELSCINT1"): frozenset({0x21}),  # dose length product
    (0x01E1, "ELSCINT1"): frozenset({0x26}),  # phantom type
    (0x01F1, "ELSCINT1"): frozenset(
        {0x01, 0x07, 0x26, 0x27}
    ),  # acquisition type, table velocity, pitch, rotation
}
SAFE_PRIVATE_VRS = frozenset({"CS", "DS", "FD", "FL", "IS", "SL", "SS", "UL", "US", "SH"})

_WORDS = """
ct cta ccta corcta cac angio angiography angiogram heart cardiac coronary coronaries cor thorax chest abdomen
pelvis neck head brain aorta aortic lung pulmonary pe body whole arterial venous portal delayed phase multiphase
diastole diastolic diast systole systolic syst best bestdiast bestsyst axial ax coronal sagittal sag oblique mpr
mip with without wo contrast enhanced native plain calcium score scoring cascore gated ecg ekg prospective prosp
retrospective retro helical spiral flash seq sequence sequential step and shoot snapshot snapshotpulse freeze
recon reconstruction kernel filter soft sharp medium smooth standard stnd bone detail thin thick slice slices mm
ms bpm kv ma mas hu iodine bolus test monitoring premonitoring timing scout topogram localizer localiser
protocol routine adult series image images original primary derived secondary dose low high resolution iterative
asir asirv idose imr safire admire aidr fc cardiac0 left right upper lower limb i.v iv intravenous oral none yes
no omnipaque omni visipaque ultravist iomeron isovue optiray xenetix iohexol iodixanol iopromide iomeprol
iopamidol ioversol iobitridol window windows phantom head16 body32 cm artery arteries vessel cardio lossy
lossless jpeg compression simulated of the for in r-o
"""
# Known words of descriptions (Clean Descriptors): a name is none of them.
WORDS: frozenset[str] = frozenset(_WORDS.split())
