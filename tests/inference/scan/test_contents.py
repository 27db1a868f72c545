"""A folder of several series, phases or reconstructions is listed, and one of them is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from inference.commands import analyse
from inference.errors import VolumeError
from inference.scan import choose_volume, list_volumes, read_volume

from .images import hu_of, images, write


def _phase(percent: int, *, shift: float = 0.0, lighter: int = 0):  # type: ignore[no-untyped-def]
    def change(ds: FileDataset, k: int) -> None:
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.NominalPercentageOfCardiacPhase = float(percent)
        ds.ImagePositionPatient = ["-20.5", "-30.25", f"{100 + 0.6 * k + shift:.4f}"]
        ds.PixelData = (np.frombuffer(ds.PixelData, "<u2") + lighter).astype("<u2").tobytes()

    return change


def _series(number: int, description: str):  # type: ignore[no-untyped-def]
    def change(ds: FileDataset, k: int) -> None:
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.SeriesInstanceUID, ds.SeriesNumber = f"1.2.3.{number}", number
        ds.SeriesDescription = description

    return change


@pytest.fixture
def two_phases(tmp_path: Path) -> Path:
    folder = write(tmp_path, images(_phase(45)))
    return write(folder, images(_phase(75, lighter=30)), first=13)


def test_phases_of_one_series_are_named_and_chosen(two_phases: Path) -> None:
    with pytest.raises(VolumeError) as error:
        read_volume(two_phases)
    assert error.value.code == "several-volumes"
    assert "choose one with --phase" in str(error.value)
    assert "phase 45 %" in str(error.value)
    assert "0.6 mm" in str(error.value)
    for asked in ("75", "75%", "phase 75 %"):
        volume, chosen = read_volume(two_phases, phase=asked)
        assert chosen.slices == 12
        np.testing.assert_array_equal(volume.hu, hu_of() + 30)
    assert "The folder holds 1 other CT volume; series 4 phase 75 % was taken." in volume.warnings
    with pytest.raises(VolumeError, match="No volume of this folder is phase 60") as error:
        read_volume(two_phases, phase="60")
    assert error.value.code == "no-such-volume"


def test_phases_that_lie_among_each_other_are_no_finer_series(tmp_path: Path) -> None:
    folder = write(tmp_path, images(_phase(45)))
    write(folder, images(_phase(75, shift=0.3)), first=13)
    assert [(v.part, v.slices) for v in list_volumes(folder).volumes] == [
        ("phase 45 %", 12),
        ("phase 75 %", 12),
    ]


def test_phases_in_two_kernels_are_four_volumes(tmp_path: Path) -> None:
    for n, (percent, kernel) in enumerate((p, k) for p in (45, 75) for k in ("Bv40", "Bv59")):
        series = images(_phase(percent))
        for ds in series:
            ds.ConvolutionKernel = kernel
        write(tmp_path, series, first=1 + 12 * n)
    found = list_volumes(tmp_path)
    assert [(v.part, v.slices) for v in found.volumes] == [
        (f"phase {p} %, kernel {k}", 12) for p in (45, 75) for k in ("Bv40", "Bv59")
    ]
    assert choose_volume(found, phase="phase 75 %, kernel Bv59").part == "phase 75 %, kernel Bv59"


def test_acquisitions_one_behind_the_other_are_one_scan(tmp_path: Path) -> None:
    def step_and_shoot(ds: FileDataset, k: int) -> None:
        ds.AcquisitionNumber, ds.TriggerTime = 1 + k // 4, 500 + k

    (volume,) = list_volumes(write(tmp_path, images(step_and_shoot, slices=24))).volumes
    assert (volume.part, volume.slices) == ("", 24)


def test_one_slice_twice_is_no_phase(tmp_path: Path) -> None:
    folder = write(tmp_path, images())
    (extra,) = images(slices=1)
    extra.SOPInstanceUID = extra.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    extra.AcquisitionNumber = "9"
    write(folder, [extra], first=13)
    with pytest.raises(VolumeError) as error:
        read_volume(folder)
    assert error.value.code == "duplicate-slices"


def test_series_are_listed_and_chosen_and_what_is_no_slice_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a", images(_series(3, "CTA 0.6 Bv40")))
    write(tmp_path / "b", images(_series(5, "CTA 0.6 Bv59")))
    (scout,) = images(_series(1, "Topogram"), slices=1)
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    write(tmp_path / "c", [scout])
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "a" / "copy").write_bytes((tmp_path / "a" / "IM0003").read_bytes())
    found = list_volumes(tmp_path)
    assert [line.split() for line in found.table().splitlines()][1] == [
        *("3", "12", "0.6", "mm", "0.6", "mm", "Bv40", "-", "CTA", "0.6", "Bv40", "1.2.3.3")
    ]
    with pytest.raises(VolumeError, match="holds 2 CT volumes; choose one with --series") as error:
        read_volume(tmp_path)
    assert found.table() in str(error.value)
    volume, chosen = read_volume(tmp_path, series="5")
    assert chosen.description == "CTA 0.6 Bv59"
    assert set(volume.warnings) >= {
        "1 file is no DICOM image: left out.",
        "1 file is a localiser: left out.",
        "1 file is a copy of another: left out.",
        "The folder holds 1 other CT volume; series 5 was taken.",
    }
    assert read_volume(tmp_path, series="1.2.3.3")[1].series_number == "3"


def test_a_bad_value_is_refused_where_its_volume_is_read_and_hides_no_other(tmp_path: Path) -> None:
    def spoil(ds: FileDataset, k: int) -> None:
        _series(5, "spoilt")(ds, k)
        if k == 4:
            ds.ImagePositionPatient = ["1", "2"]

    write(tmp_path / "a", images(_series(3, "good")))
    write(tmp_path / "b", images(spoil))
    assert [v.slices for v in list_volumes(tmp_path).volumes] == [12, 12]
    assert read_volume(tmp_path, series="3")[0].hu.shape[0] == 12
    with pytest.raises(VolumeError, match="IM0005: ImagePositionPatient") as error:
        read_volume(tmp_path, series="5")
    assert error.value.code == "wrong-count"


def test_a_cut_file_is_told_since_a_slice_would_be_missing(tmp_path: Path) -> None:
    folder = write(tmp_path, images())
    path = folder / "IM0012"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(VolumeError) as error:
        read_volume(folder)
    assert error.value.code in {"damaged-dicom", "no-pixel-data", "not-ct", "no-geometry"}
    assert "IM0012" in str(error.value)


def test_the_command_lists_and_refuses(two_phases: Path, tmp_path: Path) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    analyse.add_arguments(parser)
    options = parser.parse_args([str(two_phases), "--out", str(tmp_path / "out")])
    with pytest.raises(VolumeError, match="phase 75 %"):
        analyse.run(options)
    assert not (tmp_path / "out").exists()
    assert parser.parse_args([str(two_phases), "--out", "x", "--phase", "75"]).phase == "75"
