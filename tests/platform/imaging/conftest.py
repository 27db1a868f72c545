"""Made-up CT series with identifiers in many places, and the way from a folder to an exam."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

ROOT_UID = "1.2.826.0.1.3680043.8.498.77"
IDENTIFIERS = (
    "Quillfeather",
    "Isolde",
    "HOSP-778812",
    "ACC-99120",
    "Brambleworth",
    "Ottoline",
    "Eadburga",
    "Gorse Lane",
    "MRN-55-1",
    "19530214",
    "20210317",
    "WORKSTATION-9",
    ROOT_UID,
)


def hu_volume(slices: int = 12, rows: int = 24, columns: int = 32) -> np.ndarray:
    """A volume whose every voxel says where it is: a bright head-left-back corner on a gradient."""
    k, j, i = np.mgrid[:slices, :rows, :columns]
    hu = (-900 + 10 * k + 20 * j + 5 * i).astype(np.int16)
    hu[-3:, -6:, -8:] = 1200  # highest slice, largest row (back), largest column (left)
    return hu


def make_slice(k: int, hu: np.ndarray, *, series: str = "1", patient: str = "HOSP-778812") -> FileDataset:  # noqa: PLR0915 - a header, written out
    """One slice of a series with identifiers wherever scanners and archives put them."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = f"{ROOT_UID}.{series}.{k + 1}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = "EADBURGA_AE"
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT_UID}.900", f"{ROOT_UID}.{series}.0"
    ds.FrameOfReferenceUID = f"{ROOT_UID}.901"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20210317"
    ds.AcquisitionDateTime = "20210317101112.5"
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "101112"
    ds.AccessionNumber, ds.StudyID = "ACC-99120", "MRN-55-1"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "CT", "Quillfeather Imaging", "Model Q"
    ds.InstitutionName, ds.InstitutionAddress = "Saint Eadburga Infirmary", "7 Gorse Lane"
    ds.StationName, ds.DeviceSerialNumber = "CT-3", "SN-4711"
    ds.ReferringPhysicianName, ds.OperatorsName = "Brambleworth^Ottoline", "Brambleworth^Ottoline"
    ds.StudyDescription, ds.SeriesDescription = "CTA CORONARY Quillfeather", "CTA 0.6 Bv40 75% Quillfeather"
    ds.ProtocolName, ds.ImageComments = "Coronary CTA HOSP-778812", "patient Isolde moved"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Quillfeather^Isolde", patient, "19530214"
    ds.OtherPatientIDs, ds.PatientAge, ds.PatientSex = "MRN-55-1", "068Y", "F"
    ds.PatientComments = "Gorse Lane"
    ds.BodyPartExamined, ds.KVP, ds.SliceThickness = "HEART", "120", "0.6"
    ds.ConvolutionKernel, ds.ContrastBolusAgent = "Bv40", "Omnipaque 350 for Quillfeather"
    ds.SoftwareVersions = "VB20A WORKSTATION-9 Isolde"
    ds.HeartRate = "58"
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ds.SOPClassUID, f"{ROOT_UID}.5.5"
    item.add_new((0x0009, 0x0010), "LO", "ACME")
    item.add_new((0x0009, 0x1001), "LO", "Quillfeather")
    item.PatientID = patient
    ds.ReferencedImageSequence = Sequence([item])
    request = Dataset()
    request.RequestedProcedureDescription, request.RequestedProcedureID = "Quillfeather", "ACC-99120"
    ds.RequestAttributesSequence = Sequence([request])
    ds.add_new((0x0009, 0x0010), "LO", "ACME")
    ds.add_new((0x0009, 0x1001), "LO", "Quillfeather^Isolde")
    ds.add_new((0x0019, 0x0010), "LO", "GEMS_ACQU_01")
    ds.add_new((0x0019, 0x1023), "DS", "39.37")
    ds.add_new((0x0019, 0x1099), "LO", "Isolde")
    ds.InstanceNumber, ds.SeriesNumber = str(k + 1), "4"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-8.0, -6.0, -100.0 + 0.5 * k], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceLocation = [0.5, 0.5], str(-100.0 + 0.5 * k)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = hu.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    ds.PixelData = (hu.astype(np.int32) + 1024).astype("<u2").tobytes()
    ds["PixelData"].VR = "OW"
    return ds


@pytest.fixture
def series(tmp_path: Path) -> Callable[..., Path]:
    """Write a series into a folder; ``change(k, ds)`` edits a slice and may return False to leave it out."""
    made = [0]

    def write(
        change: Callable[[int, FileDataset], object] | None = None,
        *,
        folder: Path | None = None,
        **parts: Any,
    ) -> Path:
        made[0] += 1
        target = folder or tmp_path / f"source-{made[0]}"
        target.mkdir(parents=True, exist_ok=True)
        hu = hu_volume()
        for k, plane in enumerate(hu):
            ds = make_slice(k, plane, **parts)
            if change is not None and change(k, ds) is False:
                continue
            name = f"Quillfeather_{parts.get('series', '1')}_{k:04d}.dcm"
            ds.save_as(target / name, enforce_file_format=True)
        return target

    return write


@pytest.fixture
def ingest(two_studies: SimpleNamespace) -> Callable[..., Any]:
    """Ingest a path for study alpha and return the ended job."""
    from plaquelab.imaging.services import import_path

    def run(
        path: Path, *, subject: str = "A-001", tenant: SimpleNamespace | None = None, **options: Any
    ) -> Any:
        tenant = tenant or two_studies.a
        job, _ = import_path(
            study=tenant.study,
            site=options.pop("site", tenant.site),
            subject_pseudonym=subject,
            path=path,
            by=options.pop("by", tenant.technician),
            **options,
        )
        return job

    return run


@pytest.fixture
def transactional_two_studies(transactional_db: None, request: pytest.FixtureRequest) -> SimpleNamespace:
    """The two tenants, committed, for tests with threads."""
    return request.getfixturevalue("two_studies")
