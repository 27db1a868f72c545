"""A small CT series in memory or in a folder, for tests to spoil."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS, SLICES = 32, 40, 12
_SERIES = generate_uid(entropy_srcs=["small series"])


def hu_of(slices: int = SLICES) -> np.ndarray:
    """Every voxel says where it lies."""
    k, j, i = np.mgrid[:slices, :ROWS, :COLUMNS]
    return np.asarray(-900 + 40 * k + 20 * j + 5 * i, np.int16)


def images(
    change: Callable[[FileDataset, int], None] | None = None,
    *,
    slices: int = SLICES,
    signed: bool = False,
    syntax: str = ExplicitVRLittleEndian,
) -> list[FileDataset]:
    """A series of 12-bit pixels, 0.4 mm, 0.6 mm apart; ``change`` spoils each image."""
    return [_image(k, plane, change, signed, syntax) for k, plane in enumerate(hu_of(slices))]


def _image(
    k: int,
    plane: np.ndarray,
    change: Callable[[FileDataset, int], None] | None,
    signed: bool,
    syntax: str,
) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, syntax
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["small", str(k)])
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Modality, ds.PatientID, ds.PatientName = "CT", "P-1", "SMALL^SERIES"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3.1", _SERIES, "1.2.3.2"
    ds.Manufacturer, ds.KVP, ds.SliceThickness, ds.ConvolutionKernel = "Maker", "120", "0.6", "Bv40"
    ds.SeriesNumber, ds.AcquisitionNumber, ds.InstanceNumber = "4", "1", str(k + 1)
    ds.ImagePositionPatient = ["-20.5", "-30.25", f"{100 + 0.6 * k:.4f}"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.PixelSpacing = ["0.4", "0.4"]
    ds.Rows, ds.Columns = plane.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, int(signed)
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "1", "0" if signed else "-1024", "HU"
    stored = plane.astype(np.int32) + (0 if signed else 1024)
    ds.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    ds["PixelData"].VR = "OW"
    if change:
        change(ds, k)
    return ds


def write(folder: Path, series: list[FileDataset], *, first: int = 1) -> Path:
    """Write a series as IM0001 …"""
    folder.mkdir(parents=True, exist_ok=True)
    for n, ds in enumerate(series, start=first):
        ds.save_as(folder / f"IM{n:04d}", enforce_file_format=True)
    return folder


def replace_raw(path: Path, tag: tuple[int, int], value: bytes, vr: bytes | None = None) -> None:
    """Replace the bytes of one element of explicit VR little endian with a short VR, whatever they then are."""
    data = path.read_bytes()
    at = data.find(struct.pack("<HH", *tag), 132)
    assert at > 0, tag
    value += b" " * (len(value) % 2)
    old = struct.unpack("<H", data[at + 6 : at + 8])[0]
    head = data[at : at + 4] + (vr or data[at + 4 : at + 6]) + struct.pack("<H", len(value))
    path.write_bytes(data[:at] + head + value + data[at + 8 + old :])
