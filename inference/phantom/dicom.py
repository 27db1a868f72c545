"""A phantom as files: a DICOM CT series with a plainly simulated patient, and its truth beside it."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

from .headers import apply_header, file_name, instance_number
from .phantom import Phantom
from .truth import truth_document
from .truth_levels import tree_truth_document

EARLIEST = dt.date(2015, 1, 5)


def _uid(phantom: Phantom, *what: object) -> str:
    """A UID that depends on seed and scenario alone."""
    return generate_uid(
        entropy_srcs=["plaquelab phantom", phantom.scenario, str(phantom.seed), *map(str, what)]
    )


def write_dicom(phantom: Phantom, folder: Path) -> list[Path]:  # noqa: PLR0915 - one header, attribute by attribute
    """Write the scan as one CT Image Storage file per slice; the same phantom gives the same bytes.

    The header is made up: patient ``PHANTOM^<scenario> <seed>``, ID ``PHANTOM-<seed>``, and a study date drawn from
    the seed; a patient with a whole tree wears the style of one vendor (see ``headers``). Raises FileExistsError
    when the folder already holds files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; choose an empty folder")
    volume = phantom.volume
    meta = volume.metadata
    rng = np.random.default_rng([phantom.seed, 4242])
    day = EARLIEST + dt.timedelta(days=int(rng.integers(0, 2500)))
    date, time = day.strftime("%Y%m%d"), f"{int(rng.integers(8, 17)):02d}{int(rng.integers(0, 60)):02d}00"
    sex, born = ("M", "F")[int(rng.integers(0, 2))], day.year - int(rng.integers(42, 76))
    written = []
    for k, plane in enumerate(volume.hu):
        file_meta = FileMetaDataset()
        file_meta.MediaStorageSOPClassUID = CTImageStorage
        file_meta.MediaStorageSOPInstanceUID = UID(_uid(phantom, "slice", k))
        file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=file_meta, preamble=b"\0" * 128)
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.ImageType = ["DERIVED", "PRIMARY", "AXIAL"]
        ds.DerivationDescription = "Simulated by a digital phantom; no patient was scanned"
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, file_meta.MediaStorageSOPInstanceUID
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = date
        ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = time
        ds.AccessionNumber = f"SIM{phantom.seed}"
        ds.Modality = "CT"
        ds.Manufacturer, ds.ManufacturerModelName = meta["manufacturer"], meta["model"]
        ds.SoftwareVersions = "phantom-1"
        ds.InstitutionName = "Simulated site"
        ds.ReferringPhysicianName = "SIMULATED^REFERRER"
        ds.StudyDescription = "SIMULATED CT CORONARY ANGIOGRAPHY"
        ds.SeriesDescription = f"SIMULATED CCTA {meta['slice_thickness_mm']} 70%"
        ds.PatientName = f"PHANTOM^{phantom.scenario} {phantom.seed}"
        ds.PatientID = f"PHANTOM-{phantom.seed}"
        ds.PatientBirthDate, ds.PatientSex = f"{born}0101", sex
        ds.PatientAge = f"{day.year - born:03d}Y"
        ds.PatientIdentityRemoved = "NO"
        ds.ContrastBolusAgent = "Iodine (simulated)"
        ds.ContrastBolusRoute = "INTRAVENOUS"
        ds.BodyPartExamined = "HEART"
        ds.ScanOptions = "HELICAL"
        ds.SliceThickness = ds.SpacingBetweenSlices = f"{meta['slice_thickness_mm']:.4f}"
        ds.KVP = str(meta["kvp"])
        ds.DataCollectionDiameter = ds.ReconstructionDiameter = (
            f"{meta['columns'] * meta['spacing_mm'][0]:.3f}"
        )
        ds.XRayTubeCurrent, ds.ExposureTime, ds.Exposure = 600, 250, 150
        ds.ConvolutionKernel = meta["kernel"]
        ds.PatientPosition = "HFS"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = _uid(phantom, "study"), _uid(phantom, "series")
        ds.StudyID, ds.SeriesNumber, ds.AcquisitionNumber, ds.InstanceNumber = str(phantom.seed), 2, 1, k + 1
        position = volume.affine[:3, 3] + k * volume.affine[:3, 2]
        ds.ImagePositionPatient = [f"{x:.4f}" for x in position]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = _uid(phantom, "frame"), ""
        ds.SliceLocation = f"{position[2]:.4f}"
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.Rows, ds.Columns = plane.shape
        ds.PixelSpacing = [f"{meta['spacing_mm'][0]:.4f}"] * 2
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.WindowCenter, ds.WindowWidth = "200", "800"
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
        ds.PixelData = (plane.astype(np.int32) + 1024).astype("<u2").tobytes()
        path = folder / f"{k + 1:04d}.dcm"
        if phantom.patient is not None:
            header = phantom.patient.header
            apply_header(ds, header, volume=volume, k=k, outside=phantom.patient.outside)
            number = instance_number(header, k=k, slices=len(volume.hu))
            path = folder / file_name(header, instance=number, slices=len(volume.hu))
        ds.save_as(path, enforce_file_format=True)
        written.append(path)
    return written


def write_case(phantom: Phantom, folder: Path) -> None:
    """``dicom/``, ``centrelines.csv``, ``lesions.csv`` and ``truth.json`` of one phantom."""
    write_dicom(phantom, folder / "dicom")
    with (folder / "centrelines.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["vessel", "segment", "x_mm", "y_mm", "z_mm"])
        for line in phantom.centrelines:
            for point, segment in zip(line.points, line.segments):
                out.writerow([line.vessel, segment, *(f"{x:.4f}" for x in point)])
    truth = (
        truth_document(
            phantom.vessels, seed=phantom.seed, scenario=phantom.scenario, settings=phantom.settings
        )
        if phantom.patient is None
        else tree_truth_document(
            phantom.vessels, phantom.patient, seed=phantom.seed, scenario=phantom.scenario
        )
    )
    with (folder / "lesions.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["vessel", "lesion", "start_mm", "end_mm"])
        for row in truth["lesions"]:
            out.writerow([row["vessel"], row["lesion"], f"{row['start_mm']:.2f}", f"{row['end_mm']:.2f}"])
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
