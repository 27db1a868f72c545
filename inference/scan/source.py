"""The CT series that a segmentation and a report belong to: its identity, its images, its geometry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID, generate_uid

from inference.errors import DicomObjectError
from inference.scan.grid import LARGEST_CUT_MM
from inference.scan.likeness import HARMLESS_MM, finest
from inference.scan.opening import open_image
from inference.scan.series import series_files
from inference.scan.values import number, settle, written
from inference.scan.volume import Volume

# Nothing else of patient and study is taken over: no institution, no physician, no comment.
IDENTITY = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
    "ClinicalTrialSponsorName",
    "ClinicalTrialProtocolID",
    "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID",
    "ClinicalTrialSiteName",
    "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "StudyDescription",
)
_IMAGE = (
    "SpecificCharacterSet",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
    "SOPClassUID",
)
WAY_OUT = "Correct the series, or analyse without DICOM output (--no-dicom)."


@dataclass(frozen=True)
class SourceSeries:
    """What segmentation and report need of the CT series; lists are in the order of the volume's slices.

    Parameters
    ----------
    identity : patient and study attributes (``IDENTITY``) as the series carries them, where they have a value.
    study_uid, series_uid, frame_uid : UIDs of study, series and frame of reference.
    image_uids : SOP Instance UIDs. nearest : which image lies nearest to each slice: the slice's own, unless the volume was
        resampled. positions : (N, 3) LPS mm of each slice's first voxel. orientation : (6,).
    rows, columns : of each image. pixel_spacing : (row, column) mm. slice_mm : distance between slices.
    lossy : LossyImageCompression and what goes with it. simulated : whether no patient was scanned.
    """

    identity: Dataset
    study_uid: str
    series_uid: str
    frame_uid: str
    image_uids: tuple[str, ...]
    nearest: tuple[int, ...]
    positions: np.ndarray
    orientation: np.ndarray
    rows: int
    columns: int
    pixel_spacing: tuple[float, float]
    slice_mm: float
    lossy: Dataset
    simulated: bool


def read_source(source: Path | str | Sequence[Path] | Sequence[Dataset], volume: Volume) -> SourceSeries:
    """Read the headers of the series that a volume was made from.

    Parameters
    ----------
    source : what ``read_series`` read the volume from.
    volume : the volume; the images are put in the order of its slices.

    Raises
    ------
    DicomObjectError
        ``wrong-series``: number, size or place of the images is not the volume's. ``missing-tag``: an image lacks a
        UID without which nothing can refer to it.
    """
    items: list[Any] = series_files(source) if isinstance(source, str | Path) else list(source)
    called = [x.name if isinstance(x, Path) else f"image {n + 1}" for n, x in enumerate(items)]
    images = [
        x if isinstance(x, Dataset) else _header(x, what) for x, what in zip(items, called, strict=True)
    ]
    for image, what in zip(images, called, strict=True):
        settle(image, what, only=None)
    order = _order(images, called, volume)
    images, called = [images[n] for n in order], [called[n] for n in order]
    first = images[0]
    series_uid = _uid(first, "SeriesInstanceUID", called[0])
    # Some anonymisers empty the frame of reference; the series itself then is one.
    frame_uid = str(first.get("FrameOfReferenceUID") or generate_uid(entropy_srcs=[series_uid, "frame"]))
    spacing = [x.value for x in finest(images, "PixelSpacing")]
    at = volume.metadata.get("slices_at")
    own = tuple(range(len(images)))
    positions = np.array([[x.value for x in written(d, "ImagePositionPatient")] for d in images])
    return SourceSeries(
        identity=_some(first, IDENTITY),
        study_uid=_uid(first, "StudyInstanceUID", called[0]),
        series_uid=series_uid,
        frame_uid=frame_uid,
        image_uids=tuple(_instance_uid(d, what) for d, what in zip(images, called, strict=True)),
        nearest=own if at is None else tuple(int(np.abs(np.asarray(at) - k).argmin()) for k in own),
        positions=positions if at is None else volume.to_patient(np.outer(own, [0, 0, 1])),
        orientation=np.array([x.value for x in finest(images, "ImageOrientationPatient")]),
        rows=volume.hu.shape[1],
        columns=volume.hu.shape[2],
        pixel_spacing=(spacing[0], spacing[1]),
        slice_mm=volume.spacing_mm[2],
        lossy=_lossy(first),
        simulated=bool(volume.metadata.get("simulated")),
    )


def _header(path: Path, called: str) -> Dataset:
    """Read what is needed of one file's header."""
    return open_image(path, called, only=(*_IMAGE, *IDENTITY))


