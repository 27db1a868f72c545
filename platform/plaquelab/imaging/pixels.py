"""Decoding whatever transfer syntax came into plain little-endian 16-bit pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import UID

from inference.errors import VolumeError
from plaquelab.errors import Refusal

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


# JPEG baseline and extended, JPEG-LS near-lossless, JPEG 2000 (lossless only where the header says so).
MAY_BE_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in ("50", "51", "81", "91", "203"))


class PixelError(Refusal):
    """The pixels cannot be had. ``code`` is stable, the text is for a person and quotes no value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)


def make_native(source: Dataset) -> None:
    """Replace the object's pixels by native little-endian 16-bit ones, in place.

    Raises
    ------
    PixelError
        Unsupported transfer syntax, damaged or missing pixels, or colour.
    """
    from inference.scan.stored import stored_values  # noqa: PLC0415  loads SciPy and numba, which few pages need

    syntax = UID(str(source.file_meta.TransferSyntaxUID))
    if int(source.get("SamplesPerPixel") or 1) != 1:
        raise PixelError("colour-image", "The image is in colour: a CT image has one value per pixel.")
    if int(source.get("BitsStored") or 16) <= 8:
        raise PixelError(
            "8-bit", "The image has 8 bits a pixel: HU need 12 or more. Send the original series."
        )
    if str(syntax) in MAY_BE_LOSSY and str(source.get("LossyImageCompression", "") or "") != "00":
        source.LossyImageCompression = "01"
    try:
        stored = stored_values(source, "The image")
    except VolumeError as error:
        raise _told(error, syntax) from error
    values = stored.values
    if stored.padding is not None and stored.padding_values is not None:
        # Padding may be a value that the stored bits cannot hold; it stays what the header calls it.
        values = np.where(
            stored.padding & (values < stored.padding_values[0]), stored.padding_values[0], values
        )
        values = np.where(
            stored.padding & (values > stored.padding_values[1]), stored.padding_values[1], values
        )
    lowest, highest = int(values.min()), int(values.max())
    signed = int(source.PixelRepresentation) == 1
    if highest > (32767 if signed else 65535) or lowest < -32768:
        raise PixelError("damaged-pixel-data", "The pixel values do not fit 16 bits: this is no CT image.")
    bits = min(int(source.BitsStored), 16)
    if highest >= 1 << (bits - signed) or lowest < -(1 << (bits - 1)):
        bits = 16
    source.BitsAllocated, source.BitsStored, source.HighBit = 16, bits, bits - 1
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
        if keyword in source:
            del source[keyword]
    kind = "<i2" if source.PixelRepresentation else "<u2"
    source.PixelData = np.ascontiguousarray(values, dtype=kind).tobytes()
    source["PixelData"].VR = "OW"
    source["PixelData"].is_undefined_length = False


def _told(error: VolumeError, syntax: UID) -> PixelError:
    """Return what the sender of pixels that cannot be decoded is told."""
    if error.code != "damaged-pixels":
        return PixelError(error.code, f"{error}")
    if syntax.is_compressed and not syntax.is_deflated:
        name = syntax.name if syntax.is_transfer_syntax else "unknown"
        return PixelError(
            "unsupported-transfer-syntax",
            f"The pixels are packed as “{name}” and could not be unpacked: "
            "export the series uncompressed, or as lossless JPEG, JPEG-LS or JPEG 2000.",
        )
    return PixelError("damaged-pixel-data", "The pixel data are damaged or cut short: send the file again.")
