"""A header value becomes a number in one place: read where one reading is possible, refused or left out elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from inference.errors import VolumeError
from inference.scan import read_series
from inference.scan.values import number, read_number, settle

from .images import hu_of, images, replace_raw, write


@pytest.mark.parametrize(
    ("text", "limits", "value"),
    [
        ("120,0", (20, 400), 120.0),
        ("0,625", (0, 100), 0.625),
        ("120,000", (20, 400), 120.0),  # a hundred and twenty thousand kV is none
        ("-1,024", (-100_000, 100_000), None),  # an intercept of a thousand and twenty-four, or of one?
        (" +1.50\0", (0, 10), 1.5),
        ("0.429687500000000000000000", (0, 20), 0.4296875),
        ("1e-1", (0, 20), 0.1),
        ("120 kV", (20, 400), 120.0),
        ("0.6mm", (0, 100), 0.6),
        ("abc", (0, 1), None),
        ("1_000", (0, 2000), None),
        ("nan", (0, 1), None),
        ("1.2.3", (0, 10), None),
        ("1,2,3", (0, 10), None),
        ("", (0, 1), None),
        ("١٢", (0, 100), None),
        ("1e999", (0, 100), None),
    ],
)
def test_one_reading_or_none(text: str, limits: tuple[float, float], value: float | None) -> None:
    read = read_number(text, low=limits[0], high=limits[1])
    assert (read.value if read else None) == value


@given(st.decimals(-9999, 9999, places=3))
def test_half_a_unit_of_the_last_digit_is_what_writing_cost(value: object) -> None:
    read = read_number(str(value))
    assert read is not None
    assert read.value == float(str(value))
    assert read.half_step == 0.0005


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_none(text: str) -> None:
    read = read_number(text)
    assert read is None or np.isfinite(read.value)


@pytest.mark.parametrize(
    ("tag", "value", "keyword", "read"),
    [
        ((0x18, 0x60), b"120,0", "KVP", 120.0),
        ((0x18, 0x50), b"0,625", "SliceThickness", 0.625),
        ((0x28, 0x1053), b"1,0", "RescaleSlope", 1.0),
        ((0x28, 0x1052), b"-1024.0000000000000000000", "RescaleIntercept", -1024.0),
        ((0x18, 0x60), b"120\\120", "KVP", None),
        ((0x18, 0x60), b"high", "KVP", None),
        ((0x20, 0x13), b"twelve", "InstanceNumber", None),
    ],
)
def test_what_can_be_read_is_read_and_what_nothing_needs_stops_nobody(
    tmp_path: Path, tag: tuple[int, int], value: bytes, keyword: str, read: float | None
) -> None:
    folder = write(tmp_path, images())
    for path in folder.iterdir():
        replace_raw(path, tag, value)
    volume = read_series(folder)
    np.testing.assert_array_equal(volume.hu, hu_of())
    dataset = pydicom.dcmread(folder / "IM0001")
    settle(dataset, "IM0001", only=None)
    assert number(dataset, keyword) == read or value == b"120\\120"
    if b"," in value:
        assert any(f"{keyword} (" in w and "in 12 images; it was read" in w for w in volume.warnings)
    if value in (b"high", b"twelve"):
        assert any(f"{keyword} (" in w and "left out" in w for w in volume.warnings)
        assert not any(value.decode() in w for w in volume.warnings)


@pytest.mark.parametrize(
    ("tag", "value", "vr", "code", "said"),
    [
        ((0x28, 0x1053), b"abc", None, "not-a-number", "RescaleSlope (0028,1053)"),
        ((0x28, 0x1052), b"-1,024", None, "not-a-number", "RescaleIntercept (0028,1052)"),
        (
            (0x20, 0x32),
            b"-11.5\\-142.25",
            None,
            "wrong-count",
            "ImagePositionPatient (0020,0032) holds 2 values",
        ),
        ((0x20, 0x37), b"1\\0\\0\\0\\1", None, "wrong-count", "ImageOrientationPatient (0020,0037)"),
        ((0x28, 0x30), b"0.4", None, "wrong-count", "PixelSpacing (0028,0030)"),
        ((0x28, 0x30), b"0.4\\x", None, "not-a-number", "PixelSpacing (0028,0030)"),
        ((0x28, 0x10), b"\1\0\0", None, "wrong-count", "Rows (0028,0010)"),
        ((0x28, 0x101), b"twelve", b"LO", "not-a-number", "BitsStored (0028,0101)"),
    ],
)
def test_what_geometry_or_hu_need_is_refused_by_file_and_tag(
    tmp_path: Path, tag: tuple[int, int], value: bytes, vr: bytes | None, code: str, said: str
) -> None:
    folder = write(tmp_path, images())
    replace_raw(folder / "IM0005", tag, value, vr)
    with pytest.raises(VolumeError) as error:
        read_series(folder)
    assert error.value.code == code
    assert "IM0005" in str(error.value)
    assert said in str(error.value)


def test_numbers_in_sequences_are_settled_too() -> None:
    outer, inner = Dataset(), Dataset()
    inner.add_new("KVP", "LO", "120,5")
    inner.add_new("ExposureTime", "LO", "long")
    outer.CTExposureSequence = [inner]
    found = settle(outer, "x", only=None)
    assert number(outer.CTExposureSequence[0], "KVP") == 120.5
    assert "ExposureTime" not in outer.CTExposureSequence[0]
    assert list(found.left_out) == ["ExposureTime (0018,1150)"]
