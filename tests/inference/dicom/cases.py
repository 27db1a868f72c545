"""Vessels with one known lesion, grids of any orientation around them, and their CT series."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from scipy.spatial.transform import Rotation

from inference.contours import ANGLES
from inference.dicom.making import Making
from inference.dicom.voxels import Grid
from inference.quantification import Lesion, VesselRead
from inference.scan import Volume
from inference.straightening import StraightenedVessel
from tests.inference.quantification.solids import bent, tube, with_plaque

HALF = np.arange(ANGLES) < ANGLES // 2


def grid_around(
    vessel: StraightenedVessel,
    spacing: tuple[float, float, float] = (0.4, 0.4, 0.5),
    turn: Rotation | None = None,
    margin: float = 8.0,
) -> tuple[Volume, Grid]:
    """A volume that holds the vessel, its axes turned against the patient's."""
    axes = (turn or Rotation.identity()).as_matrix()
    along = vessel.centre @ axes
    low = along.min(0) - margin
    count = np.ceil((along.max(0) + margin - low) / spacing).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(spacing)
    affine[:3, 3] = axes @ low
    volume = Volume(hu=np.zeros(count[::-1], np.int16), affine=affine)
    return volume, Grid.of(volume)


def diseased(sections: int = 120, radius: float | None = 20.0) -> tuple[StraightenedVessel, VesselRead]:
    """A lumen of 1.5 mm with plaque on one half of its wall over 18 mm, part of it calcified."""
    vessel = bent(sections, radius, hu=100)
    vessel.hu[50:70, 32:, :] = 900
    contours = with_plaque(tube(sections, 1.5, 2.0), 30, 90, 3.0, HALF)
    return vessel, VesselRead("LAD", contours, (Lesion(1, 9.0, 27.0),))


def centres(keys: np.ndarray, volume: Volume) -> np.ndarray:
    """LPS mm (N, 3) of voxels' centres."""
    k, j, i = np.unravel_index(keys, volume.hu.shape)
    return volume.to_patient(np.stack([i, j, k], axis=1))


def write_series(
    folder: Path, volume: Volume, *, identity: Mapping[str, Any] | None = None, from_top: bool = False
) -> Path:
    """The volume as a CT series; ``identity`` overrides attributes, None leaves one out."""
    folder.mkdir(parents=True)
    names = {x: generate_uid() for x in ("study", "series", "frame")}
    axes = volume.affine[:3, :3] / np.array(volume.spacing_mm)
    for k, plane in enumerate(volume.hu):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID = names["study"], names["series"]
        ds.FrameOfReferenceUID, ds.Modality = names["frame"], "CT"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.PatientName, ds.PatientID = "SOURCE^PATIENT", "ID-1"
        ds.PatientBirthDate, ds.PatientSex, ds.AccessionNumber = "19600102", "F", "A1"
        ds.StudyDate, ds.StudyTime, ds.StudyID = "20200304", "101112", "1"
        ds.ReferringPhysicianName, ds.InstitutionName = "REFERRER^A", "HOSPITAL"
        ds.Manufacturer = "Maker"
        ds.ImagePositionPatient = [f"{x:.9g}" for x in volume.to_patient(np.array([0, 0, k]))]
        ds.ImageOrientationPatient = [f"{x:.9g}" for x in (*axes[:, 0], *axes[:, 1])]
        ds.PixelSpacing = [f"{volume.spacing_mm[1]:.9g}", f"{volume.spacing_mm[0]:.9g}"]
        ds.SliceThickness = f"{volume.spacing_mm[2]:.9g}"
        ds.Rows, ds.Columns = plane.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.RescaleSlope, ds.RescaleIntercept, ds.InstanceNumber = 1, 0, k + 1
        ds.PixelData = plane.tobytes()
        for keyword, value in (identity or {}).items():
            if value is None:
                del ds[keyword]
            else:
                setattr(ds, keyword, value)
        number = len(volume.hu) - k if from_top else k + 1
        ds.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
    return folder


def making(series_uid: str = "1.2.3", **changed: Any) -> Making:
    """What an export would say of itself."""
    given: dict[str, Any] = {
        "network": "unet_2_5d",
        "weights_sha256": "ab" * 32,
        "parameters": {"profile": "fixed/1"},
        "content_sha256": "cd" * 32,
        "series_uid": series_uid,
        "created": dt.datetime(2024, 5, 6, 7, 8, 9),
    }
    return Making(**(given | changed))


def errors_of(dciodvfy: str, path: Path) -> list[str]:
    """What the validator calls an error; an exit code other than 0 is one too."""
    done = subprocess.run([dciodvfy, "-new", str(path)], capture_output=True, text=True, check=False)
    said = [
        line for line in (done.stdout + done.stderr).splitlines() if re.match(r"\s*(Error|.*Abort)", line)
    ]
    return said + ([f"exit code {done.returncode}: {done.stderr[-500:]}"] if done.returncode else [])
