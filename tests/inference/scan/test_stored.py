"""Pixel values are what lies in Bits Stored, in every transfer syntax; padding that tissue could be is told."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from inference.errors import VolumeError
from inference.scan import read_series

from .images import COLUMNS, ROWS, hu_of, images, write

GRAPHIC = (slice(10, 14), slice(10, 30))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_a_graphic_above_the_stored_bits_is_no_value(syntax: str, signed: bool) -> None:
    def draw(ds: FileDataset, k: int) -> None:
        words = np.frombuffer(ds.PixelData, "<u2").reshape(ROWS, COLUMNS).copy()
        words[GRAPHIC] ^= 0x1000
        ds.PixelData = words.tobytes()
        ds.BitsStored, ds.HighBit = 16, 15
        if syntax != ExplicitVRLittleEndian:
            ds.compress(syntax, generate_instance_uid=False)
        ds.BitsStored, ds.HighBit = 12, 11

    volume = read_series(images(draw, signed=signed))
    np.testing.assert_array_equal(volume.hu, hu_of())
    assert any("In 12 images bits outside BitsStored (0028,0101) are set" in w for w in volume.warnings)


@pytest.mark.parametrize("signed", [False, True])
def test_pixels_as_the_standard_has_them_are_not_told_of(signed: bool) -> None:
    volume = read_series(images(signed=signed))
    np.testing.assert_array_equal(volume.hu, hu_of())
    assert not any("bits" in w or "Padding" in w for w in volume.warnings)


def test_pixels_at_the_upper_end_of_the_word_are_shifted() -> None:
    def lift(ds: FileDataset, k: int) -> None:
        ds.PixelData = (np.frombuffer(ds.PixelData, "<u2") << 4).tobytes()
        ds.HighBit = 15

    np.testing.assert_array_equal(read_series(images(lift)).hu, hu_of())


def test_a_high_bit_that_the_pixels_contradict_is_no_reason_to_shift_or_is_refused() -> None:
    def only_says(ds: FileDataset, k: int) -> None:
        ds.HighBit = 15

    np.testing.assert_array_equal(read_series(images(only_says)).hu, hu_of())

    def neither(ds: FileDataset, k: int) -> None:
        ds.PixelData, ds.HighBit = np.full((ROWS, COLUMNS), 0x8765, "<u2").tobytes(), 15

    with pytest.raises(VolumeError, match=r"HighBit \(0028,0102\) is 15 with 12 bits stored"):
        read_series(images(neither))


def _padded(value: int, padding: int, vr: str = "SS"):  # type: ignore[no-untyped-def]
    """The first two rows hold padding."""

    def change(ds: FileDataset, k: int) -> None:
        words = np.frombuffer(ds.PixelData, "<i2").reshape(ROWS, COLUMNS).copy()
        words[:2] = value
        ds.PixelData = words.tobytes()
        ds.BitsStored, ds.HighBit = 16, 15
        ds.add_new("PixelPaddingValue", vr, padding)

    return change


@pytest.mark.parametrize(("padding", "vr"), [(-2000, "SS"), (63536, "US")])
def test_padding_is_known_whatever_sign_it_is_written_with(padding: int, vr: str) -> None:
    volume = read_series(images(_padded(-2000, padding, vr), signed=True))
    assert (volume.hu[:, :2] == -1024).all()
    np.testing.assert_array_equal(volume.hu[:, 2:], hu_of()[:, 2:])


def test_a_padding_of_0_in_signed_pixels_turns_no_water_into_air() -> None:
    volume = read_series(images(_padded(0, 0), signed=True))
    assert (volume.hu[:, :2] == -1024).all()
    np.testing.assert_array_equal(volume.hu[:, 2:-1], hu_of()[:, 2:-1])
    assert (hu_of()[:, 2:-1] == 0).any()
    assert any("PixelPaddingValue (0028,0120) is a value that tissue has too" in w for w in volume.warnings)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_the_data_set_itself_says_how_it_is_written(tmp_path: Path, syntax: str) -> None:
    folder = write(tmp_path, images(syntax=syntax))
    for path in folder.iterdir():
        raw = path.read_bytes()
        end = 144 + struct.unpack("<I", raw[140:144])[0]
        meta, at = raw[144:end], raw[144:end].find(struct.pack("<HH", 2, 0x10))
        meta = meta[:at] + meta[at + 8 + struct.unpack("<H", meta[at + 6 : at + 8])[0] :]
        path.write_bytes(raw[:140] + struct.pack("<I", len(meta)) + meta + raw[end:])
    np.testing.assert_array_equal(read_series(folder).hu, hu_of())


def test_a_data_set_without_any_wrapping_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path, images())
    for path in folder.iterdir():
        raw = path.read_bytes()
        path.write_bytes(raw[144 + struct.unpack("<I", raw[140:144])[0] :])
    np.testing.assert_array_equal(read_series(folder).hu, hu_of())


def test_compressed_pixels_of_which_nothing_says_how_are_refused(tmp_path: Path) -> None:
    def pack(ds: FileDataset, k: int) -> None:
        ds.compress(RLELossless, generate_instance_uid=False)

    folder = write(tmp_path, images(pack))
    path = folder / "IM0003"
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.5\0", b"\0" * 20, 1))
    with pytest.raises(VolumeError, match=r"IM0003: TransferSyntaxUID \(0002,0010\)"):
        read_series(folder)
