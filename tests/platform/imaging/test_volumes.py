"""What registration keeps of a volume: the file, its slabs and its geometry, whole and once."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import zstandard

from inference.scan import Volume
from plaquelab.imaging import slabs, volumes
from plaquelab.imaging.models import Exam
from plaquelab.imaging.selectors import ct_slabs, volume_of
from plaquelab.storage import store

pytestmark = [pytest.mark.django_db]


def test_the_slabs_hold_the_volume(make_exam: Callable[..., Exam], tiny_phantom: Any) -> None:
    exam = make_exam()
    hu = tiny_phantom.volume.hu
    parts = []
    for slab, kept in zip(slabs.slabs_of(len(hu)), ct_slabs(exam), strict=True):
        data, encoding = slabs.stored_bytes(kept.path, accept_encoding="zstd")
        assert encoding == "zstd"
        plain = zstandard.ZstdDecompressor().decompress(data)
        parts.append(slabs.decode(plain, (slab.count, *hu.shape[1:])))
    assert np.array_equal(np.concatenate(parts), hu)
    assert np.array_equal(volume_of(exam).hu, hu)


def test_what_is_stored_is_not_made_again(
    settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILES_DIR = tmp_path
    hu = np.random.default_rng(2).integers(-1000, 1000, (30, 8, 8)).astype(np.int16)
    volume = Volume(hu=hu, affine=np.diag([0.5, 0.5, 0.6, 1.0]))
    ticks: list[float] = []
    first = volumes.put_volume(volume, study_id=1, tick=ticks.append)
    assert ticks == [0.5, 1.0]
    monkeypatch.setattr(slabs, "compress", lambda _: pytest.fail("compressed again"))
    monkeypatch.setattr(type(store()), "put", lambda *_: pytest.fail("stored again"))
    assert volumes.put_volume(volume, study_id=1, tick=ticks.append) == first
    monkeypatch.undo()
    moved = volumes.put_volume(
        Volume(hu=hu + np.int16(1), affine=volume.affine), study_id=1, tick=ticks.append
    )
    assert {file.path for file in moved.slabs}.isdisjoint(file.path for file in first.slabs)


def test_the_geometry_is_the_volume_s(tiny_phantom: Any) -> None:
    volume = tiny_phantom.volume
    said = volumes.geometry_of(volume)
    assert np.array_equal(np.array(said["affine"]), volume.affine)
    assert said["shape"] == list(volume.hu.shape)
    read = np.load(io.BytesIO(volume.to_bytes()))
    assert said["shape"] == list(read["hu"].shape)
