"""The CT's code for the browser is exact and undone by both encodings."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plaquelab.imaging import slabs
from plaquelab.storage import store


@given(hnp.arrays(np.int16, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7)))
@settings(max_examples=60, deadline=None)
def test_every_int16_survives(hu: np.ndarray) -> None:
    assert np.array_equal(slabs.decode(slabs.encode(hu), hu.shape), hu)


def test_the_code_by_hand() -> None:
    # Row 5, 3, 3, -2: differences 5, -2, 0, -5; zigzag 10, 3, 0, 9; low bytes, then high bytes.
    hu = np.array([[[5, 3, 3, -2]]], np.int16)
    assert slabs.encode(hu) == bytes([10, 3, 0, 9, 0, 0, 0, 0])


def test_extreme_differences_wrap() -> None:
    hu = np.array([[[-32768, 32767, -32768]]], np.int16)
    assert np.array_equal(slabs.decode(slabs.encode(hu), (1, 1, 3)), hu)


def test_a_view_with_strides_is_coded_as_what_it_shows() -> None:
    hu = np.arange(2 * 6 * 8, dtype=np.int16).reshape(2, 6, 8)[:, ::2, ::-1]
    assert np.array_equal(slabs.decode(slabs.encode(hu), hu.shape), hu)


def test_encoding_does_not_change_its_input() -> None:
    hu = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    before = hu.copy()
    slabs.encode(hu)
    assert np.array_equal(hu, before)


@given(st.integers(1, 300))
def test_slabs_cover_every_slice_once(slices: int) -> None:
    parts = slabs.slabs_of(slices)
    assert [i for p in parts for i in range(p.first, p.first + p.count)] == list(range(slices))
    assert all(1 <= p.count <= 25 for p in parts)


def test_wrong_types_are_refused() -> None:
    with pytest.raises(ValueError, match="int16"):
        slabs.encode(np.zeros((2, 2, 2), np.float32))
    with pytest.raises(ValueError, match="bytes"):
        slabs.decode(b"123", (1, 1, 1))


def test_a_browser_gets_what_it_accepts(settings, tmp_path) -> None:
    settings.FILES_DIR = tmp_path
    hu = np.random.default_rng(1).integers(-1000, 1000, (3, 8, 8)).astype(np.int16)
    code = slabs.encode(hu)
    store().put("exams/1/ct/ct-slab-000-ab.zst", slabs.compress(code))
    path = "exams/1/ct/ct-slab-000-ab.zst"
    data, encoding = slabs.stored_bytes(path, accept_encoding="gzip, deflate, br, zstd")
    assert encoding == "zstd"
    assert zstandard.ZstdDecompressor().decompress(data) == code
    data, encoding = slabs.stored_bytes(path, accept_encoding="gzip;q=1.0, br")
    assert encoding == "gzip"
    assert gzip.decompress(data) == code
    assert slabs.stored_bytes(path, accept_encoding="")[0] == data  # made once, then kept
