"""Opening one DICOM file, whole or without its wrapping: no preamble, no file meta, no transfer syntax."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    PrivateTransferSyntaxes,
)

from inference.errors import VolumeError

DICOMDIR = "1.2.840.10008.1.3.10"
TRANSFER_SYNTAX = "TransferSyntaxUID (0002,0010)"


def open_image(path: Path, called: str, *, only: Sequence[str] = ()) -> Dataset:
    """Read one DICOM file.

    Parameters
    ----------
    path : the file. called : how messages name it.
    only : attributes that are wanted, without the pixels; by default everything.

    Raises
    ------
    VolumeError
        ``not-dicom``: it is none. ``damaged-dicom``: it begins as one and cannot be read to its end.
        ``no-transfer-syntax``: its pixels are compressed, and nothing says how.
    """
    try:
        dataset = _read(path, only)
    except InvalidDicomError as error:
        raise VolumeError("not-dicom", f"{called} is not a DICOM file: leave it out.", called) from error
    except OSError as error:
        raise VolumeError("not-dicom", f"{called} cannot be read: {error.strerror}.", called) from error
    except Exception as error:
        if not _begins_as_dicom(path):
            raise VolumeError("not-dicom", f"{called} is not a DICOM file: leave it out.", called) from error
        raise _damaged(called) from error
    try:
        if _is_cut(dataset):
            raise _damaged(called)
        complete_meta(dataset, called)
    except (ValueError, TypeError, NotImplementedError) as error:  # of a file meta that is no file meta
        raise _damaged(called) from error
    return dataset


def _read(path: Path, only: Sequence[str]) -> Dataset:
    how: dict[str, Any] = {"stop_before_pixels": True, "specific_tags": list(only)} if only else {}
    try:
        return pydicom.dcmread(path, **how)
    except InvalidDicomError:
        # Some exports leave out the preamble; a data set says itself what it is.
        dataset = pydicom.dcmread(path, force=True, **how)
        if not dataset.get("SOPClassUID") or not dataset.get("SOPInstanceUID"):
            raise
        return dataset


def _damaged(called: str) -> VolumeError:
    return VolumeError(
        "damaged-dicom", f"{called} begins as DICOM but is damaged or cut short: send it again.", called
    )


def _is_cut(dataset: Dataset) -> bool:
    """Whether nothing is left that every object has, as of a file cut in its first lines."""
    meta = getattr(dataset, "file_meta", None) or {}
    if str(meta.get("MediaStorageSOPClassUID", "")) == DICOMDIR:
        return False
    return not any(x in dataset for x in ("SOPClassUID", "Modality", "SOPInstanceUID"))


def _begins_as_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(128)
        return stream.read(4) == b"DICM"


def complete_meta(dataset: Dataset, called: str) -> None:
    """Fill in the transfer syntax where the file meta has none that is known: the data set's own encoding tells which it is.

    Raises
    ------
    VolumeError
        ``no-transfer-syntax``: the pixels are compressed, and nothing says how.
    """
    if getattr(dataset, "file_meta", None) is None:
        dataset.file_meta = FileMetaDataset()
    said = UID(str(dataset.file_meta.get("TransferSyntaxUID") or "").strip())
    if said.is_transfer_syntax or said in PrivateTransferSyntaxes:
        return
    pixels = dataset.get_item("PixelData") if "PixelData" in dataset else None
    if pixels is not None and _is_encapsulated(pixels):
        raise VolumeError(
            "no-transfer-syntax",
            f"{called}: {TRANSFER_SYNTAX} is missing or unknown and the pixels are compressed, so that nothing says how: export the "
            "series again.",
            called,
        )
    implicit, little = dataset.original_encoding
    if implicit is None:
        implicit, little = False, True
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = UID(syntax)


def _is_encapsulated(pixels: object) -> bool:
    """Whether pixel data are in items of undefined length (PS3.5, A.4)."""
    undefined = getattr(pixels, "is_undefined_length", False) or getattr(pixels, "length", 0) == 0xFFFFFFFF
    return bool(undefined)
