"""A DICOM CT series → Volume. Refusals and warnings name what is wrong, where, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from inference.errors import VolumeError
from inference.scan.hounsfield import check_hounsfield
from inference.scan.volume import Volume

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
# pylibjpeg's open decoders do not cover 12-bit JPEG Extended and the two retired processes.
UNDECODABLE = {
    "1.2.840.10008.1.2.4.51": "JPEG Extended (12 bit)",
    "1.2.840.10008.1.2.4.53": "JPEG Spectral Selection (retired)",
    "1.2.840.10008.1.2.4.55": "JPEG Full Progression (retired)",
}
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91"}
FEWEST_SLICES = 8  # fewer hold no vessel
AIR_HU = -1024  # what scanners write where nothing was measured
POSITION_TOLERANCE_MM = 0.1  # headers round positions; a fifth of a usual slice distance

Named = Callable[[int], str]


def read_series(
    source: Path | str | Sequence[Path] | Sequence[Dataset], *, name: Named | None = None
) -> Volume:
    """Read one CT series.

    Parameters
    ----------
    source : a folder (searched with its sub-folders), files, or datasets already read.
    name : how a file is called in messages, by its place in ``source``; by default its file name.

    Raises
    ------
    VolumeError
        ``not-dicom``, ``no-pixel-data``, ``unsupported-transfer-syntax``, ``not-ct``, ``enhanced-multiframe``,
        ``mixed-series``, ``two-patients``, ``too-few-slices``, ``duplicate-slices``, ``missing-slices``,
        ``gantry-tilt``, ``mixed-orientation``, ``mixed-size``, ``8-bit``, ``non-hu``, ``rescale-slope-0``,
        ``no-geometry``.
    """
    datasets, called = _load(source, name)
    _same(datasets, called)
    axes, positions, order = _sort(datasets, called)
    datasets = [datasets[i] for i in order]
    called = [called[i] for i in order]
    warnings: list[str] = []
    spacing = _spacing(positions[order], called)
    first = datasets[0]
    with ThreadPoolExecutor(4) as pool:
        slices = list(pool.map(_hounsfield, datasets, called))
    hu = np.stack(slices)
    row_mm, column_mm = (float(x) for x in first.PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0] = axes[0] * column_mm
    affine[:3, 1] = axes[1] * row_mm
    affine[:3, 2] = axes[2] * spacing
    affine[:3, 3] = [float(x) for x in datasets[0].ImagePositionPatient]
    metadata = _metadata(first, hu, affine)
    if str(first.file_meta.TransferSyntaxUID) in LOSSY or str(first.get("LossyImageCompression", "")) == "01":
        warnings.append("The images were compressed with loss: HU and plaque borders are uncertain.")
    thickness = metadata.get("slice_thickness_mm")
    if spacing > 1.0 or (thickness or 0) > 1.0:
        warnings.append(
            f"Slices are {max(spacing, thickness or 0):.2f} mm: too thick for plaque of small vessels (at most 1 mm)."
        )
    if thickness and thickness > spacing * 2.05:
        warnings.append(f"Slices of {thickness:.2f} mm overlap every {spacing:.2f} mm.")
    if hu.min() > -500 and hu.max() < 300:
        warnings.append("The values span little of the HU range: check the rescale slope and intercept.")
    warnings += check_hounsfield(hu)
    return Volume(hu=hu, affine=affine, metadata=metadata, warnings=tuple(warnings))


def series_files(source: Path | str) -> list[Path]:
    """Return the files of a folder with its sub-folders, sorted; a DICOMDIR and hidden files are left out."""
    folder = Path(source)
    if not folder.exists():
        raise VolumeError("no-such-folder", f"There is no folder {folder.name}.")
    found = sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else [folder]
    return [p for p in found if p.name != "DICOMDIR" and not p.name.startswith(".")]


def _load(source: Any, name: Named | None) -> tuple[list[Dataset], list[str]]:
    items: list[Any] = series_files(source) if isinstance(source, str | Path) else list(source)
    if not items:
        raise VolumeError("too-few-slices", "There are no files.")
    called = [
        name(i) if name else (x.name if isinstance(x, Path) else f"image {i + 1}")
        for i, x in enumerate(items)
    ]
    with ThreadPoolExecutor(4) as pool:
        datasets = list(pool.map(_open, items, called))
    for dataset, what in zip(datasets, called, strict=True):
        _check_one(dataset, what)
    return datasets, called


def _open(item: Any, called: str) -> Dataset:
    if isinstance(item, Dataset):
        return item
    try:
        return pydicom.dcmread(item)
    except (InvalidDicomError, EOFError, OSError) as error:
        raise VolumeError("not-dicom", f"{called} is not a DICOM file: leave it out.", called) from error


def _check_one(dataset: Dataset, called: str) -> None:
    """Refuse an image that is no CT image with pixels, a place and HU."""
    _check_kind(dataset, called)
    _check_geometry(dataset, called)
    _check_rescale(dataset, called)


def _check_kind(dataset: Dataset, called: str) -> None:
    meta = getattr(dataset, "file_meta", None)
    syntax = str(getattr(meta, "TransferSyntaxUID", ""))
    # Some anonymisers empty the data set's own SOP class and leave the file meta's.
    sop_class = str(
        dataset.get("SOPClassUID") or getattr(meta, "MediaStorageSOPClassUID", "") or CT_IMAGE_STORAGE
    )
    if sop_class == ENHANCED_CT or int(dataset.get("NumberOfFrames", 1) or 1) > 1:
        raise VolumeError(
            "enhanced-multiframe",
            f"{called} is an enhanced multi-frame CT: send the series as single-frame CT images.",
            called,
        )
    if str(dataset.get("Modality", "")) != "CT" or sop_class != CT_IMAGE_STORAGE:
        raise VolumeError(
            "not-ct", f"{called} is not a CT image (modality {dataset.get('Modality', 'missing')}).", called
        )
    if "PixelData" not in dataset:
        raise VolumeError("no-pixel-data", f"{called} holds no pixel data.", called)
    if syntax in UNDECODABLE:
        raise VolumeError(
            "unsupported-transfer-syntax",
            f"{called} is compressed as {UNDECODABLE[syntax]}, which cannot be decoded here: send it uncompressed or "
            "as JPEG 2000 or JPEG-LS lossless.",
            called,
        )


def _check_geometry(dataset: Dataset, called: str) -> None:
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns"):
        if dataset.get(keyword) in (None, ""):
            raise VolumeError(
                "no-geometry", f"{called}: {keyword} is missing; without it there is no geometry.", called
            )


def _check_rescale(dataset: Dataset, called: str) -> None:
    if int(dataset.get("BitsAllocated", 16)) == 8 or int(dataset.get("BitsStored", 16) or 16) <= 8:
        raise VolumeError(
            "8-bit", f"{called} has 8 bits a pixel: HU need 12 or more. Send the original series.", called
        )
    slope = dataset.get("RescaleSlope")
    if slope is None or dataset.get("RescaleIntercept") is None:
        raise VolumeError(
            "non-hu", f"{called}: RescaleSlope or RescaleIntercept is missing; the values are not HU.", called
        )
    for keyword in (
        "RescaleSlope",
        "RescaleIntercept",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
    ):
        if not np.isfinite(np.asarray(dataset.get(keyword), dtype=float)).all():
            raise VolumeError(
                "not-a-number", f"{called}: {keyword} holds a value that is not a number.", called
            )
    if min(float(x) for x in dataset.PixelSpacing) <= 0:
        raise VolumeError(
            "no-geometry", f"{called}: PixelSpacing is {dataset.PixelSpacing}; it must be above 0.", called
        )
    if float(slope) == 0:
        raise VolumeError(
            "rescale-slope-0", f"{called}: RescaleSlope is 0; every value would be the same.", called
        )
    kind = str(dataset.get("RescaleType", "HU") or "HU").upper()
    if kind not in ("HU", "US", "HOUNSFIELD"):
        raise VolumeError(
            "non-hu", f"{called}: RescaleType is {kind}, not HU (an energy or iodine map?).", called
        )


def _same(datasets: list[Dataset], called: list[str]) -> None:
    patients = {str(d.get("PatientID", "")) for d in datasets}
    if len(patients) > 1:
        raise VolumeError(
            "two-patients", f"The files belong to {len(patients)} patients: send one patient at a time."
        )
    series = Counter(str(d.get("SeriesInstanceUID", "")) for d in datasets)
    if len(series) > 1:
        sizes = ", ".join(str(n) for n in series.values())
        raise VolumeError(
            "mixed-series", f"The files belong to {len(series)} series ({sizes} images): choose one."
        )
    for keyword, code in (("Rows", "mixed-size"), ("Columns", "mixed-size"), ("PixelSpacing", "mixed-size")):
        values = [str(d.get(keyword)) for d in datasets]
        for value, what in zip(values, called, strict=True):
            if value != values[0]:
                raise VolumeError(code, f"{what}: {keyword} is {value}, elsewhere {values[0]}.", what)
    if len(datasets) < FEWEST_SLICES:
        raise VolumeError(
            "too-few-slices", f"The series has {len(datasets)} images; at least {FEWEST_SLICES} are needed."
        )


def _sort(datasets: list[Dataset], called: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return axes (rows of a 3 × 3: columns' direction, rows' direction, normal), positions along it, and the order."""
    orientation = np.array([[float(x) for x in d.ImageOrientationPatient] for d in datasets])
    off = np.abs(orientation - orientation[0]).max(axis=1)
    if off.max() > 1e-3:
        where = called[int(off.argmax())]
        raise VolumeError("mixed-orientation", f"{where} is oriented otherwise than the first image.", where)
    along, down = orientation[0, :3], orientation[0, 3:]
    if (
        abs(along @ down) > 1e-3
        or abs(np.linalg.norm(along) - 1) > 1e-2
        or abs(np.linalg.norm(down) - 1) > 1e-2
    ):
        raise VolumeError(
            "no-geometry",
            f"{called[0]}: ImageOrientationPatient is not two unit vectors at right angles.",
            called[0],
        )
    normal = np.cross(along, down)
    place = np.array([[float(x) for x in d.ImagePositionPatient] for d in datasets])
    positions = place @ normal
    order = np.argsort(positions, kind="stable")
    shear = place - place[order[0]] - np.outer(positions - positions[order[0]], normal)
    if np.linalg.norm(shear, axis=1).max() > 1.0:
        raise VolumeError(
            "gantry-tilt",
            "The slices are sheared against each other (gantry tilt): reconstruct the series without tilt.",
        )
    return np.stack([along, down, normal]), positions, order


