"""Every bad series is refused by name; a good one has the right orientation and HU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from inference.errors import VolumeError
from inference.scan import Volume, read_series

SLICES = 10
SERIES = generate_uid(entropy_srcs=["series"])


def image(k: int) -> Dataset:
    """One slice: HU = column − 2·row + 10·slice, oblique to nothing, 0.4 × 0.5 mm pixels, 0.6 mm apart."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["image", str(k)])
    ds = Dataset()
    ds.file_meta = meta
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.PatientID, ds.SeriesInstanceUID = "CT", "TEST", SERIES
    ds.FrameOfReferenceUID = "1.2.8"
    ds.Manufacturer, ds.KVP, ds.SliceThickness, ds.ConvolutionKernel = "Maker", 100, 0.6, "Bv40"
    ds.Rows, ds.Columns = 12, 16
    ds.PixelSpacing = [0.5, 0.4]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.ImagePositionPatient = [-20.0, -30.0, 100.0 + 0.6 * k]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleSlope, ds.RescaleIntercept = 2, -1024
    row, column = np.meshgrid(np.arange(12), np.arange(16), indexing="ij")
    stored = (1024 + 2 * (column - 2 * row + 10 * k)) // 2
    ds.PixelData = stored.astype("<u2").tobytes()
    return ds


def write(folder: Path, images: list[Dataset]) -> Path:
    folder.mkdir(exist_ok=True)
    for n, ds in enumerate(images):
        ds.save_as(folder / f"{n:03d}.dcm", enforce_file_format=True)
    return folder


@pytest.fixture
def images() -> list[Dataset]:
    return [image(k) for k in range(SLICES)]


