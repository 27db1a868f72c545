"""What a header says wrongly is read, left out and told, or refused by file and tag: never a failure of ours."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless

from inference.errors import InferenceError
from plaquelab.errors import Refusal
from plaquelab.imaging.archive import SourceFile
from plaquelab.imaging.preparing import gather, prepare
from plaquelab.imaging.reading_dicom import quiet
from plaquelab.imaging.selection import choose
from plaquelab.imaging.selectors import dicom_paths, volume_of
from plaquelab.storage import store
from tests.inference.scan.images import images, replace_raw, write


def _spoil(folder: Path, tag: tuple[int, int], value: bytes, *, at: int | None = None) -> Path:
    for n, path in enumerate(sorted(folder.iterdir())):
        if at is None or n == at:
            replace_raw(path, tag, value)
    return folder


@pytest.mark.parametrize(
    ("tag", "value", "fact", "read"),
    [
        ((0x18, 0x60), b"120,0", "kvp", 120.0),
        ((0x18, 0x50), b"0,625", "slice_thickness_mm", 0.625),
        ((0x28, 0x1053), b"1,0", "kvp", 120.0),
        ((0x18, 0x60), b"Quillfeather", "kvp", None),
        ((0x20, 0x13), b"Quillfeather", "kvp", 120.0),
    ],
)
def test_a_value_that_can_be_read_or_is_not_needed_stops_no_import(
    series: Callable[..., Path],
    ingest: Callable[..., Any],
    tag: tuple[int, int],
    value: bytes,
    fact: str,
    read: float | None,
) -> None:
    job = ingest(_spoil(series(), tag, value))
    assert job.state == "succeeded", job.message
    (issue,) = job.issues.all()
    assert (issue.code, issue.file_index) == ("header-value", None)
    assert "in 12 images" in issue.message
    assert "Quillfeather" not in issue.message
    assert job.exam.series.get().header.get(fact) == read
    assert volume_of(job.exam).hu[-1, -1, -1] == 1200


@pytest.mark.parametrize(
    ("tag", "value", "code", "said"),
    [
        ((0x20, 0x32), b"-11.5\\-142.25", "wrong-count", "ImagePositionPatient (0020,0032) holds 2 values"),
        ((0x28, 0x1053), b"Quillfeather", "not-a-number", "RescaleSlope (0028,1053)"),
    ],
)
def test_what_geometry_or_hu_need_is_refused_by_file_and_tag(
    series: Callable[..., Path],
    ingest: Callable[..., Any],
    tag: tuple[int, int],
    value: bytes,
    code: str,
    said: str,
) -> None:
    job = ingest(_spoil(series(), tag, value, at=5))
    assert job.state == "rejected"
    assert [(i.file_index, i.code) for i in job.issues.all()] == [(5, code)]
    assert f"In file 5: {said}" in job.message
    assert "Quillfeather" not in job.message


def test_one_spacing_in_two_spellings_is_taken(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    def spell(k: int, ds: Any) -> None:
        ds.PixelSpacing = ["0.5", "0.5"] if k % 2 else ["0.50000", "5e-1"]

    assert ingest(series(spell)).state == "succeeded"


def test_phases_of_one_series_are_named(series: Callable[..., Path], ingest: Callable[..., Any]) -> None:
    folder = series()

    def phase(percent: int, uid: int) -> Callable[[int, Any], None]:
        def change(k: int, ds: Any) -> None:
            ds.NominalPercentageOfCardiacPhase = float(percent)
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{uid}"

        return change

    series(phase(45, 1), folder=folder)
    for path in folder.iterdir():
        path.rename(path.with_name(path.name + ".45"))
    series(phase(75, 2), folder=folder)
    job = ingest(folder)
    assert job.state == "rejected"
    assert "holds 2 volumes (phase 45%, 12 slices; phase 75%, 12 slices)" in job.message


def test_a_graphic_outside_the_stored_bits_is_kept_nowhere(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    def draw(k: int, ds: Any) -> None:
        words = np.zeros((32, 32), "<u2")
        words[:24] = np.frombuffer(ds.PixelData, "<u2").reshape(24, 32)
        words[10:20, 10:20] |= 0x1000
        ds.Rows, ds.PixelData, ds.BitsStored, ds.HighBit = 32, words.tobytes(), 16, 15
        ds.compress(JPEG2000Lossless, generate_instance_uid=False)
        ds.BitsStored, ds.HighBit = 12, 11

    job = ingest(series(draw))
    assert job.state == "succeeded", job.message
    assert volume_of(job.exam).hu[0, 10, 10] == -900 + 20 * 10 + 5 * 10
    from io import BytesIO

    stored = pydicom.dcmread(BytesIO(store().get(dicom_paths(job.exam)[0])))
    assert not (np.frombuffer(stored.PixelData, "<u2") >> 12).any()


def test_padding_of_more_bits_than_are_stored_stays_padding(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    def pad(k: int, ds: Any) -> None:
        words = np.frombuffer(ds.PixelData, "<u2").copy()
        words[:32] = 63536
        ds.PixelData = words.tobytes()
        ds.add_new("PixelPaddingValue", "US", 63536)

    hu = volume_of(ingest(series(pad)).exam).hu
    assert (hu[:, 0] == -1024).all()
    assert hu[-1, -1, -1] == 1200


def test_a_file_without_a_transfer_syntax_is_taken(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    folder = series()
    for path in folder.iterdir():
        raw = path.read_bytes()
        end = 144 + struct.unpack("<I", raw[140:144])[0]
        meta, at = raw[144:end], raw[144:end].find(struct.pack("<HH", 2, 0x10))
        meta = meta[:at] + meta[at + 8 + struct.unpack("<H", meta[at + 6 : at + 8])[0] :]
        path.write_bytes(raw[:140] + struct.pack("<I", len(meta)) + meta + raw[end:])
    job = ingest(folder)
    assert job.state == "succeeded", job.message


_BYTES = (
    b"abc",
    b"",
    b"1,5",
    b"1\\2\\3\\4\\5\\6\\7",
    b"\xff\xfe\x80",
    b"-",
    b"1e400",
    b"nan",
    b"0",
    b"-1",
    b"9" * 40,
)
_VRS = (b"DS", b"IS", b"LO", b"US", b"FD", b"UI", b"SQ", b"AT", b"ZZ", b"PN", b"DA", b"UN")


def _mutate(path: Path, rng: random.Random) -> str:
    """Change the VR, the value, the length or a byte of one element of a file."""
    data = bytearray(path.read_bytes())
    at, places = 144 + struct.unpack("<I", data[140:144])[0], []
    while at + 8 <= len(data):
        long = bytes(data[at + 4 : at + 6]) in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC", b"UR")
        size = (
            struct.unpack_from("<I", data, at + 8)[0] if long else struct.unpack_from("<H", data, at + 6)[0]
        )
        if size == 0xFFFFFFFF:
            break
        places.append((at, 12 if long else 8, size))
        at += (12 if long else 8) + size
    places.append((132 + rng.randrange(12, 150), 8, 20))  # somewhere in the file meta
    at, head, size = rng.choice(places[:-1]) if rng.random() < 0.95 else places[-1]
    how = rng.randrange(4)
    if how == 0 and head == 8:
        value = rng.choice(_BYTES)
        value += b" " * (len(value) % 2)
        data[at + 6 : at + 8 + size] = struct.pack("<H", len(value)) + value
    elif how == 1:
        data[at + 4 : at + 6] = rng.choice(_VRS)
    elif how == 2 and head == 8:
        data[at + 6 : at + 8] = struct.pack("<H", rng.choice([0, 1, 2, 6, 7, size + 2, 60000]))
    else:
        for _ in range(rng.randint(1, 4)):
            data[at + rng.randrange(min(head + size, 40))] = rng.randrange(256)
    path.write_bytes(data)
    return f"element {data[at : at + 4].hex()}, kind {how}"


def test_no_mutated_header_is_a_failure_of_ours(tmp_path: Path) -> None:
    """Every spoilt file is read, or refused in words; so it is in the library and in an import."""
    from inference.scan import list_volumes, read_series

    whole = write(tmp_path / "whole", images(slices=8))
    sources = sorted(whole.iterdir())
    original = sources[3].read_bytes()
    failures = []
    rng = random.Random(11)
    for n in range(120):
        sources[3].write_bytes(original)
        what = _mutate(sources[3], rng)
        work = tmp_path / f"work-{n}"
        for step in (_import, lambda files, _: read_series(files), lambda files, _: list_volumes(files)):
            try:
                with quiet():
                    step(sources, work)
            except (Refusal, InferenceError) as refused:
                failures += [] if str(refused).strip() else [f"{n}: {what}: refused without a word"]
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of ours
                failures.append(f"{n}: {what}: {type(error).__name__}: {error}")
    assert not failures, "\n".join(failures)


def _import(files: list[Path], work: Path) -> Dataset | None:
    found, _ = gather(
        [SourceFile(path=p, file_index=n) for n, p in enumerate(files)],
        work=work,
        max_bytes=1 << 30,
        max_files=1000,
        tick=lambda _: None,
    )
    chosen = choose(found, key=b"k" * 32)
    prepare(
        chosen,
        work=work,
        key=b"k" * 32,
        subject_key="1",
        pseudonym="A-1",
        tick=lambda _: None,
        validating=lambda: None,
    )
    return None