def _spacing(positions: np.ndarray, called: list[str]) -> float:
    gaps = np.diff(positions)
    spacing = float(np.median(gaps))
    if spacing < 1e-3 or (gaps < 1e-3).any():
        where = called[int(np.argmin(gaps)) + 1]
        raise VolumeError(
            "duplicate-slices",
            f"{where} lies at the same position as another image: send each slice once.",
            where,
        )
    off = np.abs(gaps - spacing)
    if off.max() > max(POSITION_TOLERANCE_MM, 0.2 * spacing):
        i = int(off.argmax())
        missing = gaps[i] / spacing - 1
        if gaps[i] > 1.5 * spacing:
            raise VolumeError(
                "missing-slices",
                f"About {missing:.0f} slices are missing between {called[i]} and {called[i + 1]} "
                f"(a gap of {gaps[i]:.2f} mm where slices are {spacing:.2f} mm apart): send the whole series.",
                called[i + 1],
            )
        raise VolumeError(
            "varying-spacing",
            f"Slices are {spacing:.2f} mm apart, but {gaps[i]:.2f} mm between {called[i]} and {called[i + 1]}.",
            called[i + 1],
        )
    return float(np.mean(gaps))


def _hounsfield(dataset: Dataset, called: str) -> np.ndarray:
    """(rows, columns) int16 HU; what is below air, as some scanners write outside the field without saying so, is air."""
    try:
        pixels = dataset.pixel_array
    except Exception as error:
        raise VolumeError(
            "damaged-pixels", f"{called}: its pixels cannot be decoded; the file is damaged or cut.", called
        ) from error
    if pixels.ndim != 2:
        raise VolumeError("not-ct", f"{called} is a colour image.", called)
    hu = pixels.astype(np.float32) * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    padding = dataset.get("PixelPaddingValue")
    if padding is not None:
        hu[pixels == padding] = AIR_HU
    return np.asarray(np.clip(np.rint(hu), AIR_HU, 32767).astype(np.int16))