def test_hu_and_geometry(tmp_path: Path, images: list[Dataset]) -> None:
    volume = read_series(write(tmp_path / "s", images[::-1]))
    assert volume.hu.shape == (SLICES, 12, 16)
    assert volume.spacing_mm == pytest.approx((0.4, 0.5, 0.6))
    np.testing.assert_allclose(volume.to_patient(np.array([3, 2, 4])), [-20 + 1.2, -30 + 1.0, 102.4])
    for k, j, i in ((0, 0, 0), (4, 2, 3), (9, 11, 15)):
        assert volume.hu[k, j, i] == 2 * ((1024 + 2 * (i - 2 * j + 10 * k)) // 2) - 1024
    assert volume.metadata["kvp"] == 100
    assert "TEST" not in str(dict(volume.metadata))


def test_feet_first_and_coronal_series_map_to_the_same_patient_points(images: list[Dataset]) -> None:
    """A coronal series: rows along −z. A point's HU is found at the point the header says."""
    for k, ds in enumerate(images):
        ds.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
        ds.ImagePositionPatient = [-20.0, 50.0 - 0.6 * k, 80.0]
    volume = read_series(images)
    point = np.array([-20 + 0.4 * 5, 50.0 - 0.6 * 7, 80.0 - 0.5 * 3])
    i, j, k = np.rint(volume.to_index(point)).astype(int)
    assert volume.hu[k, j, i] == 2 * ((1024 + 2 * (5 - 6 + 70)) // 2) - 1024
    assert np.linalg.det(volume.affine) > 0


def test_bytes_round_trip(images: list[Dataset]) -> None:
    volume = read_series(images)
    again = Volume.from_bytes(volume.to_bytes())
    assert again.content_sha256 == volume.content_sha256
    assert again.metadata == dict(volume.metadata)


def _drop(keyword: str, at: int = 4) -> Callable[[list[Dataset]], None]:
    return lambda images: delattr(images[at], keyword)


def _set(keyword: str, value: object, at: int | None = 4) -> Callable[[list[Dataset]], None]:
    def change(images: list[Dataset]) -> None:
        for n, ds in enumerate(images):
            if at is None or n == at:
                setattr(ds, keyword, value)

    return change


def _missing(images: list[Dataset]) -> None:
    del images[5:7]


def _tilt(images: list[Dataset]) -> None:
    for k, ds in enumerate(images):
        ds.ImagePositionPatient = [-20.0, -30.0 + 0.3 * k, 100.0 + 0.6 * k]


def _one_aside(images: list[Dataset]) -> None:
    images[4].ImagePositionPatient = [-20.0, -29.5, images[4].ImagePositionPatient[2]]


def _twelve_bit_jpeg(images: list[Dataset]) -> None:
    images[2].file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.51"
    images[2].PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    images[2]["PixelData"].VR = "OB"
    images[2]["PixelData"].is_undefined_length = True


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (_drop("PixelData"), "no-pixel-data", "004.dcm"),
        (_drop("ImagePositionPatient"), "no-geometry", "ImagePositionPatient"),
        (_drop("RescaleSlope"), "non-hu", "RescaleSlope"),
        (_set("RescaleSlope", 0), "rescale-slope-0", "004.dcm"),
        (_set("RescaleSlope", -2), "negative-slope", "004.dcm"),
        (_set("RescaleIntercept", -24), "rescale-jumps", "004.dcm"),
        (_set("KVP", 80), "two-kvp", "004.dcm"),
        (_set("FrameOfReferenceUID", "1.2.9"), "two-frames", "004.dcm"),
        (_set("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]), "localiser", "004.dcm"),
        (_set("ImageType", ["DERIVED", "SECONDARY", "MIP"]), "projection", "004.dcm"),
        (_set("RescaleSlope", float("nan")), "not-a-number", "RescaleSlope"),
        (_set("ImagePositionPatient", [-20.0, float("nan"), 100.0]), "not-a-number", "004.dcm"),
        (_set("RescaleType", "MGML"), "non-hu", "MGML"),
        (_set("BitsAllocated", 8), "8-bit", "8 bits"),
        (_set("BitsStored", 8), "8-bit", "8 bits"),
        (_set("PixelSpacing", [0.5, 0.0], at=None), "no-geometry", "above 0"),
        (_set("PatientID", "OTHER"), "two-patients", "2 patients"),
        (_set("SeriesInstanceUID", "1.2.3"), "mixed-series", "2 series"),
        (_set("Modality", "MR"), "not-ct", "MR"),
        (_set("NumberOfFrames", 3), "enhanced-multiframe", "multi-frame"),
        (_set("ImageOrientationPatient", [0, 1, 0, 1, 0, 0]), "mixed-orientation", "004.dcm"),
        (_set("PixelSpacing", [0.5, 0.5]), "mixed-size", "PixelSpacing"),
        (_set("ImagePositionPatient", [-20.0, -30.0, 100.0]), "duplicate-slices", "same position"),
        (_missing, "missing-slices", "About 2 slices are missing"),
        (_one_aside, "shifted-slices", "004.dcm"),
        (_tilt, "gantry-tilt", "tilt"),
        (_twelve_bit_jpeg, "unsupported-transfer-syntax", "12 bit"),
        (lambda images: images.__delitem__(slice(5, None)), "too-few-slices", "5 images"),
        (_set("PixelData", b"\0\0"), "damaged-pixels", "004.dcm"),
    ],
)
def test_bad_series_are_refused_by_name(
    tmp_path: Path, images: list[Dataset], change: Callable[[list[Dataset]], None], code: str, said: str
) -> None:
    change(images)
    folder = write(tmp_path / "bad", images)
    with pytest.raises(VolumeError) as error:
        read_series(folder)
    assert error.value.code == code
    assert said in str(error.value)
    assert "OTHER" not in str(error.value)


def test_a_text_file_among_images_is_named(tmp_path: Path, images: list[Dataset]) -> None:
    folder = write(tmp_path / "s", images)
    (folder / "notes.txt").write_text("not an image")
    with pytest.raises(VolumeError, match=r"notes\.txt is not a DICOM file"):
        read_series(folder)


def test_thick_and_lossy_scans_carry_warnings(images: list[Dataset]) -> None:
    for k, ds in enumerate(images):
        ds.ImagePositionPatient = [0, 0, 3.0 * k]
        ds.LossyImageCompression = "01"
    warnings = " ".join(read_series(images).warnings)
    assert "3.00 mm: too thick" in warnings
    assert "compressed with loss" in warnings


def test_padding_outside_the_field_is_air(images: list[Dataset]) -> None:
    for ds in images:
        stored = np.frombuffer(ds.PixelData, "<u2").copy()
        stored[0] = 4000
        ds.PixelData, ds.PixelPaddingValue = stored.tobytes(), 4000
    assert (read_series(images).hu[:, 0, 0] == -1024).all()


def test_undeclared_padding_below_air_is_air(images: list[Dataset]) -> None:
    for ds in images:
        stored = np.frombuffer(ds.PixelData, "<i2").copy()
        stored[0] = -2048
        ds.PixelData, ds.PixelRepresentation, ds.RescaleIntercept = stored.tobytes(), 1, 0
    assert (read_series(images).hu[:, 0, 0] == -1024).all()


def test_reading_is_independent_of_file_order(tmp_path: Path, images: list[Dataset]) -> None:
    first = read_series(write(tmp_path / "a", images))
    second = read_series([pydicom.dcmread(p) for p in sorted((tmp_path / "a").iterdir(), reverse=True)])
    assert first.content_sha256 == second.content_sha256


def test_mixtures_reformats_and_an_impossible_field_are_told(images: list[Dataset]) -> None:
    for k, ds in enumerate(images):
        ds.AcquisitionNumber, ds.ImageType = 1 + k // 5, ["DERIVED", "PRIMARY", "MPR"]
        ds.ConvolutionKernel = "Bv40" if k < 7 else "Bv59"
    warnings = " ".join(read_series(images).warnings)
    assert "AcquisitionNumber (0020,0012) (1 in 5 images, 2 in 5 images)" in warnings
    assert "ConvolutionKernel (0018,1210) (Bv40 in 7 images, Bv59 in 3 images)" in warnings
    assert "10 of 10 images are reformats" in warnings
    assert "field of view is 6 × 6 mm" in warnings