def _order(images: list[Dataset], called: list[str], volume: Volume) -> list[int]:
    """Return which image is which slice of the volume."""
    slices, rows, columns = volume.hu.shape
    if len(images) != slices:
        raise DicomObjectError(
            "wrong-series",
            f"The series has {len(images)} images, the analysed volume {slices} slices: give the series that was analysed.",
        )
    for image, what in zip(images, called, strict=True):
        size = (number(image, "Rows"), number(image, "Columns"))
        if size != (rows, columns) or not written(image, "ImagePositionPatient"):
            raise DicomObjectError(
                "wrong-series",
                f"{what} is not an image of {columns} × {rows} pixels with a position: give the series that was analysed.",
                what,
            )
    place = np.array([[x.value for x in written(image, "ImagePositionPatient")] for image in images])
    index = volume.to_index(place)
    order = np.argsort(index[:, 2], kind="stable")
    at = np.asarray(volume.metadata.get("slices_at", np.arange(slices)), float)
    off = (index[order] - np.outer(at, [0, 0, 1])) * volume.spacing_mm
    # The volume begins and ends on images; between them they may lie as far off as reading a series allows.
    allowed = np.full(slices, LARGEST_CUT_MM)
    allowed[[0, -1]] = HARMLESS_MM
    bad = np.linalg.norm(off, axis=1) > allowed
    if bad.any():
        what = called[int(order[int(bad.argmax())])]
        raise DicomObjectError(
            "wrong-series",
            f"{what} does not lie on a slice of the analysed volume: give the series that was analysed.",
            what,
        )
    return [int(n) for n in order]


def _uid(image: Dataset, keyword: str, called: str) -> str:
    value = str(image.get(keyword) or "")
    if not value:
        raise DicomObjectError(
            "missing-tag", f"{called}: {keyword} is empty; nothing can refer to it. {WAY_OUT}", keyword
        )
    if not UID(value).is_valid:
        raise DicomObjectError(
            "bad-tag",
            f"{called}: {keyword} is not a valid UID; DICOM output would not be valid. {WAY_OUT}",
            keyword,
        )
    return value


def _instance_uid(image: Dataset, called: str) -> str:
    """SOP Instance UID; some anonymisers empty the data set's own and leave the file header's."""
    if not image.get("SOPInstanceUID"):
        meta = getattr(image, "file_meta", Dataset())
        image = _some(image, ())
        image.SOPInstanceUID = str(meta.get("MediaStorageSOPInstanceUID") or "")
    return _uid(image, "SOPInstanceUID", called)


def _some(image: Dataset, keywords: tuple[str, ...]) -> Dataset:
    """Return a data set of some attributes, where they have a value."""
    out = Dataset()
    for keyword in keywords:
        if image.get(keyword) not in (None, "", []):
            # By value, so that it gets the standard's value representation whatever the file gave it.
            setattr(out, keyword, image[keyword].value)
    for keyword, pattern in (
        ("PatientBirthDate", r"\d{8}"),
        ("StudyDate", r"\d{8}"),
        ("StudyTime", r"\d{2,6}(\.\d{1,6})?"),
    ):
        # What is no date or time (2001.01.01, "unknown") would make the output invalid: it is left empty.
        if keyword in out and not re.fullmatch(pattern, str(out[keyword].value).strip()):
            del out[keyword]
    if str(out.get("PatientSex", "M")) not in ("M", "F", "O"):
        del out["PatientSex"]
    return out


def _lossy(image: Dataset) -> Dataset:
    out = _some(image, ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"))
    if str(out.get("LossyImageCompression", "00")) != "01":
        out = Dataset()
        out.LossyImageCompression = "00"
    return out