def _metadata(first: Dataset, hu: np.ndarray, affine: np.ndarray) -> dict[str, Any]:
    """Facts of the acquisition; never identifiers."""

    def number(keyword: str) -> float | None:
        value = first.get(keyword)
        try:
            return float(value)
        except (TypeError, ValueError):
            return None

    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    kernel = first.get("ConvolutionKernel", "")
    return {
        "manufacturer": str(first.get("Manufacturer", "")),
        "model": str(first.get("ManufacturerModelName", "")),
        "kvp": number("KVP"),
        "kernel": kernel if isinstance(kernel, str) else "\\".join(str(x) for x in kernel or []),
        "slice_thickness_mm": number("SliceThickness"),
        "rows": int(hu.shape[1]),
        "columns": int(hu.shape[2]),
        "slices": int(hu.shape[0]),
        "spacing_mm": [round(float(x), 5) for x in spacing],
        "contrast": bool(first.get("ContrastBolusAgent")) or None,
        "transfer_syntax": str(first.file_meta.TransferSyntaxUID),
        "simulated": any(
            "simulat" in str(first.get(keyword, "")).lower()
            for keyword in (
                "Manufacturer",
                "ManufacturerModelName",
                "SeriesDescription",
                "DerivationDescription",
            )
        ),
    }
