"""Stored pixel values: what lies in the bits that are stored, in every transfer syntax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder
from pydicom.uid import UID

from inference.errors import VolumeError
from inference.scan.values import number, tag_name

DESCRIBED = ("Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation")


@dataclass(frozen=True)
class StoredValues:
    """The stored values of one image.

    Parameters
    ----------
    values : (rows, columns) int32. padding : (rows, columns) bool, or None where nothing is padding.
    padding_values : lowest and highest value of what is padding.
    outside : whether bits outside Bits Stored held something else than the sign; they are in no value.
    """

    values: np.ndarray
    padding: np.ndarray | None
    padding_values: tuple[int, int] | None
    outside: bool


def stored_values(dataset: Dataset, called: str) -> StoredValues:
    """Decode the pixels of one image whose header is settled.

    Raises
    ------
    VolumeError
        ``missing-tag``, ``damaged-pixels``, ``not-ct`` (colour), ``bad-bits``.
    """
    for keyword in DESCRIBED:
        if number(dataset, keyword) is None:
            raise VolumeError(
                "missing-tag",
                f"{called}: {tag_name(keyword)} is missing; its pixels cannot be read without it.",
                called,
            )
    if int(number(dataset, "SamplesPerPixel") or 1) != 1:
        raise VolumeError("not-ct", f"{called} is a colour image.", called)
    dataset.SamplesPerPixel = 1
    if str(dataset.get("PhotometricInterpretation") or "") not in ("MONOCHROME1", "MONOCHROME2"):
        dataset.PhotometricInterpretation = (
            "MONOCHROME2"  # one value a pixel: which end is white changes none
        )
    words = _decode(dataset, called)
    bits, signed = int(dataset.BitsStored), int(dataset.PixelRepresentation) == 1
    width = words.dtype.itemsize * 8
    if bits > min(width, 32):
        raise VolumeError(
            "bad-bits",
            f"{called}: {tag_name('BitsStored')} is {bits}, {tag_name('BitsAllocated')} {width}; export it again.",
            called,
        )
    unsigned: np.ndarray = words.view(f"u{words.dtype.itemsize}")
    raw: np.ndarray = unsigned.astype(np.int32 if width <= 16 else np.int64)
    raw = _aligned(raw, dataset, bits=bits, called=called)
    values: np.ndarray = raw & ((1 << bits) - 1)
    if signed:
        values = np.where(values >> (bits - 1), values - (1 << bits), values)
    whole: np.ndarray = np.where(raw >> (width - 1), raw - (1 << width), raw) if signed else raw
    low_high, padding = _padding(dataset, width=width, signed=signed), None
    if low_high is not None:
        # Some write padding with more bits than are stored: it is known by the whole word.
        padding = ((values >= low_high[0]) & (values <= low_high[1])) | (
            (whole >= low_high[0]) & (whole <= low_high[1])
        )
    # Where a value is negative, the bits above may repeat its sign or be empty.
    outside = (whole != values) & (raw >> bits != 0)
    if padding is not None:
        outside &= ~padding
    return StoredValues(values.astype(np.int32, copy=False), padding, low_high, bool(outside.any()))


def _decode(dataset: Dataset, called: str) -> np.ndarray:
    try:
        decoder = get_decoder(UID(str(dataset.file_meta.TransferSyntaxUID)))
        how: Any = {"raw": True, "correct_unused_bits": False}
        words, _ = decoder.as_array(dataset, **how)
    except Exception as error:
        raise VolumeError(
            "damaged-pixels", f"{called}: its pixels cannot be decoded; the file is damaged or cut.", called
        ) from error
    if words.ndim != 2:
        raise VolumeError("not-ct", f"{called} is a colour image, or holds several frames.", called)
    return np.ascontiguousarray(words)


def _aligned(raw: np.ndarray, dataset: Dataset, *, bits: int, called: str) -> np.ndarray:
    """Shift words whose highest bit is not where Bits Stored ends, where the words themselves show which is meant."""
    high = number(dataset, "HighBit")
    shift = 0 if high is None else int(high) + 1 - bits
    if shift <= 0 or not (raw >> bits).any():
        return raw
    if (raw & ((1 << shift) - 1)).any():
        raise VolumeError(
            "bad-bits",
            f"{called}: {tag_name('HighBit')} is {int(high or 0)} with {bits} bits stored, and the pixels fit neither: export "
            "it again.",
            called,
        )
    return raw >> shift


def _padding(dataset: Dataset, *, width: int, signed: bool) -> tuple[int, int] | None:
    """Return the lowest and highest value of what is padding, of the pixels' own sign whatever sign it is written with."""
    first = number(dataset, "PixelPaddingValue")
    if first is None:
        return None
    limit = number(dataset, "PixelPaddingRangeLimit")

    def own(value: float) -> int:
        whole = int(value) % (1 << width)
        if not signed:
            return whole
        return whole - (1 << width) if whole >> (width - 1) else whole

    ends = sorted(own(x) for x in (first, first if limit is None else limit))
    return ends[0], ends[1]
